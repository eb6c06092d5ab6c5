//! Programs that do their worst.

use std::time::{Duration, Instant};

use super::{Stage, processes};

#[test]
#[ignore = "needs runc and busybox"]
fn a_program_that_never_ends_or_hears_no_signal_is_killed_in_time_with_all_its_children() {
    let stage = Stage::new();
    let begin = Instant::now();
    let test = r#"
[[test]]
name    = "deaf"
run     = ["BOX", "sh", "-c", "trap '' TERM INT HUP; sleep 86411 & sleep 86412"]
timeout = 2
"#;
    stage.fails(test).only("it ended", "within 2 s", "still ran");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert!(processes("8641").is_empty());
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_program_that_forks_without_end_is_bounded() {
    let stage = Stage::new();
    let test = r#"
[[test]]
name    = "forks"
run     = ["BOX", "sh", "-c", "n=0; while sleep 86421 & do n=$((n+1)); done; wait"]
timeout = 5
"#;
    let failed = stage.fails(test);
    assert!(failed.test["output"].to_string().contains("can't fork"), "{}", failed.test);
    assert!(processes("86421").is_empty());
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_program_that_eats_memory_is_killed_and_the_limit_is_named() {
    let stage = Stage::new();
    let eat = "run = [\"BOX\", \"dd\", \"if=/dev/zero\", \"of=/dev/null\", \"bs=300M\", \"count=1\"]\n";
    let test = format!("[[test]]\nname = \"eats\"\nmemory = 64\n{eat}");
    stage.fails(&test).only("it ended", "exit code 0", "signal 9 (too much memory? it has 64 MiB)");
    stage.passes(&format!("[[test]]\nname = \"has room\"\nmemory = 500\n{eat}"));
    // What is written to /tmp is memory too.
    let fills = "[[test]]\nname = \"fills\"\nmemory = 64\nrun = [\"BOX\", \"dd\", \"if=/dev/zero\", \"of=/tmp/x\", \"bs=1M\", \"count=300\"]\n";
    stage.fails(fills);
}

#[test]
#[ignore = "needs runc and busybox"]
fn output_without_end_is_kept_in_bounds() {
    let stage = Stage::new();
    let test = r#"
[[test]]
name   = "talks"
run    = ["BOX", "sh", "-c", "echo first; dd if=/dev/zero bs=1M count=1500; echo last"]
stdout = ["first", "last"]
timeout = 120
"#;
    stage.passes(test);
    let failed = stage.fails("[[test]]\nname = \"yes\"\nrun = [\"BOX\", \"yes\"]\ntimeout = 2\n");
    assert!(failed.test.to_string().len() < 20_000);
}

#[test]
#[ignore = "needs runc and busybox"]
fn input_larger_than_a_pipe_arrives_and_one_that_nobody_reads_blocks_nobody() {
    let stage = Stage::new();
    let input = "x".repeat(3 << 20);
    stage.passes(&format!(
        "[[test]]\nname = \"reads\"\nrun = [\"BOX\", \"wc\", \"-c\"]\nstdout = \"3145728\"\nstdin = \"{input}\"\n\
         [[test]]\nname = \"reads nothing\"\nrun = [\"BOX\", \"true\"]\nstdin = \"{input}\"\n"
    ));
}

#[test]
#[ignore = "needs runc, busybox and Python"]
fn whatever_is_said_comes_out_harmless() {
    let stage = Stage::new();
    let test = r#"
[[test]]
name   = "sings & <dances>"
run    = ["BOX", "printf", "\\033[31mred\\007\\000\\377\\302\\233x ]]> \\r over"]
exit   = 1
stderr = "\u001b[32m"
"#;
    let harmless = |text: &str| !text.chars().any(|letter| letter.is_control() && letter != '\n');
    let out = stage.test(test, &["--junit", "junit.xml"]).exits(6);
    assert!(harmless(&out.stdout) && harmless(&out.stderr), "{}\n{}", out.stdout, out.stderr);
    assert!(out.stdout.contains("\\u{1b}[31mred"), "{}", out.stdout);
    let json = stage.test(test, &["--json"]).exits(6).stdout;
    assert!(harmless(&json), "{json}");
    let xml = stage.world.sandbox.text("junit.xml");
    assert!(harmless(&xml), "{xml}");
    // Somebody else's parser takes it, and reads what was meant.
    let code = "import sys, xml.etree.ElementTree as e; r = e.parse(sys.argv[1]).getroot(); \
                print(r[0].get('failures'), r[0][0].get('name'), r[0][0].find('system-out').text)";
    let run = stage
        .world
        .sandbox
        .run_program("python3", &["-c", code, "junit.xml"])
        .env("PYTHONIOENCODING", "utf-8");
    let said = run.output().ok().stdout;
    assert!(said.starts_with("1 sings & <dances> ") && said.contains("]]>"), "{said}");
}
