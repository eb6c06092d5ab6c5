//! What is said where bytes differ: which layer, which entries, which bytes, and why.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::{Codec, Layout, compress, decompress, sha256_hex};
use crate::{Elsewhere, again_about, differences, document, names};

/// The lines of a rebuild that differs.
#[track_caller]
fn lines(elsewhere: &Elsewhere) -> Vec<String> {
    differences(&document(&elsewhere.rebuild(&["--json"]).exits(6)))
}

/// The layer of amd64 that has this path, as an uncompressed tar.
fn layer(layout: &Layout, path: &str) -> (usize, Vec<u8>) {
    let manifest = layout.json(&layout.platform("amd64"));
    for (at, layer) in manifest["layers"].as_array().expect("layers").iter().enumerate() {
        let tar = decompress(Codec::Gzip, &layout.bytes(layer["digest"].as_str().expect("a digest")));
        let has = |entry: std::io::Result<tar::Entry<_>>| {
            entry.expect("a tar").path().expect("a path").ends_with(path)
        };
        if tar::Archive::new(&tar[..]).entries().expect("a tar").any(has) {
            return (at, tar);
        }
    }
    panic!("no layer has {path}");
}

/// Puts another tar in place of a layer of amd64, which the trusted key then vouches for.
fn replace(layout: &Layout, at: usize, tar: &[u8]) {
    let packed = compress(Codec::Gzip, tar);
    again_about(layout, |layout| {
        let digest = layout.put(&packed);
        let id = format!("sha256:{}", sha256_hex(tar));
        layout.change_config("amd64", false, |config| config["rootfs"]["diff_ids"][at] = json!(id));
        layout.change_manifest("amd64", false, |manifest| {
            manifest["layers"][at]["digest"] = json!(digest);
            manifest["layers"][at]["size"] = json!(packed.len());
        });
    });
}

/// A tar with each entry's header changed by its path, or the entry left out.
fn retar(tar: &[u8], change: impl Fn(&str, &mut tar::Header) -> bool) -> Vec<u8> {
    let mut archive = tar::Archive::new(tar);
    let mut builder = tar::Builder::new(Vec::new());
    for entry in archive.entries().expect("a tar").raw(true) {
        let mut entry = entry.expect("a tar");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a tar");
        let path = String::from_utf8(entry.header().path_bytes().into_owned()).expect("UTF-8");
        let mut header = entry.header().clone();
        if change(&path, &mut header) {
            header.set_cksum();
            builder.append(&header, &content[..]).expect("in memory");
        }
    }
    builder.into_inner().expect("in memory")
}

