//! Statements that only claim to be by the key of who publishes.

use serde_json::json;

use crate::support::signed::{Signed, trusted, world};
use crate::support::{Hand, IN_TOTO, MTIME, Registry, bundle, statement};
use crate::{SIGN, SPDX, image};

#[test]
fn a_statement_under_the_name_of_the_publishers_key_that_it_did_not_sign_is_not_signed_again() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let index = signed.image.index();
    let attached = signed.image.statement(SPDX, &index);
    let mut forged = attached.statement.clone();
    forged["predicate"]["files"] = json!([]);
    let words = forged.to_string();
    signed.image.swap(&attached, &bundle(IN_TOTO, words.as_bytes(), b"no signature", &trusted().hint()));
    let to = format!("{}/team", registry.host());
    let out = signed.sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "team.pem"]);
    out.exits(5).says("HP511").says("spdxjson");
    assert_eq!(registry.tag("team/made", "latest"), None);
}

#[test]
fn a_statement_under_the_name_of_the_development_key_that_it_did_not_sign_makes_it_sign_nothing() {
    let (world, registry) = (world("1.1", MTIME), Registry::start());
    world.build(&["--out", "other"]).ok();
    world.build(&["--no-attest"]).ok();
    let hint = {
        let pem = world.sandbox.text(world.sandbox.home().join(".local/share/hardpan/development.pub"));
        world.sandbox.write("dev.pub", pem);
        let shown = world.sandbox.hardpan(&["keys", "show", "dev.pub", "--json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        shown["hint"].as_str().unwrap().to_owned()
    };
    let layout = image(&world);
    for subject in layout.subjects() {
        let words = statement(SIGN, &[&subject], &json!({})).to_string();
        layout.attach(&subject, SIGN, &bundle(IN_TOTO, words.as_bytes(), b"no signature", &hint));
    }
    let to = format!("{}/team", registry.host());
    world.sandbox.hardpan(&["publish", "out/made", "--to", &to]);
    let tag = format!("{}.sig", layout.index().replace(':', "-"));
    assert_eq!(registry.tag("team/made", &tag), None, "the development key vouched for what it never saw");
}

#[test]
fn a_signature_of_another_image_does_not_stand_for_one_of_this() {
    let (signed, registry) = (Signed::new(), Registry::start());
    let own = signed.image.statement(SIGN, &signed.image.index());
    let old = signed.older.statement(SIGN, &signed.older.index());
    signed.image.swap(&own, &signed.older.bytes(&old.bundle));
    crate::secret(&signed.sandbox, "own.pem", &Hand::new(7).private_pem());
    signed.sandbox.write("keys/team.pub", trusted().public_pem());
    let to = format!("{}/team", registry.host());
    let out = signed.sandbox.hardpan(&["publish", "made", "--to", &to, "--key", "own.pem"]);
    out.exits(6).says("HP603").says(&signed.older.index());
    assert_eq!(registry.tag("team/made", "latest"), None);
}
