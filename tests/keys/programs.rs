//! Programs that sign: `--signer exec:PROGRAM`.

use std::path::Path;
use std::time::{Duration, Instant};

use hardpan::diag::codes;
use hardpan::sign::{Bundle, Choice, ExecSigner, Signer as _};
use p256::ecdsa::DerSignature;
use p256::ecdsa::signature::Signer as _;

use super::support::Sandbox;
use super::{outside, permit, public_pem, shown};

/// A program that answers the first question with a good key and runs `script` for the second.
fn program(sandbox: &Sandbox, script: &str) -> String {
    sandbox.write("key.pub", public_pem(&outside(5)));
    let text = format!(
        "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nif [ \"$1\" = public-key ]; then exec cat key.pub; fi\n[ \"$1\" = sign ] || exit 9\n{script}\n"
    );
    let path = sandbox.write("signer", text);
    permit(&path, 0o755);
    format!("exec:{}", path.display())
}

/// A program that gives this signature, whatever it is asked to sign.
fn that_gives(sandbox: &Sandbox, signature: &[u8]) -> String {
    sandbox.write("signature", signature);
    program(sandbox, "cat > got; exec cat signature")
}

fn signature(message: &[u8]) -> Vec<u8> {
    let signature: DerSignature = outside(5).sign(message);
    signature.as_bytes().to_vec()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What signing a message of three megabytes came to.
fn refused(signer: &str) -> String {
    let signer = ExecSigner::open(signer).expect("a key");
    let failure = signer.sign(&vec![b'x'; 3 << 20]).expect_err("no signature");
    assert!(failure.is(codes::SIGNER));
    format!("{failure:?}")
}

#[test]
fn a_program_gets_exactly_the_bytes_to_be_signed_and_its_signature_is_used() {
    let sandbox = Sandbox::new();
    let message: Vec<u8> = (0..=255).cycle().take(2 << 20).collect();
    let signer = that_gives(&sandbox, &signature(&message));
    let opened = ExecSigner::open(&signer).expect("a key");
    assert_eq!(opened.sign(&message), Ok(signature(&message)));
    assert!(sandbox.read("got") == message);
    that_gives(&sandbox, format!("{}\n", base64(&signature(&message))).as_bytes());
    assert_eq!(opened.sign(&message), Ok(signature(&message)));
}

#[test]
fn a_bundle_signed_by_a_program_is_signed_over_its_encoding() {
    let sandbox = Sandbox::new();
    let signer = that_gives(&sandbox, &signature(b"DSSEv1 1 t 2 {}"));
    let opened = ExecSigner::open(&signer).expect("a key");
    let bundle = Bundle::parse(&opened.bundle("t", b"{}").expect("signed")).expect("reads");
    assert_eq!(sandbox.read("got"), b"DSSEv1 1 t 2 {}");
    assert!(bundle.verify(&[opened.public_key().clone()]).is_ok());
}

#[test]
fn openssl_alone_serves_as_a_program() {
    if !Path::new("/usr/bin/openssl").exists() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("key.pem", super::pkcs8_pem(&outside(5)));
    let signer = program(&sandbox, "exec openssl dgst -sha256 -sign key.pem");
    let signer = ExecSigner::open(&signer).expect("a key");
    let signature = signer.sign(b"message").expect("signed");
    assert!(signer.public_key().verify(b"message", &signature));
}

#[test]
fn a_signature_that_the_key_does_not_verify_is_refused() {
    let sandbox = Sandbox::new();
    for wrong in [&signature(b"another message")[..], b"", b"not a signature", b"0\x02\x01\x01", &[0xff; 64]]
    {
        let said = refused(&that_gives(&sandbox, wrong));
        assert!(said.contains("a signature of its key"), "{said}");
    }
}

#[test]
fn a_program_that_fails_says_why() {
    let sandbox = Sandbox::new();
    let said = refused(&program(&sandbox, "echo 'token is locked' >&2; exit 3"));
    assert!(said.contains("exit status: 3") && said.contains("token is locked"), "{said}");
    let said = refused(&program(&sandbox, "kill -9 $$"));
    assert!(said.contains("signal: 9"), "{said}");
}

#[test]
fn a_program_that_answers_without_end_is_cut() {
    let sandbox = Sandbox::new();
    let said = refused(&program(&sandbox, "exec cat /dev/zero"));
    assert!(said.contains("answered too much"), "{said}");
}

#[test]
fn a_program_that_hangs_is_ended_in_time() {
    let sandbox = Sandbox::new();
    let start = Instant::now();
    let signer = program(&sandbox, "").replace("signer", "hanging");
    let path = signer.trim_start_matches("exec:");
    sandbox.write(path, "#!/bin/sh\nexec sleep 60\n");
    permit(Path::new(path), 0o755);
    let run = sandbox.run(&["keys", "show", "--signer", &signer]).env("HARDPAN_SIGNER_TIMEOUT", "1");
    run.output().exits(1).says("HP105").says("took too long").says("within 1 s");
    assert!(start.elapsed() < Duration::from_secs(20));
    let run = sandbox.run(&["keys", "show", "--signer", &signer]).env("HARDPAN_SIGNER_TIMEOUT", "soon");
    run.output().exits(2).says("HP203");
}

#[test]
fn the_key_of_a_program_is_shown_and_its_words_are_harmless() {
    let sandbox = Sandbox::new();
    let signer = program(&sandbox, "");
    let show = sandbox.hardpan(&["keys", "show", "--signer", &signer]).ok();
    assert_eq!(shown(&show), public_pem(&outside(5)));
    let path = sandbox.write("signer", "#!/bin/sh\nprintf '\\033[2Jgone' >&2; exit 1\n");
    permit(&path, 0o755);
    let said = sandbox.hardpan(&["keys", "show", "--signer", &signer]).exits(1).says("[2Jgone");
    assert!(!said.stderr.contains('\u{1b}'), "{}", said.stderr);
}

#[test]
fn what_gives_no_key_is_no_signer() {
    let sandbox = Sandbox::new();
    let ask = |signer: &str| sandbox.hardpan(&["keys", "show", "--signer", signer]);
    ask("exec:no-such-program-here").exits(1).says("HP105").says("could not be started");
    ask("exec:true").exits(2).says("HP204").says("true public-key");
    ask("exec:false").exits(1).says("HP105").says("failed");
    ask("exec:true; true").exits(1).says("could not be started");
    ask("hsm:1").exits(2).says("exec:PROGRAM");
}

#[test]
fn a_program_does_not_get_the_password_of_keys() {
    let sandbox = Sandbox::new();
    let signer = program(&sandbox, "");
    let script =
        "#!/bin/sh\n[ -z \"$HARDPAN_KEY_PASSWORD\" ] || exit 7\nexec cat \"$(dirname \"$0\")/key.pub\"\n";
    permit(&sandbox.write("signer", script), 0o755);
    let run = sandbox.run(&["keys", "show", "--signer", &signer]).env("HARDPAN_KEY_PASSWORD", "secret");
    run.output().ok();
}

#[test]
fn a_key_and_a_signer_exclude_each_other() {
    let choice = Choice { key: Some("a".into()), signer: Some("exec:true".into()), ..Choice::default() };
    let failure = choice.open(&hardpan::host::Environment::of_process()).err().expect("refused");
    assert!(failure.is(codes::USAGE));
}