/// Adds empty files to the end of a tar.
fn with_files(tar: &[u8], names: &[String]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(tar).entries().expect("a tar").raw(true) {
        let entry = entry.expect("a tar");
        let header = entry.header().clone();
        builder.append(&header, entry).expect("in memory");
    }
    for name in names {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).expect("short");
        header.set_size(0);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        builder.append(&header, &b""[..]).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

#[test]
fn an_entry_too_many_and_one_too_few_are_named() {
    let elsewhere = Elsewhere::new();
    let (at, tar) = layer(&elsewhere.made(), "etc/motd");
    let tar = retar(&tar, |path, _| !path.ends_with("etc/motd"));
    replace(&elsewhere.made(), at, &with_files(&tar, &["usr/extra".to_owned()]));
    let lines = lines(&elsewhere);
    let place = format!("linux/amd64 layer {at} (");
    names(&lines, &[&place, ": /etc/motd is rebuilt, and was not published"]);
    names(&lines, &[&place, ": /usr/extra was published, and is not rebuilt"]);
    assert!(!lines.iter().any(|line| line.contains("arm64")), "{lines:?}");
}

#[test]
fn modes_owners_and_times_are_named_as_they_were_and_are() {
    let elsewhere = Elsewhere::new();
    let (at, tar) = layer(&elsewhere.made(), "etc/motd");
    let tar = retar(&tar, |path, header| {
        if path.ends_with("etc/motd") {
            header.set_mode(0o4755);
            header.set_uid(12);
            header.set_mtime(5);
        }
        true
    });
    replace(&elsewhere.made(), at, &tar);
    let lines = lines(&elsewhere);
    names(&lines, &["/etc/motd ", "mode 4755, rebuilt 0644"]);
    names(&lines, &["/etc/motd ", "owner 12", "rebuilt 0"]);
    names(&lines, &["/etc/motd ", "time 5, rebuilt"]);
    assert!(!lines.iter().any(|line| line.contains("content ")), "its bytes are the same: {lines:?}");
}

#[test]
fn a_flipped_byte_of_a_file_is_shown() {
    let elsewhere = Elsewhere::new();
    let (at, mut tar) = layer(&elsewhere.made(), "etc/motd");
    let found = tar.windows(8).position(|bytes| bytes == b"good day").expect("the text");
    tar[found + 3] ^= 1;
    replace(&elsewhere.made(), at, &tar);
    names(
        &lines(&elsewhere),
        &["/etc/motd content ", "from byte 3 on: 65 20 64 61 79 0a rebuilt 64 20 64 61 79 0a"],
    );
}

#[test]
fn of_many_entries_some_are_named_and_the_rest_is_counted() {
    let elsewhere = Elsewhere::new();
    let (at, tar) = layer(&elsewhere.made(), "etc/motd");
    let names_of: Vec<String> = (0..50).map(|number| format!("many/{number:02}")).collect();
    replace(&elsewhere.made(), at, &with_files(&tar, &names_of));
    let lines = lines(&elsewhere);
    let named = lines.iter().filter(|line| line.contains("/many/")).count();
    assert_eq!(named, 20, "{lines:?}");
    names(&lines, &["and 30 more entries"]);
}

#[test]
fn the_same_entries_in_another_order_are_said_to_be_that() {
    let elsewhere = Elsewhere::new();
    let (at, mut tar) = layer(&elsewhere.made(), "etc/motd");
    // The end of the archive, twice.
    tar.extend([0; 1024]);
    replace(&elsewhere.made(), at, &tar);
    names(&lines(&elsewhere), &[&format!("linux/amd64 layer {at}"), "the same entries in other bytes"]);
}

#[test]
fn the_same_tar_compressed_otherwise_is_said_to_be_that_with_a_why() {
    let elsewhere = Elsewhere::new();
    let (at, tar) = layer(&elsewhere.made(), "etc/motd");
    replace(&elsewhere.made(), at, &tar);
    elsewhere.restate(|predicate| {
        predicate["buildDefinition"]["internalParameters"]["compressor"] = json!("otherflate 3 level 9");
    });
    let lines = lines(&elsewhere);
    let place = format!("linux/amd64 layer {at} (");
    names(&lines, &[&place, "the same tar, compressed to other bytes"]);
    names(&lines, &["why: it was compressed by otherflate 3 level 9, and rebuilt by "]);
    assert!(!lines.iter().any(|line| line.contains("/etc/motd")), "entries are the same: {lines:?}");
}

#[test]
fn another_version_of_this_tool_is_given_as_a_why() {
    let elsewhere = Elsewhere::new();
    crate::pins::older(&elsewhere);
    elsewhere.restate(|predicate| {
        predicate["buildDefinition"]["internalParameters"]["hardpan"]["version"] = json!("0.0.9");
    });
    let version = env!("CARGO_PKG_VERSION");
    let lines = lines(&elsewhere);
    names(&lines, &[&format!("why: it was built by hardpan 0.0.9, and rebuilt by {version}")]);
    assert!(!lines.iter().any(|line| line.contains("compressed by")), "it was the same: {lines:?}");
}

#[test]
fn another_program_of_the_same_version_is_given_as_a_why() {
    let elsewhere = Elsewhere::new();
    crate::pins::older(&elsewhere);
    assert!(!lines(&elsewhere).iter().any(|line| line.starts_with("why")), "the program is the same");
    elsewhere.restate(|predicate| {
        predicate["buildDefinition"]["internalParameters"]["hardpan"]["digest"]["sha256"] =
            json!("a".repeat(64));
    });
    names(&lines(&elsewhere), &["why: both are hardpan", "not the same program"]);
}

#[test]
fn nothing_is_explained_where_the_bytes_are_the_same() {
    let elsewhere = Elsewhere::new();
    elsewhere.restate(|predicate| {
        let own = &mut predicate["buildDefinition"]["internalParameters"];
        own["compressor"] = json!("otherflate 3 level 9");
        own["hardpan"] = json!({ "version": "0.0.9", "digest": { "sha256": "a".repeat(64) } });
    });
    let said = document(&elsewhere.rebuild(&["--json"]).ok());
    assert_eq!((&said["same"], &said["differences"]), (&json!(true), &json!([])));
}

#[test]
fn a_configuration_that_differs_is_named() {
    let elsewhere = Elsewhere::new();
    again_about(&elsewhere.made(), |layout| {
        layout.change_config("arm64", false, |config| {
            config["config"]["User"] = json!("0:7");
            config["author"] = json!("somebody");
        });
    });
    let lines = lines(&elsewhere);
    names(&lines, &["linux/arm64: configuration User: \"0:7\", rebuilt "]);
    names(&lines, &["linux/arm64: configuration author: \"somebody\", rebuilt nothing"]);
    assert!(!lines.iter().any(|line| line.contains("layer")), "{lines:?}");
}

#[test]
fn annotations_that_differ_are_named() {
    let elsewhere = Elsewhere::new();
    again_about(&elsewhere.made(), |layout| {
        layout.change_manifest("amd64", false, |manifest| manifest["annotations"]["x"] = json!("y"));
        layout.change_index(false, |index| index["annotations"]["on"] = json!("top"));
    });
    let lines = lines(&elsewhere);
    names(&lines, &["index: annotation on: top, rebuilt nothing"]);
    names(&lines, &["linux/amd64: annotation x: y, rebuilt nothing"]);
}

#[test]
fn diffoscope_is_asked_where_it_is_present() {
    let mut elsewhere = Elsewhere::new();
    crate::pins::older_on(&elsewhere, &["linux/amd64"]);
    let plain = lines(&elsewhere);
    assert!(!plain.iter().any(|line| line.contains("diffoscope")), "{plain:?}");
    let script = "#!/bin/sh\nfor a; do case $a in /*) echo \"seen $a: $(cat \"$a\")\";; esac; done\nexit 1\n";
    let program = elsewhere.sandbox.write("bin/diffoscope", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our own file");
    let path = format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display());
    elsewhere.sandbox.env("PATH", path);
    let lines = lines(&elsewhere);
    names(
        &lines,
        &["diffoscope /usr/bin/hello", "published/hello: hello 1.1 amd64", "rebuilt/hello: hello 1.0 amd64"],
    );
    let store = elsewhere.sandbox.store().display().to_string();
    assert!(!lines.iter().any(|line| line.contains(&store)), "paths of this machine: {lines:?}");
}
