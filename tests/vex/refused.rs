//! What is wrong with a file of decisions: file, line, words and remedy; all of it at once; and what is hostile.

use crate::support::{Sandbox, World};
use crate::{component, days_from_now, decision, fails, read, rendered, today};
use hardpan::vex::Standing;

/// A file with this is refused with this code, at these words, with this remedy.
#[track_caller]
fn refused(text: &str, code: &str, words: &[&str]) {
    let failure = fails("python", text);
    let said = rendered(&failure);
    let codes: Vec<String> = failure.problems().iter().map(|problem| problem.code.to_string()).collect();
    assert!(codes.iter().any(|found| found == code), "{code} is not among {codes:?}:\n{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

#[test]
fn a_decision_without_justification_is_refused_at_its_line() {
    refused(
        &decision(&[("justification", "")]),
        "HP342",
        &["vex/python.toml:8", "`not_affected` has no justification", "component_not_present"],
    );
    // In words it is one too.
    read("python", &decision(&[("justification", ""), ("impact", "\"the code is not reached\"")]));
}

#[test]
fn statuses_carry_what_openvex_asks_for_and_nothing_else() {
    let affected = [("status", "\"affected\""), ("justification", ""), ("expires", "")];
    refused(&decision(&affected), "HP342", &["`affected` has no action"]);
    read("python", &decision(&[&affected[..], &[("action", "\"wait for 3.5.8\"")]].concat()));
    refused(
        &decision(&[("status", "\"fixed\"")]),
        "HP342",
        &["`justification` stands beside the status `fixed`"],
    );
    refused(
        &decision(&[("action", "\"update\"")]),
        "HP342",
        &["`action` stands beside the status `not_affected`"],
    );
    let waiting = [("status", "\"under_investigation\""), ("justification", ""), ("impact", "\"none\"")];
    refused(&decision(&waiting), "HP342", &["`impact` stands beside"]);
}

#[test]
fn unknown_words_and_keys_come_with_the_nearest_known_one() {
    refused(&decision(&[("status", "\"not-affected\"")]), "HP343", &["did you mean `not_affected`?"]);
    refused(&decision(&[("status", "\"wontfix\"")]), "HP343", &["one of `not_affected`"]);
    refused(
        &decision(&[("justification", "\"vulnerable_code_not_presnt\"")]),
        "HP343",
        &["did you mean `vulnerable_code_not_present`?"],
    );
    refused(
        &decision(&[("justificaton", "\"x\"")]),
        "HP302",
        &["there is no key `justificaton`", "did you mean `justification`?"],
    );
    refused("[[decisions]]\n", "HP302", &["did you mean `decision`?"]);
}

#[test]
fn what_must_be_there_is_asked_for() {
    for key in ["cve", "packages", "status", "reason", "author", "date"] {
        refused(&decision(&[(key, "")]), "HP305", &[&format!("`{key}` is missing here")]);
    }
    refused(&decision(&[("expires", "")]), "HP305", &["has no `expires`"]);
    refused(&component(&[("paths", "[\"/usr/bin/x\"]"), ("expires", "")]), "HP305", &["`expires`"]);
    refused(&component(&[]), "HP305", &["neither `paths` nor `binaries`"]);
    refused(&decision(&[("packages", "[]")]), "HP304", &["`packages` names none"]);
}

#[test]
fn dates_must_go_together_and_a_year_is_the_longest() {
    refused(&decision(&[("expires", "2026-11-01")]), "HP344", &["expires on 2026-11-01"]);
    refused(&decision(&[("expires", "2025-01-01")]), "HP344", &["`expires` is a day after `date`"]);
    refused(&decision(&[("expires", "2027-11-03")]), "HP344", &["holds for 367 days", "by 2027-11-02"]);
    refused(&decision(&[("expires", "9999-12-31")]), "HP344", &[]);
    refused(&decision(&[("date", "2026-02-30")]), "HP301", &[]);
    refused(&decision(&[("date", "\"2026-11-01\"")]), "HP303", &["a date such as"]);
    refused(&decision(&[("date", "2026-11-01T10:00:00Z")]), "HP304", &["is not a day"]);
}

#[test]
fn names_of_cves_are_of_any_length_and_of_one_case() {
    let ids = |text: &str| read("python", text).own().iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let text = ["CVE-2026-102633", "CVE-2026-9999", "TEMP-0000000-ABCDEF"]
        .map(|id| decision(&[("cve", &format!("\"{id}\""))]))
        .concat();
    // By number, not by letter.
    assert_eq!(ids(&text), ["CVE-2026-9999", "CVE-2026-102633", "TEMP-0000000-ABCDEF"]);
    refused(&decision(&[("cve", "\"cve-2026-102633\"")]), "HP304", &["did you mean `CVE-2026-102633`?"]);
    refused(&decision(&[("cve", "\"CVE-2026-99\"")]), "HP304", &["four or more digits"]);
    refused(&decision(&[("cve", "\"openssl\"")]), "HP304", &["is not a CVE's name"]);
}

#[test]
fn an_image_that_is_none_of_ours_is_refused_with_the_nearest_name() {
    let text = decision(&[]);
    let failure = fails("pyhton", &text);
    assert!(rendered(&failure).contains("did you mean `python`?"), "{}", rendered(&failure));
    assert_eq!(failure.problems()[0].code.to_string(), "HP341");
    let failure = fails("all", &decision(&[("images", "[\"python\", \"ngnix\"]")]));
    assert!(rendered(&failure).contains("did you mean `nginx`?"), "{}", rendered(&failure));
    read("all", &decision(&[("images", "[\"python\", \"nginx\"]")]));
    refused(&decision(&[("images", "[\"nginx\"]")]), "HP341", &["the file's name says which image"]);
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let text = [
        decision(&[("status", "\"nope\""), ("cve", "\"x\""), ("paths", "[]")]),
        decision(&[("expires", "2026-01-01"), ("packages", "\"openssl\"")]),
        component(&[("paths", "[\"usr/bin/x\"]")]),
    ];
    let failure = fails("python", &text.concat());
    let codes: Vec<String> = failure.problems().iter().map(|problem| problem.code.to_string()).collect();
    assert_eq!(codes, ["HP343", "HP304", "HP302", "HP344", "HP303", "HP304"], "{}", rendered(&failure));
    assert_eq!(failure.exit_code(), 3);
}

#[test]
fn of_one_day_two_that_say_something_else_are_refused() {
    let other = decision(&[("status", "\"affected\""), ("justification", ""), ("action", "\"update\"")]);
    refused(&(decision(&[]) + &other), "HP347", &["say `not_affected` and `affected`", "vex/python.toml:2"]);
    // A day later, of another package, or of another CVE they are fine; and twice the same is, too.
    let later = other.replace("2026-11-01", "2026-11-02");
    read("python", &(decision(&[]) + &later));
    read("python", &(decision(&[]) + &other.replace("openssl", "zlib1g")));
    read("python", &(decision(&[]) + &other.replace("102633", "102634")));
    read("python", &(decision(&[]) + &decision(&[])));
    let text = other.replace("[[decision]]", "[[decision]]\nimages = [\"nginx\"]")
        + &decision(&[("images", "[\"python\"]")]);
    read("all", &text);
}

#[test]
fn letters_that_move_a_cursor_or_turn_text_around_are_refused() {
    for bad in ["\\u001b[31mred", "\\u0007", "a\\u202eb", "\\u2066x", "\\u0000", "a\\rb", "\\u009b2J"] {
        for key in ["reason", "author"] {
            refused(&decision(&[(key, &format!("\"{bad}\""))]), "HP304", &["can't be shown"]);
        }
        let failure = fails("python", &decision(&[("packages", &format!("[\"{bad}\"]"))]));
        let said = rendered(&failure);
        assert!(!said.chars().any(|letter| letter.is_control() && letter != '\n'), "{said:?}");
    }
    refused(&decision(&[("reason", "\"  \"")]), "HP304", &["says nothing"]);
    refused(&decision(&[("reason", &format!("\"{}\"", "x".repeat(5_000)))]), "HP304", &["too long"]);
    read("python", &decision(&[("reason", "\"\"\"two\nlines, é\"\"\"")]));
}

#[test]
fn what_is_no_toml_deep_or_huge_is_refused_in_time() {
    refused("[[decision]\n", "HP301", &[]);
    refused(&format!("decision = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)), "HP301", &[]);
    let world = World::new(&[]);
    world.sandbox.write("vex/made.toml", vec![b'#'; 5 << 20]);
    world.refuses("HP340", &["vex", "check", "."]).says("is too large");
    world.sandbox.write("vex/made.toml", b"# \xff\n");
    world.refuses("HP301", &["vex", "check", "."]).says("not UTF-8");
}

#[test]
fn the_future_counts_as_none_and_so_does_what_has_expired() {
    let standing = |keys: &[(&str, &str)]| read("python", &decision(keys)).own()[0].standing(today());
    assert_eq!(standing(&[]), Standing::Holds);
    assert_eq!(standing(&[("date", "2026-11-25")]), Standing::NotYet);
    assert_eq!(standing(&[("date", "2026-01-01"), ("expires", "2026-11-23")]), Standing::Expired);
    let text =
        decision(&[("date", "2026-11-25")]) + &decision(&[("date", "2026-01-01"), ("expires", "2026-11-23")]);
    let idle = read("python", &text).idle(today());
    let codes: Vec<String> = idle.iter().map(|problem| problem.code.to_string()).collect();
    assert_eq!(codes, ["HP344", "HP345"]);
    assert!(idle.iter().all(|problem| problem.warning));
}

#[test]
fn check_tells_of_every_file_and_fails() {
    let sandbox = Sandbox::new();
    for name in ["one", "two"] {
        sandbox.write(format!("recipes/{name}.toml"), World::head(name));
    }
    sandbox.hardpan(&["vex", "check"]).ok();
    let dates = [("date", days_from_now(-30)), ("expires", days_from_now(30))];
    let dates: Vec<(&str, &str)> = dates.iter().map(|(key, value)| (*key, value.as_str())).collect();
    sandbox.write("recipes/vex/one.toml", decision(&dates));
    let out = sandbox.hardpan(&["vex", "check"]).ok();
    assert_eq!(out.stdout, "1 decision holds\n");
    let old = [("date", days_from_now(-30)), ("expires", days_from_now(-1))];
    let old: Vec<(&str, &str)> = old.iter().map(|(key, value)| (*key, value.as_str())).collect();
    sandbox.write("recipes/vex/all.toml", decision(&old).replace("102633", "102634"));
    sandbox.hardpan(&["vex", "check"]).exits(3).says("HP345").says("recipes/vex/all.toml:2");
    sandbox.write("recipes/vex/three.toml", "[[decision]]\nx = 1\n");
    let out = sandbox.hardpan(&["vex", "check", "--all", "recipes"]).exits(3);
    for words in ["HP341", "there is no image `three`", "HP302", "recipes/vex/three.toml:2"] {
        assert!(out.stderr.contains(words), "{words}:\n{}", out.stderr);
    }
    // A verb that only looks says the same, and neither falls over a folder that is not there.
    sandbox.hardpan(&["vex", "list"]).exits(3).says("HP341");
    sandbox.hardpan(&["vex", "check", "nowhere/x.toml"]).exits(3).says("HP311");
}
