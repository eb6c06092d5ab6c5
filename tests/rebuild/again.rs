//! The same bytes again, on a machine that has nothing but the image and an archive.

use std::fs;

use crate::support::{Layout, Registry, Server};
use crate::{Elsewhere, document, furnish, leaves_only};

fn is_empty(folder: &std::path::Path) -> bool {
    fs::read_dir(folder).expect("readable").next().is_none()
}

#[test]
fn a_layout_builds_again_in_an_empty_home_on_an_empty_store() {
    let elsewhere = Elsewhere::new();
    assert!(is_empty(&elsewhere.sandbox.home()) && is_empty(&elsewhere.sandbox.store()));
    let digest = elsewhere.made().index();
    let out = leaves_only(&elsewhere.sandbox, &[], || elsewhere.rebuild(&[]).ok());
    assert_eq!(out.stdout, format!("{digest}\n"));
    out.says("Same").says(&digest).says("provenance signed by");
    assert!(is_empty(&elsewhere.sandbox.home()), "no key is made where none is asked for");
}

#[test]
fn what_is_built_can_be_kept() {
    let elsewhere = Elsewhere::new();
    elsewhere.rebuild(&["--out", "again"]).ok();
    let again = Layout(elsewhere.sandbox.path("again"));
    assert_eq!(again.index(), elsewhere.made().index());
    assert_eq!(crate::support::Image::all(&again.0).len(), 2);
}

#[test]
fn packages_are_fetched_from_the_archive_and_nothing_else_is() {
    let mut elsewhere = Elsewhere::new();
    let server = Server::start(elsewhere.archive.root());
    elsewhere.sandbox.env("HARDPAN_MIRROR_MADE", server.url());
    elsewhere.rebuild(&[]).ok();
    let asked: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked.iter().filter(|path| path.contains("hello_1.1")).count(), 2, "{asked:?}");
    // The pins are the lock's: what the archive offers today is not looked at.
    assert!(asked.iter().all(|path| path.starts_with("/pool/")), "{asked:?}");
}

#[test]
fn a_published_reference_builds_again_by_tag_and_by_digest() {
    let (elsewhere, registry) = (Elsewhere::new(), Registry::start());
    let sandbox = &elsewhere.sandbox;
    let to = format!("{}/team", registry.host());
    sandbox.write("keys/team.pub", crate::signed::trusted().public_pem());
    crate::secret(sandbox, "team.pem", &crate::signed::trusted().private_pem());
    sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]).ok();
    let layout = elsewhere.made();
    let (index, platform) = (layout.index(), layout.platform("arm64"));
    let references = [
        (format!("{to}/made:latest"), &index),
        (format!("{to}/made@{index}"), &index),
        (format!("{to}/made@{platform}"), &platform),
    ];
    for (at, (reference, digest)) in references.iter().enumerate() {
        // A home and a store that are as empty the third time as the first.
        let mut fresh = crate::support::Sandbox::new();
        fresh.env("HARDPAN_MIRROR_MADE", elsewhere.archive.file_url());
        furnish(&fresh);
        let arguments = ["rebuild", reference, "--key", "team.pub", "--as", "checker.pem"];
        let out = leaves_only(&fresh, &["made.rebuild.json"], || fresh.hardpan(&arguments).ok());
        assert_eq!(out.stdout, format!("{digest}\n"), "{reference}");
        let statement = crate::said::statement(&fresh, "made.rebuild.json", &crate::checker());
        assert_eq!(statement.predicate["result"], "PASSED");
        let about = if at < 2 { layout.subjects() } else { vec![platform.clone()] };
        assert_eq!(crate::said::subjects(&statement), about, "{reference}");
        let image = fresh.hardpan(&["rebuild", reference, "--key", "team.pub", "--json"]).ok();
        assert_eq!(document(&image)["found"], **digest);
    }
}

#[test]
fn an_archive_file_builds_again_too() {
    let elsewhere = Elsewhere::new();
    crate::queue::archived(&elsewhere, "made.tar");
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made.tar", "--key", "team.pub"]).ok();
    assert_eq!(out.stdout, format!("{}\n", elsewhere.made().index()));
}

#[test]
fn offline_only_the_store_is_asked() {
    let elsewhere = Elsewhere::new();
    elsewhere.rebuild(&["--offline"]).exits(4).says("HP404");
    elsewhere.rebuild(&[]).ok();
    fs::remove_dir_all(elsewhere.archive.root().join("pool")).expect("our own folder");
    elsewhere.rebuild(&["--offline"]).ok();
}
