//! What a test can say, and what its containers can't do.

use super::Stage;

#[test]
#[ignore = "needs runc and busybox"]
fn every_key_of_a_run_does_what_it_says() {
    let stage = Stage::new();
    stage.passes(
        r#"
[[test]]
name   = "entrypoint and cmd"
stdout = "from cmd"

[[test]]
name   = "arguments for the entrypoint"
args   = ["echo", "from args"]
stdout = ["from", "args"]

[[test]]
name    = "input, variables, user, folder, code, both outputs"
run     = ["BOX", "sh", "-c", "cat; echo $COLOUR $SHAPE $HOME $HOSTNAME; id; pwd; echo wrong >&2; exit 3"]
stdin   = "in\n"
env     = { SHAPE = "round", COLOUR = "red" }
user    = "1000:7"
workdir = "/var"
exit    = 3
stdout  = ["in\n", "red round / test", "uid=1000 gid=7", "/var\n"]
stderr  = "wrong"

[[test]]
name   = "a user by its name has its own home and group"
run    = ["BOX", "sh", "-c", "id; echo $HOME; pwd"]
stdout = ["uid=65532(made) gid=65532", "/home/made\n/home/made\n"]

[[test]]
name    = "volumes are the user's, mounts are read-only, traces are looked at"
run     = ["BOX", "sh", "-c", "echo one > /data/a; echo two > /tmp/b; ls -ld /data /var/lib/made; cat /etc/x/y; BOX test -x /run/script"]
volumes = ["/data", "/var/lib/made"]
mount   = { "/etc/x/y" = "mounted\n", "/run/script" = { text = "x", mode = "0755" } }
stdout  = ["drwxr-xr-x    2 made     made", "drwxr-x---    2 made     made", "mounted\n"]
files   = { "/data/a" = "one", "/tmp/b" = ["t", "wo"], "/data/c" = false, "/data" = true, "/etc/x/y" = "mounted", "/etc/passwd" = "made:x:65532" }

[[test]]
name  = "what one test brings is gone in the next"
run   = ["BOX", "true"]
files = { "/data" = false, "/etc/x" = false, "/run/script" = false, "/tmp/b" = false }
"#,
    );
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_container_has_no_power_no_writable_root_and_no_network() {
    let stage = Stage::new();
    stage.passes(
        r#"
[[test]]
name   = "powers"
run    = ["BOX", "cat", "/proc/self/status"]
stdout = ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]

[[test]]
name   = "even root has none"
run    = ["BOX", "sh", "-c", "cat /proc/self/status; chown 5 /tmp || echo refused; touch /x /usr/x || echo read-only"]
user   = 0
stdout = ["CapEff:\t0000000000000000", "refused", "read-only"]
files  = { "/x" = false, "/usr/x" = false }

[[test]]
name   = "no user name space brings them back"
run    = ["BOX", "unshare", "-U", "true"]
fails  = true

[[test]]
name  = "mounts"
run   = ["BOX", "sh", "-c", "echo x > /etc/x"]
mount = { "/etc/x" = "mounted" }
fails = true
files = { "/etc/x" = "mounted" }

[[test]]
name   = "the network is a loopback, which is up"
run    = ["BOX", "ip", "addr"]
stdout = ["1: lo: <LOOPBACK,UP", "inet 127.0.0.1/8"]

[[test]]
name   = "and nothing else"
run    = ["BOX", "sh", "-c", "ls /sys/class/net; exec BOX wget -T 3 -O - http://192.0.2.1/"]
stdout = "lo\n"
fails  = true

[[test]]
name   = "it sees its own processes only"
run    = ["BOX", "ps"]
stdout = "    1 made "

[[test]]
name   = "names"
run    = ["BOX", "sh", "-c", "hostname; cat /etc/hosts"]
stdout = ["test\n", "127.0.0.1 localhost test"]
"#,
    );
}

