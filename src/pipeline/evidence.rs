//! What is said about an image that was just built: SBOMs, provenance, the contents policy's result and
//! the signature, as signed statements that refer to it.
//!
//! A tag, the index's digest and a platform's digest each verify by themselves: every statement is
//! attached to the index and to each platform's manifest. The provenance and the contents policy's
//! result are about all of them; an SBOM is about one, and that of the index covers all platforms.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Built, Context, Finished, provenance};
use crate::attest::{self, Builder, Reasons, Subject, write_statement};
use crate::canon;
use crate::diag::Result;
use crate::host;
use crate::ident::{BlobDigest, PackageName, Sha256};
use crate::image::{Artifact, Descriptor, INDEX, Image, MANIFEST, Referrer};
use crate::sbom::{self, Bill};
use crate::sign::{BUNDLE, Custody, Signer};
use crate::store::Store;
use crate::verify::read_attached;
use crate::vex::{is_own_vex, openvex};

/// Raise it when what is said about an image changes.
const EVIDENCE_VERSION: u32 = 2;

/// The kind under which the store keeps what was said about an image.
const KIND: &str = "evidence";

/// The annotation by which cosign 3 says what kind of statement a bundle holds.
const KIND_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";

/// The kinds of statements that every build makes.
const OWN: [&str; 6] = [
    attest::COSIGN_SIGN,
    attest::PROVENANCE,
    attest::SPDX,
    attest::SPDX3,
    attest::CYCLONEDX,
    attest::CLOSURE,
];

/// Who signs, and what is said.
pub struct Attesting<'a> {
    /// Who signs.
    pub signer: &'a dyn Signer,
    /// Whether SPDX 3 is written as well.
    pub spdx3: bool,
}

/// A document, how it is called, and the statement's kind.
struct Document {
    kind: &'static str,
    name: &'static str,
    subject: usize,
    bytes: Vec<u8>,
}

/// Makes, signs and stores all statements about an image, or finds them in the store.
pub fn attest(context: &Context, finished: &Finished, attesting: &Attesting) -> Result<Vec<Artifact>> {
    let mut provenance = provenance::of(context, finished, builder(attesting.signer))?;
    let decided = super::vex(context, finished)?.map(|document| openvex(&document));
    let key = cache_key(finished, attesting, &provenance.to_json(), decided.as_deref());
    if let Some(key) = &key
        && let Some(artifacts) = lookup(context, key)?
    {
        return Ok(artifacts);
    }
    let subjects = subjects(finished);
    let documents = documents(context, finished, &subjects, attesting)?;
    provenance.byproducts = documents
        .iter()
        .map(|document| {
            (
                format!("{} of {}", document.name, subjects[document.subject].0.name),
                Sha256::of(&document.bytes),
            )
        })
        .collect();
    let mut everywhere = vec![
        (attest::PROVENANCE, provenance.to_json()),
        (attest::TEST_RESULT, provenance::policy_result(context, finished)?),
    ];
    everywhere.extend(decided.map(|document| (attest::OPENVEX, document)));
    let artifacts = sign_all(context, attesting, &subjects, documents, &everywhere)?;
    if let Some(key) = key {
        context.store.write_derived(KIND, &key, &canon::to_json(&artifacts))?;
    }
    Ok(artifacts)
}

/// Where a build whose evidence this signer signs ran: what can honestly be said of it.
fn builder(signer: &dyn Signer) -> Builder {
    match signer.custody() {
        Custody::Development => Builder::Development,
        Custody::Here => Builder::Local,
        Custody::Elsewhere => Builder::Separate,
        Custody::Ephemeral => Builder::Keyless,
    }
}

/// What all statements depend on; `None` for a signer that never signs the same way twice.
fn cache_key(
    finished: &Finished,
    attesting: &Attesting,
    provenance: &[u8],
    decided: Option<&[u8]>,
) -> Option<Sha256> {
    let signer = attesting.signer.lasting_identity()?;
    let decided = decided.map(|document| format!(" {}", Sha256::of(document))).unwrap_or_default();
    let what = format!(
        "evidence {EVIDENCE_VERSION} {} {signer} {} {} {}{decided}",
        env!("CARGO_PKG_VERSION"),
        attesting.spdx3,
        Sha256::of(provenance),
        finished.built.digest(),
    );
    Some(Sha256::of(what.as_bytes()))
}

