//! Several mirrors, and who says where they are.

use serde_json::Value;

use crate::support::{Fault, Server, World};
use crate::{noisy, served};

fn option(url: &str) -> String {
    format!("--mirror=made={url}")
}

#[test]
fn mirrors_are_tried_in_the_order_they_are_named() {
    let (mut world, good) = served();
    let (broken, empty) = (Server::start(world.archive.root()), Server::start(world.sandbox.tmp()));
    broken.fault_if(|_| true, Fault::Status(503), usize::MAX);
    world.url = String::new();
    let options = [option(&broken.url()), option(&empty.url()), option(&good.url())];
    world.build(&["--locked", &options[0], &options[1], &options[2]]).ok();
    let path = world.archive.pool_path("hello");
    assert!(broken.hits(&path) > 1);
    assert_eq!((empty.hits(&path), good.hits(&path)), (1, 1));
}

#[test]
fn a_mirror_that_gives_other_bytes_is_passed_by_for_one_that_does_not() {
    let (mut world, good) = served();
    let bad = Server::start(world.archive.root());
    bad.fault_if(|_| true, Fault::Garble, usize::MAX);
    world.url = String::new();
    world.build(&["--locked", &option(&bad.url()), &option(&good.url())]).ok();
}

#[test]
fn what_each_mirror_said_stands_in_the_message() {
    let (mut world, first) = served();
    let second = Server::start(world.sandbox.tmp());
    first.fault_if(|_| true, Fault::Status(403), usize::MAX);
    world.url = String::new();
    let options = [option(&first.url()), option(&second.url())];
    let out = world.refuses("HP402", &["build", "made.toml", "--locked", &options[0], &options[1]]);
    out.says(&format!("{}/", first.url())).says("status 403").says("there is no such file");
}

/// `hardpan mirrors --json` for the only archive: address, who says so, whether it is used.
fn listed(world: &World, more: &[&str]) -> Vec<(String, String, bool)> {
    let out = world.run(&[&["mirrors", "--json", "made.toml"], more].concat()).ok();
    let json: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(json[0]["archive"], "made");
    let row = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        (text("url"), text("said_by"), row["used"].as_bool().unwrap())
    };
    json[0]["mirrors"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn options_come_before_variables_before_files_before_apt() {
    let mut world = noisy();
    let real = std::mem::take(&mut world.url);
    let apt = world.sandbox.system().join("etc/apt/sources.list");
    world.sandbox.write(&apt, format!("deb {real} trixie main\n"));
    let by_apt = listed(&world, &[]);
    assert_eq!(by_apt.len(), 1);
    assert_eq!((&by_apt[0].0, by_apt[0].2), (&real, true));
    assert!(by_apt[0].1.ends_with("etc/apt/sources.list"));

    let user = world.sandbox.config().join("hardpan/mirrors.toml");
    world.sandbox.write(user, "[mirrors]\nmade = \"http://user.invalid\"\n");
    world
        .sandbox
        .write("mirrors.toml", "[mirrors]\nmade = [\"http://file.invalid\", \"http://file2.invalid\"]\n");
    world.sandbox.env("HARDPAN_MIRROR_MADE", "http://one.invalid http://two.invalid");
    let urls: Vec<String> =
        listed(&world, &["--mirror=made=http://option.invalid"]).into_iter().map(|row| row.0).collect();
    let expected = ["option", "one", "two", "file", "file2", "user"];
    assert_eq!(urls, expected.map(|name| format!("http://{name}.invalid")));
}

#[test]
fn who_says_so_is_said() {
    let mut world = noisy();
    world.url = String::new();
    world.sandbox.write("mirrors.toml", "[mirrors]\nmade = \"http://file.invalid\"\n");
    world.sandbox.env("HARDPAN_MIRROR_MADE", "http://variable.invalid");
    let rows = listed(&world, &["--mirror=made=http://option.invalid"]);
    let said: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    assert_eq!(said[..2], ["--mirror", "HARDPAN_MIRROR_MADE"]);
    assert!(said[2].ends_with("mirrors.toml"));
}

#[test]
fn what_is_secret_in_an_address_is_not_shown() {
    let mut world = noisy();
    world.url = String::new();
    let rows = listed(&world, &["--mirror=made=http://me:word@option.invalid/x"]);
    assert_eq!(rows[0].0, "http://***@option.invalid/x");
}

#[test]
fn a_mirror_that_is_no_address_is_refused_by_its_origin() {
    let mut world = noisy();
    world.url = String::new();
    world.refuses("HP203", &["build", "made.toml", "--mirror=made=ftp://x"]).says("--mirror made=ftp://x");
    world.refuses("HP203", &["build", "made.toml", "--mirror=made"]).says("NAME=URL");
    world.sandbox.write("mirrors.toml", "[miror]\n");
    world.refuses("HP203", &["build", "made.toml"]).says("mirrors.toml").says("help:");
    std::fs::remove_file(world.sandbox.path("mirrors.toml")).unwrap();
    world.sandbox.env("HARDPAN_MIRROR_MADE", "nowhere");
    world.refuses("HP203", &["build", "made.toml"]).says("HARDPAN_MIRROR_MADE");
}
