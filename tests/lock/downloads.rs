//! Archives from an address, pinned by digest.

use std::io::{Cursor, Write as _};

use crate::support::{Codec, Sandbox, Server, Tarball, World, compress, sha256_hex};

/// A program as releases are packed: below a folder of its own.
fn tar() -> Tarball {
    let tar = Tarball::new().dir("tool-1.0/", 0o755).file("tool-1.0/bin/tool", "run", 0o755);
    let tar = tar.symlink("tool-1.0/bin/alias", "tool").file("tool-1.0/doc/manual", "read", 0o644);
    tar.with_parents()
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in [("tool-1.0/bin/tool", "run", 0o755), ("tool-1.0/doc/manual", "read", 0o644)]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A recipe that takes this file from a server.
fn world(name: &str, bytes: &[u8], digest: &str, more: &str) -> (World, Server, Sandbox) {
    let files = Sandbox::new();
    files.write(name, bytes);
    let server = Server::start(files.path(""));
    let world = World::new(&[]);
    let url = format!("{}/{name}", server.url());
    world.recipe(&format!(
        "[archive.tool]\nurl = \"{url}\"\nsha256 = \"{digest}\"\nplace = \"/opt/tool\"\n{more}\n"
    ));
    (world, server, files)
}

#[test]
fn archives_of_every_kind_are_stripped_picked_and_placed() {
    let tar = tar().build();
    let mut files: Vec<(String, Vec<u8>)> =
        Codec::ALL.map(|codec| (format!("tool.tar{}", codec.extension()), compress(codec, &tar))).into();
    files.push(("tool.zip".into(), zip()));
    for (name, bytes) in files {
        let (world, _server, _files) =
            world(&name, &bytes, &sha256_hex(&bytes), "strip = 1\npick = [\"**/tool\"]");
        let out = world.build(&[]);
        assert_eq!(out.code, 0, "{name}: {}", out.stderr);
        let image = world.image();
        assert_eq!(
            (image.text("/opt/tool/bin/tool"), image.item("/opt/tool/bin/tool").mode & 0o7777),
            ("run", 0o755)
        );
        assert!(!image.has("/opt/tool/doc/manual") && !image.has("/opt/tool/tool-1.0"), "{name}");
        world.build(&["--locked", "--offline"]).ok();
    }
}

#[test]
fn without_strip_and_pick_everything_is_taken() {
    let bytes = compress(Codec::Gzip, &tar().build());
    let (world, _server, _files) = world(
        "tool.tgz",
        &bytes,
        &sha256_hex(&bytes),
        "format = \"tar.gz\"\nowner = \"5:6\"\n[users]\nx = { uid = 5, gid = 6 }",
    );
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!(image.text("/opt/tool/tool-1.0/doc/manual"), "read");
    assert_eq!(image.item("/opt/tool/tool-1.0/bin/alias").link, "tool");
    assert_eq!(image.item("/opt/tool/tool-1.0/bin/tool").owner, (5, 6));
}

#[test]
fn a_download_whose_digest_differs_is_refused() {
    let bytes = compress(Codec::Gzip, &tar().build());
    let (world, server, _files) = world("tool.tar.gz", &bytes, &"0".repeat(64), "");
    world.lock(&[]).ok();
    let out =
        world.refuses("HP504", &["build", "made.toml"]).says("is not what was pinned").says(&server.url());
    out.says(&"0".repeat(64)).says(&sha256_hex(&bytes));
}

#[test]
fn a_digest_that_changed_in_the_recipe_makes_the_lock_stale() {
    let bytes = compress(Codec::Gzip, &tar().build());
    let (world, _server, _files) = world("tool.tar.gz", &bytes, &sha256_hex(&bytes), "");
    world.build(&[]).ok();
    let text = world.sandbox.text("made.toml").replace(&sha256_hex(&bytes), &"0".repeat(64));
    world.sandbox.write("made.toml", text);
    world.refuses("HP313", &["build", "made.toml", "--locked"]).says("archives are not those of the lock");
}

#[test]
fn a_hostile_archive_is_refused() {
    let evil = Tarball::new().file("../evil", "x", 0o644).build();
    let through = Tarball::new().symlink("here", "/etc").file("here/evil", "x", 0o644).build();
    let device = Tarball::new().device("null").build();
    for (tar, reason) in [(evil, ".."), (through, "goes through"), (device, "is a device node")] {
        let (world, _server, _files) = world("tool.tar", &tar, &sha256_hex(&tar), "");
        world.lock(&[]).ok();
        world.refuses("HP507", &["build", "made.toml"]).says(reason);
    }
    let garbage = b"PK\x03\x04 garbage";
    let (world, _server, _files) = world("tool.zip", garbage, &sha256_hex(garbage), "");
    world.lock(&[]).ok();
    world.refuses("HP507", &["build", "made.toml"]);
}

#[test]
fn a_pick_that_matches_nothing_is_named() {
    let bytes = tar().build();
    let (world, _server, _files) = world("tool.tar", &bytes, &sha256_hex(&bytes), "pick = [\"doc/*\"]");
    world.lock(&[]).ok();
    world.refuses("HP307", &["build", "made.toml"]).says("matches nothing in the archive `tool`");
}

#[test]
fn a_pick_may_begin_with_a_folder_that_packages_merge() {
    for pick in ["bin/**", "/bin/**", "bin/tool"] {
        let bytes = tar().build();
        let more = format!("strip = 1\npick = [\"{pick}\"]");
        let (world, _server, _files) = world("tool.tar", &bytes, &sha256_hex(&bytes), &more);
        world.build(&[]).ok();
        assert!(world.image().has("/opt/tool/bin/tool"));
    }
}

#[test]
fn members_stay_where_they_are_below_their_place() {
    let bytes = Tarball::new().file("bin/tool", "run", 0o755).file("lib/data", "d", 0o644).build();
    let (world, _server, _files) = world("tool.tar", &bytes, &sha256_hex(&bytes), "");
    world.build(&[]).ok();
    let image = world.image();
    assert_eq!((image.text("/opt/tool/bin/tool"), image.text("/opt/tool/lib/data")), ("run", "d"));
}
