//! From a spool to a snapshot: groups in the order of their keys, in blocks, with the tables behind them.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use super::feed::Head;
use super::record::Ecosystem;
use super::shelf::Shelf;
use super::snapshot::{BLOCK_ROW, FOOTER, MAGIC, ROW, VERSION, short};
use super::spool::{Row, Spool};
use crate::canon::{self, Framer, HashWriter};
use crate::diag::Result;
use crate::host;
use crate::ident::Sha256;

/// A block is ended by the group with which it reaches so many bytes: one question unpacks one block.
const BLOCK: usize = 48 << 10;

/// A row of one of the two tables of groups.
struct Placed {
    short: u64,
    block: u32,
    offset: u32,
    length: u32,
}

struct Writer<W: Write> {
    out: HashWriter<W>,
    at: u64,
    framer: Framer,
    block: Vec<u8>,
    blocks: Vec<(u64, u32, u32)>,
}

impl<W: Write> Writer<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.at;
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(at)
    }

    fn group(&mut self, key: &str, bytes: &[u8]) -> io::Result<Placed> {
        let number =
            |length: usize| u32::try_from(length).map_err(|_| io::Error::other("a group is too large"));
        let placed = Placed {
            short: short(key),
            block: number(self.blocks.len())?,
            offset: number(self.block.len())?,
            length: number(bytes.len())?,
        };
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK {
            self.end_block()?;
        }
        Ok(placed)
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        let (at, packed, unpacked) = self.frame(&block)?;
        self.blocks.push((at, packed, unpacked));
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8]) -> io::Result<(u64, u32, u32)> {
        let number =
            |length: usize| u32::try_from(length).map_err(|_| io::Error::other("a block is too large"));
        let packed = self.framer.frame(bytes)?;
        Ok((self.put(&packed)?, number(packed.len())?, number(bytes.len())?))
    }

    fn table(&mut self, mut rows: Vec<Placed>) -> io::Result<(u64, u32)> {
        rows.sort_unstable_by_key(|row| (row.short, row.block, row.offset));
        let mut bytes = Vec::with_capacity(rows.len() * ROW);
        for row in &rows {
            bytes.extend(row.short.to_be_bytes());
            for field in [row.block, row.offset, row.length] {
                bytes.extend(field.to_be_bytes());
            }
        }
        Ok((self.put(&bytes)?, count(rows.len())))
    }

    fn finish(mut self, head: &Head, packages: Vec<Placed>, facts: Vec<Placed>) -> io::Result<(W, Sha256)> {
        let head = self.frame(&canon::to_json(head))?;
        let mut rows = Vec::with_capacity(self.blocks.len() * BLOCK_ROW);
        for (at, packed, unpacked) in std::mem::take(&mut self.blocks) {
            rows.extend(at.to_be_bytes());
            rows.extend(packed.to_be_bytes());
            rows.extend(unpacked.to_be_bytes());
        }
        let blocks = (self.put(&rows)?, count(rows.len() / BLOCK_ROW));
        let tables = [blocks, self.table(packages)?, self.table(facts)?];
        let mut footer = Vec::with_capacity(FOOTER);
        footer.extend(head.0.to_be_bytes());
        footer.extend(head.1.to_be_bytes());
        footer.extend(head.2.to_be_bytes());
        for (at, rows) in tables {
            footer.extend(at.to_be_bytes());
            footer.extend(rows.to_be_bytes());
        }
        footer.extend(VERSION.to_be_bytes());
        footer.extend(MAGIC);
        self.put(&footer)?;
        let (out, digest, _) = self.out.finish();
        Ok((out, digest))
    }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("limits of counts are far below")
}

