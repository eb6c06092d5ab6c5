//! The configuration of a container (OCI runtime specification 1.0, config.md): nothing but what the
//! test says, and the image's layers, read-only.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::account::Account;
use super::seccomp;
use crate::ident::ImagePath;

/// What a container calls itself.
pub(super) const HOSTNAME: &str = "test";

/// The most processes and threads of a container.
const MOST_PROCESSES: u64 = 1024;

/// The largest file that a container may write, in bytes: volumes are on the host's own disk.
const LARGEST_FILE: u64 = 4 << 30;

/// Of the kernel's own files, those that tell or change more than a container should (as docker and
/// podman have them).
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// The same, for those that may be read.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Something of the host in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bind {
    /// On the host.
    pub(super) source: PathBuf,
    /// In the container.
    pub(super) destination: ImagePath,
    /// Whether it is a folder.
    pub(super) folder: bool,
    /// Whether it can be written.
    pub(super) writable: bool,
}

/// How far the kernel and the runtime go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a power of its own
pub(super) struct Powers {
    /// Whether this is root of the machine, rather than of a user name space.
    pub(super) root: bool,
    /// Whether memory and processes are limited by cgroups.
    pub(super) cgroups: bool,
    /// Whether system calls are filtered.
    pub(super) seccomp: bool,
}

/// A container to be.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The unpacked image.
    pub(super) rootfs: &'a Path,
    /// What it is called.
    pub(super) id: &'a str,
    /// Program and arguments.
    pub(super) words: &'a [String],
    /// Variables.
    pub(super) env: &'a [String],
    /// The folder that it begins in.
    pub(super) workdir: &'a str,
    /// Who it runs as.
    pub(super) account: &'a Account,
    /// What is mounted.
    pub(super) binds: &'a [Bind],
    /// The network that it joins; the host's own if `None`.
    pub(super) network: Option<&'a Path>,
    /// MiB of memory.
    pub(super) memory: u32,
    /// How far isolation goes.
    pub(super) powers: Powers,
}

/// Paths that each container has for itself, and whether they are folders.
pub(super) const OWN_MOUNTS: &[(&str, bool)] =
    &[("/proc", true), ("/dev", true), ("/sys", true), ("/tmp", true)];

/// `config.json`.
pub(super) fn config(plan: &Plan) -> Value {
    let Account { uid, gid, groups, .. } = plan.account;
    let mut user = json!({ "uid": uid, "gid": gid, "umask": 0o022 });
    if plan.powers.root {
        user["additionalGids"] = json!(groups);
    }
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": user,
            "args": plan.words,
            "env": plan.env,
            "cwd": plan.workdir,
            "capabilities": {
                "bounding": [], "effective": [], "inheritable": [], "permitted": [], "ambient": [],
            },
            "noNewPrivileges": true,
            "rlimits": limits(plan),
        },
        "root": { "path": plan.rootfs, "readonly": true },
        "hostname": HOSTNAME,
        "mounts": mounts(plan),
        "linux": linux(plan),
    })
}

fn limits(plan: &Plan) -> Value {
    let limit = |kind: &str, value: u64| json!({ "type": kind, "soft": value, "hard": value });
    let mut all = vec![limit("RLIMIT_CORE", 0), limit("RLIMIT_FSIZE", LARGEST_FILE)];
    if !plan.powers.cgroups && !plan.powers.root {
        // It counts the user's processes in the container's own user name space.
        all.push(limit("RLIMIT_NPROC", MOST_PROCESSES));
    }
    Value::Array(all)
}

