//! Records on their way into a snapshot: their bytes in a file without a name, and in memory only where.
//!
//! A feed may hold a million records in any order, and groups need them sorted. What is kept of each in memory is
//! some thirty bytes and its key once; the bytes are read back when their group is written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

use super::group::{WireAffected, WireFact};
use super::record::Ecosystem;
use super::snapshot::package_key;
use crate::canon;
use crate::diag::Result;
use crate::host::{self, Scratch};
use crate::ident::CveId;

/// A record in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Which key: an index of [`Spool::key`].
    pub(super) key: u32,
    /// Which feed, in the order in which feeds were begun.
    pub(super) feed: u16,
    at: u64,
    length: u32,
}

/// What was taken in so far.
#[derive(Debug)]
pub(super) struct Spool {
    out: BufWriter<File>,
    // Holds the file until all was read back.
    _scratch: Scratch,
    at: u64,
    numbers: HashMap<Box<str>, u32>,
    keys: Vec<Box<str>>,
    /// Statements about packages, by package.
    pub(super) packages: Vec<Row>,
    /// What is known of vulnerabilities, by name.
    pub(super) facts: Vec<Row>,
    /// Which vulnerability names which package.
    pub(super) mentions: Vec<(u32, u32)>,
}

impl Spool {
    pub(super) fn new(mut scratch: Scratch) -> Result<Self> {
        let file = scratch.file().try_clone();
        let file = file.map_err(|error| failed(&error))?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 18, file),
            _scratch: scratch,
            at: 0,
            numbers: HashMap::new(),
            keys: Vec::new(),
            packages: Vec::new(),
            facts: Vec::new(),
            mentions: Vec::new(),
        })
    }

    fn number(&mut self, key: &str) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = u32::try_from(self.keys.len()).expect("limits of counts are far below");
        self.numbers.insert(key.into(), number);
        self.keys.push(key.into());
        number
    }

    /// A key by its number.
    pub(super) fn key(&self, number: u32) -> &str {
        &self.keys[number as usize]
    }

    fn write(&mut self, key: u32, feed: u16, bytes: &[u8]) -> Result<Row> {
        self.out.write_all(bytes).map_err(|error| failed(&error))?;
        let length = u32::try_from(bytes.len()).expect("a record is bounded");
        let row = Row { key, feed, at: self.at, length };
        self.at += bytes.len() as u64;
        Ok(row)
    }

    /// Takes a statement about a package in.
    pub(super) fn affected(
        &mut self,
        feed: u16,
        ecosystem: &Ecosystem,
        package: &str,
        wire: &WireAffected,
    ) -> Result<()> {
        let key = self.number(&package_key(ecosystem, package));
        let about = self.number(&name(&wire.id, wire.cve()));
        let row = self.write(key, feed, &canon::sorted_to_json(wire))?;
        self.packages.push(row);
        self.mentions.push((about, key));
        Ok(())
    }

    /// Takes in what is known of a vulnerability.
    pub(super) fn fact(&mut self, feed: u16, key: &str, wire: &WireFact) -> Result<()> {
        let key = self.number(key);
        let row = self.write(key, feed, &canon::sorted_to_json(wire))?;
        self.facts.push(row);
        Ok(())
    }

    /// Ends the writing: from now on rows are read.
    pub(super) fn end(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| failed(&error).into())
    }

    /// The bytes of a row.
    pub(super) fn read(&self, row: &Row) -> Result<Vec<u8>> {
        let mut bytes = vec![0; row.length as usize];
        let read = self.out.get_ref().read_exact_at(&mut bytes, row.at);
        read.map_err(|error| failed(&error))?;
        Ok(bytes)
    }
}

/// What a vulnerability is called in a snapshot: by its CVE, else as its feed does.
pub(super) fn name(id: &str, cve: Option<CveId>) -> String {
    cve.map_or_else(|| id.to_owned(), |cve| cve.to_string())
}

fn failed(error: &io::Error) -> crate::diag::Problem {
    host::file_problem("keeping records in", std::path::Path::new("the store's folder advisories"), error)
}
