//! Real registries on the loopback interface, each with a folder of its own, gone when dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tools::{REGISTRY, built, python};
use super::{run, tool};

/// The longest that one may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which registry. Neither has a referrers API: both answer 404 there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// CNCF distribution 3.
    Cncf,
    /// Debian's `docker-registry`, which is distribution 2.8.
    Debian,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cncf, Self::Debian];

    fn command(self) -> Command {
        match self {
            Self::Cncf => tool(&built(REGISTRY).display().to_string(), &[]),
            Self::Debian => tool("docker-registry", &[]),
        }
    }
}

/// A name and a password that a registry asks for.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// Who.
    pub name: &'a str,
    /// And what they must know.
    pub password: &'a str,
}

/// A registry that runs until it is dropped.
pub struct Registry {
    process: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Registry {
    /// One that everybody may read and write, over plain http.
    pub fn start(kind: Kind) -> Self {
        Self::launch(kind, None)
    }

    /// One that answers 401 to all but those who log in (basic).
    pub fn start_with_login(kind: Kind, login: Login) -> Self {
        Self::launch(kind, Some(login))
    }

    fn launch(kind: Kind, login: Option<Login>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("config.yml"), configuration(folder.path(), login)).expect("ours");
        let log = std::fs::File::create(path("log")).expect("ours");
        let mut command = kind.command();
        // What the user's environment says of registries is not for ours, nor are traces for anyone.
        command.env_clear().env("OTEL_TRACES_EXPORTER", "none").current_dir(folder.path());
        command.arg("serve").arg(path("config.yml")).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let mut registry = Self { process, folder, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        registry.address = registry.wait();
        registry
    }

    /// The port is the system's choice, so that two never want the same; the log says which it is.
    fn wait(&mut self) -> SocketAddr {
        let begin = Instant::now();
        loop {
            if let Some(address) = listening(&self.log()) {
                return address;
            }
            let ended = self.process.try_wait().expect("our own child");
            assert!(ended.is_none() && begin.elapsed() < PATIENCE, "no registry: {ended:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// `127.0.0.1:PORT/name`, where `name` may end in a tag or a digest.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder that it keeps everything in: `docker/registry/v2/{blobs,repositories}`.
    pub fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// A folder for `DOCKER_CONFIG`, with a `config.json` that logs in here.
    pub fn docker_config(&self, login: Login) -> PathBuf {
        let folder = self.folder.path().join("docker");
        let code = "import base64,json,sys; a,n,p=sys.argv[1:]; print(json.dumps({'auths': {a: {'auth': base64.b64encode(f'{n}:{p}'.encode()).decode()}}}))";
        let config = run(&mut python(code, &[&self.address(), login.name, login.password]));
        std::fs::create_dir_all(&folder).expect("ours");
        std::fs::write(folder.join("config.json"), config).expect("ours");
        folder
    }

    /// What it said so far, each request with its answer.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(folder: &Path, login: Option<Login>) -> String {
    let asks = login.map_or_else(String::new, |login| {
        let file = folder.join("htpasswd");
        std::fs::write(&file, htpasswd(login)).expect("ours");
        format!("auth: {{ htpasswd: {{ realm: tests, path: '{}' }} }}\n", file.display())
    });
    format!(
        "version: 0.1\nlog: {{ level: info, accesslog: {{ disabled: true }} }}\n\
         http: {{ addr: '127.0.0.1:0' }}\n\
         storage: {{ filesystem: {{ rootdirectory: '{}' }}, delete: {{ enabled: true }} }}\n{asks}",
        folder.join("storage").display()
    )
}

/// The only hash that registries take is bcrypt; the least cost is enough here.
fn htpasswd(login: Login) -> String {
    let code = "import bcrypt,sys; print(sys.argv[1]+':'+bcrypt.hashpw(sys.argv[2].encode(), bcrypt.gensalt(4)).decode())";
    run(&mut python(code, &[login.name, login.password]))
}

fn listening(log: &str) -> Option<SocketAddr> {
    log.split_once("listening on ")?.1.split(['"', ' ', '\n', ',']).next()?.parse().ok()
}
