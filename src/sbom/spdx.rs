//! SPDX 2.3 as JSON (its schema is `spdx-schema.json` of the specification).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::bill::Bill;
use super::licence::UNKNOWN;
use super::parts::{Part, PartKind, parts};
use super::uuid::uuid;
use crate::canon;
use crate::ident::{BlobDigest, ImagePath, Platform, Sha1, Sha256};

/// The document of an image.
pub fn spdx(bill: &Bill) -> Vec<u8> {
    let parts = parts(bill);
    let mut document = Document::default();
    document.relate("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
    let mut whole = image("SPDXRef-Image", bill, &bill.digest, bill.purl().as_str(), None);
    annotate(&mut whole, bill);
    document.packages.push(whole);
    if bill.platform.is_none() {
        for platform in &bill.platforms {
            let id = image_id(bill, platform.platform);
            let purl = crate::ident::Purl::oci(&bill.name, &platform.digest, Some(platform.platform));
            document.packages.push(image(
                &id,
                bill,
                &platform.digest,
                purl.as_str(),
                Some(platform.platform),
            ));
            document.relate("SPDXRef-Image", "CONTAINS", &id);
        }
    }
    let mut sources = BTreeMap::new();
    for (key, part) in &parts {
        document.part(bill, key, part);
        if let Some(package) = part.package() {
            let source = json!({
                "SPDXID": id("Source", package.source_purl.as_str()),
                "name": package.pin.source.0,
                "versionInfo": package.pin.source.1.to_string(),
                "supplier": format!("Organization: {}", package.pin.vendor),
                "downloadLocation": UNKNOWN,
                "filesAnalyzed": false,
                "primaryPackagePurpose": "SOURCE",
                "externalRefs": [purl_reference(package.source_purl.as_str())],
            });
            sources.insert(package.source_purl.as_str().to_owned(), source);
        }
    }
    document.packages.extend(sources.into_values());
    document.finish(bill)
}

#[derive(Default)]
struct Document<'a> {
    packages: Vec<Value>,
    files: BTreeMap<String, File<'a>>,
    relationships: Vec<Relationship>,
}

/// Most of a document is files and how they belong together: these are types, in the order in which
/// they are written, because values would take several times as long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "SPDXID")]
    spdx_id: &'static str,
    creation_info: Value,
    data_license: &'static str,
    document_namespace: String,
    files: Vec<File<'a>>,
    name: String,
    packages: Vec<Value>,
    relationships: Vec<Relationship>,
    spdx_version: &'static str,
}

#[allow(clippy::struct_field_names)] // the format's names
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "SPDXID")]
    spdx_id: String,
    checksums: (Checksum<&'a Sha1>, Checksum<&'a Sha256>),
    copyright_text: &'static str,
    file_name: String,
    license_concluded: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum<T> {
    algorithm: &'static str,
    checksum_value: T,
}

#[allow(clippy::struct_field_names)] // the format's names
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    related_spdx_element: String,
    relationship_type: &'static str,
    spdx_element_id: String,
}

impl<'a> Document<'a> {
    fn relate(&mut self, from: &str, how: &'static str, to: &str) {
        self.relationships.push(Relationship {
            related_spdx_element: to.to_owned(),
            relationship_type: how,
            spdx_element_id: from.to_owned(),
        });
    }

    fn part(&mut self, bill: &Bill, key: &str, part: &'a Part) {
        let own = id("Package", key);
        for platform in &part.platforms {
            self.relate(&image_id(bill, *platform), "CONTAINS", &own);
        }
        for ((path, sha256), sha1) in &part.files {
            let file = file_id(path, sha256);
            self.relate(&own, "CONTAINS", &file);
            self.files.entry(file.clone()).or_insert_with(|| self::file(&file, path, sha256, sha1));
        }
        for other in &part.depends {
            self.relate(&own, "DEPENDS_ON", &id("Package", other));
        }
        if let Some(package) = part.package() {
            self.relate(&own, "GENERATED_FROM", &id("Source", package.source_purl.as_str()));
        }
        self.packages.push(package(&own, part));
    }

    fn finish(self, bill: &Bill) -> Vec<u8> {
        canon::sorted_to_json(&Written {
            spdx_id: "SPDXRef-DOCUMENT",
            creation_info: json!({
                "created": bill.created,
                "creators": [concat!("Tool: hardpan-", env!("CARGO_PKG_VERSION"))],
                "licenseListVersion": spdx_list_version(),
            }),
            data_license: "CC0-1.0",
            document_namespace: format!("urn:uuid:{}", uuid(&bill.seed("SPDX 2.3"))),
            files: self.files.into_values().collect(),
            name: format!("{} {}", bill.name, bill.version),
            packages: self.packages,
            relationships: self.relationships,
            spdx_version: "SPDX-2.3",
        })
    }
}

/// `3.28` of the list's `3.28.0`: the form that the specification asks for (section 6.7).
fn spdx_list_version() -> String {
    spdx::identifiers::VERSION.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

/// The identifier of the image of a platform: the document's own subject if it is of one platform.
fn image_id(bill: &Bill, platform: Platform) -> String {
    match bill.platform {
        Some(_) => "SPDXRef-Image".to_owned(),
        None => id("Image", &platform.to_string()),
    }
}

/// An identifier made of the letters that SPDX allows (section 3.2: letters, digits, `.` and `-`).
fn id(kind: &str, name: &str) -> String {
    let written = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || letter == '.' || letter == '-' => letter.to_string(),
        ' ' | '/' => "-".to_owned(),
        other => format!("-u{:x}-", u32::from(other)),
    };
    format!("SPDXRef-{kind}-{}", name.chars().map(written).collect::<String>())
}

