//! Who signed a release file, and how.

use crate::support::{Archive, Hash, Key, Output, World};
use crate::{BUILD, hello};

/// The archive's key is this one, and the recipe trusts it; hardpan does not. Then it gets a key
/// without blemish.
#[track_caller]
fn refuses_key(bad: Key, good: Key) -> Output {
    let mut world = hello();
    world.archive.signed_by(&[bad]).publish();
    world.trust();
    let out = world.refuses("HP501", &BUILD);
    world.archive.signed_by(&[good]).publish();
    world.trust();
    world.build(&[]).ok();
    out
}

/// The release file is signed otherwise than the recipe's key would; then as it should be.
#[track_caller]
fn refuses_release(spoil: impl FnOnce(&mut Archive)) -> Output {
    let mut world = hello();
    let good = world.archive.key().clone();
    spoil(&mut world.archive);
    let out = world.refuses("HP501", &BUILD).says("the release file of suite trixie of archive made");
    let out = out.says("found:").says("expected:").says("help:");
    world.archive.signed_by(&[good]).publish();
    world.build(&[]).ok();
    out
}

#[test]
fn an_unsigned_release_file_is_refused() {
    refuses_release(|archive| {
        archive.unsigned().publish();
    })
    .says("it has no signature at its beginning");
}

#[test]
fn a_release_file_signed_by_another_key_is_refused_and_the_trusted_key_is_named() {
    let mut world = hello();
    let (trusted, other) = (world.archive.key().clone(), Key::new());
    world.archive.signed_by(std::slice::from_ref(&other)).publish();
    let out = world.refuses("HP501", &BUILD).says("is by a key that is not trusted for this archive");
    out.says(&trusted.fingerprint().to_uppercase()).says(&other.fingerprint().to_uppercase());
    world.archive.signed_by(&[other, trusted]).publish();
    world.build(&[]).ok();
}

#[test]
fn a_release_file_changed_after_it_was_signed_is_refused() {
    refuses_release(|archive| {
        let path = archive.root().join(Archive::release_path("trixie"));
        let text = std::fs::read_to_string(&path).unwrap().replace("Label: Made", "Label: Mode");
        std::fs::write(path, text).unwrap();
    })
    .says("does not fit the text: it was changed");
}

#[test]
fn text_before_and_after_what_is_signed_counts_for_nothing() {
    let world = hello();
    let path = world.archive.root().join(Archive::release_path("trixie"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("Origin: Made\n\n{text}")).unwrap();
    world.refuses("HP501", &BUILD);
    std::fs::write(&path, format!("{text}\nLabel: Other\n")).unwrap();
    world.build(&[]);
    assert!(!world.state().iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("Other")));
}

#[test]
fn an_expired_key_is_refused_though_the_recipe_trusts_it() {
    refuses_key(Key::new().expired(), Key::new()).says("expired on 2015-01-0");
}

#[test]
fn a_revoked_key_is_refused_though_the_recipe_trusts_it() {
    refuses_key(Key::new().revoked(), Key::new()).says("is revoked");
}

#[test]
fn a_revoked_expired_or_unbound_subkey_is_refused() {
    let whole = Key::new().with_subkey();
    refuses_key(Key::new().subkey_revoked(), whole.clone()).says("is revoked");
    refuses_key(Key::new().subkey_expires(1_600_000_000), whole.clone()).says("expired on 2020-09-13");
    refuses_key(Key::new().subkey_one_sided(), whole).says("does not acknowledge its primary key");
}

#[test]
fn a_weak_hash_is_refused_though_the_key_is_right() {
    let key = Key::new().rsa();
    refuses_key(key.clone().hash(Hash::Sha1), key.clone()).says("the signature uses a weak hash (SHA1)");
    refuses_key(key.clone().hash(Hash::Md5), key.hash(Hash::Sha256)).says("weak hash (MD5)");
}

#[test]
fn a_signature_from_the_future_or_one_that_has_ended_is_refused() {
    let key = Key::new();
    refuses_key(key.clone().signed_at(4_000_000_000), key.clone()).says("is from the future (2096-10-02");
    refuses_key(key.clone().signatures_last(86_400), key).says("the signature expired on 2023-11-15");
}

#[test]
fn a_key_file_that_is_missing_or_none_is_named() {
    let world = World::new(&[]);
    world.recipe("debian.packages = [\"hello\"]\n");
    world.sandbox.write("made.asc", "-----BEGIN nothing");
    world.refuses("HP304", &BUILD).says("made.asc` is not a public key").says("made.toml:4");
    std::fs::remove_file(world.sandbox.path("made.asc")).unwrap();
    world.refuses("HP318", &BUILD).says("there is no key file `");
}