/// Writes a snapshot of all that a spool holds and puts it on the shelf: its digest. `places` says where each
/// feed of the spool stands in the head.
pub(super) fn compose(shelf: &Shelf, spool: &mut Spool, mut head: Head, places: &[usize]) -> Result<Sha256> {
    spool.end()?;
    let mut scratch = shelf.scratch()?;
    let failed = |error: io::Error| host::file_problem("writing", &shelf.path(&Sha256([0; 32])), &error);
    let out = HashWriter::new(BufWriter::with_capacity(1 << 18, scratch.file()));
    let framer = Framer::new().map_err(failed)?;
    let mut writer = Writer { out, at: 0, framer, block: Vec::new(), blocks: Vec::new() };
    writer.put(MAGIC).map_err(failed)?;
    let packages = groups(spool, &spool.packages, places, &mut |key, records| {
        writer
            .group(key, &group(&[("affected", records), ("key", &canon::to_json(&key))]))
            .map_err(|error| failed(error).into())
    })?;
    writer.end_block().map_err(failed)?;
    let mentions = mentions(spool);
    let facts = groups(spool, &spool.facts, places, &mut |key, records| {
        let named = canon::to_json(&mentioned(spool, &mentions, key));
        let fields = [("facts", records), ("key", &canon::to_json(&key)), ("packages", &named)];
        writer.group(key, &group(&fields)).map_err(|error| failed(error).into())
    })?;
    writer.end_block().map_err(failed)?;
    head.covers = covered(spool, &head, places);
    head.packages = packages.len() as u64;
    head.vulnerabilities = facts.len() as u64;
    let (mut out, digest) = writer.finish(&head, packages, facts).map_err(failed)?;
    out.flush().map_err(failed)?;
    drop(out);
    shelf.put(scratch, &digest)?;
    Ok(digest)
}

/// The ecosystems of which a feed that can say what is open says anything.
fn covered(spool: &Spool, head: &Head, places: &[usize]) -> BTreeSet<Ecosystem> {
    let telling = |row: &&Row| head.feeds[places[usize::from(row.feed)]].kind.tells_what_is_open();
    let keys = spool.packages.iter().filter(telling).map(|row| spool.key(row.key));
    let names: BTreeSet<&str> = keys.filter_map(|key| Some(key.split_once('\n')?.0)).collect();
    names.into_iter().filter_map(|name| name.parse().ok()).collect()
}

/// An object of which each value is JSON already; the names are in their order.
fn group(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(if bytes.is_empty() { b'{' } else { b',' });
        bytes.extend(canon::to_json(name));
        bytes.push(b':');
        bytes.extend_from_slice(value);
    }
    bytes.push(b'}');
    bytes
}

/// Hands over each key with the array of its records, in the order of keys.
fn groups(
    spool: &Spool,
    rows: &[Row],
    places: &[usize],
    write: &mut dyn FnMut(&str, &[u8]) -> Result<Placed>,
) -> Result<Vec<Placed>> {
    let mut order: Vec<&Row> = rows.iter().collect();
    order.sort_by(|a, b| spool.key(a.key).cmp(spool.key(b.key)));
    let mut placed = Vec::new();
    for same in order.chunk_by(|a, b| a.key == b.key) {
        // Whatever order they came in, the bytes are the same.
        let mut records = Vec::with_capacity(same.len());
        for row in same {
            records.push((places[usize::from(row.feed)], spool.read(row)?));
        }
        records.sort();
        records.dedup();
        let mut bytes = Vec::new();
        for (feed, record) in records {
            bytes.push(if bytes.is_empty() { b'[' } else { b',' });
            bytes.extend(format!("[{feed},").bytes());
            bytes.extend(record);
            bytes.push(b']');
        }
        bytes.push(b']');
        placed.push(write(spool.key(same[0].key), &bytes)?);
    }
    Ok(placed)
}

/// Which vulnerability names which package, sorted, each pair once.
fn mentions(spool: &Spool) -> Vec<(u32, u32)> {
    let mut mentions = spool.mentions.clone();
    mentions.sort_unstable_by(|a, b| {
        let by_name = spool.key(a.0).cmp(spool.key(b.0));
        by_name.then_with(|| spool.key(a.1).cmp(spool.key(b.1)))
    });
    mentions.dedup();
    mentions
}

fn mentioned<'a>(spool: &'a Spool, mentions: &[(u32, u32)], key: &str) -> Vec<(&'a str, &'a str)> {
    let start = mentions.partition_point(|(about, _)| spool.key(*about) < key);
    let same = mentions[start..].iter().take_while(|(about, _)| spool.key(*about) == key);
    same.filter_map(|(_, package)| spool.key(*package).split_once('\n')).collect()
}