fn file_id(path: &ImagePath, sha256: &Sha256) -> String {
    let named = Sha256::of(format!("{path}\0{sha256}").as_bytes()).to_string();
    format!("SPDXRef-File-{}", &named[..32])
}

fn purl_reference(purl: &str) -> Value {
    json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl })
}

fn image(id: &str, bill: &Bill, digest: &BlobDigest, purl: &str, platform: Option<Platform>) -> Value {
    let name = platform.map_or_else(|| bill.name.to_string(), |platform| format!("{} {platform}", bill.name));
    json!({
        "SPDXID": id,
        "name": name,
        "versionInfo": bill.version,
        "supplier": UNKNOWN,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{ "algorithm": "SHA256", "checksumValue": digest.0 }],
        "externalRefs": [purl_reference(purl)],
    })
}

/// Notes what of the contents policy the image needs exceptions from, and why.
fn annotate(image: &mut Value, bill: &Bill) {
    let annotation = |(rule, reason): (&str, String)| {
        json!({
            "annotationType": "REVIEW",
            "annotator": concat!("Tool: hardpan-", env!("CARGO_PKG_VERSION")),
            "annotationDate": bill.created,
            "comment": format!("contents policy, exception from {rule}: {reason}"),
        })
    };
    let annotations: Vec<Value> = bill.exceptions().into_iter().map(annotation).collect();
    if !annotations.is_empty() {
        image["annotations"] = json!(annotations);
    }
}

fn package(id: &str, part: &Part) -> Value {
    let mut value = json!({
        "SPDXID": id,
        "name": part.name,
        "supplier": UNKNOWN,
        "downloadLocation": UNKNOWN,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "copyrightText": UNKNOWN,
        "filesAnalyzed": !part.files.is_empty(),
    });
    let fields = value.as_object_mut().expect("an object");
    let mut put = |key: &str, field: Option<Value>| field.map(|field| fields.insert(key.to_owned(), field));
    put("versionInfo", part.version.as_ref().map(|version| json!(version)));
    put("summary", part.summary().map(|summary| json!(summary)));
    let digests = [
        ("SHA256", part.sha256.map(|digest| digest.to_string())),
        ("SHA512", part.sha512.map(|digest| digest.to_string())),
    ];
    let checksums: Vec<Value> = digests
        .into_iter()
        .filter_map(|(name, digest)| Some(json!({ "algorithm": name, "checksumValue": digest? })))
        .collect();
    put("checksums", (!checksums.is_empty()).then(|| json!(checksums)));
    if !part.files.is_empty() {
        put(
            "packageVerificationCode",
            Some(json!({ "packageVerificationCodeValue": verification_code(part) })),
        );
    }
    match &part.kind {
        PartKind::Package(package) => {
            let pin = &package.pin;
            put("supplier", Some(json!(format!("Organization: {}", pin.vendor))));
            put("originator", package.item.maintainer.as_deref().map(|text| json!(originator(text))));
            put("homepage", package.item.homepage.as_ref().map(|page| json!(page)));
            put("packageFileName", Some(json!(pin.path)));
            put(
                "sourceInfo",
                Some(json!(format!("built from the source package {} {}", pin.source.0, pin.source.1))),
            );
            put("primaryPackagePurpose", Some(json!("LIBRARY")));
            put("licenseDeclared", package.licence.expression.as_ref().map(|text| json!(text)));
            if !part.files.is_empty() {
                put("licenseInfoFromFiles", Some(json!(package.licence.each)));
            }
            put("externalRefs", Some(json!([purl_reference(package.purl.as_str())])));
        }
        PartKind::Source(address) => {
            put(
                "downloadLocation",
                address.as_ref().filter(|text| text.contains("://")).map(|text| json!(text)),
            );
            put("primaryPackagePurpose", Some(json!("ARCHIVE")));
        }
        PartKind::Recipe | PartKind::Generated => drop(put("primaryPackagePurpose", Some(json!("FILE")))),
    }
    value
}

/// `Name <address>` as SPDX writes it; a group says so by its name.
fn originator(maintainer: &str) -> String {
    let (name, address) = maintainer.split_once('<').unwrap_or((maintainer, ""));
    let (name, address) = (name.trim().trim_matches('"'), address.trim_end_matches('>').trim());
    let words = ["Team", "Maintainers", "Group", "Packagers", "Developers", "Project", "List"];
    let kind = if words.iter().any(|word| name.contains(word)) { "Organization" } else { "Person" };
    if address.is_empty() { format!("{kind}: {name}") } else { format!("{kind}: {name} ({address})") }
}

/// The digest of all its files' digests (section 7.9).
fn verification_code(part: &Part) -> Sha1 {
    let sorted: BTreeSet<(String, usize)> =
        part.files.values().enumerate().map(|(at, sha1)| (sha1.to_string(), at)).collect();
    let all: String = sorted.into_iter().map(|(sha1, _)| sha1).collect();
    Sha1::of(all.as_bytes())
}

fn file<'a>(id: &str, path: &ImagePath, sha256: &'a Sha256, sha1: &'a Sha1) -> File<'a> {
    File {
        spdx_id: id.to_owned(),
        checksums: (
            Checksum { algorithm: "SHA1", checksum_value: sha1 },
            Checksum { algorithm: "SHA256", checksum_value: sha256 },
        ),
        copyright_text: UNKNOWN,
        file_name: format!("./{}", path.member()),
        license_concluded: UNKNOWN,
    }
}
