//! A docker daemon of the tests' own: no bridge, no firewall rules, gone when dropped; and no network
//! but where it has to reach a registry.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{run, tool};

/// A daemon in namespaces of its own.
pub struct Docker {
    daemon: Child,
    folder: tempfile::TempDir,
    cgroup: String,
}

impl Docker {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        Self::launch(&["-n"])
    }

    /// The same on the network of this machine, whose loopback interface has the tests' registries.
    pub fn start_on_this_network() -> Self {
        Self::launch(&[])
    }

    fn launch(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let cgroup = format!("/hardpan-{}", std::process::id());
        let mut command = Command::new("unshare");
        // In a process namespace of its own, everything it started dies with it.
        command.args(more).args([
            "-m",
            "-p",
            "-f",
            "--kill-child=KILL",
            "--propagation",
            "private",
            "--mount-proc",
            "dockerd",
        ]);
        command.args([
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
        ]);
        command.args(["--storage-driver=vfs", "--log-level=warn", &format!("--cgroup-parent={cgroup}")]);
        command.args([&format!("--data-root={}", path("data")), &format!("--exec-root={}", path("exec"))]);
        command.args([&format!("--pidfile={}", path("pid")), "-H", &format!("unix://{}", path("socket"))]);
        let log = std::fs::File::create(folder.path().join("log")).expect("ours");
        let daemon =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("unshare is there");
        let docker = Self { daemon, folder, cgroup };
        docker.wait();
        docker
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool("docker", arguments);
        command.env("DOCKER_HOST", format!("unix://{}", self.folder.path().join("socket").display()));
        command.env("DOCKER_CONFIG", self.folder.path().join("config"));
        command
    }

    fn wait(&self) {
        for _ in 0..150 {
            if self.command(&["version"]).output().is_ok_and(|output| output.status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("dockerd does not answer:\n{log}");
    }

    /// Runs a docker command, which must succeed: what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        // The daemon's control groups outlive it; they are empty now.
        let find = "find /sys/fs/cgroup -depth -type d -path \"*$0*\" -exec rmdir {} + 2>/dev/null; true";
        let _ = tool("sh", &["-c", find, &self.cgroup]).status();
    }
}
