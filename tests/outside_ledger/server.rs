//! A PostgreSQL server of a test's own, gone when dropped.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};

use crate::support::{Output, Sandbox};

/// Debian's `nobody`: PostgreSQL does not run as root, and needs a user that has a name.
const NOBODY: u32 = 65534;

/// The password of the server's only user; it means nothing outside of the test.
pub const PASSWORD: &str = "made-for/this@test";

/// The same, as an address has it.
pub const ENCODED: &str = "made-for%2Fthis%40test";

/// A server.
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
    settings: Vec<String>,
}

impl Server {
    /// One that asks for passwords by SCRAM, without TLS.
    pub fn start() -> Self {
        Self::with("scram-sha-256", &[])
    }

    /// One with a way to log in for all, and further settings.
    pub fn with(way: &str, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder, port, child: None, settings };
        Self::give(server.folder.path());
        fs::write(server.path("password"), PASSWORD).expect("ours");
        Self::give(&server.path("password"));
        let data = server.path("data").display().to_string();
        let file = server.path("password").display().to_string();
        let mut init = server.command("initdb");
        init.args(["--username=me", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata", &data]);
        init.arg(format!("--auth={way}")).arg(format!("--pwfile={file}"));
        let made = init.output().expect("PostgreSQL is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.run();
        server
    }

    /// A path in the server's folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file that only the server's user may read.
    pub fn write(&self, relative: &str, content: &str) -> PathBuf {
        let path = self.path(relative);
        fs::write(&path, content).expect("ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
        Self::give(&path);
        path
    }

    /// The address of a ledger in it; `more` follows the database.
    pub fn address(&self, more: &str) -> String {
        format!("postgres://me:{ENCODED}@localhost:{}/postgres{more}", self.port)
    }

    /// The same without a password.
    pub fn nameless(&self, more: &str) -> String {
        format!("postgres://me@localhost:{}/postgres{more}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs hardpan with the ledger in it.
    pub fn hardpan(&self, sandbox: &Sandbox, arguments: &[&str]) -> Output {
        sandbox.run(arguments).env("HARDPAN_LEDGER", &self.address("")).output()
    }

    /// Asks it by its own program: what it printed.
    pub fn sql(&self, statement: &str) -> String {
        let output = self.psql(statement).output().expect("psql is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Its own program with a statement, to be started.
    pub fn psql(&self, statement: &str) -> Command {
        let mut command = Command::new(program("psql"));
        command.args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-At", "-c", statement]);
        command.arg(format!("postgresql://me@localhost:{}/postgres?sslmode=prefer", self.port));
        command.env("PGPASSWORD", PASSWORD).stdin(Stdio::null());
        command
    }

    /// Has it speak TLS from its next start on, with `server.crt` and `server.key` in its folder.
    pub fn settings_for_tls(&mut self) {
        let settings = ["ssl=on", "ssl_cert_file=FOLDER/server.crt", "ssl_key_file=FOLDER/server.key"];
        self.settings.extend(settings.map(ToOwned::to_owned));
    }

    /// Starts it, with its settings, and waits until it answers.
    pub fn run(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.path("data")).args([
            "-c",
            "listen_addresses=localhost",
            "-c",
            "fsync=off",
        ]);
        command.arg("-c").arg(format!("port={}", self.port));
        command.arg("-c").arg(format!("unix_socket_directories={}", self.folder.path().display()));
        for setting in &self.settings {
            command.arg("-c").arg(setting.replace("FOLDER", &self.folder.path().display().to_string()));
        }
        let log = fs::File::create(self.path("log")).expect("ours");
        self.child =
            Some(command.stdout(Stdio::null()).stderr(log).spawn().expect("PostgreSQL is installed"));
        let begin = Instant::now();
        while !self.psql("SELECT 1").output().is_ok_and(|output| output.status.success()) {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(begin.elapsed() < Duration::from_mins(1), "it does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends it as a power cut would.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // "Immediate shutdown": nothing is written down, all of its processes end.
        let _ = kill_process(Pid::from_child(&child), Signal::QUIT);
        let begin = Instant::now();
        while child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if begin.elapsed() > Duration::from_secs(20) {
                let _ = child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).current_dir(self.folder.path());
        if getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn give(path: &Path) {
        if getuid().is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A program of PostgreSQL: where Debian has it, newest version first, or in the `PATH`.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    versions.sort();
    versions.pop().map_or_else(|| name.into(), |(_, path)| path)
}
