//! What a rebuild should keep to and does not yet.

use serde_json::{Value, json};

use crate::hostile::{file, refused};
use crate::keys::by_another_tool;
use crate::queue::{all, archived, expected, verdicts};
use crate::said::{statement, subjects};
use crate::support::{Fault, Layout, Server};
use crate::{Elsewhere, PROVENANCE, again_about, checker, copy, differences, document, inputs};

#[test]
fn an_image_does_not_choose_where_its_statement_is_written() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    let outside = elsewhere.sandbox.root().join("taken.rebuild.json");
    for title in ["../taken".to_owned(), elsewhere.sandbox.root().join("taken").display().to_string()] {
        again_about(&layout, |layout| {
            layout.change_index(false, |index| {
                index["annotations"]["org.opencontainers.image.title"] = json!(title);
            });
        });
        elsewhere.rebuild(&["--as", "checker.pem"]).exits(6);
        assert!(!outside.exists(), "{title} was followed");
    }
}

#[test]
fn several_images_are_one_document_too() {
    let elsewhere = Elsewhere::new();
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made", "older", "--key", "team.pub", "--json"]).ok();
    document(&out);
}

#[test]
fn of_several_images_each_is_built_again_even_if_one_differs() {
    let elsewhere = Elsewhere::new();
    crate::pins::older(&elsewhere);
    let out = elsewhere.sandbox.hardpan(&["rebuild", "made", "older", "--key", "team.pub"]).exits(6);
    let older = Layout(elsewhere.sandbox.path("older")).index();
    assert!(out.stdout.contains(&older), "the second was not built:\n{}\n{}", out.stdout, out.stderr);
}

#[test]
fn the_statement_of_one_image_is_not_replaced_by_that_of_another() {
    let elsewhere = Elsewhere::new();
    // Both are called `made`.
    let out =
        elsewhere.sandbox.hardpan(&["rebuild", "made", "older", "--key", "team.pub", "--as", "checker.pem"]);
    let about = subjects(&statement(&elsewhere.sandbox, "made.rebuild.json", &checker()));
    assert!(out.code != 0 || about == elsewhere.made().subjects(), "the first image's statement is gone");
}

#[test]
fn of_two_trusted_provenances_that_of_this_tool_is_followed() {
    let elsewhere = Elsewhere::new();
    let layout = elsewhere.made();
    let own = layout.statement(PROVENANCE, &layout.index());
    let own_bundle = layout.bytes(&own.bundle);
    layout.detach(&own);
    layout.attach(&layout.index(), PROVENANCE, &by_another_tool(&layout));
    layout.attach(&layout.index(), PROVENANCE, &own_bundle);
    elsewhere.rebuild(&[]).ok();
}

#[test]
fn a_statement_that_can_not_be_attached_does_not_stop_the_rest() {
    let elsewhere = Elsewhere::new();
    archived(&elsewhere, "all/a.tar");
    copy(&elsewhere.sandbox.path("older"), &elsewhere.sandbox.path("all/b"));
    let out = all(&elsewhere, &["--as", "checker.pem", "--attach", "--report", "second"]);
    assert_ne!(out.code, 0);
    let report: Value = serde_json::from_slice(&elsewhere.sandbox.read("second/report.json")).expect("JSON");
    assert_eq!(verdicts(&report)[1], ("all/b".to_owned(), "same".to_owned()));
}

