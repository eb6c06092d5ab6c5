//! Which files of a package are for running its programs in a container: not manuals and the like,
//! and not what only an installed system uses.

use crate::ident::{ImagePath, Platform};

/// Folders and files that only an installed system, its desktop, its other packages or people use.
const NOT_HERE: &[&str] = &[
    "/etc/NetworkManager",
    "/etc/X11",
    "/etc/apparmor.d",
    "/etc/apport",
    "/etc/apt",
    "/etc/bash_completion.d",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/dbus-1",
    "/etc/default",
    "/etc/dhcp",
    "/etc/emacs",
    "/etc/fail2ban",
    "/etc/grub.d",
    "/etc/init",
    "/etc/init.d",
    "/etc/insserv",
    "/etc/insserv.conf.d",
    "/etc/kernel",
    "/etc/logcheck",
    "/etc/logrotate.d",
    "/etc/modprobe.d",
    "/etc/network",
    "/etc/pam.d",
    "/etc/polkit-1",
    "/etc/ppp",
    "/etc/profile.d",
    "/etc/resolvconf",
    "/etc/rc.local",
    "/etc/runit",
    "/etc/rsyslog.d",
    "/etc/security",
    "/etc/sudoers.d",
    "/etc/sv",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/udev",
    "/etc/ufw",
    "/etc/update-motd.d",
    "/etc/vim",
    "/etc/xdg",
    "/usr/include",
    "/usr/lib/NetworkManager",
    "/usr/lib/debug",
    "/usr/lib/dracut",
    "/usr/lib/firewalld",
    "/usr/lib/initcpio",
    "/usr/lib/kernel",
    "/usr/lib/mime",
    "/usr/lib/modprobe.d",
    "/usr/lib/modules-load.d",
    "/usr/lib/networkd-dispatcher",
    "/usr/lib/pm-utils",
    "/usr/lib/resolvconf",
    "/usr/lib/sysctl.d",
    "/usr/lib/systemd",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/udev",
    "/usr/share/aclocal",
    "/usr/share/appdata",
    "/usr/share/applications",
    "/usr/share/apport",
    "/usr/share/bash-completion",
    "/usr/share/bug",
    "/usr/share/dbus-1",
    "/usr/share/debconf",
    "/usr/share/debhelper",
    "/usr/share/devhelp",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/elvish",
    "/usr/share/emacs",
    "/usr/share/fish",
    "/usr/share/gir-1.0",
    "/usr/share/gtk-doc",
    "/usr/share/help",
    "/usr/share/icons",
    "/usr/share/info",
    "/usr/share/initramfs-tools",
    "/usr/share/keyrings",
    "/usr/share/libalpm",
    "/usr/share/lintian",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/menu",
    "/usr/share/metainfo",
    "/usr/share/mime",
    "/usr/share/mime-info",
    "/usr/share/mime-packages",
    "/usr/share/nautilus-python",
    "/usr/share/nushell",
    "/usr/share/pixmaps",
    "/usr/share/pkgconfig",
    "/usr/share/polkit-1",
    "/usr/share/popularity-contest",
    "/usr/share/python3/runtime.d",
    "/usr/share/reportbug",
    "/usr/share/snmp/mibs",
    "/usr/share/sounds",
    "/usr/share/upstart",
    "/usr/share/vala",
    "/usr/share/vim/addons",
    "/usr/share/vim/registry",
    "/usr/share/zsh",
    "/usr/share/dh-python",
    "/var/lib/apt",
    "/var/lib/dpkg",
];

/// Endings of what is for building against a library.
const NOT_ENDINGS: &[&str] = &[".a", ".la", ".h", ".pc", ".desktop", ".dpkg-dist", ".dpkg-new"];

/// Whether a file or link is for run time.
pub(super) fn is_wanted(path: &ImagePath) -> bool {
    let text = path.as_str();
    let under =
        |folder: &str| text.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let first = text.get(1..).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    // Links such as /bin are the system's; what is in /var is made when it is run.
    let whole = matches!(first, "usr" | "etc" | "opt" | "srv" | "var");
    whole
        && !NOT_HERE.iter().any(|folder| under(folder))
        && !NOT_ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// Whether a file is a library where the loader looks by itself: the closure takes those that are needed.
pub(super) fn is_library(path: &ImagePath) -> bool {
    let Some(folder) = path.parent() else { return false };
    let searched = folder.as_str() == "/usr/lib"
        || Platform::ALL.iter().any(|platform| folder.as_str() == format!("/usr/lib/{}", platform.triplet()));
    let name = path.file_name();
    searched && format!("{name}.").contains(".so.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installed_system_uses_is_told_from_what_the_program_uses() {
        let wanted = |path: &str| is_wanted(&path.parse().expect("a path"));
        for path in ["/usr/sbin/x", "/etc/x/x.conf", "/usr/share/x/y", "/usr/lib/x86_64-linux-gnu/x/y.so"] {
            assert!(wanted(path), "{path}");
        }
        for path in [
            "/usr/share/man/man1/x.1",
            "/etc/init.d/x",
            "/usr/lib/systemd/system/x.service",
            "/usr/lib/x/y.a",
        ] {
            assert!(!wanted(path), "{path}");
        }
        assert!(is_library(&"/usr/lib/x86_64-linux-gnu/libx.so.1".parse().expect("a path")));
        assert!(!is_library(&"/usr/lib/x86_64-linux-gnu/x/libx.so.1".parse().expect("a path")));
    }
}
