//! Whether a lock satisfies its recipe.

use crate::support::{Deb, World};

const LOCKED: [&str; 3] = ["build", "made.toml", "--locked"];

fn deb(name: &str) -> Deb {
    Deb::new(name, "1.0").file(&format!("/usr/share/{name}"), name, 0o644)
}

fn locked() -> World {
    let world = World::new(&[deb("hello").depends("libhello"), deb("libhello"), deb("other")]);
    world.recipe("[debian.packages]\nhello = \"all\"\n");
    world.lock(&[]).ok();
    world
}

#[test]
fn a_lock_that_is_missing_is_stale_under_locked() {
    let world = locked();
    std::fs::remove_file(world.sandbox.path("made.lock")).unwrap();
    let out = world.refuses("HP313", &LOCKED).says("there is none yet");
    out.says("bring it up to date: `hardpan lock made.toml`");
    world.refuses("HP313", &["lock", "made.toml", "--locked"]);
    world.lock(&[]).ok();
    world.build(&["--locked"]).ok();
}

#[test]
fn a_package_more_or_less_in_the_recipe_makes_the_lock_stale() {
    let world = locked();
    world.recipe("debian.packages = [\"hello\", \"other\"]\n");
    world.refuses("HP313", &LOCKED).says("`other` is not pinned for linux/amd64");
    world.recipe("debian.packages = [\"libhello\"]\n");
    world.refuses("HP313", &LOCKED).says("`hello` is pinned for linux/amd64, but nothing needs it");
}

#[test]
fn a_platform_more_or_a_suite_more_makes_the_lock_stale() {
    let world = locked();
    let text = world.sandbox.text("made.toml");
    world.sandbox.write("made.toml", text.replace("[\"linux/amd64\"]", "[\"linux/amd64\", \"linux/arm64\"]"));
    world.refuses("HP313", &LOCKED).says("linux/arm64");
    world.sandbox.write("made.toml", text.replace("[\"trixie\"]", "[\"trixie\", \"trixie-updates\"]"));
    world.refuses("HP313", &LOCKED).says("suite trixie-updates of archive made is not in the lock");
}

#[test]
fn a_package_that_only_a_variant_takes_is_in_the_lock() {
    let world = locked();
    world.recipe("debian.packages = [\"hello\"]\nvariant.dev.add.debian.packages = [\"other\"]\n");
    world.refuses("HP313", &LOCKED).says("`other` is not pinned");
    world.lock(&[]).ok();
    world.build(&["--locked", "--variant", "dev"]).ok();
}

#[test]
fn comments_order_and_line_ends_of_the_recipe_do_not_make_the_lock_stale() {
    let world = locked();
    let digest = world.build(&["--locked"]).ok().stdout;
    let text = world.sandbox.text("made.toml");
    let (first, rest) = text.split_once('\n').unwrap();
    let (head, packages) = rest.split_once("[debian.packages]").unwrap();
    let changed = format!("# why\n{head}{first} # what\n\n\n[debian.packages] # these\n{packages}");
    world.sandbox.write("made.toml", changed.replace('\n', "\r\n"));
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
}

#[test]
fn line_ends_and_comments_of_the_lock_do_not_make_it_stale() {
    let world = locked();
    let digest = world.build(&["--locked"]).ok().stdout;
    let text = world.sandbox.text("made.lock");
    world.sandbox.write("made.lock", format!("# checked out\n{text}").replace('\n', "\r\n"));
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
}

#[test]
fn a_local_file_that_changed_makes_the_lock_stale_and_a_plain_build_takes_it_in() {
    let world = locked();
    world.recipe("debian.packages = [\"hello\"]\n[file]\n\"/opt/program\" = \"bin/program\"\n");
    world.sandbox.write("bin/program", "one");
    let first = world.build(&[]).ok().stdout;
    world.build(&["--locked"]).ok();
    world.sandbox.write("bin/program", "two");
    world.refuses("HP313", &LOCKED).says("the file `bin/program` is not the one of the lock");
    let second = world.build(&[]).ok().says("file made/bin/program").stdout;
    assert_eq!(world.image().text("/opt/program"), "two");
    assert_ne!(first, second);
    world.sandbox.write("bin/program", "one");
    assert_eq!(world.build(&[]).ok().stdout, first);
}

#[test]
fn a_lock_that_is_cut_short_or_garbage_is_refused_with_what_to_do() {
    let world = locked();
    let good = world.sandbox.text("made.lock");
    let cuts = [10, good.len() / 2, good.len() - 30];
    let garbage =
        ["\u{0}\u{1}", "version = \"x\"\n", "[[package]]\n", "version = 1\nmore = 2\n"].map(String::from);
    for text in cuts.into_iter().map(|cut| good[..cut].to_owned()).chain(garbage) {
        world.sandbox.write("made.lock", &text);
        let out = world.refuses("HP314", &LOCKED).says("the lock `made.lock` can't be read");
        out.says("take it from version control again, or delete it and run `hardpan lock`");
        world.refuses("HP314", &["build", "made.toml"]);
    }
    world.sandbox.write("made.lock", &good);
    world.build(&["--locked"]).ok();
}

#[test]
fn a_lock_of_a_newer_hardpan_is_said_to_be_one() {
    let world = locked();
    let text = world.sandbox.text("made.lock").replace("version = 1\n", "version = 99\nnews = true\n");
    world.sandbox.write("made.lock", text);
    world.refuses("HP314", &LOCKED).says("version 99").says("a newer hardpan wrote it");
}

#[test]
fn conflict_markers_in_a_lock_are_no_lock() {
    let world = locked();
    let text = world.sandbox.text("made.lock");
    world.sandbox.write("made.lock", format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"));
    world.refuses("HP314", &LOCKED);
}

#[test]
fn relocking_what_did_not_change_gives_the_same_image() {
    let mut world = locked();
    let digest = world.build(&[]).ok().stdout;
    let lock = world.sandbox.text("made.lock");
    world.lock(&[]).ok().says("Unchanged");
    world.lock(&["--update"]).ok();
    assert_eq!(world.sandbox.text("made.lock"), lock);
    world.archive.date(1_700_086_400).publish();
    world.lock(&["--update"]).ok();
    assert_ne!(world.sandbox.text("made.lock"), lock);
    assert_eq!(world.build(&["--locked"]).ok().stdout, digest);
}
