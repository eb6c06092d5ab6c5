//! What was decided goes along with the image: attached, signed, and anew when it changes.

use serde_json::Value;

use crate::support::signed::{files, world};
use crate::support::{Layout, MTIME, Output, Schema, World, validate};
use crate::{component, days_from_now, decision};

const VEX: &str = "https://openvex.dev/ns";

/// How many statements refer to an image of two platforms on which nothing was decided.
const STATEMENTS: usize = 17;

fn image(world: &World) -> Layout {
    Layout(world.sandbox.path("out/made"))
}

fn build(world: &World) -> Output {
    world.build(&["--key", "team.pem"]).ok()
}

/// A decision of these days, less what is given.
fn decided(keys: &[(&str, &str)]) -> String {
    let (date, expires) = (days_from_now(-10), days_from_now(100));
    let usual = [("packages", "[\"hello\"]"), ("date", date.as_str()), ("expires", expires.as_str())];
    decision(&[&usual[..], keys].concat())
}

#[test]
fn a_decision_is_attached_to_the_index_and_to_each_platform_and_signed() {
    let world = world("1.1", MTIME);
    build(&world);
    let before = image(&world);
    assert_eq!(before.statements().len(), STATEMENTS);
    let (index, plain) = (before.index(), files(&before.0));
    world.sandbox.write("vex/made.toml", decided(&[]));
    build(&world);
    let after = image(&world);
    // The image is what it was.
    assert_eq!(after.index(), index);
    assert_eq!(after.statements().len(), STATEMENTS + 3);
    for subject in after.subjects() {
        let statement = after.statement(VEX, &subject).statement;
        validate(Schema::OpenVex02, &statement["predicate"]).expect("valid");
        let products =
            statement["predicate"]["statements"][0]["products"].as_array().expect("products").clone();
        let ids: Vec<&str> = products.iter().filter_map(|product| product["@id"].as_str()).collect();
        let mut expected: Vec<String> =
            after.subjects().iter().map(|digest| format!("pkg:oci/made@{digest}")).collect();
        expected.sort();
        assert_eq!(ids, expected);
        // All that the image has of the source is spoken of, and so its source is.
        let parts = products[0]["subcomponents"].to_string();
        assert_eq!(parts, r#"[{"@id":"pkg:deb/made/hello"},{"@id":"pkg:deb/made/hello-src"}]"#);
    }
    world.sandbox.hardpan(&["verify", "out/made", "--key", "team.pub"]).ok();
    world.sandbox.write("policy.toml", "require = [\"openvex\"]");
    world.sandbox.hardpan(&["verify", "out/made", "--key", "team.pub", "--policy", "policy.toml"]).ok();
    // Unchanged, nothing is written; from nothing, the same is.
    let whole = files(&after.0);
    let said: Value =
        serde_json::from_str(&world.build(&["--key", "team.pem", "--json"]).ok().stdout).expect("JSON");
    assert_eq!(said["changed"], false);
    world.forget();
    build(&world);
    assert!(files(&image(&world).0) == whole);
    // Taken back, it is gone, and the rest is as before.
    std::fs::remove_file(world.sandbox.path("vex/made.toml")).expect("ours");
    build(&world);
    assert!(files(&image(&world).0) == plain);
}

#[test]
fn another_decision_takes_the_place_of_the_one_before_and_others_documents_stay() {
    let world = world("1.1", MTIME);
    world.sandbox.write("vex/all.toml", decided(&[]));
    build(&world);
    world.sandbox.write("others.json", "{\"author\": \"others\", \"statements\": []}");
    let attest =
        ["attest", "out/made", "--type", "openvex", "--predicate", "others.json", "--key", "team.pem"];
    world.sandbox.hardpan(&attest).ok();
    let index = image(&world).index();
    assert_eq!(image(&world).of_kind(VEX, &index).len(), 2);
    world.sandbox.write("vex/all.toml", decided(&[("reason", "\"we looked again\"")]));
    build(&world);
    let all = image(&world).of_kind(VEX, &index);
    assert_eq!((image(&world).index(), all.len()), (index, 2));
    let said: Vec<String> = all.iter().map(|one| one.statement["predicate"].to_string()).collect();
    assert!(said.iter().any(|text| text.contains("we looked again")), "{said:?}");
    assert!(said.iter().any(|text| text.contains("\"others\"")), "{said:?}");
}

#[test]
fn what_has_expired_is_a_warning_and_is_not_attached() {
    let world = world("1.1", MTIME);
    let expired = days_from_now(0);
    world.sandbox.write("vex/made.toml", decided(&[("expires", &expired)]));
    build(&world).says("warning[HP345]");
    assert_eq!(image(&world).statements().len(), STATEMENTS);
}

#[test]
fn a_decision_that_is_wrong_stops_the_build_before_anything_is_written() {
    let world = world("1.1", MTIME);
    build(&world);
    world.sandbox.write("vex/made.toml", decided(&[("justification", "")]));
    world.refuses("HP342", &["build", "made.toml", "--key", "team.pem"]).says("vex/made.toml:");
    // What is said of other images is none of this one's business.
    world.sandbox.write("vex/made.toml", "");
    world.sandbox.write("vex/other.toml", "[[decision]]\n");
    build(&world);
}

#[test]
fn what_is_not_in_the_image_is_worked_out_when_it_is_built() {
    let world = world("1.1", MTIME);
    let (date, expires) = (days_from_now(-10), days_from_now(100));
    let place = |path: &str| {
        let paths = format!("[\"{path}\"]");
        component(&[
            ("packages", "[\"hello-src\"]"),
            ("paths", &paths),
            ("date", &date),
            ("expires", &expires),
        ])
    };
    world.sandbox.write("vex/all.toml", place("/usr/bin/hello"));
    build(&world);
    assert_eq!(image(&world).statements().len(), STATEMENTS);
    world.sandbox.write("vex/all.toml", place("/usr/bin/hello-admin"));
    build(&world);
    let statement = image(&world).statement(VEX, &image(&world).index()).statement;
    let one = &statement["predicate"]["statements"][0];
    assert_eq!(
        (&one["status"], &one["justification"]),
        (&"not_affected".into(), &"component_not_present".into())
    );
    assert!(statement["predicate"]["author"].as_str().expect("text").contains("hardpan"));
}

#[test]
fn it_is_exported_of_the_recipe_as_of_the_image_and_as_csaf() {
    let world = world("1.1", MTIME);
    world.run(&["vex", "export", "made.toml"]).exits(3).says("HP348");
    world.sandbox.write("vex/made.toml", decided(&[]));
    build(&world);
    let of_recipe = world.run(&["vex", "export", "made.toml"]).ok().stdout;
    let of_image = world.sandbox.hardpan(&["vex", "show", "out/made", "--key", "team.pub"]).ok().stdout;
    assert_eq!(of_recipe, of_image);
    let attached = image(&world).statement(VEX, &image(&world).index()).statement;
    assert_eq!(serde_json::from_str::<Value>(&of_image).expect("JSON"), attached["predicate"]);
    world.run(&["vex", "export", "made.toml", "--csaf", "-o", "recipe.json"]).ok();
    world
        .sandbox
        .hardpan(&["vex", "export", "out/made", "--key", "team.pub", "--csaf", "-o", "image.json"])
        .ok();
    assert_eq!(world.sandbox.text("recipe.json"), world.sandbox.text("image.json"));
    let csaf: Value = serde_json::from_str(&world.sandbox.text("image.json")).expect("JSON");
    validate(Schema::Csaf20, &csaf).expect("valid");
    assert_eq!(csaf["document"]["publisher"]["namespace"], "https://git.example.org/images");
    world.run(&["vex", "export", "made.toml", "--csaf", "--namespace", "us"]).exits(2);
    world.sandbox.hardpan(&["vex", "export", "out/made", "--key", "other.pub"]).exits(6).says("HP602");
}