#[test]
#[ignore = "needs runc and busybox"]
fn the_hosts_network_is_had_by_asking_for_it() {
    let stage = Stage::new();
    let own = std::fs::read_link("/proc/self/ns/net").expect("a link");
    let own = own.display();
    stage.passes(&format!(
        "[[test]]\nname = \"shared\"\nrun = [\"BOX\", \"readlink\", \"/proc/self/ns/net\"]\nstdout = \"{own}\"\nnetwork = true\n"
    ));
    let alone = format!(
        "[[test]]\nname = \"alone\"\nrun = [\"BOX\", \"readlink\", \"/proc/self/ns/net\"]\nstdout = \"{own}\"\n"
    );
    stage.fails(&alone).only("stdout", &own.to_string(), "without it");
}

#[test]
#[ignore = "needs runc and busybox"]
fn what_differs_is_told_with_what_was_expected_and_found() {
    let stage = Stage::new();
    let one = |rest: &str| stage.fails(&format!("[[test]]\nname = \"one\"\n{rest}"));
    one("run = [\"BOX\", \"false\"]").only("it ended", "exit code 0", "exit code 1");
    one("run = [\"BOX\", \"true\"]\nexit = 3").only("it ended", "exit code 3", "exit code 0");
    one("run = [\"BOX\", \"true\"]\nfails = true").only("it ended", "to fail", "exit code 0");
    one("run = [\"BOX\", \"sh\", \"-c\", \"kill -SEGV $$; sleep 9\"]\ntimeout = 2").has(
        "it ended",
        "within 2 s",
        "still ran",
    );
    one("run = [\"/bin/sh\"]").only("the program", "to be there", "`/bin/sh` is not there");
    one("run = [\"nobody-has-this\"]").only("the program", "to be there", "not found in PATH");
    one("run = [\"/etc/passwd\"]").only(
        "the program",
        "to be there",
        "may not be run by its user (mode 0644)",
    );
    one("run = [\"/etc\"]").only("the program", "to be there", "no regular file");
    one("run = [\"BOX\", \"echo\", \"hi\"]\nstdout = [\"h\", \"ho\"]").only(
        "stdout",
        "\"ho\"",
        "3 bytes without it",
    );
    one("run = [\"BOX\", \"true\"]\nstderr = \"x\"").only("stderr", "\"x\"", "nothing");
    one("run = [\"BOX\", \"true\"]\nfiles = { \"/etc/passwd\" = \"nobody-here\" }").only(
        "/etc/passwd",
        "nobody-here",
        "root",
    );
    one("run = [\"BOX\", \"true\"]\nfiles = { \"/etc/passwd\" = false }").only(
        "/etc/passwd",
        "not to be",
        "it is there",
    );
    one("run = [\"BOX\", \"true\"]\nfiles = { \"/etc/none\" = true }").only(
        "/etc/none",
        "to be there",
        "is not there",
    );
    one("run = [\"BOX\", \"true\"]\nfiles = { \"/etc\" = \"x\" }").only("/etc", "a file", "no regular file");
    one("run = [\"BOX\", \"true\"]\nmount = { \"/etc\" = \"x\" }").only(
        "what is mounted",
        "a place",
        "a folder is there",
    );
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn what_must_fail_fails_by_any_code_and_by_not_being_there() {
    let stage = Stage::new();
    stage.passes(
        r##"
[[test]]
name  = "no shell"
run   = ["/bin/sh", "-c", "true"]
fails = true
files = { "/usr/bin/sh" = false, "/etc/passwd" = "made" }

[[test]]
name  = "any code"
run   = ["BOX", "sh", "-c", "exit 77"]
fails = true

[[test]]
name  = "a script whose interpreter is not there"
run   = ["/run/script"]
mount = { "/run/script" = { text = "#!/bin/bash\ntrue\n", mode = "0755" } }
fails = true
"##,
    );
    // The rest of what such a test says is looked at all the same.
    stage
        .fails(
            "[[test]]\nname = \"x\"\nrun = [\"/bin/sh\"]\nfails = true\nfiles = { \"/etc/passwd\" = false }",
        )
        .only("/etc/passwd", "not to be there", "it is there");
    stage
        .fails("[[test]]\nname = \"x\"\nrun = [\"/bin/sh\"]\nfails = true\nstderr = \"refused\"")
        .only("stderr", "refused", "nothing");
}
