//! Measuring others, on Debian's own packages of today.
//!
//! Debian slim: what `mmdebstrap --variant=minbase` installs for the packages that are asked for, without
//! the documentation that Debian's slim images leave out, packed by `gzip -6`. Distroless: the packages
//! that its repository lists for an image, each whole, as it puts them in, packed by `gzip -6`. Packages of
//! which ours hold a file count on both sides.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{PEERS, Peer, Peers, Whose, write, write_peers};
use crate::process::{find, program, run};

/// What Debian's own slim container images leave out of packages.
const SLIM: [&str; 6] = [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
];

/// Installs what is asked for into folders, and counts. What was measured is kept at once.
pub(super) fn measure(root: &Path, peers: &mut Peers, only: &[&str]) -> Result<(), String> {
    find("mmdebstrap").ok_or("mmdebstrap is not installed")?;
    let is_wanted = |name: &str| only.is_empty() || only.contains(&name);
    let wanted: Vec<_> = peers.keys().filter(|(name, _)| is_wanted(name)).cloned().collect();
    for (name, whose) in wanted {
        let Peer { asked, how, .. } = peers[&(name.clone(), whose)].clone();
        println!("    {name}, {}: {asked}", whose.name());
        let peer = match whose {
            Whose::Slim => {
                let (bytes, packages, release) = in_folder(|folder| install(folder, &asked))?;
                let how = format!("mmdebstrap --variant=minbase, Debian {release}, gzip -6");
                Peer { asked, bytes, packages, how }
            }
            // Where the list is from stays.
            Whose::Distroless => {
                let (bytes, packages) = in_folder(|folder| whole(folder, &asked))?;
                Peer { asked, bytes, packages, how }
            }
        };
        peers.insert((name, whose), peer);
        write(&root.join(PEERS), &write_peers(peers))?;
    }
    Ok(())
}

/// Bytes of the packed folder, packages in it, and Debian's own version there. The host's mirrors and
/// keys are taken, as mmdebstrap takes them.
fn install(folder: &Path, asked: &str) -> Result<(u64, u64, String), String> {
    let tar = folder.join("slim.tar");
    let mut command = program("mmdebstrap");
    command.args(["--quiet", "--variant=minbase"]);
    command.args(SLIM.iter().map(|option| format!("--dpkgopt={option}")));
    command.args((asked != "-").then(|| format!("--include={asked}")));
    // Packages that name their manual pages as alternatives fail where the folders are left out too.
    command.arg("--essential-hook=for n in 1 2 3 4 5 6 7 8; do mkdir -p \"$1\"/usr/share/man/man$n; done");
    // What apt keeps for itself is in no slim image.
    command.arg("--customize-hook=rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/apt/*");
    run(command.arg("trixie").arg(&tar))?;
    count(&tar)
}

/// Works in a folder that is there for as long.
fn in_folder<T>(work: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let folder = std::env::temp_dir().join(format!("hardpan-sizes-{}", std::process::id()));
    let failed = |error| format!("`{}`: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let done = work(&folder);
    std::fs::remove_dir_all(&folder).map_err(failed)?;
    done
}

/// Bytes of these packages, each whole and packed by itself, and their number.
fn whole(folder: &Path, asked: &str) -> Result<(u64, u64), String> {
    let packages: Vec<&str> = asked.split(',').collect();
    // mmdebstrap makes an apt of that suite, which only downloads.
    let download = format!(
        "--customize-hook=cd '{}' && APT_CONFIG=\"$MMDEBSTRAP_APT_CONFIG\" apt-get download -q=2 {}",
        folder.display(),
        packages.join(" ")
    );
    let mut command = program("mmdebstrap");
    run(command.args(["--quiet", "--variant=custom", &download, "trixie", "/dev/null"]))?;
    let failed = |error| format!("`{}`: {error}", folder.display());
    let (mut bytes, mut count) = (0, 0);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        bytes += packed(&entry.map_err(failed)?.path())?;
        count += 1;
    }
    if count != packages.len() as u64 {
        return Err(format!("{count} of {} packages came", packages.len()));
    }
    Ok((bytes, count))
}

/// Bytes of what a package installs, packed.
fn packed(deb: &Path) -> Result<u64, String> {
    let failed = |error| format!("dpkg-deb: {error}");
    let mut unpack = program("dpkg-deb");
    let mut unpack = unpack.arg("--fsys-tarfile").arg(deb).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let tar = unpack.stdout.take().expect("piped");
    let output = program("gzip").args(["-6", "--no-name"]).stdin(tar).output();
    let output = output.map_err(|error| format!("gzip: {error}"))?;
    if !unpack.wait().map_err(failed)?.success() || !output.status.success() {
        return Err(format!("`{}` can't be packed", deb.display()));
    }
    Ok(output.stdout.len() as u64)
}

fn count(tar: &Path) -> Result<(u64, u64, String), String> {
    let member = |name: &str| -> Result<String, String> {
        let output = program("tar").arg("-xOf").arg(tar).arg(name).output();
        let output = output.map_err(|error| format!("tar: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let status = member("./var/lib/dpkg/status")?;
    let release = member("./etc/debian_version")?.trim().to_owned();
    run(program("gzip").args(["-6", "--no-name", "--keep"]).arg(tar))?;
    let packed: PathBuf = tar.with_extension("tar.gz");
    let bytes = packed.metadata().map_err(|error| format!("`{}`: {error}", packed.display()))?.len();
    let packages = status.lines().filter(|line| line.starts_with("Package: ")).count();
    Ok((bytes, packages as u64, release))
}
