//! Programs that Debian has packages of.

use std::path::Path;
use std::process::Command;

use super::python;
use crate::process::{find, program, show_and_run};

/// What the outside tests start, and the Debian package that it is in.
const OUTSIDE: [(&str, &str); 25] = [
    ("skopeo", "skopeo"),
    ("umoci", "umoci"),
    ("runc", "runc"),
    ("crun", "crun"),
    ("busybox", "busybox-static"),
    ("docker-registry", "docker-registry"),
    ("docker", "docker.io"),
    ("dockerd", "docker.io"),
    ("gpgv", "gpgv"),
    ("readelf", "binutils"),
    ("zstd", "zstd"),
    ("xz", "xz-utils"),
    ("dpkg-scanpackages", "dpkg-dev"),
    ("faketime", "faketime"),
    ("diffoscope", "diffoscope-minimal"),
    ("update-ca-certificates", "ca-certificates"),
    ("openssl", "openssl"),
    ("keytool", "default-jre-headless"),
    ("gcc", "gcc"),
    ("pwck", "passwd"),
    ("update-alternatives", "dpkg"),
    ("update-mime-database", "shared-mime-info"),
    ("python3", "python3"),
    (ENVIRONMENTS, "python3-venv"),
    (DATABASES, "postgresql"),
];

/// Not a program, but what Python may lack: the making of environments.
const ENVIRONMENTS: &str = "python3 -m venv";

/// Debian keeps it out of the `PATH`, one a version.
const DATABASES: &str = "initdb";

/// Where these versions are.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Kept by Debian for those who must not have daemons started (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Sees to it that all of them are here; `Err` names what is missing, and why.
pub fn ensure() -> Result<(), String> {
    let packages = packages_of(&missing());
    if packages.is_empty() {
        return Ok(());
    }
    let installed = may_install().and_then(|()| install(&packages));
    match (missing().as_slice(), installed) {
        ([], _) => Ok(()),
        (missing, Err(why)) => Err(format!("missing: {} ({why})", missing.join(", "))),
        (missing, Ok(())) => Err(format!("missing: {}, though apt installed them", missing.join(", "))),
    }
}

fn missing() -> Vec<&'static str> {
    OUTSIDE.iter().map(|(name, _)| *name).filter(|name| !is_here(name)).collect()
}

fn is_here(name: &str) -> bool {
    match name {
        ENVIRONMENTS => python::makes_environments(),
        DATABASES => makes_databases(Path::new(VERSIONS)),
        name => find(name).is_some(),
    }
}

/// Whether one of the versions has what makes databases.
fn makes_databases(versions: &Path) -> bool {
    let versions = std::fs::read_dir(versions).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin").join(DATABASES)).any(|path| path.is_file())
}

/// The packages of programs, each once.
fn packages_of(programs: &[&str]) -> Vec<&'static str> {
    let wanted = OUTSIDE.iter().filter(|(name, _)| programs.contains(name));
    let mut packages: Vec<&str> = wanted.map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn may_install() -> Result<(), String> {
    if find("apt-get").is_none() {
        return Err("no apt-get to install them with".to_owned());
    }
    let id = program("id").arg("-u").output().map_err(|error| format!("`id` did not start: {error}"))?;
    if id.stdout.trim_ascii() == b"0" { Ok(()) } else { Err("only root may install them".to_owned()) }
}

fn install(packages: &[&str]) -> Result<(), String> {
    let _policy = NoDaemons::hold()?;
    show_and_run(apt_get().args(["--quiet", "update"]))?;
    let install = ["--quiet", "install", "--yes", "--no-install-recommends", "ca-certificates"];
    show_and_run(apt_get().args(install).args(packages))
}

fn apt_get() -> Command {
    let mut command = program("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While it lives, no package starts a daemon.
struct NoDaemons {
    ours: bool,
}

impl NoDaemons {
    /// Writes the policy, unless the machine has one.
    fn hold() -> Result<Self, String> {
        let ours = !Path::new(POLICY).exists();
        let held = Self { ours };
        if ours {
            write_policy().map_err(|error| format!("`{POLICY}` can't be written: {error}"))?;
        }
        Ok(held)
    }
}

fn write_policy() -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
    std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = std::fs::remove_file(POLICY)
        {
            eprintln!("`{POLICY}` is ours and can't be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_two_missing_programs_is_installed_once() {
        assert_eq!(packages_of(&["docker", "dockerd", "xz"]), ["docker.io", "xz-utils"]);
        assert!(packages_of(&[]).is_empty());
    }

    #[test]
    fn a_version_without_a_server_is_none() {
        let folder = std::env::temp_dir().join(format!("xtask-apt-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("17/bin")).expect("made");
        assert!(!makes_databases(&folder));
        std::fs::write(folder.join("17/bin/initdb"), "").expect("written");
        assert!(makes_databases(&folder));
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(!makes_databases(&folder));
    }

    #[test]
    fn pythons_environments_are_a_package_of_their_own() {
        assert_eq!(packages_of(&["python3", ENVIRONMENTS]), ["python3", "python3-venv"]);
        assert_eq!(is_here(ENVIRONMENTS), python::makes_environments());
        assert!(!is_here("no-such-program"));
    }
}
