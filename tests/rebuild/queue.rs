//! Many images in a row, and the report about them.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Fault, Flaw, Layout, Output, Registry, Server};
use crate::{Elsewhere, PROVENANCE, TEST_RESULT, checker, copy, document, leaves_only, said};

/// Writes the image as an archive file.
pub fn archived(elsewhere: &Elsewhere, name: &str) {
    let tar = elsewhere.sandbox.write(name, "");
    let mut builder = tar::Builder::new(std::fs::File::create(tar).expect("our own folder"));
    builder.append_dir_all(".", elsewhere.made().0).expect("a tar");
    builder.finish().expect("a tar");
}

/// A good image, one that differs, one that is broken, one that is good again, and what is none.
fn queue() -> Elsewhere {
    let elsewhere = Elsewhere::new();
    let path = |name: &str| elsewhere.sandbox.path(name);
    copy(&path("made"), &path("all/a-good"));
    copy(&path("older"), &path("all/d-good"));
    crate::pins::older(&elsewhere);
    copy(&path("made"), &path("all/b-differs"));
    copy(&path("made"), &path("all/c-broken"));
    let broken = Layout(path("all/c-broken"));
    broken.detach(&broken.statement(PROVENANCE, &broken.index()));
    elsewhere.sandbox.write("all/notes/readme", "no image");
    elsewhere.sandbox.write("all/readme", "no image");
    elsewhere
}

pub fn all(elsewhere: &Elsewhere, more: &[&str]) -> Output {
    elsewhere.sandbox.hardpan(&[&["rebuild", "--all", "all", "--key", "team.pub"], more].concat())
}

pub fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let images = report["images"].as_array().expect("images").iter();
    images.map(|one| (text(&one["image"]), text(&one["verdict"]))).collect()
}

pub fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(image, verdict)| ((*image).to_owned(), (*verdict).to_owned())).collect()
}

const VERDICTS: [(&str, &str); 4] = [
    ("all/a-good", "same"),
    ("all/b-differs", "differs"),
    ("all/c-broken", "failed"),
    ("all/d-good", "same"),
];

#[test]
fn one_that_fails_does_not_stop_the_rest_and_the_report_says_all() {
    let elsewhere = queue();
    let added = ["out", "out/rebuild", "out/rebuild/report.json", "out/rebuild/index.html"];
    let out = leaves_only(&elsewhere.sandbox, &added, || all(&elsewhere, &[]).exits(6));
    let out = out.says("HP608").says("2 of 4 images").says("index.html");
    let lines: Vec<Vec<&str>> = out.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let words = [
        ["Same", "all/a-good"],
        ["Differs", "all/b-differs"],
        ["Failed", "all/c-broken"],
        ["Same", "all/d-good"],
    ];
    assert_eq!(lines, words);
    let report: Value =
        serde_json::from_slice(&elsewhere.sandbox.read("out/rebuild/report.json")).expect("JSON");
    assert_eq!(verdicts(&report), expected(&VERDICTS));
    let counts = ["same", "differ", "failed", "waiting"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(0)]);
    let image = |at: usize| report["images"][at].clone();
    let digest = Layout(elsewhere.sandbox.path("all/a-good")).index();
    assert_eq!((&image(0)["wanted"], &image(0)["found"]), (&json!(digest), &json!(digest)));
    assert_eq!(image(0)["lines"], json!([]));
    assert_ne!(image(1)["wanted"], image(1)["found"]);
    assert!(image(1)["lines"].to_string().contains("package hello: 1.1, rebuilt 1.0"), "{report}");
    assert_eq!((&image(2)["wanted"], &image(2)["found"]), (&Value::Null, &Value::Null));
    assert!(image(2)["lines"].to_string().contains("no provenance"), "{report}");
    assert!(image(0)["seconds"].as_f64().expect("a time") > 0.0);
}