fn lookup(context: &Context, key: &Sha256) -> Result<Option<Vec<Artifact>>> {
    let Some(bytes) = context.store.read_derived(KIND, key)? else { return Ok(None) };
    let Ok(artifacts) = serde_json::from_slice::<Vec<Artifact>>(&bytes) else { return Ok(None) };
    for artifact in &artifacts {
        if context.store.find(&artifact.content.digest.0)? != Some(artifact.content.size) {
            return Ok(None);
        }
    }
    Ok(Some(artifacts))
}

/// What is spoken about, the index first: its name and digest, and what points to it.
fn subjects(finished: &Finished) -> Vec<(Subject, Descriptor)> {
    let built = &finished.built;
    let index = (Subject::new(built.name.as_str(), &built.digest()), Descriptor::of(INDEX, &built.index));
    let platforms = built.platforms.iter().map(|image| {
        let name = format!("{} {}", built.name, image.platform);
        (Subject::new(&name, &image.digest()), Descriptor::of(MANIFEST, &image.manifest))
    });
    std::iter::once(index).chain(platforms).collect()
}

/// Writes a document.
type Writer = fn(&Bill) -> Vec<u8>;

/// The SBOMs of the index and of each platform, side by side.
fn documents(
    context: &Context,
    finished: &Finished,
    subjects: &[(Subject, Descriptor)],
    attesting: &Attesting,
) -> Result<Vec<Document>> {
    let bills = provenance::bills(context, finished)?;
    let mut formats: Vec<(&'static str, &'static str, Writer)> =
        vec![(attest::SPDX, "SPDX 2.3", sbom::spdx), (attest::CYCLONEDX, "CycloneDX 1.6", sbom::cyclonedx)];
    if attesting.spdx3 {
        formats.push((attest::SPDX3, "SPDX 3.0.1", sbom::spdx3));
    }
    let work: Vec<(usize, _)> =
        (0..subjects.len()).flat_map(|at| formats.iter().map(move |format| (at, format))).collect();
    let mut documents = host::side_by_side(context.jobs, &work, |(subject, (kind, name, write))| Document {
        kind,
        name,
        subject: *subject,
        bytes: write(&bills[*subject]),
    });
    documents.extend(reasons(&bills));
    Ok(documents)
}

/// Why each file is there, for each platform.
fn reasons(bills: &[Bill]) -> impl Iterator<Item = Document> {
    let of_platforms = bills.iter().enumerate().filter(|(_, bill)| bill.platform.is_some());
    of_platforms.flat_map(|(subject, bill)| {
        bill.platforms.iter().map(move |one| {
            let version = |name: &PackageName| Some(one.packages.get(name)?.version.to_string());
            let bytes = Reasons::of(one.platform, &one.inventory, version).to_json();
            Document { kind: attest::CLOSURE, name: "closure", subject, bytes }
        })
    })
}

