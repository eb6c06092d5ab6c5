//! Images of another processor: run through qemu where it is there.

use std::path::{Path, PathBuf};

use crate::host;
use crate::ident::Platform;

/// Where the kernel lists what it runs through other programs.
const REGISTERED: &str = "/proc/sys/fs/binfmt_misc";

/// How programs of a platform run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Emulation {
    /// As they are: on their own processor, or because the kernel sees to it.
    None,
    /// Through this program, which needs nothing beside it.
    Through(PathBuf),
    /// Not at all, and why.
    Impossible(String),
}

/// The platform of this machine; `None` for one that hardpan does not build for.
pub fn own_platform() -> Option<Platform> {
    match std::env::consts::ARCH {
        "x86_64" => Some(Platform::Amd64),
        "aarch64" => Some(Platform::Arm64),
        _ => None,
    }
}

/// How programs of this platform (`linux/arm64`) run here.
pub(super) fn emulation(platform: &str) -> Emulation {
    if own_platform().is_some_and(|own| own.to_string() == platform) {
        return Emulation::None;
    }
    let name = match platform {
        "linux/amd64" => "qemu-x86_64",
        "linux/arm64" => "qemu-aarch64",
        _ => return Emulation::Impossible(format!("{platform} is no platform that hardpan can test")),
    };
    let entry = host::read_lossy(&Path::new(REGISTERED).join(name)).unwrap_or_default();
    if is_fixed(&entry) {
        return Emulation::None;
    }
    match host::find_program(&format!("{name}-static")) {
        Some(path) => Emulation::Through(path),
        None => Emulation::Impossible(format!(
            "this machine is not {platform}, and neither has the kernel `{name}` registered for containers \
             nor is `{name}-static` there (Debian's package `qemu-user-static` has both)"
        )),
    }
}

/// Whether a registration is in use and holds in containers too, where the program's path is not (`F`,
/// binfmt-misc.rst of the kernel).
fn is_fixed(entry: &str) -> bool {
    let flags = entry.lines().find_map(|line| line.strip_prefix("flags:"));
    entry.lines().any(|line| line == "enabled") && flags.is_some_and(|flags| flags.contains('F'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_in_containers_counts() {
        let entry = |state: &str, flags: &str| format!("{state}\ninterpreter /usr/bin/q\nflags: {flags}\n");
        assert!(is_fixed(&entry("enabled", "OCF")));
        assert!(!is_fixed(&entry("enabled", "OC")));
        assert!(!is_fixed(&entry("disabled", "F")));
        assert!(!is_fixed(""));
    }
}