#[test]
fn the_page_shows_what_the_report_says() {
    let elsewhere = queue();
    all(&elsewhere, &["--report", "told"]).exits(6);
    let page = elsewhere.sandbox.text("told/index.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("2 of 4 images"), "{page}");
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in\n{page}"));
    let places = ["all/a-good", "all/b-differs", "all/c-broken", "all/d-good"].map(at);
    assert!(places.is_sorted(), "the order is kept");
    assert!(at("package hello: 1.1, rebuilt 1.0") > places[1] && at("no provenance") > places[2]);
    assert!(at(&Layout(elsewhere.sandbox.path("all/a-good")).index()) > places[0]);
    for outside in ["<script", "src=", "href=", "@import", "url(", "<link", "<iframe"] {
        assert!(!page.contains(outside), "the page fetches: {outside}");
    }
    assert!(!elsewhere.sandbox.path("out").exists(), "the report is where it was told to be");
}

#[test]
fn all_the_same_is_a_success() {
    let elsewhere = Elsewhere::new();
    copy(&elsewhere.made().0, &elsewhere.sandbox.path("all/made"));
    all(&elsewhere, &[]).ok();
}

#[test]
fn the_answer_for_machines_is_the_report() {
    let elsewhere = queue();
    let said = document(&all(&elsewhere, &["--json"]).exits(6));
    assert_eq!(verdicts(&said), expected(&VERDICTS));
    let written: Value =
        serde_json::from_slice(&elsewhere.sandbox.read("out/rebuild/report.json")).expect("JSON");
    assert_eq!(said, written);
}

#[test]
fn what_an_image_is_called_is_text_on_the_page() {
    let elsewhere = Elsewhere::new();
    let name = "<img src=x onerror=alert(1)>&\"'";
    copy(&elsewhere.made().0, &elsewhere.sandbox.path("all").join(name));
    let layout = Layout(elsewhere.sandbox.path("all").join(name));
    // What comes out of the image is text as well.
    crate::again_about(&layout, |layout| {
        layout.change_index(false, |index| index["annotations"]["<script>alert(2)"] = json!("</pre><b>"));
    });
    all(&elsewhere, &[]).exits(6);
    let page = elsewhere.sandbox.text("out/rebuild/index.html");
    for harm in ["<img", "<script", "</pre><b>"] {
        assert!(!page.contains(harm), "{harm} in\n{page}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(2)"), "{page}");
}

#[test]
fn statements_are_kept_with_the_report() {
    let elsewhere = queue();
    all(&elsewhere, &["--as", "checker.pem"]).exits(6);
    for (name, result) in [("a-good", "PASSED"), ("b-differs", "FAILED"), ("d-good", "PASSED")] {
        let layout = Layout(elsewhere.sandbox.path(format!("all/{name}")));
        // The first two have the same digest: the result of the last run stands.
        if name == "a-good" {
            continue;
        }
        let file = format!("out/rebuild/{}.rebuild.json", crate::hex(&layout.index()));
        let statement = said::statement(&elsewhere.sandbox, &file, &checker());
        assert_eq!(statement.predicate["result"], result, "{name}");
        assert_eq!(said::subjects(&statement), layout.subjects());
    }
    assert!(!elsewhere.sandbox.path("made.rebuild.json").exists());
}

#[test]
fn statements_are_attached_to_each() {
    let elsewhere = queue();
    all(&elsewhere, &["--as", "checker.pem", "--attach"]).exits(6);
    for (name, result) in [("a-good", "PASSED"), ("b-differs", "FAILED"), ("d-good", "PASSED")] {
        let layout = Layout(elsewhere.sandbox.path(format!("all/{name}")));
        let attached = layout.result(&layout.index());
        assert_eq!(attached.statement["predicate"]["result"], result, "{name}");
    }
    let broken = Layout(elsewhere.sandbox.path("all/c-broken"));
    assert!(broken.of_kind(TEST_RESULT, &broken.index()).is_empty());
}

#[test]
fn a_folder_or_prefix_without_images_is_an_error() {
    let elsewhere = Elsewhere::new();
    elsewhere.sandbox.write("all/readme", "no image");
    all(&elsewhere, &[]).exits(4).says("HP405");
    assert!(!elsewhere.sandbox.path("out").exists());
    elsewhere.sandbox.hardpan(&["rebuild", "--all", "no folder"]).exits(2).says("HP201");
    elsewhere.sandbox.hardpan(&["rebuild", "--all", "all", "--out", "x"]).exits(2);
}

#[test]
fn a_vanished_pin_is_named_in_the_report() {
    let elsewhere = Elsewhere::new();
    copy(&elsewhere.made().0, &elsewhere.sandbox.path("all/made"));
    std::fs::remove_dir_all(elsewhere.archive.root().join("pool")).expect("our own folder");
    let said = document(&all(&elsewhere, &["--json"]).exits(6));
    assert_eq!(verdicts(&said), expected(&[("all/made", "failed")]));
    assert!(
        said["images"][0]["lines"].to_string().contains("package data 2:1.0+b1-1 (all) is gone"),
        "{said}"
    );
}

#[test]
fn archive_files_are_images_of_a_queue_too() {
    let elsewhere = Elsewhere::new();
    archived(&elsewhere, "all/a.tar");
    copy(&elsewhere.sandbox.path("older"), &elsewhere.sandbox.path("all/b"));
    let said = document(&all(&elsewhere, &["--json"]).ok());
    assert_eq!(verdicts(&said), expected(&[("all/a.tar", "same"), ("all/b", "same")]));
}

/// A queue whose second image waits for its package: `first` is done by the time that this returns.
fn stuck(elsewhere: &mut Elsewhere) -> (Server, crate::support::Running) {
    let server = Server::start(elsewhere.archive.root());
    server.fault_if(|request| request.path.contains("hello_1.0"), Fault::Trickle(20), usize::MAX);
    elsewhere.sandbox.env("HARDPAN_MIRROR_MADE", server.url());
    let path = |name: &str| elsewhere.sandbox.path(name);
    copy(&path("made"), &path("all/a"));
    copy(&path("older"), &path("all/b"));
    let running = elsewhere.sandbox.spawn(&["rebuild", "--all", "all", "--key", "team.pub"]);
    let start = Instant::now();
    while !server.requests().iter().any(|request| request.path.contains("hello_1.0")) {
        assert!(start.elapsed() < Duration::from_mins(2), "it never came to the second image");
        thread::sleep(Duration::from_millis(20));
    }
    (server, running)
}

#[test]
fn a_queue_that_is_killed_leaves_a_report_that_can_be_read() {
    let mut elsewhere = Elsewhere::new();
    let (server, running) = stuck(&mut elsewhere);
    running.kill();
    let report: Value =
        serde_json::from_slice(&elsewhere.sandbox.read("out/rebuild/report.json")).expect("JSON");
    assert_eq!(verdicts(&report), expected(&[("all/a", "same"), ("all/b", "waiting")]));
    assert_eq!((&report["same"], &report["waiting"]), (&json!(1), &json!(1)));
    assert!(elsewhere.sandbox.text("out/rebuild/index.html").trim_end().ends_with("</html>"));
    // The next run finishes, and takes away what the killed one left.
    server.heal();
    all(&elsewhere, &[]).ok();
    let left: Vec<PathBuf> = crate::signed::files(elsewhere.sandbox.root()).into_keys().collect();
    assert!(!left.iter().any(|path| path.to_string_lossy().contains(".hardpan-")), "{left:?}");
}

#[test]
fn all_that_is_published_below_a_prefix_is_built_again() {
    let (elsewhere, registry) = (queue(), Registry::start());
    let sandbox = &elsewhere.sandbox;
    let to = |name: &str| format!("{}/team/{name}", registry.host());
    sandbox.write("keys/team.pub", crate::signed::trusted().public_pem());
    crate::secret(sandbox, "team.pem", &crate::signed::trusted().private_pem());
    for (image, name) in [("all/d-good", "good"), ("all/b-differs", "other")] {
        sandbox.hardpan(&["publish", image, "--to", &to(name), "--key", "team.pem"]).ok();
    }
    let names = "{\"repositories\":[\"team/other/made\",\"team/good/made\",\"away/made\"]}";
    registry.flaw("GET", "_catalog", Flaw::Status(200, "Content-Type: application/json", names));
    let prefix = format!("{}/team", registry.host());
    let arguments =
        ["rebuild", "--all", &prefix, "--key", "team.pub", "--json", "--as", "checker.pem", "--attach"];
    let said = document(&sandbox.hardpan(&arguments).exits(6));
    let list = verdicts(&said);
    // Each image once, whatever the number of its tags; in order of their names.
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(list[0].0.starts_with(&to("good")) && list[0].1 == "same", "{list:?}");
    assert!(list[1].0.starts_with(&to("other")) && list[1].1 == "differs", "{list:?}");
    let reference = format!("{}/made:latest", to("good"));
    sandbox.hardpan(&["pull", &reference, "--out", "pulled"]).ok();
    let pulled = Layout(sandbox.path("pulled"));
    assert_eq!(pulled.result(&pulled.index()).statement["predicate"]["result"], "PASSED");
}