fn linux(plan: &Plan) -> Value {
    let mut spaces = vec![
        json!({ "type": "pid" }),
        json!({ "type": "ipc" }),
        json!({ "type": "uts" }),
        json!({ "type": "mount" }),
    ];
    if let Some(path) = plan.network {
        spaces.push(json!({ "type": "network", "path": path }));
    }
    let mut linux = json!({ "maskedPaths": MASKED, "readonlyPaths": READ_ONLY });
    if !plan.powers.root {
        // The only user that there is here is the container's one user.
        let one = |number: u32| json!([{ "containerID": number, "hostID": 0, "size": 1 }]);
        spaces.push(json!({ "type": "user" }));
        linux["uidMappings"] = one(plan.account.uid);
        linux["gidMappings"] = one(plan.account.gid);
    }
    if plan.powers.cgroups {
        let bytes = u64::from(plan.memory) << 20;
        spaces.push(json!({ "type": "cgroup" }));
        linux["cgroupsPath"] = json!(format!("/{}", plan.id));
        linux["resources"] = json!({
            "memory": { "limit": bytes, "swap": bytes },
            "pids": { "limit": MOST_PROCESSES },
            "devices": [{ "allow": false, "access": "rwm" }],
        });
    }
    if plan.powers.seccomp {
        linux["seccomp"] = seccomp::profile();
    }
    linux["namespaces"] = Value::Array(spaces);
    linux
}

fn mounts(plan: &Plan) -> Value {
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    let size = format!("size={}m", plan.memory);
    let pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    // A group that the user name space does not have can't own a terminal.
    let terminals: Vec<&str> = pts.into_iter().chain(plan.powers.root.then_some("gid=5")).collect();
    let mut all = vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", &terminals),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", &size]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/tmp", "tmpfs", &["nosuid", "nodev", "mode=1777", &size]),
    ];
    if plan.powers.root && plan.network.is_some() {
        all.push(mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]));
    } else {
        // Only who owns a network may mount its `/sys`.
        let options = ["rbind", "nosuid", "noexec", "nodev", "ro"];
        all.push(json!({ "destination": "/sys", "type": "bind", "source": "/sys", "options": options }));
    }
    if plan.powers.cgroups && plan.powers.root && plan.network.is_some() {
        all.push(mount("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]));
    }
    let mut binds: Vec<&Bind> = plan.binds.iter().collect();
    // What is mounted inside another mount comes after it.
    binds.sort_by(|one, other| one.destination.cmp(&other.destination));
    all.extend(binds.into_iter().map(|bind| {
        let write = if bind.writable { "rw" } else { "ro" };
        let options = ["rbind", "rprivate", "nosuid", "nodev", write];
        json!({ "destination": bind.destination.as_str(), "type": "bind", "source": bind.source, "options": options })
    }));
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(powers: Powers, network: Option<&Path>) -> Value {
        let account = Account { uid: 65532, gid: 65532, groups: vec![7], home: "/".into() };
        config(&Plan {
            rootfs: Path::new("/r"),
            id: "hardpan-1",
            words: &["/x".into()],
            env: &[],
            workdir: "/",
            account: &account,
            binds: &[],
            network,
            memory: 64,
            powers,
        })
    }

    const ROOT: Powers = Powers { root: true, cgroups: true, seccomp: true };

    #[test]
    fn nothing_is_given_that_was_not_asked_for() {
        let config = with(ROOT, Some(Path::new("/proc/1/ns/net")));
        assert_eq!(config["root"]["readonly"], true);
        assert_eq!(config["process"]["noNewPrivileges"], true);
        for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
            assert_eq!(config["process"]["capabilities"][set], json!([]), "{set}");
        }
        let memory = &config["linux"]["resources"]["memory"];
        assert_eq!((&memory["limit"], &memory["swap"]), (&json!(64 << 20), &json!(64 << 20)));
        assert_eq!(config["linux"]["resources"]["pids"]["limit"], MOST_PROCESSES);
        assert_eq!(config["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ALLOW");
        let spaces = config["linux"]["namespaces"].as_array().expect("a list");
        let kinds: Vec<&str> = spaces.iter().filter_map(|space| space["type"].as_str()).collect();
        assert_eq!(kinds, ["pid", "ipc", "uts", "mount", "network", "cgroup"]);
    }

    #[test]
    fn an_ordinary_user_is_the_one_user_of_a_user_name_space() {
        let config = with(Powers { root: false, cgroups: false, seccomp: false }, None);
        assert_eq!(config["linux"]["uidMappings"], json!([{ "containerID": 65532, "hostID": 0, "size": 1 }]));
        assert!(config["process"]["user"].get("additionalGids").is_none());
        assert!(config["linux"].get("resources").is_none());
        assert!(config["process"]["rlimits"].to_string().contains("RLIMIT_NPROC"));
        assert!(!config["linux"]["namespaces"].to_string().contains("network"));
    }
}
