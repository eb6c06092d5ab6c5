//! Entries that would leave the image, or be something that no image should hold.

use crate::support::Tarball;
use crate::{hello, refuses, takes};

#[test]
fn a_path_that_climbs_is_refused() {
    refuses(hello().file("/../evil", "x", 0o644).no_parents().build(), "../evil");
    refuses(hello().file("/usr/share/../../../evil", "x", 0o644).no_parents().build(), "..");
    refuses(hello().dir("/usr/..", 0o755).no_parents().build(), "..");
    refuses(hello().symlink("/..", "/etc").no_parents().build(), "..");
}

#[test]
fn an_absolute_path_stays_inside_or_is_refused() {
    let tar = Tarball::new().file("/etc/evil", "x", 0o644).build();
    refuses(hello().data_tar(tar).build(), "/etc/evil");
}

#[test]
fn an_entry_through_a_link_is_refused_whatever_the_link_leads_to() {
    for target in ["/etc", "../../etc", "."] {
        let deb = hello().symlink("/usr/share/here", target).file("/usr/share/here/evil", "x", 0o644);
        refuses(deb.no_parents().build(), "goes through `/usr/share/here`");
    }
}

#[test]
fn an_entry_through_a_link_that_comes_after_it_is_refused() {
    let deb = hello().file("/usr/share/here/evil", "x", 0o644).symlink("/usr/share/here", "/etc");
    refuses(deb.no_parents().build(), "goes through `/usr/share/here`");
}

#[test]
fn an_entry_below_a_file_is_refused() {
    let deb = hello().file("/usr/share/here", "x", 0o644).file("/usr/share/here/evil", "x", 0o644);
    refuses(deb.no_parents().build(), "goes through `/usr/share/here`, which is not a folder");
}

#[test]
fn a_device_or_pipe_is_refused() {
    refuses(hello().device("/dev/null").build(), "`./dev/null` is a device node");
    refuses(hello().fifo("/run/pipe").build(), "`./run/pipe` is a named pipe");
}

#[test]
fn a_hard_link_outwards_to_nothing_or_to_a_link_is_refused() {
    let tar = |link: &str| {
        let tar = Tarball::new().dir("./", 0o755).file("./real", "x", 0o644).symlink("./soft", "real");
        hello().data_tar(tar.hardlink("./hard", link).build()).build()
    };
    refuses(tar("../../etc/passwd"), "..");
    refuses(tar("/etc/passwd"), "/etc/passwd");
    refuses(tar("./missing"), "`/hard` is a hard link to `/missing`, which is no file before it");
    refuses(tar("./soft"), "which is no file before it");
    refuses(tar("./hard"), "which is no file before it");
}

#[test]
fn an_entry_that_is_there_twice_is_refused() {
    let twice = || hello().file("/usr/share/here", "x", 0o644);
    refuses(twice().file("/usr/share/here", "y", 0o644).build(), "`/usr/share/here` is there twice");
    refuses(twice().symlink("/usr/share/here", "x").build(), "`/usr/share/here` is there twice");
    refuses(twice().dir("/usr/share/here", 0o755).build(), "`/usr/share/here` is there twice");
}

#[test]
fn an_entry_that_is_there_twice_by_two_names_is_refused() {
    let deb = hello().file("/usr/lib/here", "x", 0o644).file("/lib/here", "y", 0o644);
    refuses(deb.build(), "`/usr/lib/here` is there twice");
    let deb = hello().file("/usr/share/here", "x", 0o644).file("/usr/./share//here", "y", 0o644);
    refuses(deb.no_parents().build(), "");
}

#[test]
fn a_folder_may_be_there_twice() {
    takes(&hello().dir("/usr/share/here", 0o755).dir("/usr/share/here", 0o755));
}

#[test]
fn a_name_over_4096_bytes_is_refused() {
    let name = |length: usize| {
        let parts = "/".to_owned() + &"a".repeat(200);
        let mut name = parts.repeat(length / parts.len());
        name.push_str(&"b".repeat(length - name.len()));
        name
    };
    refuses(hello().file(&name(5000), "x", 0o644).no_parents().build(), "longer than 4096");
    refuses(hello().symlink("/usr/share/link", &name(5000)).build(), "longer than 4096");
    let tar = Tarball::new().file("./short", "x", 0o644).xattr(&"k".repeat(5000), b"x").build();
    refuses(hello().data_tar(tar).build(), "longer than 4096");
}

#[test]
fn a_name_that_is_not_utf8_is_refused() {
    let tar = |name: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        header.set_cksum();
        hello().raw_entry(header.as_bytes(), b"").build()
    };
    refuses(tar(b"./caf\xe9"), "is not UTF-8");
}

#[test]
fn a_header_whose_check_sum_is_wrong_is_refused() {
    let tar = Tarball::new().dir("./", 0o755).file("./usr-file", "x", 0o644).build();
    let mut broken = tar.clone();
    broken[512 + 2] ^= 1;
    refuses(hello().data_tar(broken).build(), "its data.tar");
    let mut negative = tar;
    negative[512 + 124..512 + 136].copy_from_slice(&[0xff; 12]);
    refuses(hello().data_tar(negative).build(), "its data.tar");
}

#[test]
fn an_entry_of_an_unknown_kind_is_refused() {
    let mut tar = Tarball::new().file("./here", "", 0o644).build();
    let mut header = tar::Header::from_byte_slice(&tar[..512]).clone();
    header.set_entry_type(tar::EntryType::new(b'V'));
    header.set_cksum();
    tar[..512].copy_from_slice(header.as_bytes());
    refuses(hello().data_tar(tar).build(), "is of the kind 'V', which is not taken");
}
