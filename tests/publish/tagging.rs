//! Moving tags, and dated ones that never move.

use crate::support::{Registry, Sandbox};
use crate::{Made, PLAIN, publish, published};

#[test]
fn a_dated_tag_stands_beside_the_moving_ones() {
    let (_sandbox, registry, digest) = published();
    for tag in ["1.2", "latest", "1.2-20261122"] {
        assert_eq!(registry.tag("team/hello", tag), Some(digest.clone()), "{tag}");
    }
    assert_eq!(registry.tag("team/hello", "latest-20261122"), None);
}

#[test]
fn another_image_of_the_same_day_gets_a_counter() {
    let (sandbox, registry, first) = published();
    let second = Made { seed: "b", ..PLAIN }.write(&sandbox);
    publish(&sandbox, &registry, "hello", &[]).ok();
    let third = Made { seed: "c", ..PLAIN }.write(&sandbox);
    publish(&sandbox, &registry, "hello", &[]).ok();
    // The second once more: it has its tag.
    Made { seed: "b", ..PLAIN }.write(&sandbox);
    publish(&sandbox, &registry, "hello", &[]).ok();
    assert_eq!(registry.tag("team/hello", "1.2-20261122"), Some(first));
    assert_eq!(registry.tag("team/hello", "1.2-20261122-1"), Some(second.clone()));
    assert_eq!(registry.tag("team/hello", "1.2-20261122-2"), Some(third));
    assert_eq!(registry.tag("team/hello", "1.2-20261122-3"), None);
    assert_eq!(registry.tag("team/hello", "1.2"), Some(second));
}

#[test]
fn a_tag_is_not_moved_back_to_an_older_image() {
    let (sandbox, registry, newer) = published();
    let older = Made { created: "2026-11-21T10:00:00Z", seed: "b", ..PLAIN }.write(&sandbox);
    registry.heal();
    publish(&sandbox, &registry, "hello", &[]).exits(7).says("HP704").says("--allow-older");
    assert!(registry.asked().iter().all(|asked| asked.method == "GET"));
    assert_eq!(registry.tag("team/hello", "1.2"), Some(newer));
    publish(&sandbox, &registry, "hello", &["--allow-older"]).ok();
    assert_eq!(registry.tag("team/hello", "1.2"), Some(older.clone()));
    assert_eq!(registry.tag("team/hello", "1.2-20261121"), Some(older));
}

#[test]
fn other_tags_take_the_place_of_the_images_own() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let digest = PLAIN.write(&sandbox);
    publish(&sandbox, &registry, "hello", &["--tag", "rc", "--tag", "next"]).ok();
    let mut tags = registry.tags("team/hello");
    tags.retain(|tag| !tag.starts_with("sha256-"));
    assert_eq!(tags, ["next", "rc", "rc-20261122"]);
    assert_eq!(registry.tag("team/hello", "rc"), Some(digest));
}

#[test]
fn an_image_without_tags_needs_one() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    Made { tags: &[], ..PLAIN }.write(&sandbox);
    publish(&sandbox, &registry, "hello", &[]).exits(2).says("HP201").says("--tag");
}
