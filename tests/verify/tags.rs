//! Tags against digests, and against the dated ones.

use crate::support::signed::Signed;
use crate::support::{Flaw, Output, Registry};
use crate::verify;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Place {
    signed: Signed,
    registry: Registry,
    to: String,
}

impl Place {
    fn new() -> Self {
        let (signed, registry) = (Signed::new(), Registry::start());
        let to = format!("{}/team", registry.host());
        Self { signed, registry, to }
    }

    fn publish(&self, image: &str, more: &[&str]) {
        let publish = [&["publish", image, "--to", &self.to, "--key", "team.pem"], more].concat();
        self.signed.sandbox.hardpan(&publish).ok();
    }

    fn verify(&self, end: &str) -> Output {
        verify(&self.signed.sandbox, &format!("{}/made{end}", self.to), &[])
    }

    /// Whoever holds the registry moves a tag.
    fn move_tag(&self, tag: &str, digest: &str) {
        let bytes = self.signed.older.bytes(digest);
        self.registry.put("team/made", tag, INDEX, &bytes);
    }
}

#[test]
fn a_moving_tag_that_names_the_newest_image_passes() {
    let place = Place::new();
    place.publish("older", &[]);
    place.publish("made", &[]);
    let out = place.verify(":latest").ok();
    assert!(out.stdout.contains("nothing newer is there than `1.1-20231204`"), "{}", out.stdout);
    place.verify(":1").ok();
    place.verify(":1.1-20231204").ok();
    place.verify(":1.0-20231115").ok();
    // The older line's own tag is as new as its line.
    place.verify(":1.0").ok();
}

#[test]
fn a_tag_that_was_moved_back_to_an_older_image_is_refused() {
    let place = Place::new();
    place.publish("older", &[]);
    place.publish("made", &[]);
    let (old, new) = (place.signed.older.index(), place.signed.image.index());
    for tag in ["latest", "1"] {
        place.move_tag(tag, &old);
        let out = place.verify(&format!(":{tag}")).exits(6).says("HP601").says("HP606");
        let message = format!("the tag `{tag}` names an older image than there is");
        out.says(&message).says(&old).says(&new).says("`1.1-20231204`").says("somebody moved it back");
    }
    // By its digest the older image is what it always was.
    place.verify(&format!("@{old}")).ok();
}

#[test]
fn a_dated_tag_with_an_image_of_another_day_is_refused() {
    let place = Place::new();
    place.publish("older", &[]);
    place.publish("made", &[]);
    place.move_tag("1.1-20231204", &place.signed.older.index());
    let out = place.verify(":1.1-20231204").exits(6).says("HP606");
    out.says("the tag `1.1-20231204` names an image of another day").says("20231115").says("20231204");
}

#[test]
fn a_tag_and_a_digest_must_name_the_same_image() {
    let place = Place::new();
    place.publish("older", &[]);
    place.publish("made", &[]);
    let old = place.signed.older.index();
    let out = place.verify(&format!(":latest@{old}")).exits(6).says("HP606");
    out.says("the tag `latest` names another image").says(&old).says(&place.signed.image.index());
    place.verify(&format!(":1.0@{old}")).ok();
}

#[test]
fn a_registry_that_lists_no_tags_is_told_of() {
    let place = Place::new();
    place.publish("made", &[]);
    place.registry.flaw("GET", "/tags/list", Flaw::Status(404, "", ""));
    let out = place.verify(":latest").ok();
    assert!(out.stdout.contains("no dated tags to hold it against"), "{}", out.stdout);
    place.registry.heal();
    place.registry.flaw("GET", "/tags/list", Flaw::Status(500, "", ""));
    place.verify(":latest").exits(4);
}
