//! SBOMs: SPDX 2.2 and 2.3, CycloneDX 1.x, as JSON; by themselves or inside an in-toto statement.
//!
//! Who wrote one says what is in it, so it is only as true as its maker: packages without a readable URL are named in
//! notes. What is known of files is taken where the document says which belong to which package, as ours do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::purl::{self, ReadPurl};
use super::release;
use super::sbom_source::source;
use super::subject::{Notes, Package, Subject, Want, What, merged, plain, releases};
use crate::advisory::{Ecosystem, VersionOrder};
use crate::diag::{Problem, Result, codes};
use crate::ident::{DebVersion, ImagePath, PackageName, Sha256};

/// The most packages and files of a document.
const MAX_PARTS: usize = 2_000_000;

/// Purposes that SPDX has for what is no package.
const NO_PACKAGE: [&str; 6] =
    ["CONTAINER", "OPERATING-SYSTEM", "OPERATING_SYSTEM", "FILE", "ARCHIVE", "SOURCE"];

/// Types of package URLs that are images, and no packages in one.
const IMAGES: [&str; 2] = ["docker", "oci"];

/// Types that CycloneDX has for what is installed as a package.
const PACKAGES: [&str; 3] = ["application", "framework", "library"];

/// What is read of a document, or why it can't be.
type Read<T> = std::result::Result<T, String>;

/// A package as a document has it.
#[derive(Debug, Default)]
struct Listed {
    purl: String,
    properties: BTreeMap<String, String>,
    source_info: Option<String>,
    files: Option<BTreeSet<ImagePath>>,
}

/// What a document says.
#[derive(Debug, Default)]
struct Document {
    name: Option<String>,
    /// What it is about: the main component, or what the document describes.
    subject: Option<String>,
    image: Option<Sha256>,
    /// Name and version of an operating system.
    system: Option<(String, String)>,
    packages: Vec<Listed>,
    /// Packages that have no URL, so that nobody can tell whose they are.
    nameless: usize,
}

/// Whether bytes look like JSON, which among what can be scanned only SBOMs are.
pub fn is_sbom(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    start.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte == b'{')
}

