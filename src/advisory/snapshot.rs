//! Snapshots: one file that answers "what is known of this package" without reading the rest of it.
//!
//! ```text
//! "hpadvise"                                       magic
//! block*        zstd frames of groups, one behind the other; a group is canonical JSON
//!                 of a package         {"affected":[…],"key":"Debian:13\nopenssl"}
//!                 of a vulnerability   {"facts":[…],"key":"CVE-2026-9999","packages":[["Debian:13","openssl"],…]}
//! head          a zstd frame: canonical JSON of [`Head`]
//! blocks        16 bytes a block: where it is (8), its length (4), and that of what it holds (4)
//! packages      20 bytes a group, sorted: the first 8 of its key's SHA-256, block, offset, length (4 each)
//! facts         the same for vulnerabilities
//! footer        64 bytes: where head, blocks, packages and facts are, how many; version; magic
//! ```
//!
//! Numbers are big-endian. Groups stand in the order of their keys and are looked up by halving in the two
//! tables, straight in the file: a question costs some twenty small reads and one block. The file is named by
//! its SHA-256; who opens it compares that first ([`super::Shelf`]). All the same nothing in it is
//! believed: each offset and length is bounded before it is followed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex};

use super::feed::Head;
use super::group::{FactGroup, Known, PackageGroup, Said};
use super::names::package_name;
use super::record::Ecosystem;
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::ident::{CveId, Sha256};

/// The first and the last eight bytes.
pub(super) const MAGIC: &[u8; 8] = b"hpadvise";

/// The version of the form. Changing the form changes this and the digest of every snapshot.
pub(super) const VERSION: u32 = 2;

/// Bytes of the footer.
pub(super) const FOOTER: usize = 64;

/// Bytes of a row of the table of blocks.
pub(super) const BLOCK_ROW: usize = 16;

/// Bytes of a row of the other tables.
pub(super) const ROW: usize = 20;

/// The most that a block or the head may hold, in bytes.
const MAX_BLOCK: u32 = 256 << 20;

/// The most blocks.
const MAX_BLOCKS: u32 = 1 << 24;

/// Blocks that are kept unpacked: neighbouring questions fall into the same ones.
const KEPT: usize = 16;

/// The first eight bytes of a key's digest, by which groups are found.
pub(super) fn short(key: &str) -> u64 {
    u64::from_be_bytes(Sha256::of(key.as_bytes()).0[..8].try_into().expect("eight bytes"))
}

/// The key of a package's group: what is kept and what is asked for go through here, so that both are spelled alike.
pub(super) fn package_key(ecosystem: &Ecosystem, package: &str) -> String {
    format!("{ecosystem}\n{}", package_name(ecosystem, package))
}

/// Where a table is, and how many rows it has.
#[derive(Debug, Clone, Copy)]
struct Table {
    at: u64,
    rows: u32,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    at: u64,
    packed: u32,
    unpacked: u32,
}

/// Where a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    block: u32,
    offset: u32,
    length: u32,
}

type Kept = HashMap<u32, Arc<Vec<u8>>>;

/// A snapshot that can be asked.
#[derive(Debug)]
pub struct Snapshot {
    file: File,
    digest: Sha256,
    head: Head,
    blocks: Vec<Block>,
    packages: Table,
    facts: Table,
    kept: Mutex<Kept>,
}

impl Snapshot {
    /// Opens a file whose digest the caller has compared.
    pub fn open(file: File, digest: Sha256) -> Result<Self> {
        Self::read(file, digest).map_err(|error| damaged(&digest, &error).into())
    }

