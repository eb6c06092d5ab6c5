//! What is told of tests: to people, to machines, to whoever verifies the image later.

use serde_json::{Value, json};

use super::Stage;

const TESTS: &str = r#"
[[test]]
name = "one"

[[test]]
name  = "two"
run   = ["BOX", "false"]
"#;

const OWN: &str = "\n[[test]]\nname = \"its own\"\nstdout = \"from cmd\"\n\
    [variant.dev]\nremove.test = [\"its own\"]\nadd.test = [{ name = \"of dev\", stdout = \"from cmd\" }]\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
#[ignore = "needs runc and busybox"]
fn results_are_a_table_for_people_and_json_for_machines() {
    let stage = Stage::new();
    let out = stage.test(TESTS, &[]).exits(6).says("1 of 2 tests of `out/made` failed");
    assert!(out.stdout.contains("passed  0.") && out.stdout.contains("FAILED  0."), "{}", out.stdout);
    assert!(out.stdout.ends_with("1 passed, 1 failed, 0 untested\n"), "{}", out.stdout);
    let value = json(&stage.test(TESTS, &["--json"]).exits(6).stdout);
    assert_eq!((&value["passed"], &value["failed"]), (&json!(1), &json!(1)));
    assert_eq!(value["platform"], "linux/amd64");
    assert!(value["runtime"].as_str().expect("text").starts_with("runc version "), "{value}");
    assert_eq!(value["isolation"]["missing"], json!([]));
    assert_eq!(value["tests"][1]["failures"][0]["found"], "exit code 1");
    let one = json(&stage.test(TESTS, &["--json", "--only", "one"]).ok().stdout);
    assert_eq!(one["tests"].as_array().expect("a list").len(), 1);
}

#[test]
#[ignore = "needs runc and busybox"]
fn without_a_recipe_the_tests_are_those_of_the_provenance_and_of_the_variant() {
    let stage = Stage::with(OWN);
    let out = stage.world.sandbox.hardpan(&["test", "out/made", "--runtime", "runc"]).ok();
    assert!(out.says("from the image's provenance").stdout.contains("its own"));
    stage.world.build(&["--variant", "dev"]).ok();
    let out = stage.world.sandbox.hardpan(&["test", "out/made-dev", "--runtime", "runc"]).ok();
    assert!(out.stdout.contains("of dev") && !out.stdout.contains("its own"), "{}", out.stdout);
    let out = stage.world.sandbox.hardpan(&["test", "out/made-dev", "--recipe", "made.toml"]).ok();
    assert!(out.stdout.contains("of dev") && !out.stdout.contains("its own"), "{}", out.stdout);
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_result_is_signed_and_attached_to_the_platform_that_was_run() {
    let stage = Stage::new();
    let value = json(&stage.test("[[test]]\nname = \"one\"\n", &["--json", "--attest"]).ok().stdout);
    let layout = stage.layout();
    let attached = layout.result(&layout.platform("amd64"));
    assert_eq!(value["referrers"], json!([attached.manifest]));
    let predicate = &attached.statement["predicate"];
    assert_eq!(predicate["result"], "PASSED");
    assert_eq!(predicate["passedTests"], json!(["one"]));
    assert_eq!(predicate["ran"]["platform"], "linux/amd64");
    assert_eq!(predicate["configuration"][0]["name"], "recipe");
    assert!(layout.results(&layout.index()).is_empty());
    stage.world.sandbox.hardpan(&["verify", "out/made"]).ok();
    // A failure is said as well, and changes nothing of the exit code.
    stage.test(TESTS, &["--attest"]).exits(6);
    let all = layout.results(&layout.platform("amd64"));
    let results: Vec<&Value> = all.iter().map(|one| &one.statement["predicate"]["result"]).collect();
    assert!(results.contains(&&json!("FAILED")) && results.len() == 2, "{results:?}");
}

#[test]
#[ignore = "needs runc and busybox"]
fn files_beside_the_recipe_are_mounted_where_it_is_and_asked_for_where_it_is_not() {
    let mount = "\n[[test]]\nname = \"mounts\"\nrun = [\"BOX\", \"sh\", \"-c\", \"cat /srv/file /srv/folder/deep/x; ls -l /srv/file\"]\n\
        stdout = [\"from beside\", \"deep\", \"-rwxr-x---\"]\n\
        mount = { \"/srv/file\" = { from = \"file\", mode = \"0750\" }, \"/srv/folder\" = { from = \"folder\" } }\nuser = 0\n";
    let stage = Stage::with(&mount.replace("BOX", super::BOX));
    stage.world.sandbox.write("file", "from beside");
    stage.world.sandbox.write("folder/deep/x", "deep");
    stage.passes(mount);
    let out = stage.world.sandbox.hardpan(&["test", "out/made", "--runtime", "runc"]).exits(2);
    out.says("mounts files that lie beside the recipe").says("--recipe FILE");
    std::fs::remove_file(stage.world.sandbox.path("file")).expect("ours");
    std::os::unix::fs::symlink("/etc/passwd", stage.world.sandbox.path("file")).expect("ours");
    stage.fails(mount).only("the test", "to be set up", "is not in the recipe's folder");
}
