//! Where snapshots are kept: below the store, each by its digest, and which one is asked if nobody says.
//!
//! ```text
//! <store>/advisories/<sha256>         a snapshot, stamped as blobs are
//! <store>/advisories/<sha256>.bundle  who signed it, where somebody did
//! <store>/advisories/current          {"digest":"<sha256>","imported_at":"…"}
//! <store>/advisories/seen             when release files first held which version ([`super::Seen`])
//! <store>/advisories/lock             held by who makes a new one
//! ```
//!
//! `current` is replaced in one step after the snapshot and its signature are there, so that a reader sees the old
//! one or the new one. When it was imported stands in it and in nothing that is hashed.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use crate::attest::{PAYLOAD_TYPE, Statement, Subject, write_statement};
use crate::canon::{self, HashReader};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, FileLock, Scratch};
use crate::ident::{BlobDigest, Epoch, Sha256};
use crate::sign::{Bundle, Keys, Signer};
use crate::store::Store;

/// What a signature over a snapshot claims: that these feeds were imported, with the head as predicate.
pub const PREDICATE: &str = "https://hardpan.dev/advisories/v1";

/// Which snapshot is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Current {
    /// Its digest.
    pub digest: Sha256,
    /// When it was put there, by the clock of this machine.
    pub imported_at: Epoch,
}

/// Whose signature a snapshot bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// Nobody's.
    Nobody,
    /// Somebody's, and there is no key here to verify it with.
    Unverified,
    /// A trusted key's or identity's, called so.
    Trusted(String),
}

/// The snapshots of a store.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// That of a store.
    pub fn of(store: &Store) -> Self {
        Self::at(store.root())
    }

    /// That of a store by its folder.
    pub fn at(store: &Path) -> Self {
        Self { folder: store.join("advisories") }
    }

    /// Where a snapshot is, or would be.
    pub fn path(&self, digest: &Sha256) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Where its signature is, or would be.
    pub fn bundle_path(&self, digest: &Sha256) -> PathBuf {
        self.folder.join(format!("{digest}.bundle"))
    }

    /// Where it is kept when release files first held which version.
    pub fn seen_path(&self) -> PathBuf {
        self.folder.join("seen")
    }

    /// Keeps others from making a new snapshot meanwhile, so that no import is lost to another.
    pub fn lock(&self) -> Result<FileLock> {
        host::create_dirs(&self.folder)?;
        FileLock::exclusive(&self.folder.join("lock"))
    }

    /// Which snapshot is asked if nobody says; `None` where nothing was imported yet.
    pub fn current(&self) -> Result<Option<Current>> {
        let path = self.folder.join("current");
        if !host::exists(&path) {
            return Ok(None);
        }
        let current = serde_json::from_slice(&host::read(&path)?);
        current.map(Some).map_err(|error| {
            Problem::new(codes::BAD_SNAPSHOT, format!("`{}` can't be read", path.display()))
                .found(error)
                .help("import the feeds again: `hardpan advisories import --replace FILE…`")
                .into()
        })
    }

    /// Opens the current snapshot.
    pub fn open_current(&self) -> Result<(Snapshot, Current)> {
        let current = self.current()?.ok_or_else(|| {
            Problem::new(codes::NO_ADVISORIES, "no snapshot of advisories is there: nothing was imported yet")
                .help("`hardpan advisories import FILE…` reads feeds, `hardpan advisories derive` changelogs")
        })?;
        Ok((self.open(&current.digest)?, current))
    }

    /// Opens a snapshot by its digest. One that was touched since it was made is hashed again.
    pub fn open(&self, digest: &Sha256) -> Result<Snapshot> {
        let path = self.path(digest);
        if !host::is_file(&path) {
            let what = format!("there is no snapshot of advisories {digest} in the store");
            return Err(Problem::new(codes::NO_ADVISORIES, what)
                .help("`hardpan advisories list` shows what is there")
                .into());
        }
        let file = host::open(&path)?;
        if host::stamped(&path).is_none() {
            let found = digest_of(host::open(&path)?, &path)?;
            if found != *digest {
                let what = format!("the snapshot of advisories {digest} was changed");
                return Err(Problem::new(codes::BAD_SNAPSHOT, what)
                    .found(format!("sha256 {found}"))
                    .help("import the feeds again: `hardpan advisories import --replace FILE…`")
                    .into());
            }
            host::set_used(&file, &path)?;
        }
        Snapshot::open(file, *digest)
    }

    /// Opens what `--advisories` names: a digest, with or without `sha256:`, or a file.
    pub fn open_named(&self, name: &str) -> Result<Snapshot> {
        match name.strip_prefix("sha256:").unwrap_or(name).parse() {
            Ok(digest) => self.open(&digest),
            Err(_) => open_file(Path::new(name)),
        }
    }

    /// Takes in a snapshot that was written: its digest.
    pub(super) fn put(&self, mut scratch: Scratch, digest: &Sha256) -> Result<()> {
        let path = self.path(digest);
        host::set_used(scratch.file(), &path)?;
        scratch.persist(&path)
    }

    /// Takes in a snapshot that lies elsewhere.
    pub fn adopt(&self, snapshot: &Snapshot) -> Result<()> {
        let path = self.path(&snapshot.digest());
        let mut scratch = self.scratch()?;
        let mut reader = HashReader::new(snapshot.bytes()?);
        let copied = std::io::copy(&mut reader, scratch.file());
        copied.map_err(|error| host::file_problem("writing", &path, &error))?;
        // Its file may have changed since it was opened; what is kept here must not.
        let (found, _) = reader.finish();
        if found != snapshot.digest() {
            let what = format!("the snapshot of advisories {} changed while it was read", snapshot.digest());
            return Err(Problem::new(codes::BAD_SNAPSHOT, what).found(format!("sha256 {found}")).into());
        }
        self.put(scratch, &found)
    }

    /// The digests of all snapshots that are here, sorted.
    pub fn list(&self) -> Result<Vec<Sha256>> {
        let paths = host::list(&self.folder)?;
        Ok(paths.iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect())
    }

    /// A file to write a snapshot to.
    pub(super) fn scratch(&self) -> Result<Scratch> {
        host::create_dirs(&self.folder)?;
        Scratch::in_folder(&self.folder)
    }

    /// Signs a snapshot.
    pub fn sign(&self, snapshot: &Snapshot, signer: &dyn Signer) -> Result<()> {
        let digest = snapshot.digest();
        let subject = Subject::new("advisories", &BlobDigest(digest));
        let statement = write_statement(&[subject], PREDICATE, &canon::to_json(snapshot.head()));
        host::write_atomic(&self.bundle_path(&digest), &signer.bundle(PAYLOAD_TYPE, &statement)?)
    }

    /// Makes a snapshot the one that is asked.
    pub fn set_current(&self, digest: Sha256, imported_at: Epoch) -> Result<()> {
        let current = Current { digest, imported_at };
        host::write_atomic(&self.folder.join("current"), &canon::to_json(&current))
    }

    /// Who signed a snapshot. A signature that does not verify, or is about something else, is a problem; that
    /// there is none is for the caller to judge.
    pub fn signed_by(&self, digest: &Sha256, keys: Option<&Keys>) -> Result<SignedBy> {
        let path = self.bundle_path(digest);
        if !host::is_file(&path) {
            return Ok(SignedBy::Nobody);
        }
        check_bundle(&host::read(&path)?, digest, keys)
    }
}