    fn read(file: File, digest: Sha256) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut footer = [0; FOOTER];
        let at = length.checked_sub(FOOTER as u64).ok_or_else(|| broken("it is too short"))?;
        file.read_exact_at(&mut footer, at)?;
        if footer[FOOTER - 8..] != MAGIC[..] {
            return Err(broken("it is no snapshot of advisories"));
        }
        let mut fields = Fields(&footer);
        let (head_at, packed, unpacked) = (fields.long(), fields.short(), fields.short());
        let [blocks, packages, facts] =
            std::array::from_fn(|_| Table { at: fields.long(), rows: fields.short() });
        let version = fields.short();
        if version != VERSION {
            return Err(broken(&format!(
                "it is of version {version}, and this hardpan reads version {VERSION}"
            )));
        }
        let head = unpack(&file, Block { at: head_at, packed, unpacked })?;
        let head = serde_json::from_slice(&head)?;
        let blocks = read_blocks(&file, blocks)?;
        Ok(Self { file, digest, head, blocks, packages, facts, kept: Mutex::default() })
    }

    /// Its digest, which stands in every report.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// What it was made from, and when.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// All that the feeds say of a package (a source package, for Debian), one a vulnerability: where several
    /// feeds speak of the same, the tracker goes before OSV, and OSV before changelogs.
    pub fn affecting(&self, ecosystem: &Ecosystem, package: &str) -> Result<Vec<Said>> {
        let key = package_key(ecosystem, package);
        let group: Option<PackageGroup> = self.group(self.packages, &key)?;
        let package = package_name(ecosystem, package);
        let said = group.map(|group| group.read(ecosystem, &package, &self.head)).transpose();
        Ok(said.map_err(|why| damaged(&self.digest, &broken(&why)))?.unwrap_or_default())
    }

    /// What is known of a vulnerability by itself: severity, exploitation, dates, and which packages are named.
    pub fn about(&self, cve: CveId) -> Result<Option<Known>> {
        self.about_id(&cve.to_string())
    }

    /// The same for what has no CVE, by its feed's own name (`TEMP-…`, `GHSA-…`).
    pub fn about_id(&self, id: &str) -> Result<Option<Known>> {
        let group: Option<FactGroup> = self.group(self.facts, id)?;
        Ok(group.map(|group| group.read(&self.head)))
    }

    /// Its bytes, from the beginning.
    pub fn bytes(&self) -> Result<impl io::Read + use<>> {
        let whole = self.file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        Ok(io::BufReader::with_capacity(1 << 18, whole.map_err(|error| damaged(&self.digest, &error))?))
    }

    /// Reads all of it, and holds that it fits together: how many groups it has.
    pub fn check(&self) -> Result<u64> {
        let mut groups = 0;
        let bad = |why: &str| damaged(&self.digest, &broken(why));
        self.each_package(&mut |group| {
            groups += 1;
            let (ecosystem, package) = group.key.split_once('\n').ok_or_else(|| bad("a key is none"))?;
            let ecosystem: Ecosystem = ecosystem.parse().map_err(|why: String| bad(&why))?;
            let package = package.to_owned();
            group.read(&ecosystem, &package, &self.head).map(drop).map_err(|why| bad(&why).into())
        })?;
        self.each_fact(&mut |_| {
            groups += 1;
            Ok(())
        })?;
        let said = self.head.packages + self.head.vulnerabilities;
        if groups == said { Ok(groups) } else { Err(bad("it has not as many groups as it says").into()) }
    }

    /// Hands over the key and bytes of each group of packages, in the order of their keys.
    pub(super) fn each_package(&self, take: &mut dyn FnMut(PackageGroup) -> Result<()>) -> Result<()> {
        self.each(self.packages, take)
    }

    /// The same for vulnerabilities.
    pub(super) fn each_fact(&self, take: &mut dyn FnMut(FactGroup) -> Result<()>) -> Result<()> {
        self.each(self.facts, take)
    }

    fn each<G: serde::de::DeserializeOwned>(
        &self,
        table: Table,
        take: &mut dyn FnMut(G) -> Result<()>,
    ) -> Result<()> {
        let rows: io::Result<Vec<Place>> = (0..table.rows).map(|row| Ok(self.row(table, row)?.1)).collect();
        let mut rows = rows.map_err(|error| damaged(&self.digest, &error))?;
        rows.sort_unstable();
        for place in rows {
            let group = self.at(place).map_err(|error| damaged(&self.digest, &error))?;
            take(group)?;
        }
        Ok(())
    }

    fn group<G: serde::de::DeserializeOwned + HasKey>(&self, table: Table, key: &str) -> Result<Option<G>> {
        self.find(table, key).map_err(|error| damaged(&self.digest, &error).into())
    }

    fn find<G: serde::de::DeserializeOwned + HasKey>(
        &self,
        table: Table,
        key: &str,
    ) -> io::Result<Option<G>> {
        let wanted = short(key);
        let (mut low, mut high) = (0, table.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(table, middle)?.0 < wanted { low = middle + 1 } else { high = middle }
        }
        // Keys whose digests begin alike stand beside each other.
        for row in low..table.rows {
            let (found, place) = self.row(table, row)?;
            if found != wanted {
                break;
            }
            let group: G = self.at(place)?;
            if group.key() == key {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    fn row(&self, table: Table, row: u32) -> io::Result<(u64, Place)> {
        let mut bytes = [0; ROW];
        let at =
            table.at.checked_add(u64::from(row) * ROW as u64).ok_or_else(|| broken("a table is beyond"))?;
        self.file.read_exact_at(&mut bytes, at)?;
        let mut fields = Fields(&bytes);
        let key = fields.long();
        Ok((key, Place { block: fields.short(), offset: fields.short(), length: fields.short() }))
    }

    fn at<G: serde::de::DeserializeOwned>(&self, place: Place) -> io::Result<G> {
        let block = self.block(place.block)?;
        let start = place.offset as usize;
        let bytes = start.checked_add(place.length as usize).and_then(|end| block.get(start..end));
        Ok(serde_json::from_slice(bytes.ok_or_else(|| broken("a group is beyond its block"))?)?)
    }

    fn block(&self, number: u32) -> io::Result<Arc<Vec<u8>>> {
        if let Some(block) = self.kept.lock().expect("nobody panics with it").get(&number) {
            return Ok(Arc::clone(block));
        }
        let block = self.blocks.get(number as usize).ok_or_else(|| broken("a block is missing"))?;
        let bytes = Arc::new(unpack(&self.file, *block)?);
        let mut kept = self.kept.lock().expect("nobody panics with it");
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(number, Arc::clone(&bytes));
        Ok(bytes)
    }
}

/// A group knows its own key.
pub(super) trait HasKey {
    /// The key by which it is found.
    fn key(&self) -> &str;
}

fn read_blocks(file: &File, table: Table) -> io::Result<Vec<Block>> {
    if table.rows > MAX_BLOCKS {
        return Err(broken("it has too many blocks"));
    }
    let mut bytes = vec![0; table.rows as usize * BLOCK_ROW];
    file.read_exact_at(&mut bytes, table.at)?;
    let mut fields = Fields(&bytes);
    Ok((0..table.rows)
        .map(|_| Block { at: fields.long(), packed: fields.short(), unpacked: fields.short() })
        .collect())
}

fn unpack(file: &File, block: Block) -> io::Result<Vec<u8>> {
    if block.packed > MAX_BLOCK || block.unpacked > MAX_BLOCK {
        return Err(broken("a block is too large"));
    }
    // The end is looked at first, so that a length which lies makes no room for itself.
    let end = block.at.checked_add(u64::from(block.packed));
    if end.is_none_or(|end| file.metadata().is_ok_and(|facts| end > facts.len())) {
        return Err(broken("a block is beyond its end"));
    }
    let mut packed = vec![0; block.packed as usize];
    file.read_exact_at(&mut packed, block.at)?;
    canon::unframe(&packed, block.unpacked as usize)
}

/// Big-endian numbers, one behind the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn long(&mut self) -> u64 {
        let (first, rest) = self.0.split_at(8);
        self.0 = rest;
        u64::from_be_bytes(first.try_into().expect("eight bytes"))
    }

    fn short(&mut self) -> u32 {
        let (first, rest) = self.0.split_at(4);
        self.0 = rest;
        u32::from_be_bytes(first.try_into().expect("four bytes"))
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn damaged(digest: &Sha256, error: &io::Error) -> Problem {
    Problem::new(codes::BAD_SNAPSHOT, format!("the snapshot of advisories {digest} can't be read"))
        .found(error)
        .help("import the feeds again: `hardpan advisories import --replace FILE…`")
}
