//! Identity tokens: where they come from, and those that are no use.

use hardpan::diag::codes::{TOKEN, USAGE};
use serde_json::json;

use super::support::Sigstore;
use super::{Desk, ISSUER, NAME, said};

#[test]
fn tokens_that_are_no_use_are_refused_before_anybody_is_asked() {
    let desk = Desk::new(1);
    let unverified = json!({ "iss": ISSUER, "sub": "7", "email": NAME, "exp": i64::MAX });
    for (token, why) in [
        (Sigstore::token(-1), "has expired"),
        (Sigstore::token_of(&unverified), "was not verified"),
        (Sigstore::token_of(&json!({ "iss": ISSUER, "exp": i64::MAX })), "does not read"),
        (Sigstore::token_of(&json!({ "sub": "7", "exp": i64::MAX })), "does not read"),
        (Sigstore::token_of(&json!({ "iss": ISSUER, "sub": "7" })), "does not read"),
        (String::new(), "does not read"),
        ("a.b.c".to_owned(), "does not read"),
        ("\u{1b}[2J".to_owned(), "does not read"),
    ] {
        desk.sandbox.write("token", &token);
        let said = desk.refused(TOKEN);
        assert!(said.contains(why), "{token}: {said}");
    }
    assert_eq!(desk.sigstore.hits(""), 0);
}

#[test]
fn a_token_comes_from_the_environment_if_no_file_is_named() {
    let desk = Desk::new(1);
    let (root, config) = (desk.sandbox.path("root.json"), desk.sandbox.path("config.json"));
    let run = || {
        let (root, config) = (root.display().to_string(), config.display().to_string());
        desk.sandbox.run(&[
            "keys",
            "show",
            "--signer",
            "keyless",
            "--trusted-root",
            &root,
            "--signing-config",
            &config,
        ])
    };
    run().output().exits(2).says("HP207").says("no identity token");
    run().env("SIGSTORE_ID_TOKEN", &Sigstore::token(60)).output().ok().says(NAME);
    let ambient = run()
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{}/token?x=1", desk.sigstore.url()))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret");
    ambient.output().ok().says(NAME);
    assert_eq!(desk.sigstore.hits("/token?x=1&audience=sigstore"), 1);
}

#[test]
fn an_identity_that_is_no_mail_address_is_the_subject() {
    let desk = Desk::new(1);
    let subject = "https://ci.example/workflow";
    desk.sandbox
        .write("token", Sigstore::token_of(&json!({ "iss": ISSUER, "sub": subject, "exp": i64::MAX })));
    let signer = desk.open().expect("opened");
    signer.bundle(super::TYPE, b"{}").expect("signed");
    assert!(signer.describe().contains(subject));
}

#[test]
fn what_is_missing_is_said() {
    let desk = Desk::new(1);
    let open = |change: fn(&mut hardpan::sign::Choice)| {
        let mut choice = desk.choice();
        change(&mut choice);
        said(choice.open(&hardpan::host::Environment::of_process()), USAGE)
    };
    assert!(open(|choice| choice.keyless.signing_config = None).contains("--signing-config"));
    assert!(open(|choice| choice.keyless.trusted_root = None).contains("--trusted-root"));
    assert!(open(|choice| choice.signer = None).contains("--signer keyless"));
}
