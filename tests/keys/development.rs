//! The key that is made where nobody configured one.

use std::path::PathBuf;

use super::support::Sandbox;
use super::{mode, outside, permit, pkcs8_pem, public_pem, secret, shown};

fn key_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".local/share/hardpan/development.key")
}

#[test]
fn processes_that_come_at_once_make_one_key() {
    let sandbox = Sandbox::new();
    let racing: Vec<_> = (0..4).map(|_| sandbox.spawn(&["keys", "show"])).collect();
    let mut keys: Vec<String> = racing.into_iter().map(|run| shown(&run.wait().ok())).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1);
    assert_eq!(sandbox.text(key_file(&sandbox).with_extension("pub")), keys[0]);
    assert_eq!(mode(&key_file(&sandbox)), 0o600);
    assert_eq!(mode(key_file(&sandbox).parent().unwrap()), 0o700);
}

#[test]
fn it_is_said_that_the_key_proves_only_this_machine() {
    let sandbox = Sandbox::new();
    sandbox.hardpan(&["keys", "show"]).ok().says("the development key of this machine").says("only");
    assert!(sandbox.hardpan(&["--json", "keys", "show"]).ok().stdout.contains("\"development\":true"));
}

#[test]
fn a_development_key_that_others_may_read_is_refused_too() {
    let sandbox = Sandbox::new();
    sandbox.hardpan(&["keys", "show"]).ok();
    permit(&key_file(&sandbox), 0o644);
    sandbox.hardpan(&["keys", "show"]).exits(2).says("HP206").says("development.key");
}

#[test]
fn a_configured_key_goes_before_the_development_key() {
    let mut sandbox = Sandbox::new();
    secret(&sandbox, "a.pem", &pkcs8_pem(&outside(1)));
    secret(&sandbox, "b.pem", &pkcs8_pem(&outside(2)));
    sandbox.env("HARDPAN_KEY", "a.pem");
    assert_eq!(shown(&sandbox.hardpan(&["keys", "show"]).ok()), public_pem(&outside(1)));
    let said = sandbox.hardpan(&["keys", "show", "--key", "b.pem"]).ok();
    assert_eq!(shown(&said), public_pem(&outside(2)));
    assert!(!key_file(&sandbox).exists());
    sandbox.env("HARDPAN_SIGNER", "exec:true");
    sandbox.hardpan(&["keys", "show"]).exits(2).says("HARDPAN_KEY").says("HARDPAN_SIGNER");
    sandbox.hardpan(&["keys", "show", "--key", "b.pem"]).ok();
    sandbox.hardpan(&["keys", "show", "--key", "b.pem", "--signer", "exec:true"]).exits(2);
}

#[test]
fn a_user_without_home_is_told_to_name_a_key() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["keys", "show"]).without_env("HOME");
    run.output().exits(2).says("HP203").says("--key");
}
