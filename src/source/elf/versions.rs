//! Tables of symbol versions (System V ABI for Linux, "Symbol Versioning"): chains of records whose
//! links are offsets from the record that holds them. A chain that leads out of the file, or back to
//! where it was, ends the reading.

use std::collections::{BTreeMap, BTreeSet};

use object::ReadRef;

/// Longer chains are no honest library's.
const MAX_RECORDS: u64 = 65_536;

/// A version that may be missing (`VER_FLG_WEAK`).
const WEAK: u16 = 2;
/// The record that names the library itself (`VER_FLG_BASE`).
const BASE: u16 = 1;

/// What must be found, by library (`Elf64_Verneed`, `Elf64_Vernaux`).
pub(super) fn needed<'a>(
    data: impl ReadRef<'a>,
    start: u64,
    count: u64,
    name: impl Fn(u32) -> Option<String>,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let mut needed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut at = start;
    let mut left = MAX_RECORDS;
    for _ in 0..count.min(MAX_RECORDS) {
        let record: [u8; 16] = bytes(data, at)?;
        let own = needed.entry(name(word(&record, 4))?).or_default();
        let mut aux = at + u64::from(word(&record, 8));
        for _ in 0..half(&record, 2) {
            left = left.checked_sub(1)?;
            let record: [u8; 16] = bytes(data, aux)?;
            if half(&record, 4) & WEAK == 0 {
                own.insert(name(word(&record, 8))?);
            }
            let Some(step) = next(word(&record, 12)) else { break };
            aux += u64::from(step);
        }
        let Some(step) = next(word(&record, 12)) else { break };
        at += u64::from(step);
    }
    Some(needed)
}

/// What others find here (`Elf64_Verdef`, `Elf64_Verdaux`): the first name of each record.
pub(super) fn defined<'a>(
    data: impl ReadRef<'a>,
    start: u64,
    count: u64,
    name: impl Fn(u32) -> Option<String>,
) -> Option<BTreeSet<String>> {
    let mut defined = BTreeSet::new();
    let mut at = start;
    for _ in 0..count.min(MAX_RECORDS) {
        let record: [u8; 20] = bytes(data, at)?;
        if half(&record, 2) & BASE == 0 {
            let aux: [u8; 8] = bytes(data, at + u64::from(word(&record, 12)))?;
            defined.insert(name(word(&aux, 0))?);
        }
        let Some(step) = next(word(&record, 16)) else { break };
        at += u64::from(step);
    }
    Some(defined)
}

fn bytes<'a, const N: usize>(data: impl ReadRef<'a>, at: u64) -> Option<[u8; N]> {
    data.read_bytes_at(at, N as u64).ok()?.try_into().ok()
}

fn word(record: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(record[at..at + 4].try_into().expect("four bytes"))
}

fn half(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(record[at..at + 2].try_into().expect("two bytes"))
}

/// The last record of a chain says 0.
fn next(step: u32) -> Option<u32> {
    Some(step).filter(|step| *step > 0)
}