/// The packages that an SBOM lists.
pub fn of_sbom(bytes: &[u8], name: &str, want: &Want) -> Result<Subject> {
    let bad = |why: String| {
        Problem::new(codes::BAD_SUBJECT, format!("`{}` does not read as an SBOM", plain(name)))
            .found(why)
            .expected("SPDX 2.2 or 2.3, or CycloneDX 1.x, as JSON")
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let document = document(&whole).map_err(&bad)?;
    let mut notes = Notes::default();
    notes.extend(want.no_platforms(What::Sbom));
    let Document { name: own, subject, image, system, packages, nameless } = document;
    let system = system_release(name, system)?;
    let (packages, others) = read(packages, system.as_deref(), want, name, &mut notes)?;
    if packages.is_empty() {
        let what = format!("the SBOM `{}` lists no package that can be looked up", plain(name));
        let mut problem = Problem::new(codes::NOT_DEBIAN, what)
            .expected("packages with URLs such as `pkg:deb/debian/libssl3t64@3.5.1-1?distro=debian-13`");
        if let Some(other) = others.first() {
            problem = problem.found(format!("packages of {}", plain(other)));
        } else if nameless > 0 {
            problem = problem.found(format!("{nameless} packages without a URL"));
        }
        return Err(problem.into());
    }
    if nameless > 0 {
        notes.add(format!("{nameless} packages have no package URL and were passed over"));
    }
    for other in others {
        notes.add(format!("packages of {} are not looked up", plain(&other)));
    }
    let releases = releases(&packages);
    if releases.len() > 1 {
        notes.add(format!("its packages are of several releases of Debian: {}", releases.join(", ")));
    }
    let distro = releases.into_iter().next();
    let unordered: BTreeSet<&Ecosystem> =
        packages.iter().map(|one| &one.ecosystem).filter(|one| VersionOrder::of(one).is_none()).collect();
    for ecosystem in unordered {
        notes.add(format!("of {ecosystem} only versions that an advisory lists one by one are found; ranges are not compared"));
    }
    Ok(Subject {
        name: own.map_or_else(|| name.to_owned(), |own| format!("{name} ({})", plain(&own))),
        what: What::Sbom,
        digest: image,
        product: subject,
        manifests: Vec::new(),
        platforms: Vec::new(),
        distro,
        packages: merged(packages),
        paths: None,
        notes: notes.into_vec(),
    })
}

fn document(whole: &Value) -> Read<Document> {
    if let Some(predicate) = whole.get("predicate").filter(|_| whole.get("predicateType").is_some()) {
        let mut inner = document_of(predicate)?;
        let subject = whole.pointer("/subject/0/digest/sha256").and_then(Value::as_str);
        inner.image = inner.image.or_else(|| subject?.parse().ok());
        return Ok(inner);
    }
    document_of(whole)
}

fn document_of(whole: &Value) -> Read<Document> {
    match (text(whole, "spdxVersion"), text(whole, "bomFormat")) {
        (Some("SPDX-2.2" | "SPDX-2.3"), _) => Ok(spdx(whole)),
        (Some(other), _) => Err(format!("`spdxVersion` is `{}`", plain(other))),
        (None, Some("CycloneDX")) => match text(whole, "specVersion") {
            Some(version) if version.starts_with("1.") => cyclonedx(whole),
            other => Err(format!("`specVersion` is `{}`", plain(other.unwrap_or("missing")))),
        },
        (None, Some(other)) => Err(format!("`bomFormat` is `{}`", plain(other))),
        (None, None) if whole.get("@graph").is_some() => Err("SPDX 3, which is not read".to_owned()),
        (None, None) => Err("it has neither `spdxVersion` nor `bomFormat`".to_owned()),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn sha256(value: &Value, list: &str, (name, wanted): (&str, &str), content: &str) -> Option<Sha256> {
    let found = array(value, list).find(|digest| text(digest, name) == Some(wanted))?;
    text(found, content)?.to_ascii_lowercase().parse().ok()
}

fn spdx(whole: &Value) -> Document {
    let files: BTreeMap<&str, ImagePath> = array(whole, "files")
        .filter_map(|file| Some((text(file, "SPDXID")?, path(text(file, "fileName")?)?)))
        .collect();
    let mut owned: BTreeMap<&str, BTreeSet<ImagePath>> = BTreeMap::new();
    for relation in array(whole, "relationships") {
        if text(relation, "relationshipType") != Some("CONTAINS") {
            continue;
        }
        let pair = text(relation, "spdxElementId").zip(text(relation, "relatedSpdxElement"));
        if let Some((owner, file)) = pair.and_then(|(owner, file)| Some((owner, files.get(file)?))) {
            owned.entry(owner).or_default().insert(file.clone());
        }
    }
    let mut document = Document { name: text(whole, "name").map(ToOwned::to_owned), ..Document::default() };
    let described = described(whole);
    for package in array(whole, "packages") {
        let purpose = text(package, "primaryPackagePurpose");
        let id = text(package, "SPDXID").unwrap_or_default();
        if described == Some(id) {
            document.subject = text(package, "name").filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        }
        if id == "SPDXRef-Image" || purpose == Some("CONTAINER") && document.image.is_none() {
            document.image =
                sha256(package, "checksums", ("algorithm", "SHA256"), "checksumValue").or(document.image);
        }
        if purpose == Some("OPERATING-SYSTEM") || purpose == Some("OPERATING_SYSTEM") {
            document.system = text(package, "name")
                .map(|name| (name.to_owned(), text(package, "versionInfo").unwrap_or_default().to_owned()));
        }
        let purl = array(package, "externalRefs")
            .filter(|reference| text(reference, "referenceType") == Some("purl"))
            .find_map(|reference| text(reference, "referenceLocator"));
        if let Some(purl) = purl {
            document.packages.push(Listed {
                purl: purl.to_owned(),
                source_info: text(package, "sourceInfo").map(ToOwned::to_owned),
                files: owned.get(id).cloned(),
                ..Listed::default()
            });
        } else if id != "SPDXRef-Image" && !purpose.is_some_and(|purpose| NO_PACKAGE.contains(&purpose)) {
            document.nameless += 1;
        }
    }
    document
}

/// The element that a document of SPDX is about, if it is about one alone.
fn described(whole: &Value) -> Option<&str> {
    let by_relation = array(whole, "relationships")
        .filter(|one| text(one, "relationshipType") == Some("DESCRIBES"))
        .filter(|one| text(one, "spdxElementId") == Some("SPDXRef-DOCUMENT"))
        .filter_map(|one| text(one, "relatedSpdxElement"));
    let all: BTreeSet<&str> =
        array(whole, "documentDescribes").filter_map(Value::as_str).chain(by_relation).collect();
    all.first().copied().filter(|_| all.len() == 1)
}

fn cyclonedx(whole: &Value) -> Read<Document> {
    let subject = whole.pointer("/metadata/component");
    let digest = |value| sha256(value, "hashes", ("alg", "SHA-256"), "content");
    let name = subject.and_then(|subject| text(subject, "name")).filter(|name| !name.is_empty());
    let mut document = Document {
        name: name.map(ToOwned::to_owned),
        subject: name.map(ToOwned::to_owned),
        image: subject.and_then(|subject| digest(subject).or_else(|| of_purl(text(subject, "purl")?))),
        ..Document::default()
    };
    let mut queue: Vec<&Value> = array(whole, "components").collect();
    let mut seen = 0;
    while let Some(component) = queue.pop() {
        seen += 1;
        if seen > MAX_PARTS {
            return Err(format!("it has more than {MAX_PARTS} components"));
        }
        let mut files: Option<BTreeSet<ImagePath>> = None;
        for inner in array(component, "components") {
            queue.push(inner);
            if text(inner, "type") == Some("file")
                && let Some(path) = text(inner, "name").and_then(path)
            {
                files.get_or_insert_default().insert(path);
            }
        }
        if text(component, "type") == Some("operating-system") {
            document.system = text(component, "name")
                .map(|name| (name.to_owned(), text(component, "version").unwrap_or_default().to_owned()));
        }
        if let Some(purl) = text(component, "purl") {
            let properties = array(component, "properties").filter_map(|property| {
                Some((text(property, "name")?.to_owned(), text(property, "value")?.to_owned()))
            });
            document.packages.push(Listed {
                purl: purl.to_owned(),
                properties: properties.collect(),
                source_info: None,
                files,
            });
        } else if text(component, "type").is_some_and(|kind| PACKAGES.contains(&kind)) {
            document.nameless += 1;
        }
    }
    Ok(document)
}

/// A path of a document, with a slash, `./` or nothing before it.
fn path(name: &str) -> Option<ImagePath> {
    let bare = name.strip_prefix('.').filter(|rest| rest.starts_with('/')).unwrap_or(name);
    let path = if bare.starts_with('/') { bare.to_owned() } else { format!("/{bare}") };
    path.parse().ok()
}

/// The digest in a URL of an image.
fn of_purl(text: &str) -> Option<Sha256> {
    let purl = purl::read(text).ok().filter(|purl| purl.kind == "oci")?;
    purl.version?.strip_prefix("sha256:")?.parse().ok()
}

/// The release of Debian that a document as a whole says.
fn system_release(name: &str, system: Option<(String, String)>) -> Result<Option<String>> {
    let Some((id, version)) = system else { return Ok(None) };
    if !id.to_ascii_lowercase().starts_with("debian") {
        return Err(release::not_debian(name, &id));
    }
    Ok(release::number(&version).filter(|number| release::is_known(number)))
}

/// The packages that can be looked up, and where the others are from.
fn read(
    listed: Vec<Listed>,
    system: Option<&str>,
    want: &Want,
    document: &str,
    notes: &mut Notes,
) -> Result<(Vec<Package>, Vec<String>)> {
    let asked = release::asked(want.release.as_deref())?;
    let mut packages = Vec::new();
    let mut others = BTreeSet::new();
    for one in listed {
        let mut purl = match purl::read(&one.purl) {
            Ok(purl) => purl,
            Err(why) => {
                notes.add(format!("the package URL `{}` was passed over: {why}", plain(&one.purl)));
                continue;
            }
        };
        if purl.kind == "deb" {
            // Of this type both mean the same in any letters (package-url specification, types).
            purl.namespace.make_ascii_lowercase();
            purl.name.make_ascii_lowercase();
        }
        let distro = purl.qualifiers.get("distro");
        let own = distro.map(|distro| distro.strip_prefix("debian-").unwrap_or(distro));
        let own = own.and_then(release::number).filter(|number| release::is_known(number));
        // What derives from Debian keeps the vendor at times: `pkg:deb/debian/…?distro=raspbian-12`.
        let elsewhere = distro.filter(|distro| own.is_none() && !distro.starts_with("debian"));
        if let Some(distro) = elsewhere.filter(|_| purl.kind == "deb") {
            others.insert(distro.clone());
            continue;
        }
        let said = own.or_else(|| system.map(ToOwned::to_owned));
        if purl.kind == "deb" {
            notes.extend(release::overruled(said.as_deref(), asked.as_deref()));
        }
        let release = said.or_else(|| asked.clone());
        if purl.kind == "deb" && purl.namespace != "debian" {
            others.insert(if purl.namespace.is_empty() { "no vendor".to_owned() } else { purl.namespace });
            continue;
        }
        match package(one, &purl, release) {
            Ok(Some(package)) => {
                if let Some(note) = incomparable(&package) {
                    notes.add(note);
                }
                packages.push(package);
            }
            Ok(None) if IMAGES.contains(&purl.kind.as_str()) => {}
            Ok(None) => drop(others.insert(format!("the type {}", purl.kind))),
            Err(why) => notes.add(format!("the package `{}` was passed over: {why}", plain(&purl.name))),
        }
    }
    let unplaced = "which release of Debian it is of is not said";
    let placed = packages.iter().any(|package| package.ecosystem.is_debian());
    if !placed && notes.any(unplaced) {
        let what = format!(
            "the SBOM `{}` does not say which release of Debian its packages are of",
            plain(document)
        );
        return Err(Problem::new(codes::NO_RELEASE, what)
            .expected("`distro=debian-13` in package URLs, or a component for the operating system")
            .help("say it: `--release 13`")
            .into());
    }
    Ok((without_known_sources(packages), others.into_iter().collect()))
}

/// What has to be said of a version that is none in its ecosystem: no range of versions can have it.
fn incomparable(package: &Package) -> Option<String> {
    let (order, version) = (VersionOrder::of(&package.ecosystem)?, package.source_version.as_str());
    order.compare(version, version).is_none().then(|| {
        let (name, ecosystem) = (plain(&package.binary), &package.ecosystem);
        format!("`{version}` of `{name}` is no version of {ecosystem}, and is found only where it is listed")
    })
}

/// The architecture by which a package URL means a source package.
const SOURCE: &str = "source";

fn package(one: Listed, purl: &ReadPurl, release: Option<String>) -> Read<Option<Package>> {
    if IMAGES.contains(&purl.kind.as_str()) {
        return Ok(None);
    }
    let malformed = |error: crate::ident::Malformed| error.to_string();
    let elsewhere = purl.elsewhere();
    if purl.kind != "deb" && elsewhere.is_none() {
        return Ok(None);
    }
    let Some(version) = &purl.version else { return Err("it has no version".to_owned()) };
    let architecture = purl.qualifiers.get("arch").cloned().unwrap_or_default();
    if let Some((ecosystem, name)) = elsewhere.filter(|_| purl.kind != "deb") {
        // Go writes `v1.2.3`, and records about it don't.
        let version = if purl.kind == "golang" { version.trim_start_matches('v') } else { version };
        let version = DebVersion::of_others(version).map_err(malformed)?;
        return Ok(Some(Package {
            binary: name.clone(),
            source: name,
            source_version: version.clone(),
            version,
            architecture,
            purl: one.purl,
            ecosystem,
            files: one.files,
        }));
    }
    // Some put the epoch beside the version.
    let epoch = purl.qualifiers.get("epoch").filter(|epoch| *epoch != "0" && !version.contains(':'));
    let version = epoch.map_or_else(|| version.clone(), |epoch| format!("{epoch}:{version}"));
    let version: DebVersion = version.parse().map_err(malformed)?;
    let release = release.ok_or("which release of Debian it is of is not said")?;
    let binary: PackageName = purl.name.parse().map_err(malformed)?;
    let (source, source_version) = if architecture == SOURCE {
        (binary.clone(), version.clone())
    } else {
        source(purl, &version, &one.properties, one.source_info.as_deref())?
    };
    Ok(Some(Package {
        binary: binary.to_string(),
        version,
        source: source.to_string(),
        source_version,
        architecture,
        purl: one.purl,
        ecosystem: Ecosystem::debian(&release),
        files: one.files,
    }))
}

/// Without the sources that a package made of them is listed of, too: they stand for no more than that.
fn without_known_sources(packages: Vec<Package>) -> Vec<Package> {
    let key = |one: &Package| (one.ecosystem.clone(), one.source.clone(), one.source_version.to_string());
    let is_source = |one: &Package| one.ecosystem.is_debian() && one.architecture == SOURCE;
    let made: BTreeSet<_> = packages.iter().filter(|one| !is_source(one)).map(key).collect();
    packages.into_iter().filter(|one| !is_source(one) || !made.contains(&key(one))).collect()
}
