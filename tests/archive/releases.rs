//! What a release file says of itself: whose it is, and how old.

use crate::support::{Archive, Output, World};
use crate::{BUILD, hello};

const DAY: u32 = 86_400;

#[track_caller]
fn refuses(code: &str, spoil: impl FnOnce(&mut Archive), heal: impl FnOnce(&mut Archive)) -> Output {
    let mut world = hello();
    spoil(&mut world.archive);
    world.archive.publish();
    let out = world.refuses(code, &BUILD).says("the release file of suite trixie of archive made");
    let out = out.says("found:").says("expected:").says("help:").says(&world.url);
    heal(&mut world.archive);
    world.archive.publish();
    world.build(&[]).ok();
    out
}

#[test]
fn a_release_file_past_its_valid_until_is_refused() {
    let until = |moment: u32| move |archive: &mut Archive| _ = archive.valid_until(Some(moment));
    let out = refuses("HP502", until(1_700_000_000 + 7 * DAY), until(4_000_000_000));
    out.says("valid until 2023-11-21T22:13:20Z").says("this machine's time");
}

#[test]
fn a_release_file_of_another_origin_or_label_is_refused() {
    let heal = |archive: &mut Archive| _ = archive.origin("Made").label("Made");
    let out = refuses("HP505", |archive| _ = archive.origin("Debian"), heal);
    out.says("Origin: Debian").says("Origin: Made");
    let out = refuses("HP505", |archive| _ = archive.label("Debian-Security"), heal);
    out.says("Label: Debian-Security").says("Label: Made");
}

#[test]
fn a_release_file_of_another_suite_is_refused() {
    let mut world = hello();
    world.archive.suites(&["sid"]).publish();
    let dists = world.archive.root().join("dists");
    std::fs::rename(dists.join("sid"), dists.join("trixie")).unwrap();
    world.refuses("HP505", &BUILD).says("Codename: sid").says("Codename: trixie");
    world.archive.suites(&["trixie"]).publish();
    world.build(&[]).ok();
}

#[test]
fn a_suite_may_be_named_by_its_codename() {
    let mut world = hello();
    world.archive.codename("trixie", "duke");
    world.archive.publish();
    world.build(&[]).ok();
}

#[test]
fn a_release_older_than_the_locked_one_is_refused_and_the_lock_stays() {
    let mut world = hello();
    world.archive.date(1_700_000_000 + DAY).publish();
    world.build(&[]).ok();
    world.archive.date(1_700_000_000).publish();
    let out = world.refuses("HP503", &["lock", "made.toml", "--update"]);
    out.says("2023-11-14T22:13:20Z").says("2023-11-15T22:13:20Z or later");
    world.build(&["--locked"]).ok();
    world.archive.date(1_700_000_000 + 2 * DAY).publish();
    world.lock(&["--update"]).ok();
}

#[test]
fn a_stale_mirror_is_passed_by_for_one_that_is_not() {
    let mut world = hello();
    world.archive.date(1_700_000_000 + DAY).publish();
    world.lock(&[]).ok();
    let good = World::over(copy(&world.archive));
    world.archive.date(1_700_000_000).publish();
    world.lock(&["--update", &format!("--mirror=made={}", good.url)]).ok();
}

/// The same archive at another address.
fn copy(archive: &Archive) -> Archive {
    let mut other = crate::hello().archive;
    other.signed_by(std::slice::from_ref(archive.key())).date(1_700_000_000 + DAY);
    other
}

#[test]
fn an_architecture_or_component_that_is_not_there_is_named() {
    let mut world = hello();
    world.archive.architectures(&["arm64"]).publish();
    let out = world.refuses("HP505", &BUILD);
    out.says("suite trixie of archive made has no component `main` for linux/amd64");
    world.archive.architectures(&["amd64"]).publish();
    world.build(&[]).ok();
}

#[test]
fn a_release_file_without_digests_is_refused() {
    let world = hello();
    let path = world.archive.root().join(Archive::release_path("trixie"));
    let text = "Origin: Made\nLabel: Made\nSuite: trixie\nDate: Tue, 14 Nov 2023 22:13:20 UTC\n";
    std::fs::write(path, world.archive.key().sign_inline(text)).unwrap();
    world.refuses("HP505", &BUILD).says("it has no SHA256 section");
    world.archive.publish();
    world.build(&[]).ok();
}
