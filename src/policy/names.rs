//! What shells and package managers are called.
//!
//! A name counts in a folder of programs (`bin`, `sbin`, `libexec`, whatever is above it), and that of
//! a file that may be executed counts anywhere. A version at its end does not change a name:
//! `pip3.13` is `pip`.

use crate::ident::ImagePath;

const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "bash-static",
    "bosh",
    "busybox",
    "csh",
    "dash",
    "elvish",
    "fish",
    "hush",
    "ksh",
    "lksh",
    "loksh",
    "mksh",
    "mksh-static",
    "oksh",
    "osh",
    "pdksh",
    "posh",
    "pwsh",
    "rbash",
    "rksh",
    "rzsh",
    "sash",
    "sh",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
    "zsh",
    "zsh-static",
];

const MANAGERS: &[&str] = &[
    "apk",
    "apt",
    "aptitude",
    "aptd",
    "bundle",
    "bundler",
    "cabal",
    "cargo",
    "conda",
    "composer",
    "corepack",
    "cpan",
    "cpanm",
    "cpanp",
    "debootstrap",
    "dnf",
    "dpkg",
    "dselect",
    "easy_install",
    "emerge",
    "flatpak",
    "gem",
    "guix",
    "luarocks",
    "mamba",
    "microdnf",
    "micromamba",
    "mmdebstrap",
    "npm",
    "npx",
    "opam",
    "opkg",
    "pacman",
    "pdm",
    "pear",
    "pecl",
    "pip",
    "pipenv",
    "pipx",
    "pnpm",
    "pnpx",
    "poetry",
    "rpm",
    "rustup",
    "snap",
    "unattended-upgrade",
    "uv",
    "uvx",
    "yarn",
    "yarnpkg",
    "yum",
    "zypper",
];

/// Beginnings of the names of families of programs.
const MANAGER_FAMILIES: &[&str] = &["apt-", "dpkg-", "nix-", "rpm-"];

/// Folders of modules that install software: what the path ends with, and a file in the folder that
/// is there whenever the module works.
const MODULES: &[(&str, &str)] = &[
    ("dist-packages/pip", "__init__.py"),
    ("site-packages/pip", "__init__.py"),
    ("ensurepip", "__init__.py"),
    ("node_modules/npm", "package.json"),
    ("nodejs/npm", "package.json"),
    ("node_modules/corepack", "package.json"),
    ("node_modules/pnpm", "package.json"),
    ("node_modules/yarn", "package.json"),
];

/// Whether a file or link is called as a shell is.
pub(super) fn is_shell(path: &ImagePath, runs: bool) -> bool {
    let (name, bare) = names(path);
    (runs || in_programs(path)) && (SHELLS.contains(&name) || SHELLS.contains(&bare))
}

/// Whether a file or link is called as a package manager is.
pub(super) fn is_manager(path: &ImagePath, runs: bool) -> bool {
    let (name, bare) = names(path);
    let family = MANAGER_FAMILIES.iter().any(|family| name.starts_with(family));
    let known = family || MANAGERS.contains(&name) || MANAGERS.contains(&bare);
    // Elsewhere than among programs, `apt-…` is as likely something else (completions, hooks).
    known && (in_programs(path) || runs && !family)
}

/// The folder of a module that installs software, if a file shows that it is there.
pub(super) fn module(path: &ImagePath) -> Option<ImagePath> {
    let folder = path.parent()?;
    let known = MODULES.iter().any(|(end, marker)| {
        *marker == path.file_name()
            && folder.as_str().strip_suffix(end).is_some_and(|before| before.ends_with('/'))
    });
    known.then_some(folder)
}

/// Whether a path is in a folder that programs are looked for in.
fn in_programs(path: &ImagePath) -> bool {
    let folder = path.parent().map(|folder| folder.file_name().to_owned()).unwrap_or_default();
    matches!(folder.as_str(), "bin" | "sbin" | ".bin" | "libexec" | "games")
}

/// A path's last part, and the same without the version at its end.
fn names(path: &ImagePath) -> (&str, &str) {
    let name = path.file_name();
    let bare =
        name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.' || letter == '-');
    (name, bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        text.parse().expect("a path")
    }

    #[test]
    fn shells_are_known_by_their_names_wherever_programs_are() {
        for name in [
            "/usr/bin/sh",
            "/opt/x/sbin/bash",
            "/usr/lib/klibc/bin/dash",
            "/usr/bin/zsh-5.9",
            "/usr/bin/ksh93",
        ] {
            assert!(is_shell(&path(name), false), "{name}");
        }
        for name in ["/usr/bin/ssh", "/usr/bin/shred", "/usr/share/bash", "/usr/bin/bashful", "/etc/sh"] {
            assert!(!is_shell(&path(name), false), "{name}");
        }
        assert!(is_shell(&path("/opt/tool/busybox"), true));
        assert!(!is_shell(&path("/opt/tool/busybox"), false));
    }

    #[test]
    fn package_managers_are_known_by_name_version_and_family() {
        for name in
            ["/usr/bin/pip3.13", "/usr/bin/dpkg-deb", "/usr/bin/apt", "/usr/local/bin/npx", "/usr/bin/gem3.3"]
        {
            assert!(is_manager(&path(name), true), "{name}");
        }
        for name in ["/usr/bin/pipewire", "/usr/bin/adapt", "/etc/apt-hooks", "/usr/lib/git-core/apt-x"] {
            assert!(!is_manager(&path(name), true), "{name}");
        }
    }

    #[test]
    fn a_module_is_known_by_its_folder_and_what_makes_it_work() {
        let found = module(&path("/usr/lib/python3/dist-packages/pip/__init__.py"));
        assert_eq!(found, Some(path("/usr/lib/python3/dist-packages/pip")));
        for other in [
            "/usr/lib/python3/dist-packages/pip/_vendor/x/__init__.py",
            "/usr/lib/python3/dist-packages/xpip/__init__.py",
            "/usr/lib/node_modules/mynpm/package.json",
        ] {
            assert_eq!(module(&path(other)), None, "{other}");
        }
    }
}
