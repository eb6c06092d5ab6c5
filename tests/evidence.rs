//! What is said about an image that was built: SBOMs, provenance, signature; what is added later; and
//! how it is published.
#![allow(clippy::disallowed_methods)]

#[path = "evidence/adding.rs"]
mod adding;
#[path = "evidence/flags.rs"]
mod flags;
#[path = "evidence/forged.rs"]
mod forged;
#[path = "evidence/listed.rs"]
mod listed;
#[path = "evidence/provenance.rs"]
mod provenance;
#[path = "evidence/publishing.rs"]
mod publishing;
#[path = "evidence/same.rs"]
mod same;
#[path = "evidence/sboms.rs"]
mod sboms;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use support::{Layout, Output, Sandbox, World};

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SPDX: &str = "https://spdx.dev/Document";
const SPDX3: &str = "https://spdx.dev/Document/v3.0.1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const CLOSURE: &str = "https://hardpan.dev/closure/v1";

/// How many statements refer to an image of two platforms.
const STATEMENTS: usize = 17;

/// The image that a world built.
fn image(world: &World) -> Layout {
    Layout(world.sandbox.path("out/made"))
}

fn json(output: Output) -> Value {
    serde_json::from_str(&output.ok().stdout).expect("JSON")
}

/// The array at a place of a document.
#[track_caller]
fn list<'a>(value: &'a Value, place: &str) -> &'a Vec<Value> {
    value.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("no {place} in {value}"))
}

/// The one of a list that has this text under this key.
#[track_caller]
fn one<'a>(all: &'a [Value], key: &str, text: &str) -> &'a Value {
    let found: Vec<&Value> = all.iter().filter(|one| one[key] == text).collect();
    assert_eq!(found.len(), 1, "{key} {text:?}");
    found[0]
}

/// Writes a file that only we may read.
fn secret(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
}
