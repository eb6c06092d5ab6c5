//! Registries that misbehave: no tag points at something that is not whole, and once the registry is
//! well again the same command goes through.

use std::sync::Mutex;

use crate::support::{Flaw, Output, Registry, Sandbox};
use crate::{PLAIN, publish};

fn fresh() -> (Sandbox, Registry, String) {
    let (mut sandbox, registry) = (Sandbox::new(), Registry::start());
    sandbox.env("HARDPAN_TIMEOUT", "1");
    let digest = PLAIN.write(&sandbox);
    (sandbox, registry, digest)
}

/// Publishing meets the flaw for good and ends with this code, without any tag of the image; healed, it
/// goes through.
#[track_caller]
fn fails(code: &str, method: &'static str, path: &str, flaw: Flaw) -> Output {
    let (sandbox, registry, digest) = fresh();
    registry.flaw(method, path, flaw);
    let out = publish(&sandbox, &registry, "hello", &[]).exits(7).says(code);
    assert_eq!(registry.lacking(), Vec::<String>::new());
    assert_eq!(registry.tag("team/hello", "1.2"), None);
    registry.heal();
    publish(&sandbox, &registry, "hello", &[]).ok();
    assert_eq!(registry.tag("team/hello", "1.2"), Some(digest));
    out
}

/// Publishing meets the flaw some times and goes through.
#[track_caller]
fn survives(method: &'static str, path: &str, times: usize, flaw: Flaw) {
    let (sandbox, registry, digest) = fresh();
    registry.flaw_times(method, path, 0, times, flaw);
    publish(&sandbox, &registry, "hello", &[]).ok();
    assert_eq!(registry.lacking(), Vec::<String>::new());
    assert_eq!(registry.tag("team/hello", "1.2"), Some(digest));
}

#[test]
fn a_registry_that_is_busy_for_a_while_is_waited_for() {
    survives("PUT", "/blobs/", 2, Flaw::Status(429, "Retry-After: 1", ""));
    survives("POST", "/blobs/", 1, Flaw::Status(503, "", ""));
    survives("PUT", "/manifests/", 2, Flaw::Status(500, "", ""));
    survives("HEAD", "/blobs/", 2, Flaw::Lost);
    survives("PUT", "/manifests/", 2, Flaw::Unanswered);
    survives("PUT", "/blobs/", 2, Flaw::Unanswered);
    survives("GET", "/manifests/", 2, Flaw::Truncated);
}

#[test]
fn a_registry_that_stays_busy_is_given_up_with_its_own_words() {
    let words = "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"slow \\u001b[2Jdown\"}]}";
    let out = fails("HP702", "POST", "/blobs/", Flaw::Status(429, "Retry-After: 3600", words));
    let out = out.says("status 429").says("TOOMANYREQUESTS: slow").says("3600 seconds").says("help:");
    assert!(!out.stderr.contains("\u{1b}[2J"), "the registry moved the cursor");
}

#[test]
fn a_registry_that_breaks_at_any_request_is_given_up() {
    for (method, path) in [
        ("HEAD", "/blobs/"),
        ("POST", "/blobs/uploads/"),
        ("PUT", "/blobs/uploads/"),
        ("HEAD", "/manifests/sha256:"),
        ("PUT", "/manifests/sha256:"),
        ("PUT", "/manifests/sha256-"),
        ("GET", "/manifests/"),
        ("PUT", "/manifests/1.2"),
    ] {
        fails("HP702", method, path, Flaw::Status(500, "", "out of order")).says("status 500");
    }
    fails("HP702", "POST", "/blobs/", Flaw::Status(500, "", "out of order")).says("status 500 out of order");
}

#[test]
fn a_registry_that_forgets_what_it_took_gets_no_tag() {
    fails("HP703", "PUT", "/manifests/sha256:", Flaw::Forgotten).says("does not give it back");
    fails("HP703", "PUT", "/blobs/", Flaw::Forgotten).says("does not give it back");
    fails("HP703", "PUT", "/manifests/1.2", Flaw::Forgotten).says("does not point to");
}

#[test]
fn a_registry_that_gives_other_bytes_back_gets_no_tag() {
    fails("HP703", "GET", "/manifests/sha256:", Flaw::Garbled).says("gives other bytes");
}

#[test]
fn wherever_a_registry_dies_no_tag_lacks_anything() {
    let (sandbox, registry, _) = fresh();
    publish(&sandbox, &registry, "hello", &[]).ok();
    let all = registry.asked().len();
    assert!(all > 30, "{all}");
    let next = Mutex::new(0..all);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(count) = next.lock().unwrap().next() else { return };
                    dies(count, count % 2 == 0);
                }
            });
        }
    });
}

fn dies(count: usize, done: bool) {
    let (sandbox, registry, digest) = fresh();
    registry.dies_after(count, done);
    let out = publish(&sandbox, &registry, "hello", &[]);
    assert_eq!(out.code, 7, "after {count} requests: {}", out.stderr);
    assert_eq!(registry.lacking(), Vec::<String>::new(), "after {count} requests");
    registry.heal();
    publish(&sandbox, &registry, "hello", &[]).ok();
    assert_eq!(registry.lacking(), Vec::<String>::new());
    for tag in ["1.2", "latest", "1.2-20261122"] {
        assert_eq!(registry.tag("team/hello", tag), Some(digest.clone()), "after {count} requests");
    }
    assert_eq!(registry.tag("team/hello", "1.2-20261122-1"), None);
}
