//! What `update-ca-certificates` makes: the bundle, the links by name and by hash, Java's trust store.
//!
//! ```text
//! /usr/share/ca-certificates/**.crt        the packages' certificates, in the order of their paths,
//! /usr/local/share/ca-certificates/**.crt  then those of recipes
//!   ─► /etc/ssl/certs/ca-certificates.crt  all of them, each ending with a line end
//!   ─► /etc/ssl/certs/NAME.pem             a link to each that is in the image
//!   ─► /etc/ssl/certs/HASH.N               a link to that, as `openssl rehash` makes it
//!   ─► /etc/ssl/certs/java/cacerts         if asked for
//! ```
//!
//! A recipe that adds certificates makes all of it anew, from those of the recipes below too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::trust_store::trust_store;
use super::x509::{self, Certificate};
use super::{Node, bytes_of, insert};
use crate::diag::{Problem, Result, codes};
use crate::ident::{ImagePath, Sha256};
use crate::layer::compose::Work;
use crate::layer::tree::{NodeKind, Origin, Reason};
use crate::recipe::At;
use crate::source::{ContentReader, Kind};

const PACKAGED: &str = "/usr/share/ca-certificates";
const LOCAL: &str = "/usr/local/share/ca-certificates";
const FOLDER: &str = "/etc/ssl/certs";
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Files with certificates, by path.
type Files = BTreeMap<ImagePath, Vec<u8>>;

/// The packages' certificates of this recipe. They are read before paths are dropped, because a
/// recipe may drop the single certificates and keep the bundle.
pub(in crate::layer) fn packaged(work: &Work) -> Result<Files> {
    files(work, PACKAGED, true)
}

/// The certificates below a folder, of this recipe's tree only or of all.
fn files(work: &Work, folder: &str, own: bool) -> Result<Files> {
    let folder: ImagePath = folder.parse().expect("a path of ours");
    let is_wanted = |path: &ImagePath| {
        let ending = path.file_name().rsplit_once('.').map(|(_, ending)| ending);
        path.is_under(&folder) && ending == Some("crt")
    };
    let all = if own { work.tree.nodes.iter().collect() } else { work.view().all() };
    let mut reader = ContentReader::new();
    let mut found = Files::new();
    for (path, node) in all.into_iter().filter(|(path, _)| is_wanted(path)) {
        let node = if matches!(node.kind, NodeKind::Symlink(_)) {
            work.view().follow(path).map(|(_, node)| node)
        } else {
            Some(node)
        };
        if let Some(data) = node.and_then(Node::data) {
            found.insert(path.clone(), bytes_of(work, &mut reader, path, data)?);
        }
    }
    Ok(found)
}

/// Makes all of it, if this recipe adds certificates, or asks for the trust store.
pub(super) fn add(work: &mut Work, packaged: Files) -> Result<()> {
    own(work)?;
    let new_local = !files(work, LOCAL, true)?.is_empty();
    if packaged.is_empty() && !new_local && !work.recipe.system.java_trust_store {
        return Ok(());
    }
    let mut all = files(work, PACKAGED, false)?;
    all.extend(packaged);
    let local = files(work, LOCAL, false)?;
    let loose = loose(work, all.values().chain(local.values()))?;
    let mut bundle: Vec<u8> = loose.iter().flat_map(|certificate| certificate.pem().into_bytes()).collect();
    for bytes in all.values().chain(local.values()) {
        bundle.extend(bytes);
        if !bundle.ends_with(b"\n") {
            bundle.push(b'\n');
        }
    }
    if !bundle.is_empty() {
        insert(work, BUNDLE, Node::generated(bundle));
    }
    let named = named(all.into_iter().chain(local));
    links(work, &named);
    java(work, &named, &loose)
}

/// The recipe's own certificates go where an administrator would put them, one to a file, and
/// nothing else of their files does.
fn own(work: &mut Work) -> Result<()> {
    let (recipe, inputs) = (work.recipe, work.inputs);
    for file in &recipe.system.certificates {
        let name = format!("file {}", file.value);
        let found = inputs.source(recipe.name.as_str(), &name);
        let (_, parcel, _) = found.expect("the pipeline brings every local file");
        let Kind::File(content) = &parcel.index.entries[0].kind else {
            unreachable!("a single file is a file")
        };
        let bytes = ContentReader::new().bytes(parcel, content);
        let bytes = bytes
            .map_err(|error| crate::host::file_problem("reading", Path::new(file.value.as_str()), &error))?;
        let certificates = read(&bytes).map_err(|why| refused(file, &why))?;
        let stem = file.value.rsplit('/').next().unwrap_or_default();
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let one = certificates.len() == 1;
        for (number, certificate) in certificates.iter().enumerate() {
            let last = if one { format!("{stem}.crt") } else { format!("{stem}-{}.crt", number + 1) };
            let path = format!("{LOCAL}/{last}").parse::<ImagePath>();
            let path = path.map_err(|error| refused(file, &error.to_string()))?;
            let node = Node::generated(certificate.pem().into_bytes());
            let node = Node { origin: Origin::Source(name.clone()), reason: Reason::Asked, ..node };
            if work.tree.nodes.insert(path.clone(), node).is_some() {
                return Err(refused(file, &format!("`{path}` is there already")).into());
            }
        }
    }
    Ok(())
}

