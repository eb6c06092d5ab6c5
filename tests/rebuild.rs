//! `hardpan rebuild`: an image is built again from what is attached to it, somewhere else, and what
//! came of it is said and signed.
#![allow(clippy::disallowed_methods)]

#[path = "rebuild/again.rs"]
mod again;
#[path = "rebuild/differs.rs"]
mod differs;
#[path = "rebuild/forms.rs"]
mod forms;
#[path = "rebuild/hostile.rs"]
mod hostile;
#[path = "rebuild/keys.rs"]
mod keys;
#[path = "rebuild/pins.rs"]
mod pins;
#[path = "rebuild/queue.rs"]
mod queue;
#[path = "rebuild/said.rs"]
mod said;
mod support;
#[path = "rebuild/unkept.rs"]
mod unkept;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use support::signed::{self, Signed};
use support::{Archive, Hand, Layout, MTIME, Output, Sandbox, World};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";

/// The key of who rebuilds.
fn checker() -> Hand {
    Hand::new(7)
}

/// A key that nobody trusts.
fn stranger() -> Hand {
    Hand::new(66)
}

/// A machine that never built anything: images that came from elsewhere, an empty home, an empty store.
struct Elsewhere {
    sandbox: Sandbox,
    archive: Archive,
}

impl Elsewhere {
    /// The signed image of two platforms in `made`, an older one in `older`, and an archive that has
    /// the packages of both.
    fn new() -> Self {
        let mut archive = signed::archive("1.1", MTIME + 20 * 86_400);
        for arch in ["amd64", "arm64"] {
            archive.add("trixie", "main", signed::hello("1.0", arch, MTIME + 86_400).build());
        }
        archive.publish();
        let mut sandbox = Signed::new().sandbox;
        // Nothing of what it was built from is here, nor the key that signed it.
        for name in ["app.conf", "team.pem"] {
            fs::remove_file(sandbox.path(name)).expect("our own file");
        }
        sandbox.env("HARDPAN_MIRROR_MADE", archive.file_url());
        // Whether diffoscope is here is for tests to say.
        sandbox.env("PATH", "/nowhere");
        furnish(&sandbox);
        Self { sandbox, archive }
    }

    /// The image.
    fn made(&self) -> Layout {
        Layout(self.sandbox.path("made"))
    }

    /// `hardpan rebuild made --key team.pub`.
    fn rebuild(&self, more: &[&str]) -> Output {
        self.sandbox.hardpan(&[&["rebuild", "made", "--key", "team.pub"], more].concat())
    }

    /// Has the trusted key say something else in the provenance of the image.
    fn restate(&self, change: impl FnOnce(&mut Value)) {
        restate(&self.made(), change);
    }
}

/// Has the trusted key say something else in the provenance of an image.
fn restate(layout: &Layout, change: impl FnOnce(&mut Value)) {
    let mut attached = layout.statement(PROVENANCE, &layout.index());
    change(&mut attached.statement["predicate"]);
    layout.swap(&attached, &signed::trusted().bundle(&attached.statement));
}

/// Changes an image, and has the trusted key say about its index what it said before.
fn again_about(layout: &Layout, change: impl FnOnce(&Layout)) {
    let attached = layout.statement(PROVENANCE, &layout.index());
    let old = layout.index();
    change(layout);
    let text = String::from_utf8(attached.payload).expect("UTF-8").replace(hex(&old), hex(&layout.index()));
    layout.attach(
        &layout.index(),
        PROVENANCE,
        &signed::trusted().bundle_of(support::IN_TOTO, text.as_bytes()),
    );
}

/// The inputs of a build, in its predicate.
fn inputs(predicate: &mut Value) -> &mut Value {
    &mut predicate["buildDefinition"]["externalParameters"]
}

/// Writes the keys of who rebuilds and of who speaks for the verifier.
fn furnish(sandbox: &Sandbox) {
    sandbox.write("team.pub", signed::trusted().public_pem());
    for (name, key) in [("checker", checker()), ("speaker", Hand::new(6))] {
        secret(sandbox, &format!("{name}.pem"), &key.private_pem());
        sandbox.write(format!("{name}.pub"), key.public_pem());
    }
}

/// Writes what only its owner may read.
fn secret(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
}

/// Takes the image that a world built to a machine that never built anything.
fn carried(world: &World, name: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.env("HARDPAN_MIRROR_MADE", world.archive.file_url());
    furnish(&sandbox);
    copy(&world.sandbox.path(format!("out/{name}")), &sandbox.path(name));
    sandbox
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    for (path, bytes) in signed::files(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().expect("below a folder")).expect("a writable folder");
        fs::write(path, bytes).expect("a writable folder");
    }
}

/// The trusted key, in the sandbox of a world, signs what is built there.
fn build_signed(world: &World, arguments: &[&str]) -> Output {
    secret(&world.sandbox, "team.pem", &signed::trusted().private_pem());
    world.run(&[&["build"], arguments, &["--key", "team.pem"]].concat()).ok()
}

/// One JSON document, and nothing else.
#[track_caller]
fn document(out: &Output) -> Value {
    serde_json::from_str(&out.stdout).unwrap_or_else(|error| panic!("{error} in\n{}", out.stdout))
}

/// The lines of a difference in a JSON answer: `place: what`.
#[track_caller]
fn differences(said: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = said["differences"].as_array().expect("differences").iter();
    list.map(|one| format!("{}: {}", text(&one["place"]), text(&one["what"]))).collect()
}

/// One of the lines has all these words.
#[track_caller]
fn names(lines: &[String], words: &[&str]) {
    let found = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "no line with {words:?} in\n{}", lines.join("\n"));
}

/// Files and folders that are named as what is not finished is.
fn unfinished(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.to_string_lossy().contains(".hardpan-") {
            found.push(path.display().to_string());
        } else if path.is_dir() {
            found.extend(unfinished(&path));
        }
    }
    found
}

/// What is in a sandbox, apart from the store's own content.
fn around(sandbox: &Sandbox) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![sandbox.root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            found.insert(path.display().to_string());
            if path.is_dir() && path != sandbox.store() {
                folders.push(path);
            }
        }
    }
    found
}

/// Runs what adds only these paths, below the work folder, to what is in the sandbox; nothing
/// unfinished is left in the store either.
#[track_caller]
fn leaves_only<T>(sandbox: &Sandbox, added: &[&str], run: impl FnOnce() -> T) -> T {
    let before = around(sandbox);
    let outcome = run();
    let new: BTreeSet<String> = around(sandbox).difference(&before).cloned().collect();
    let allowed: BTreeSet<String> =
        added.iter().map(|name| sandbox.path(name).display().to_string()).collect();
    assert_eq!(new, allowed, "what was left behind");
    assert_eq!(unfinished(&sandbox.store()), Vec::<String>::new());
    outcome
}

/// The digits of a digest.
fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").expect("a digest")
}