#[test]
fn a_report_of_an_earlier_run_does_not_pass_for_that_of_this_one() {
    let mut elsewhere = Elsewhere::new();
    let server = Server::start(elsewhere.archive.root());
    server.fault_if(|request| request.path.contains("hello_1.1"), Fault::Trickle(20), usize::MAX);
    elsewhere.sandbox.env("HARDPAN_MIRROR_MADE", server.url());
    copy(&elsewhere.made().0, &elsewhere.sandbox.path("all/a"));
    elsewhere.sandbox.write("out/rebuild/report.json", "{\"images\":[],\"same\":1000}");
    let running = elsewhere.sandbox.spawn(&["rebuild", "--all", "all", "--key", "team.pub"]);
    let start = std::time::Instant::now();
    while server.requests().is_empty() {
        assert!(start.elapsed() < std::time::Duration::from_mins(2), "it never asked for a package");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.kill();
    let report: Value =
        serde_json::from_slice(&elsewhere.sandbox.read("out/rebuild/report.json")).expect("JSON");
    assert_eq!(verdicts(&report), expected(&[("all/a", "waiting")]));
}

#[test]
fn a_recipe_that_is_none_is_refused() {
    for text in ["", "\u{0}", "= = =", "name = \"../x\"\n"] {
        refused("recipe", |_, predicate| inputs(predicate)["recipe"]["text"] = json!(text));
    }
}

#[test]
fn a_lock_that_is_none_is_refused() {
    for text in ["", "\u{0}", "= = =", "version = 99\n", &"x".repeat(4 << 20)] {
        refused("lock", |_, predicate| inputs(predicate)["lock"] = json!(text));
    }
}

#[test]
fn a_variant_that_the_recipe_does_not_have_is_refused() {
    refused("variant", |_, predicate| inputs(predicate)["variant"] = json!("../x"));
}

#[test]
fn a_name_that_no_file_can_have_is_refused() {
    for path in ["a\u{0}b".to_owned(), "n".repeat(300), "d/".repeat(3000) + "x"] {
        refused("", |_, predicate| {
            inputs(predicate)["files"].as_array_mut().expect("files").push(file(&path, b"x"));
        });
    }
}

#[test]
fn a_file_is_not_put_in_place_of_the_recipe_or_the_lock() {
    for path in ["made.toml", "made.lock"] {
        refused("", |_, predicate| {
            inputs(predicate)["files"].as_array_mut().expect("files").push(file(path, b"version = 1\n"));
        });
    }
}

#[test]
fn an_exit_of_six_always_has_a_line_that_says_what_differs() {
    // A change that no rule of its own names: the order of the platforms, the history, a field more.
    type Change = fn(&Layout);
    let changes: [Change; 4] = [
        |layout| {
            layout.change_index(false, |index| index["manifests"].as_array_mut().expect("a list").reverse());
        },
        |layout| {
            layout.change_config("amd64", false, |config| config["history"][0]["created_by"] = json!("x"));
        },
        |layout| layout.change_manifest("amd64", false, |manifest| manifest["more"] = json!(1)),
        |layout| {
            layout.change_index(false, |index| index["manifests"][0]["annotations"] = json!({ "a": "b" }));
        },
    ];
    let silent = |change: Change| {
        let elsewhere = Elsewhere::new();
        again_about(&elsewhere.made(), change);
        differences(&document(&elsewhere.rebuild(&["--json"]).exits(6))).is_empty()
    };
    let silent: Vec<usize> =
        changes.into_iter().enumerate().filter_map(|(at, change)| silent(change).then_some(at)).collect();
    assert!(silent.is_empty(), "these changes are not named: {silent:?}");
}

#[test]
fn what_an_image_says_does_not_steer_the_terminal_or_pass_for_a_result() {
    let elsewhere = Elsewhere::new();
    let digest = elsewhere.made().index();
    again_about(&elsewhere.made(), |layout| {
        layout.change_index(false, |index| {
            index["annotations"]["a\u{1b}[2Jb"] = json!(format!("\u{1b}]0;t\u{7}\n{digest}\n"));
        });
    });
    let out = elsewhere.rebuild(&[]).exits(6);
    assert!(!out.stdout.contains('\u{1b}') && !out.stdout.contains('\u{7}'), "{:?}", out.stdout);
    assert!(!out.stdout.lines().any(|line| line == digest), "{:?}", out.stdout);
}

#[test]
fn keys_that_can_not_be_read_are_an_error_and_not_passed_over() {
    let elsewhere = Elsewhere::new();
    elsewhere.sandbox.write("keys/team.pub", "no key");
    elsewhere.sandbox.hardpan(&["rebuild", "made"]).exits(2).says("HP204");
}
