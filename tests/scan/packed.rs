//! What is in a layer that was packed here is known without reading it.

use std::collections::BTreeMap;
use std::fs;

use super::made::MAIN;
use super::sample::world;
use super::support::{Layout, Sandbox, World};
use serde_json::Value;

/// What the store keeps of layers for scans, by name.
fn kept(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let Ok(entries) = fs::read_dir(sandbox.store().join("derived/scan")) else { return BTreeMap::new() };
    let paths = entries.map(|entry| entry.expect("readable").path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON"))
    };
    paths.map(read).collect()
}

/// The image's layers in its layout, each cut off.
fn cut(world: &World) {
    let layout = Layout(world.sandbox.path("out/made"));
    for digest in world.image().layers {
        let path = layout.path(&digest);
        let bytes = fs::read(&path).expect("a layer");
        fs::remove_file(&path).expect("ours");
        fs::write(&path, &bytes[..bytes.len() / 2]).expect("ours");
    }
}

#[test]
fn a_layer_that_was_packed_here_is_not_read_and_is_known_as_if_it_were() {
    let world = world(&MAIN);
    world.build(&[]).ok();
    let (sandbox, noted) = (&world.sandbox, kept(&world.sandbox));
    assert!(!noted.is_empty());
    sandbox.write("osv.tar.gz", super::made::OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let findings = || -> Value {
        let said = sandbox.hardpan(&["scan", "out/made", "--json"]).ok().stdout;
        serde_json::from_str::<Value>(&said).expect("JSON")["findings"].clone()
    };
    let of_notes = findings();
    assert!(of_notes.as_array().is_some_and(|found| found.len() == 44));

    fs::remove_dir_all(sandbox.store().join("derived/scan")).expect("ours");
    assert_eq!(findings(), of_notes);
    let read = kept(sandbox);
    assert!(!read.is_empty());
    for (name, layer) in read {
        assert_eq!(noted.get(&name), Some(&layer));
    }

    // Whoever knows what is in a layer does not open it.
    cut(&world);
    assert_eq!(findings(), of_notes);
    fs::remove_dir_all(sandbox.store().join("derived/scan")).expect("ours");
    sandbox.hardpan(&["scan", "out/made"]).exits(5).says("HP509");
}

#[test]
fn an_image_of_layers_that_were_packed_before_is_scanned_all_the_same() {
    let world = world(&MAIN);
    world.build(&[]).ok();
    let noted = kept(&world.sandbox);
    fs::remove_dir_all(world.sandbox.store().join("derived/scan")).expect("ours");
    // Layers in the store are not made again, so nothing is noted of them.
    world.build(&["--out=out/again"]).ok();
    assert!(kept(&world.sandbox).is_empty() && !noted.is_empty());
    world.sandbox.write("osv.tar.gz", super::made::OSV);
    world.sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    world.sandbox.hardpan(&["scan", "out/again"]).ok();
    assert!(!kept(&world.sandbox).is_empty());
}

#[test]
fn a_layer_that_holds_the_same_in_other_bytes_is_not_the_one_that_the_manifest_names() {
    let world = world(&MAIN);
    world.build(&[]).ok();
    let sandbox = &world.sandbox;
    sandbox.write("osv.tar.gz", super::made::OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    fs::remove_dir_all(sandbox.store().join("derived/scan")).expect("ours");
    // A hint of gzip's head, which says nothing of the content (RFC 1952, 2.3.1, XFL).
    Layout(sandbox.path("out/made")).flip(&world.image().layers[0], 8);
    sandbox.hardpan(&["scan", "out/made"]).exits(5).says("is not what its image says");
    assert!(kept(sandbox).is_empty(), "it was believed for the next time");
}