fn sign_all(
    context: &Context,
    attesting: &Attesting,
    subjects: &[(Subject, Descriptor)],
    documents: Vec<Document>,
    everywhere: &[(&'static str, Vec<u8>)],
) -> Result<Vec<Artifact>> {
    let all: Vec<Subject> = subjects.iter().map(|(subject, _)| subject.clone()).collect();
    let about_all = |(kind, bytes): &(&'static str, Vec<u8>)| {
        (*kind, write_statement(&all, kind, bytes), (0..subjects.len()).collect())
    };
    let mut statements: Vec<(&'static str, Vec<u8>, Vec<usize>)> = everywhere.iter().map(about_all).collect();
    for (at, subject) in all.iter().enumerate() {
        let one = std::slice::from_ref(subject);
        statements.push((attest::COSIGN_SIGN, write_statement(one, attest::COSIGN_SIGN, b"{}"), vec![at]));
    }
    for Document { kind, subject, bytes, .. } in documents {
        let one = std::slice::from_ref(&all[subject]);
        statements.push((kind, write_statement(one, kind, &bytes), vec![subject]));
    }
    // A service that does not answer is not asked again for each of the others.
    let failed = AtomicBool::new(false);
    let signed = host::side_by_side(context.jobs, &statements, |(kind, statement, about)| {
        if failed.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let content = store_bundle(&context.store, attesting.signer, statement)
            .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        Ok(about.iter().map(|at| attach(&subjects[*at].1, kind, &content)).collect::<Vec<_>>())
    });
    let signed: Result<Vec<Vec<Artifact>>> = signed.into_iter().collect();
    let mut artifacts = signed?.concat();
    // In the order of what they are about, and by digest: the same whoever was faster.
    let place =
        |artifact: &Artifact| subjects.iter().position(|(_, subject)| artifact.subject == subject.digest);
    artifacts.sort_by_key(|artifact| (place(artifact), artifact.descriptor.digest));
    Ok(artifacts)
}

/// Signs and stores what is decided on vulnerabilities, an OpenVEX document, about the index and each platform: the same
/// statement as that of a build.
pub fn attest_decisions(
    context: &Context,
    finished: &Finished,
    signer: &dyn Signer,
    document: &[u8],
) -> Result<Vec<Artifact>> {
    let subjects = subjects(finished);
    let all: Vec<Subject> = subjects.iter().map(|(subject, _)| subject.clone()).collect();
    let statement = write_statement(&all, attest::OPENVEX, document);
    let content = store_bundle(&context.store, signer, &statement)?;
    Ok(subjects.iter().map(|(_, about)| attach(about, attest::OPENVEX, &content)).collect())
}

/// Signs a statement and stores the bundle.
pub fn store_bundle(store: &Store, signer: &dyn Signer, statement: &[u8]) -> Result<Descriptor> {
    let bundle = signer.bundle(attest::PAYLOAD_TYPE, statement)?;
    let digest = BlobDigest(store.put(&bundle)?);
    Ok(Descriptor::new(BUNDLE, digest, bundle.len() as u64))
}

/// The artifact of a bundle about a subject, annotated as cosign 3 does.
pub fn attach(subject: &Descriptor, predicate_type: &str, content: &Descriptor) -> Artifact {
    let annotations = BTreeMap::from([
        ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
        (KIND_ANNOTATION.to_owned(), predicate_type.to_owned()),
    ]);
    Artifact::about(subject, content.clone(), annotations)
}

/// What refers to the image in the layout that is to be written again, beside its own evidence:
/// results and scans that were attached later stay with an image whose digest stays.
pub fn with_others(
    context: &Context,
    out: &Path,
    built: &Built,
    own: Vec<Artifact>,
) -> Result<Vec<Artifact>> {
    if !host::is_dir(out) || !host::exists(&out.join("index.json")) {
        return Ok(own);
    }
    // What does not read is replaced by what does.
    let Ok(there) = Image::open(out) else { return Ok(own) };
    let anew = !own.is_empty();
    let ours = |kind: Option<&str>| anew && OWN.iter().any(|own| kind == Some(*own));
    let mut all = own;
    let same = there.index.map(|(digest, _)| digest) == Some(built.digest());
    for referrer in there.referrers.iter().filter(|_| same) {
        let kind = referrer.descriptor.annotations.get(KIND_ANNOTATION);
        let shared =
            anew && kind.is_some_and(|kind| [attest::TEST_RESULT, attest::OPENVEX].contains(&kind.as_str()));
        if shared && is_of_builds(&there, referrer) {
            continue;
        }
        if let ([content], false) = (&referrer.layers[..], ours(kind.map(String::as_str))) {
            context.store.put(&there.content(content)?)?;
            let manifest = String::from_utf8_lossy(&there.blob(&referrer.descriptor)?).into_owned();
            let (subject, descriptor) = (referrer.subject, referrer.descriptor.clone());
            all.push(Artifact { descriptor, subject, manifest, content: content.clone() });
        }
    }
    Ok(all)
}

/// Whether a statement of a kind that others make too is one that each build makes itself: the contents policy's
/// result, rather than a rebuild's; decisions on vulnerabilities, rather than a document of others.
fn is_of_builds(image: &Image, referrer: &Referrer) -> bool {
    let read = read_attached(image, referrer);
    read.is_ok_and(|attached| attached.kind() == attest::CONTENTS_POLICY || is_own_vex(&attached.statement))
}
