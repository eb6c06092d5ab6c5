//! Who is asking, and who may hear it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;

use crate::support::{Auth, Flaw, Registry, Sandbox};
use crate::{PLAIN, publish, published};

const PAIR: &str = "me:secret word";

fn encoded(pair: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(pair)
}

/// What `docker login` writes.
fn docker(sandbox: &Sandbox, host: &str, pair: &str) {
    let text = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{}\"}}}}}}", encoded(pair));
    sandbox.write(sandbox.home().join(".docker/config.json"), text);
}

fn closed(auth: Auth) -> (Sandbox, Registry) {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    PLAIN.write(&sandbox);
    registry.auth(auth);
    (sandbox, registry)
}

#[test]
fn a_registry_that_wants_a_password_gets_it() {
    let (sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    docker(&sandbox, &registry.host(), PAIR);
    publish(&sandbox, &registry, "hello", &[]).ok();
}

#[test]
fn a_registry_that_wants_a_token_gets_one() {
    let (sandbox, registry) = closed(Auth::Bearer(PAIR.into()));
    docker(&sandbox, &registry.host(), PAIR);
    publish(&sandbox, &registry, "hello", &[]).ok();
    // One for all requests, and with it the password goes to nobody but who gives tokens.
    assert_eq!(registry.hits("GET", "/token"), 1);
    let asked = registry.asked();
    let passwords = asked
        .iter()
        .filter(|asked| asked.headers.get("authorization").is_some_and(|said| said.starts_with("Basic")));
    assert!(passwords.into_iter().all(|asked| asked.path.starts_with("/token")));
    // Mounting from a repository needs to read there as well.
    let to = format!("{}/else", registry.host());
    sandbox.hardpan(&["publish", "hello", "--to", &to]).ok();
    assert_eq!(registry.hits("PUT", "/v2/else/hello/blobs/"), 0);
}

#[test]
fn podmans_file_is_read_and_its_keys_may_be_longer() {
    let (sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    let host = registry.host();
    let text = format!(
        "{{\"auths\":{{\"{host}\":{{\"auth\":\"{}\"}},\"{host}/team\":{{\"auth\":\"{}\"}}}}}}",
        encoded("other:one"),
        encoded(PAIR)
    );
    sandbox.write(sandbox.config().join("containers/auth.json"), text);
    publish(&sandbox, &registry, "hello", &[]).ok();
}

#[test]
fn a_file_that_the_environment_names_comes_first() {
    let (mut sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    docker(&sandbox, &registry.host(), "wrong:one");
    let text = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{}\"}}}}}}", registry.host(), encoded(PAIR));
    let path = sandbox.write("auth.json", text);
    sandbox.env("REGISTRY_AUTH_FILE", path.to_str().unwrap());
    publish(&sandbox, &registry, "hello", &[]).ok();
}

/// A helper that answers so, and is the one for this registry.
fn helper(sandbox: &mut Sandbox, registry: &Registry, script: &str) {
    let path = sandbox.write("bin/docker-credential-made", format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = sandbox.path("bin").display().to_string();
    sandbox.env("PATH", format!("{folder}:/usr/bin:/bin"));
    let text = format!("{{\"credHelpers\":{{\"{}\":\"made\"}}}}", registry.host());
    sandbox.write(sandbox.home().join(".docker/config.json"), text);
}

#[test]
fn a_helper_is_asked() {
    let (mut sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    let script = format!(
        "read server; test \"$1 $server\" = \"get {}\" || exit 1\necho '{{\"Username\":\"me\",\"Secret\":\"secret word\"}}'",
        registry.host()
    );
    helper(&mut sandbox, &registry, &script);
    publish(&sandbox, &registry, "hello", &[]).ok();
}

#[test]
fn a_helper_that_breaks_or_hangs_is_told() {
    for (script, words) in [
        ("echo 'no bus' >&2; exit 1", "no bus"),
        ("exec sleep 60", "did not end in time"),
        ("echo secret-in-garbage", "not the JSON"),
    ] {
        let (mut sandbox, registry) = closed(Auth::Basic(PAIR.into()));
        helper(&mut sandbox, &registry, script);
        let out = publish(&sandbox, &registry, "hello", &[]).exits(2).says("HP203").says(words);
        assert!(!out.stderr.contains("secret-in-garbage"));
    }
}

#[test]
fn who_is_refused_is_told_whose_credentials_were_used() {
    for auth in [Auth::Basic(PAIR.into()), Auth::Bearer(PAIR.into())] {
        let (sandbox, registry) = closed(auth);
        let out = publish(&sandbox, &registry, "hello", &[]).exits(7).says("HP701");
        out.says("none found in").says(&format!("docker login {}", registry.host()));
        docker(&sandbox, &registry.host(), "me:wrong-word");
        let out = publish(&sandbox, &registry, "hello", &[]).exits(7).says("HP701");
        let out = out.says("me, from").says(".docker/config.json");
        assert!(!out.stderr.contains("wrong-word") && !out.stderr.contains(&encoded("me:wrong-word")));
        assert!(registry.tags("team/hello").is_empty());
    }
}

#[test]
fn a_file_of_credentials_that_does_not_read_is_told_without_its_words() {
    let (sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    sandbox.write(sandbox.home().join(".docker/config.json"), "{\"auths\":{\"x\":\"secret-word\"}}");
    let out = publish(&sandbox, &registry, "hello", &[]).exits(2).says("HP203").says("config.json");
    assert!(!out.stderr.contains("secret-word"));
}

#[test]
fn credentials_dont_follow_a_redirect() {
    let (sandbox, registry, _) = published();
    let elsewhere = Registry::start();
    registry.copy_blobs(&elsewhere);
    docker(&sandbox, &registry.host(), PAIR);
    registry.auth(Auth::Basic(PAIR.into()));
    let to = format!("http://{}", elsewhere.host());
    registry.flaw("GET", "/blobs/", Flaw::Redirect(to));
    fs::remove_dir_all(sandbox.store()).unwrap();
    let from = format!("{}/team/hello:1.2", registry.host());
    sandbox.hardpan(&["pull", &from, "--out", "pulled"]).ok();
    let asked = elsewhere.asked();
    assert!(asked.len() > 5);
    assert!(asked.iter().all(|asked| !asked.headers.contains_key("authorization")));
    // Nor are they given where the other one asks for them.
    elsewhere.heal().auth(Auth::Basic(PAIR.into()));
    fs::remove_dir_all(sandbox.store()).unwrap();
    sandbox.hardpan(&["pull", &from, "--out", "again"]).exits(4).says("HP406").says("status 401");
    assert!(elsewhere.asked().iter().all(|asked| !asked.headers.contains_key("authorization")));
}

#[test]
fn an_upload_that_goes_on_elsewhere_goes_without_credentials() {
    let (sandbox, registry) = closed(Auth::Basic(PAIR.into()));
    let elsewhere = Registry::start();
    docker(&sandbox, &registry.host(), PAIR);
    let to = format!("Location: http://{}/v2/team/hello/blobs/uploads/none", elsewhere.host());
    registry.flaw("POST", "", Flaw::Status(202, to.leak(), ""));
    publish(&sandbox, &registry, "hello", &[]).exits(7);
    assert!(!elsewhere.asked().is_empty());
    assert!(elsewhere.asked().iter().all(|asked| !asked.headers.contains_key("authorization")));
}

#[test]
fn a_password_is_not_sent_over_plain_http_to_where_a_registry_points() {
    let (sandbox, registry) = closed(Auth::Open);
    docker(&sandbox, &registry.host(), PAIR);
    let realm = "WWW-Authenticate: Bearer realm=\"http://registry.invalid/token\"";
    registry.flaw("HEAD", "/blobs/", Flaw::Status(401, realm, ""));
    publish(&sandbox, &registry, "hello", &[]).exits(7).says("plain http");
}

#[test]
fn a_redirect_to_plain_http_or_without_end_is_not_followed() {
    let (sandbox, registry, _) = published();
    let from = format!("{}/team/hello:1.2", registry.host());
    registry.flaw("GET", "/manifests/", Flaw::Redirect("http://registry.invalid".into()));
    sandbox.hardpan(&["pull", &from, "--out", "pulled"]).exits(4).says("HP406").says("plain http");
    registry.heal().flaw("GET", "/manifests/", Flaw::Redirect(format!("http://{}", registry.host())));
    sandbox.hardpan(&["pull", &from, "--out", "pulled"]).exits(4).says("more than 5 redirects");
}

#[test]
fn a_registry_elsewhere_is_not_spoken_to_by_plain_http() {
    let sandbox = Sandbox::new();
    PLAIN.write(&sandbox);
    let out = sandbox.hardpan(&["publish", "hello", "--to", "registry.invalid/team"]).exits(7);
    out.says("https://registry.invalid/v2/");
    let out =
        sandbox.hardpan(&["publish", "hello", "--to", "registry.invalid/team", "--plain-http"]).exits(7);
    out.says("http://registry.invalid/v2/");
    sandbox.hardpan(&["publish", "hello", "--to", "http://registry.invalid/team"]).exits(2);
}