/// Opens a snapshot in a file; it is named by what its bytes are.
pub fn open_file(path: &Path) -> Result<Snapshot> {
    if !host::is_file(path) {
        let what = format!("there is no snapshot of advisories `{}`", path.display());
        return Err(Problem::new(codes::NO_ADVISORIES, what)
            .expected("the digest of a snapshot, or a file that `hardpan advisories export` wrote")
            .into());
    }
    let digest = digest_of(host::open(path)?, path)?;
    Snapshot::open(host::open(path)?, digest)
}

/// Who signed the snapshot of a digest, by a bundle that lies anywhere.
pub fn check_bundle(bytes: &[u8], digest: &Sha256, keys: Option<&Keys>) -> Result<SignedBy> {
    let bundle = Bundle::parse(bytes)?;
    if bundle.payload_type() != PAYLOAD_TYPE {
        let what = format!("the signature beside the snapshot {digest} is over no statement");
        return Err(Problem::new(codes::BAD_SNAPSHOT, what).expected(PAYLOAD_TYPE).into());
    }
    let Some(keys) = keys else { return Ok(SignedBy::Unverified) };
    let by = keys.verify(&bundle)?;
    let wrong = |found: String| {
        Problem::new(
            codes::BAD_SNAPSHOT,
            format!("the signature beside the snapshot {digest} is not about it"),
        )
        .found(found)
        .help("take snapshot and signature from the same place, or sign again: `hardpan advisories sign`")
    };
    let statement = Statement::parse(bundle.payload()).map_err(wrong)?;
    if statement.predicate_type != PREDICATE {
        return Err(wrong(statement.predicate_type).expected(PREDICATE).into());
    }
    if !statement.is_about(&BlobDigest(*digest)) {
        let subject = statement.subject.first().and_then(Subject::sha256);
        return Err(wrong(subject.map_or_else(|| "no digest".to_owned(), |digest| digest.to_string())).into());
    }
    Ok(SignedBy::Trusted(by))
}

pub(super) fn digest_of(file: File, path: &Path) -> Result<Sha256> {
    let mut reader = HashReader::new(std::io::BufReader::with_capacity(1 << 18, file));
    let read = std::io::copy(&mut reader, &mut std::io::sink());
    read.map_err(|error| host::file_problem("reading", path, &error))?;
    Ok(reader.finish().0)
}
