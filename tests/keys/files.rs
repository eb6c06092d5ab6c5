//! Key files.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::support::Sandbox;
use super::{mode, outside, pem, permit, pkcs8_pem, public_pem, secret, shown};

/// A sandbox with `team.key`, whose password is `right`.
fn with_pair() -> Sandbox {
    let sandbox = Sandbox::new();
    let made =
        sandbox.run(&["keys", "generate", "--out", "team"]).env("HARDPAN_KEY_PASSWORD", "right").output();
    made.ok().says("Generated team.key and team.pub");
    sandbox
}

#[test]
fn a_new_pair_is_closed_to_others_and_its_halves_belong_together() {
    let sandbox = with_pair();
    assert_eq!(mode(&sandbox.path("team.key")), 0o600);
    assert!(sandbox.text("team.key").starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
    let private =
        sandbox.run(&["keys", "show", "team.key"]).env("HARDPAN_KEY_PASSWORD", "right").output().ok();
    let public = sandbox.hardpan(&["keys", "show", "team.pub"]).ok();
    assert_eq!(shown(&private), sandbox.text("team.pub"));
    assert_eq!(private.stdout, public.stdout);
    assert!(public.stdout.contains("fingerprint  sha256:"));
}

#[test]
fn a_new_key_is_closed_to_others_whatever_the_umask() {
    let sandbox = Sandbox::new();
    for (name, umask) in [("open", 0), ("closed", 0o777)] {
        let run = sandbox.run(&["keys", "generate", "--out", name]).env("HARDPAN_KEY_PASSWORD", "");
        run.umask(umask).output().ok();
        assert_eq!(mode(&sandbox.path(format!("{name}.key"))), 0o600);
    }
}

#[test]
fn a_key_opens_with_its_own_password_only() {
    let sandbox = with_pair();
    let wrong = sandbox.run(&["keys", "show", "team.key"]).env("HARDPAN_KEY_PASSWORD", "wrong").output();
    let said = wrong.exits(2).says("HP205").says("team.key").stderr;
    assert!(!said.contains("wrong\"") && !said.contains("right\""), "{said}");
    let empty = sandbox.run(&["keys", "show", "team.key"]).env("HARDPAN_KEY_PASSWORD", "").output();
    empty.exits(2).says("HP205");
}

#[test]
fn the_password_may_come_from_a_file_which_goes_before_the_variable() {
    let sandbox = with_pair();
    sandbox.write("password", "right\n");
    let arguments = ["keys", "show", "team.key", "--password-file", "password"];
    sandbox.run(&arguments).env("HARDPAN_KEY_PASSWORD", "wrong").output().ok();
    sandbox.hardpan(&["keys", "show", "team.key", "--password-file", "none"]).exits(1).says("none");
}

#[test]
fn without_anybody_to_ask_it_is_said_how_to_give_a_password() {
    let sandbox = with_pair();
    let ask = sandbox.hardpan(&["keys", "show", "team.key"]).exits(2);
    ask.says("HP205").says("HARDPAN_KEY_PASSWORD").says("--password-file");
    sandbox.hardpan(&["keys", "generate", "--out", "other"]).exits(2).says("HP205");
    assert!(!sandbox.path("other.key").exists());
}

#[test]
fn an_explicitly_empty_password_is_none() {
    let sandbox = Sandbox::new();
    sandbox.run(&["keys", "generate", "--out", "a"]).env("HARDPAN_KEY_PASSWORD", "").output().ok();
    sandbox.write("empty", "\n");
    sandbox.hardpan(&["keys", "show", "a.key", "--password-file", "empty"]).ok();
}

#[test]
fn keys_are_never_overwritten() {
    let sandbox = with_pair();
    let before = [sandbox.read("team.key"), sandbox.read("team.pub")];
    let again = |out: &str| {
        let run = sandbox.run(&["keys", "generate", "--out", out]).env("HARDPAN_KEY_PASSWORD", "");
        run.output().exits(2).says("HP202").says("never overwritten");
    };
    again("team");
    assert_eq!(before, [sandbox.read("team.key"), sandbox.read("team.pub")]);
    sandbox.write("half.pub", "mine");
    again("half");
    assert!(!sandbox.path("half.key").exists(), "no half of a pair is written");
    // A link to nowhere is something too.
    symlink(sandbox.path("elsewhere"), sandbox.path("linked.key")).unwrap();
    again("linked");
    assert!(!sandbox.path("elsewhere").exists());
    assert!(!sandbox.path("linked.pub").exists());
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let sandbox = with_pair();
    for loose in [0o640, 0o604, 0o660, 0o601, 0o644] {
        permit(&sandbox.path("team.key"), loose);
        let run = sandbox.run(&["keys", "show", "team.key"]).env("HARDPAN_KEY_PASSWORD", "right");
        run.output().exits(2).says("HP206").says("chmod 600 team.key").says(&format!("{loose:04o}"));
    }
    permit(&sandbox.path("team.key"), 0o400);
    sandbox.run(&["keys", "show", "team.key"]).env("HARDPAN_KEY_PASSWORD", "right").output().ok();
}

#[test]
fn keys_of_others_are_imported() {
    let sandbox = Sandbox::new();
    let key = outside(7);
    secret(&sandbox, "theirs.pem", &pkcs8_pem(&key));
    let import = ["keys", "import", "theirs.pem", "--out", "ours"];
    sandbox.run(&import).env("HARDPAN_KEY_PASSWORD", "new").output().ok().says("Imported ours.key");
    assert_eq!(sandbox.text("ours.pub"), public_pem(&key));
    let show = sandbox.run(&["keys", "show", "ours.key"]).env("HARDPAN_KEY_PASSWORD", "new").output().ok();
    assert_eq!(shown(&show), public_pem(&key));
    // And again, with another password.
    sandbox.write("newer", "newer");
    let again = ["keys", "import", "ours.key", "--out", "again", "--new-password-file", "newer"];
    sandbox.run(&again).env("HARDPAN_KEY_PASSWORD", "new").output().ok();
    let show = ["keys", "show", "again.key", "--password-file", "newer"];
    assert_eq!(shown(&sandbox.hardpan(&show).ok()), public_pem(&key));
}

#[test]
fn a_key_from_outside_is_imported_only_if_it_is_closed_to_others() {
    let sandbox = Sandbox::new();
    permit(&sandbox.write("theirs.pem", pkcs8_pem(&outside(7))), 0o644);
    let import = ["keys", "import", "theirs.pem", "--out", "ours"];
    sandbox.run(&import).env("HARDPAN_KEY_PASSWORD", "").output().exits(2).says("HP206");
    assert!(!sandbox.path("ours.key").exists());
}

#[test]
fn foreign_keys_are_named_and_refused() {
    let sandbox = Sandbox::new();
    // PrivateKeyInfo { version 0, AlgorithmIdentifier { Ed25519 }, key }.
    let ed25519 =
        [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &[7; 32]].concat();
    // The same for elliptic curves, with secp256k1's name.
    let k1 = [
        &[0x30, 0x23, 2, 1, 0, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1][..],
        &[6, 5, 0x2b, 0x81, 4, 0, 0x0a, 4, 0x0c, 0x30, 0x0a, 2, 1, 1, 4, 5, 7, 7, 7, 7, 7],
    ]
    .concat();
    for (label, der, name) in [
        ("PRIVATE KEY", &ed25519[..], "an Ed25519 key"),
        ("PRIVATE KEY", &k1[..], "a secp256k1 key"),
        ("RSA PRIVATE KEY", b"x", "an RSA key"),
        ("PRIVATE KEY", b"x", "no key"),
        ("PUBLIC KEY", b"x", "a public key"),
    ] {
        secret(&sandbox, "theirs.pem", &pem(label, der));
        let import = ["keys", "import", "theirs.pem", "--out", "ours"];
        let run = sandbox.run(&import).env("HARDPAN_KEY_PASSWORD", "");
        run.output().exits(2).says("HP204").says(name).says("theirs.pem").says("P-256");
    }
    secret(&sandbox, "theirs.pem", "\u{0}garbage");
    sandbox.hardpan(&["keys", "show", "theirs.pem"]).exits(2).says("HP204");
}

#[test]
fn for_machines_a_key_is_json() {
    let sandbox = with_pair();
    let json: Value =
        serde_json::from_str(&sandbox.hardpan(&["--json", "keys", "show", "team.pub"]).ok().stdout).unwrap();
    assert_eq!(json["public_key"], sandbox.text("team.pub"));
    assert_eq!(json["development"], false);
    let run = sandbox.run(&["--json", "keys", "generate", "--out", "b"]).env("HARDPAN_KEY_PASSWORD", "");
    let json: Value = serde_json::from_str(&run.output().ok().stdout).unwrap();
    assert_eq!(json["public_key"], sandbox.text("b.pub"));
    assert!(!json.to_string().contains("PRIVATE"));
}
