//! What packages may well hold comes through as it is.

use tar::EntryType;

use crate::support::{Codec, World};
use crate::{hello, takes};

#[test]
fn extended_attributes_are_kept() {
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let deb = hello().file("/usr/bin/hello", "hi", 0o755).xattr("security.capability", &capability);
    let deb = deb.xattr("user.note", b"line\nline\0end");
    let world = takes(&deb);
    // Capabilities are power, as set-id bits are: they stay where the recipe says so.
    assert_eq!(world.image().item("/usr/bin/hello").xattrs["user.note"], b"line\nline\0end");
    world.recipe("capabilities = [\"/usr/bin/hello\"]\npolicy.allow.setuid = \"a test\"\ndebian.packages = [\"hello\"]\n");
    world.build(&[]).ok();
    let image = world.image();
    let xattrs = &image.item("/usr/bin/hello").xattrs;
    assert_eq!(xattrs["security.capability"], capability);
    assert_eq!(xattrs["user.note"], b"line\nline\0end");
}

#[test]
fn hard_links_stay_hard_links() {
    assert_eq!(linked(0o644), (1, 2));
}

#[test]
fn a_hard_link_has_the_mode_of_its_file_whatever_its_own_header_says() {
    assert_eq!(linked(0o755), (1, 2));
}

/// How many of a file and two links to it are files and how many are links; the headers of the links
/// say 0644.
fn linked(mode: u32) -> (usize, usize) {
    let deb = hello().file("/usr/bin/hello", "hi", mode).hardlink("/usr/bin/hi", "/usr/bin/hello");
    let image = takes(&deb.hardlink("/usr/bin/a", "/usr/bin/hello")).image();
    let count = |kind| {
        let of = |path: &&&str| image.item(path).kind == kind;
        ["/usr/bin/a", "/usr/bin/hello", "/usr/bin/hi"].iter().filter(of).count()
    };
    (count(EntryType::Regular), count(EntryType::Link))
}

#[test]
fn a_hard_link_whose_target_is_not_taken_becomes_the_file() {
    let deb = hello().file("/usr/bin/hello", "hi", 0o755).hardlink("/usr/bin/hi", "/usr/bin/hello");
    let world = crate::world(deb.build());
    world.recipe("debian.packages.hello = [\"/usr/bin/hi\"]\n");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!((image.item("/usr/bin/hi").kind, image.text("/usr/bin/hi")), (EntryType::Regular, "hi"));
    assert!(!image.has("/usr/bin/hello"));
}

fn set_id() -> World {
    let deb = hello().file("/usr/bin/su", "x", 0o4755).file("/usr/bin/wall", "x", 0o2755);
    crate::world(deb.dir("/var/tmp", 0o1777).build())
}

#[test]
fn set_id_bits_are_gone_unless_the_recipe_says_so() {
    let world = set_id();
    world.build(&[]).ok();
    let mode = |path: &str| world.image().item(path).mode & 0o7777;
    assert_eq!((mode("/usr/bin/su"), mode("/usr/bin/wall"), mode("/var/tmp")), (0o755, 0o755, 0o1777));
}

#[test]
fn set_id_bits_are_there_where_the_recipe_says_so() {
    let world = set_id();
    world.recipe("debian.packages.hello = \"all\"\nmodes.\"/usr/bin/su\" = \"4755\"\npolicy.allow.setuid = \"a test\"\n");
    world.build(&[]).ok();
    let mode = |path: &str| world.image().item(path).mode & 0o7777;
    assert_eq!((mode("/usr/bin/su"), mode("/usr/bin/wall")), (0o4755, 0o755));
}

#[test]
fn owners_are_kept_and_the_recipe_may_change_them() {
    let deb = hello().file("/usr/bin/a", "x", 0o755).owner(12, 34).file("/usr/bin/b", "x", 0o755).owner(5, 6);
    let world = crate::world(deb.build());
    world.recipe("debian.packages.hello = \"all\"\nowners.\"/usr/bin/b\" = \"7:8\"\npolicy.allow.unowned = \"a test\"\n");
    world.build(&[]).ok();
    let owner = |path: &str| world.image().item(path).owner;
    assert_eq!((owner("/usr/bin/a"), owner("/usr/bin/b")), ((12, 34), (7, 8)));
}

#[test]
fn what_lies_outside_of_usr_by_its_old_name_is_merged() {
    let deb = hello().file("/bin/hello", "hi", 0o755).file("/lib/x86_64-linux-gnu/data", "d", 0o644);
    let image = takes(&deb.symlink("/sbin/hi", "../bin/hello")).image();
    assert_eq!(image.text("/usr/bin/hello"), "hi");
    assert_eq!(image.text("/usr/lib/x86_64-linux-gnu/data"), "d");
    assert_eq!(image.item("/usr/sbin/hi").kind, EntryType::Symlink);
    assert!(!image.items.keys().any(|path| path.starts_with("/bin/") || path.starts_with("/lib/")));
    let links = ["/bin", "/lib", "/sbin"];
    for path in links.into_iter().filter(|path| image.has(path)) {
        assert_eq!(
            (image.item(path).kind, image.item(path).link.as_str()),
            (EntryType::Symlink, &format!("usr{path}")[..])
        );
    }
    assert!(image.has("/bin"));
}

#[test]
fn long_and_foreign_names_are_kept() {
    let long = format!("/usr/share/{}/{}", "long-".repeat(30), "name".repeat(40));
    let foreign = "/usr/share/ca-certificates/Főtanúsítvány – 根.crt";
    let target = "t".repeat(300);
    let deb = hello().file(&long, "long", 0o644).file(foreign, "foreign", 0o644);
    let deb = deb.symlink("/usr/share/link", &target).symlink("/usr/share/ünï", "żółć");
    for codec in Codec::ALL {
        let image = takes(&deb.clone().data_codec(codec)).image();
        assert_eq!((image.text(&long), image.text(foreign)), ("long", "foreign"));
        assert_eq!(image.item("/usr/share/link").link, target);
        assert_eq!(image.item("/usr/share/ünï").link, "żółć");
    }
}

#[test]
fn empty_files_and_large_ones_are_whole() {
    let large: Vec<u8> = (0..3_500_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let deb = hello().file("/usr/share/large", &large, 0o644).file("/usr/share/empty", "", 0o600);
    let image = takes(&deb).image();
    assert_eq!(image.item("/usr/share/large").content, large);
    assert_eq!((image.text("/usr/share/empty"), image.item("/usr/share/empty").mode & 0o7777), ("", 0o600));
}
