//! Tests of several steps: servers that come up, answer and end; other images; certificates.

use super::Stage;

const SERVER: &str = r#"
[[test.step]]
run    = ["BOX", "sh", "-c", "trap 'echo ended; exit 0' TERM; echo begins; httpd -f -p 127.0.0.1:8080 -h /srv & wait"]
server = 8080
stdout = ["begins", "ended"]
"#;

#[test]
#[ignore = "needs runc and busybox"]
fn a_server_comes_up_answers_hardpan_and_other_containers_and_ends() {
    let stage = Stage::new();
    stage.passes(&format!(
        r#"
[[test]]
name    = "serves"
mount   = {{ "/srv/index.html" = "hello from the mount" }}
{SERVER}
[[test.step]]
ask = {{ url = "http://localhost:8080/", body = ["hello", "mount"] }}
[[test.step]]
ask = {{ url = "http://127.0.0.1:8080/none", status = 404 }}
[[test.step]]
ask = {{ tcp = 8080, send = "GET / HTTP/1.0\r\n\r\n", answer = ["200 OK", "hello from the mount"] }}
[[test.step]]
run    = ["BOX", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"]
stdout = "hello from the mount"
"#
    ));
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn volumes_outlive_a_server_that_is_stopped_and_started_again() {
    let stage = Stage::new();
    stage.passes(&format!(
        r#"
[[test]]
name    = "again"
volumes = ["/srv"]
{SERVER}
[[test.step]]
run = ["BOX", "sh", "-c", "echo stored > /srv/x"]
[[test.step]]
stop = true
[[test.step]]
run   = ["BOX", "wget", "-T", "2", "-q", "-O", "-", "http://127.0.0.1:8080/x"]
fails = true
{SERVER}
[[test.step]]
ask = {{ url = "http://localhost:8080/x", body = "stored" }}
"#
    ));
}

#[test]
#[ignore = "needs runc and busybox"]
fn what_goes_wrong_with_a_server_is_told_by_its_step() {
    let stage = Stage::new();
    let one = |steps: &str| {
        stage.fails(&format!(
            "[[test]]\nname = \"one\"\nmount = {{ \"/srv/index.html\" = \"hello\" }}\n{steps}"
        ))
    };
    one("run = [\"BOX\", \"sh\", \"-c\", \"echo no reason; exit 9\"]\nserver = 8080").only(
        "port 8080",
        "somebody to listen",
        "exit code 9 before it listened",
    );
    one("run = [\"BOX\", \"sleep\", \"60\"]\nserver = 8080\ntimeout = 2").only(
        "port 8080",
        "within 2 s",
        "nobody listens",
    );
    // As the first process of its name space it is not ended by a signal that it does not handle.
    let deaf = one(
        "run = [\"BOX\", \"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/srv\"]\nserver = 8080\ntimeout = 2",
    );
    deaf.only("end after SIGTERM", "within 2 s", "still ran");
    let asked = one(&format!(
        "{SERVER}[[test.step]]\nask = {{ url = \"http://localhost:8080/\", body = \"goodbye\" }}"
    ));
    asked.only("http://localhost:8080/", "goodbye", "hello");
    assert_eq!(asked.failures[0]["step"], 2);
    assert_eq!(asked.test["output"][0]["lines"][0], "begins", "{}", asked.test);
    one(&format!("{SERVER}[[test.step]]\nask = {{ url = \"http://localhost:8080/x\" }}")).only(
        "http://localhost:8080/x",
        "status 200",
        "status 404",
    );
    one(&format!("{SERVER}[[test.step]]\nask = {{ url = \"http://localhost:8081/\" }}")).only(
        "http://localhost:8081/",
        "an answer",
        "refused",
    );
    one("[[test.step]]\nask = { tcp = 1 }").only("TCP port 1", "an answer", "refused");
    one(&format!("{SERVER}{SERVER}")).only("port 8080", "to be free", "somebody listens");
    one(&format!("{SERVER}stderr = \"never said\"")).only("stderr", "never said", "nothing");
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_server_that_hangs_after_the_question_keeps_nobody_waiting() {
    let stage = Stage::new();
    let test = r#"
[[test]]
name = "hangs"
[[test.step]]
run    = ["BOX", "sh", "-c", "trap 'exit 0' TERM; nc -l -p 8080 -e sleep 60 & wait"]
server = 8080
[[test.step]]
ask     = { tcp = 8080, send = "x", answer = "y" }
timeout = 2
"#;
    let begin = std::time::Instant::now();
    stage.fails(test).only("TCP port 8080", "\"y\"", "\"\"");
    assert!(begin.elapsed().as_secs() < 30);
}

#[test]
#[ignore = "needs runc and busybox"]
fn steps_run_in_other_images_beside_this_one_or_where_they_are_said_to_be() {
    let stage = Stage::new();
    let other = Stage::with("[files]\n\"/etc/other\" = \"from the other\"\n");
    let test = r#"
[[test]]
name    = "two images"
volumes = ["/data"]
[[test.step]]
run = ["BOX", "sh", "-c", "echo shared > /data/x; test ! -e /etc/other"]
[[test.step]]
image  = "other"
run    = ["BOX", "cat", "/etc/other", "/data/x"]
user   = "made"
stdout = ["from the other", "shared"]
"#;
    stage.test(test, &[]).exits(4).says("a test runs things in the image `other`").says("--with other=IMAGE");
    let place = other.world.sandbox.path("out/made");
    stage.test(test, &["--with", &format!("other={}", place.display())]).ok();
    std::os::unix::fs::symlink(&place, stage.world.sandbox.path("out/other")).expect("ours");
    stage.test(test, &[]).ok();
}

#[test]
#[ignore = "needs runc and busybox"]
fn certificates_of_a_test_are_its_users_and_new_each_time() {
    let stage = Stage::new();
    let test = r#"
[[test]]
name   = "certificates"
tls    = "/run/tls"
run    = ["BOX", "sh", "-c", "cat /run/tls/ca.pem /run/tls/cert.pem /run/tls/key.pem; ls -l /run/tls; echo x > /run/tls/x || echo refused; md5sum /run/tls/key.pem; exit 1"]
stdout = ["BEGIN CERTIFICATE", "BEGIN PRIVATE KEY", "-rw------- 1 made made", "-rw-r--r--    1 root     root", "refused"]
exit   = 2
"#;
    let sums: Vec<String> = (0..2)
        .map(|_| {
            let failed = stage.fails(&test.replace("rw------- 1 made made", "rw-------    1 made     made"));
            failed.only("it ended", "exit code 2", "exit code 1");
            failed.test["output"].to_string()
        })
        .collect();
    assert_ne!(sums[0], sums[1]);
}
