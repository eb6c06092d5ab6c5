//! The host's own apt sources: whose archive an address serves is seen from its release file.

use serde_json::Value;

use crate::support::{Archive, Deb, Server, World};

/// The archive of another vendor, behind an address that says nothing of it.
fn vendor() -> Archive {
    let mut archive = Archive::new("vendor");
    archive.add("trixie", "main", Deb::new("hello", "9.0").build());
    archive.publish();
    archive
}

/// A world whose archive only the host's apt sources know.
fn known_to_apt(file: &str, text: impl Fn(&str, &str) -> String) -> (World, Archive, String) {
    let mut world = World::new(&[Deb::new("hello", "1.0").file("/usr/share/hello", "hi", 0o644)]);
    let (real, vendor) = (std::mem::take(&mut world.url), vendor());
    let path = world.sandbox.system().join("etc/apt").join(file);
    world.sandbox.write(path, text(&real, &vendor.file_url()));
    (world, vendor, real)
}

fn finds(file: &str, text: impl Fn(&str, &str) -> String) {
    let (world, vendor, real) = known_to_apt(file, text);
    world.build(&[]).ok();
    assert_eq!(world.image().text("/usr/share/hello"), "hi");
    let out = world.run(&["mirrors", "made.toml", "--json"]).ok();
    let json: Value = serde_json::from_str(&out.stdout).unwrap();
    let rows = json[0]["mirrors"].as_array().unwrap();
    let row = |url: &str| rows.iter().find(|row| row["url"] == url).unwrap().clone();
    assert_eq!((&row(&real)["used"], &row(&real)["why"]), (&true.into(), &Value::Null));
    let passed = row(&vendor.file_url());
    assert_eq!((&passed["used"], &passed["why"]), (&false.into(), &"it is Vendor, Vendor".into()));
    assert!(passed["said_by"].as_str().unwrap().ends_with(file));
    let plain = world.run(&["mirrors", "made.toml"]).ok().stdout;
    assert!(plain.contains("passed by: it is Vendor, Vendor") && plain.contains("used"), "{plain}");
}

#[test]
fn one_line_sources_are_matched_by_origin_and_label() {
    finds("sources.list", |real, vendor| {
        format!(
            "# deb http://old.invalid trixie main\ndeb {vendor} trixie main\ndeb [arch=amd64] {real} trixie main\n"
        )
    });
    finds("sources.list.d/site.list", |real, vendor| format!("deb {vendor} x y\ndeb\t{real} trixie main\n"));
}

#[test]
fn stanzas_are_matched_by_origin_and_label() {
    finds("sources.list.d/site.sources", |real, vendor| {
        format!(
            "Types: deb\nURIs: {vendor}\nSuites: trixie\nComponents: main\n\n# ours\nTypes: deb deb-src\nURIs:\n {real}\nSuites: trixie trixie-updates\nComponents: main\n"
        )
    });
}

#[test]
fn sources_that_are_off_are_passed_by() {
    let (world, ..) = known_to_apt("sources.list.d/site.sources", |real, _| {
        format!(
            "Types: deb\nURIs: {real}\nSuites: trixie\nEnabled: no\n\nTypes: deb-src\nURIs: {real}\nSuites: trixie\n"
        )
    });
    world.refuses("HP401", &["build", "made.toml"]).says("no mirror is known for the archive made");
}

#[test]
fn where_only_other_vendors_are_known_each_is_named_with_the_reason() {
    let (world, vendor, _) = known_to_apt("sources.list", |_, vendor| format!("deb {vendor} trixie main\n"));
    let out = world.refuses("HP401", &["build", "made.toml"]).says("it is Vendor, Vendor");
    out.says(&vendor.file_url()).says("sources.list");
}

#[test]
fn an_address_of_apt_that_does_not_answer_does_not_hide_the_one_that_does() {
    let (mut world, ..) = known_to_apt("sources.list", |_, _| String::new());
    let gone = Server::start(world.archive.root());
    let dead = gone.url();
    drop(gone);
    let text = format!("deb {dead} trixie main\ndeb {} trixie main\n", world.archive.file_url());
    world.sandbox.write(world.sandbox.system().join("etc/apt/sources.list"), text);
    world.sandbox.env("HARDPAN_TIMEOUT", "1");
    world.build(&[]).ok();
}

#[test]
fn an_archive_that_names_neither_origin_nor_label_is_not_guessed() {
    let (world, ..) = known_to_apt("sources.list", |real, _| format!("deb {real} trixie main\n"));
    let text = world.sandbox.text("made.toml").replace(", origin = \"Made\", label = \"Made\"", "");
    world.sandbox.write("made.toml", text);
    world.refuses("HP401", &["build", "made.toml"]).says("names neither `origin` nor `label`");
}