/// The certificates of a file that must hold nothing else worth the name.
fn read(bytes: &[u8]) -> std::result::Result<Vec<Certificate>, String> {
    let no_pem = "no line `-----BEGIN CERTIFICATE-----`";
    let text = std::str::from_utf8(bytes).map_err(|_| format!("bytes that are no text, so {no_pem}"))?;
    let mut certificates: Vec<Certificate> = Vec::new();
    for block in x509::blocks(text) {
        if block.label.ends_with("PRIVATE KEY") {
            return Err("a private key, which nobody may have beside its owner".to_owned());
        }
        if block.label != "CERTIFICATE" {
            return Err(format!("a part `{}`", block.label));
        }
        let der = block.content.ok_or("a certificate that is not base64, or has no end")?;
        let certificate = Certificate::read(&der).ok_or("a part `CERTIFICATE` that is none inside")?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(no_pem.to_owned()) } else { Ok(certificates) }
}

fn refused(file: &At<String>, found: &str) -> Problem {
    let message = format!("the file `{}` is not one of certificates to trust", file.value);
    file.place
        .problem(codes::BAD_CERTIFICATE, message, "named here")
        .found(found)
        .expected("PEM with certificates and nothing else")
        .help("`openssl x509 -in FILE -inform der` makes PEM of DER")
}

/// Certificates of the bundle below whose own files are not in the image any more.
fn loose<'a>(work: &Work, known: impl Iterator<Item = &'a Vec<u8>>) -> Result<Vec<Certificate>> {
    let below = crate::layer::tree::View { below: work.below, own: &crate::layer::tree::Tree::default() };
    let path: ImagePath = BUNDLE.parse().expect("a path of ours");
    let Some(data) = below.get(&path).and_then(Node::data) else { return Ok(Vec::new()) };
    let bytes = bytes_of(work, &mut ContentReader::new(), &path, data)?;
    let known: BTreeSet<Vec<u8>> =
        known.flat_map(|bytes| x509::certificates(bytes)).map(|certificate| certificate.der).collect();
    let mut loose = x509::certificates(&bytes);
    loose.retain(|certificate| !known.contains(&certificate.der));
    Ok(loose)
}

/// Certificates by the name that their link has; of two with one name the later counts.
fn named(files: impl Iterator<Item = (ImagePath, Vec<u8>)>) -> BTreeMap<String, (ImagePath, Vec<u8>)> {
    files
        .map(|(path, bytes)| {
            let stem = path.file_name().strip_suffix(".crt").unwrap_or(path.file_name());
            let plain = |letter: char| match letter {
                ' ' | ',' => '_',
                '(' | ')' => '=',
                other => other,
            };
            (format!("{}.pem", stem.chars().map(plain).collect::<String>()), (path, bytes))
        })
        .collect()
}

/// Links by name and by hash, for programs that look for one certificate in the folder.
fn links(work: &mut Work, named: &BTreeMap<String, (ImagePath, Vec<u8>)>) {
    let said = work.upto().iter().rev().find_map(|recipe| recipe.system.certificate_links);
    if said == Some(false) {
        return;
    }
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeSet<Sha256> = BTreeSet::new();
    for (name, (path, bytes)) in named {
        let link = format!("{FOLDER}/{name}");
        let is_there = work.view().follow(path).is_some();
        if !is_there || link.parse().is_ok_and(|link: ImagePath| work.is_dropped(&link)) {
            continue;
        }
        insert(work, &link, Node::generated_link(path.as_str()));
        let certificates = x509::certificates(bytes);
        let [certificate] = &certificates[..] else { continue };
        let Some(hash) = certificate.subject_hash() else { continue };
        if seen.insert(Sha256::of(&certificate.der)) {
            let number = numbers.entry(hash.clone()).or_default();
            insert(work, &format!("{FOLDER}/{hash}.{number}"), Node::generated_link(name));
            *number += 1;
        }
    }
}

/// The trust store, if a recipe of the chain up to here asks for it.
fn java(
    work: &mut Work,
    named: &BTreeMap<String, (ImagePath, Vec<u8>)>,
    loose: &[Certificate],
) -> Result<()> {
    if !work.upto().iter().any(|recipe| recipe.system.java_trust_store) {
        return Ok(());
    }
    let mut store = BTreeMap::new();
    for (name, (_, bytes)) in named {
        for (number, certificate) in x509::certificates(bytes).into_iter().enumerate() {
            let more = if number == 0 { String::new() } else { format!("-{}", number + 1) };
            // Names that differ in case only are one alias to Java, and no certificate may get lost.
            let mut alias = format!("debian:{name}{more}").to_lowercase();
            while store.get(&alias).is_some_and(|there| *there != certificate.der) {
                alias.push('+');
            }
            store.insert(alias, certificate.der);
        }
    }
    for certificate in loose {
        store.insert(format!("debian:{}", Sha256::of(&certificate.der)), certificate.der.clone());
    }
    if store.is_empty() {
        let message = format!("`java-trust-store` of `{}` has no certificate to hold", work.recipe.name);
        let help = "take those of the package `ca-certificates`, or name your own in `certificates`";
        return Err(Problem::new(codes::NO_MATCH, message).help(help).into());
    }
    insert(work, &format!("{FOLDER}/java/cacerts"), Node::generated(trust_store(&store)));
    Ok(())
}
