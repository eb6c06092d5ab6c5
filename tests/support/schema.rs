//! Documents held against the schemas that their formats publish (`tests/schemas`).
//!
//! Nothing is looked up: a schema's references lead to files in that folder, or it can't be read.
//! Formats (dates, addresses) are checked too, which validators leave out unless told otherwise.

use std::path::Path;

use jsonschema::{Draft, Registry};
use serde_json::Value;

/// The format that a document claims to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// SPDX 2.3, as JSON.
    Spdx23,
    /// SPDX 3.0.1, as JSON-LD.
    Spdx301,
    /// `CycloneDX` 1.6, as JSON.
    CycloneDx16,
    /// OpenVEX 0.2.0, as JSON-LD.
    OpenVex02,
    /// CSAF 2.0, as JSON.
    Csaf20,
}

/// What the schemas of `CycloneDX` and CSAF refer to, by the names that they have for them.
const REFERRED: [(&str, &str); 5] = [
    ("http://cyclonedx.org/schema/spdx.schema.json", "spdx.schema.json"),
    ("http://cyclonedx.org/schema/jsf-0.82.schema.json", "jsf-0.82.schema.json"),
    ("https://www.first.org/cvss/cvss-v2.0.json", "cvss-v2.0.json"),
    ("https://www.first.org/cvss/cvss-v3.0.json", "cvss-v3.0.json"),
    ("https://www.first.org/cvss/cvss-v3.1.json", "cvss-v3.1.json"),
];

impl Schema {
    fn file(self) -> &'static str {
        match self {
            Self::Spdx23 => "spdx-schema-v2.3.json",
            Self::Spdx301 => "spdx-schema-v3.0.1.json",
            Self::CycloneDx16 => "bom-1.6.schema.json",
            Self::OpenVex02 => "openvex-0.2.0.schema.json",
            Self::Csaf20 => "csaf-2.0.schema.json",
        }
    }

    /// The dialect that the schema names; SPDX names its own in a way that no validator knows.
    fn draft(self) -> Draft {
        match self {
            Self::Spdx23 => Draft::Draft201909,
            Self::Spdx301 | Self::OpenVex02 | Self::Csaf20 => Draft::Draft202012,
            Self::CycloneDx16 => Draft::Draft7,
        }
    }
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `Err` says what is wrong, each with its place in the document.
pub fn validate(schema: Schema, json: &Value) -> Result<(), Vec<String>> {
    let mut registry = Registry::new();
    for (name, file) in REFERRED {
        registry = registry.add(name, read(file)).expect("a schema that we hold");
    }
    let registry = registry.prepare().expect("schemas that lead nowhere else");
    let validator = jsonschema::options()
        .with_draft(schema.draft())
        .with_registry(&registry)
        .should_validate_formats(true)
        .offline()
        .build(&read(schema.file()))
        .expect("a schema whose references are all here");
    let wrong: Vec<String> =
        validator.iter_errors(json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
