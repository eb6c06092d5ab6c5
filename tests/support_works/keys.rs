//! Keys and signatures, held against gpgv and against bare cryptography.

use pgp::composed::{CleartextSignedMessage, Deserializable as _, SignedPublicKey};

use crate::support::{Hash, Key, Output, Sandbox, sign_inline};

const TEXT: &str = "Origin: Debian\n- a dash\nSHA256:\n  x  1 y \n";

/// Whether gpgv takes a text, and what it says on the way.
fn gpgv(keys: &[&Key], signed: &str) -> Output {
    let sandbox = Sandbox::new();
    let ring: Vec<u8> = keys.iter().flat_map(|key| key.public_bytes()).collect();
    sandbox.write("ring.gpg", ring);
    sandbox.write("InRelease", signed);
    let arguments = ["--homedir", ".", "--status-fd", "2", "--keyring", "./ring.gpg", "InRelease"];
    sandbox.run_program("gpgv", &arguments).output()
}

/// Whether the crate's own cryptography takes a text, with the primary key or a subkey.
fn verifies(key: &Key, signed: &str) -> bool {
    let (public, _) = SignedPublicKey::from_string(&key.armored_public()).unwrap();
    let (message, _) = CleartextSignedMessage::from_string(signed).unwrap();
    let by_subkey = public.public_subkeys.iter().any(|subkey| message.verify(&subkey.key).is_ok());
    by_subkey || message.verify(&public.primary_key).is_ok()
}

#[test]
fn good_signatures_verify() {
    for key in [Key::new(), Key::new().with_subkey(), Key::new().hash(Hash::Sha256), Key::new().rsa()] {
        let signed = key.sign_inline(TEXT);
        assert!(verifies(&key, &signed), "{key:?}");
        assert!(gpgv(&[&key], &signed).ok().stderr.contains("VALIDSIG"), "{key:?}");
        let (public, _) = SignedPublicKey::from_string(&key.armored_public()).unwrap();
        public.verify_bindings().unwrap();
        assert!(signed.contains("\n  x  1 y \n-----BEGIN PGP SIGNATURE"), "{signed}");
    }
}

#[test]
fn another_text_and_another_key_do_not_verify() {
    let (key, other) = (Key::new(), Key::new());
    assert_ne!(key.fingerprint(), other.fingerprint());
    let signed = key.sign_inline(TEXT);
    assert!(!verifies(&other, &signed));
    gpgv(&[&other], &signed).exits(2);
    assert!(!verifies(&key, &signed.replace("Debian", "debian")));
    gpgv(&[&key], &signed.replace("Debian", "debian")).exits(1);
}

#[test]
fn several_keys_sign_one_text() {
    let (one, two, missing) = (Key::new(), Key::new().with_subkey(), Key::new());
    let signed = sign_inline(TEXT, 1_700_000_000, &[&one, &two, &missing]);
    assert!(verifies(&one, &signed) && verifies(&two, &signed));
    let said = gpgv(&[&one, &two], &signed).stderr;
    assert_eq!(said.matches("VALIDSIG").count(), 2, "{said}");
    assert_eq!(said.matches("NO_PUBKEY").count(), 1, "{said}");
}

#[test]
fn gpgv_sees_what_is_wrong_with_bad_keys() {
    for (key, word) in [
        (Key::new().expired(), "EXPKEYSIG"),
        (Key::new().revoked(), "REVKEYSIG"),
        (Key::new().subkey_expires(1_650_000_000), "EXPKEYSIG"),
        (Key::new().subkey_revoked(), "REVKEYSIG"),
        (Key::new().subkey_one_sided(), "ERRSIG"),
        (Key::new().signatures_last(60), "EXPSIG"),
        (Key::new().signed_at(1_500_000_000), "ERRSIG"),
    ] {
        let out = gpgv(&[&key], &key.sign_inline(TEXT));
        assert!(out.stderr.contains(word), "{key:?}: {word} is not in\n{}", out.stderr);
    }
}

#[test]
fn weak_hashes_make_signatures_that_are_true_but_weak() {
    for (hash, name) in [(Hash::Md5, "Hash: MD5"), (Hash::Sha1, "Hash: SHA1")] {
        let key = Key::new().hash(hash);
        let signed = key.sign_inline(TEXT);
        assert!(signed.contains(name) && verifies(&key, &signed), "{signed}");
    }
}

#[test]
fn a_detached_signature_verifies() {
    let sandbox = Sandbox::new();
    let key = Key::new();
    sandbox.write("ring.gpg", key.public_bytes());
    sandbox.write("Release", TEXT);
    sandbox.write("Release.gpg", key.sign_detached(TEXT.as_bytes()));
    let arguments = ["--homedir", ".", "--keyring", "./ring.gpg", "Release.gpg", "Release"];
    sandbox.run_program("gpgv", &arguments).output().ok();
}
