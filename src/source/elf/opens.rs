//! What a program opens at run time, as far as it says or shows: notes of the kind "FDO" that list
//! libraries (the specification "ELF notes for dlopen metadata"), and calls of functions that are
//! known to open files.

use std::collections::BTreeSet;

use object::elf::{NoteType, SHT_DYNSYM};
use object::read::elf::{FileHeader, ProgramHeader as _, Sym as _};
use object::{Endianness, ReadRef};
use serde::{Deserialize, Serialize};

/// Functions whose callers open files that no header names; `layer/dlopen.rs` says which.
pub const TELLING: &[&str] = &["backtrace", "iconv_open", "pthread_cancel", "pthread_exit"];

/// The type of the notes (`NT_FDO_DLOPEN_METADATA`).
const DLOPEN: NoteType = NoteType(0x407c_0c0a);

/// More is no honest program's.
const MAX_NOTES: usize = 256;

/// What a program says that it opens: one feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenNote {
    /// The libraries, any of which serves, the best first.
    pub soname: Vec<String>,
    /// What they are for.
    #[serde(default)]
    pub feature: String,
    /// Whether it works without.
    #[serde(default)]
    pub priority: Priority,
}

/// How much a program needs what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// It does not work without.
    Required,
    /// What is not said counts as this, as the specification has it.
    #[default]
    Recommended,
    /// Something rare.
    Suggested,
}

/// The functions of [`TELLING`] that the file takes from libraries.
pub(super) fn calls<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    header: &H,
    endian: Endianness,
    data: R,
) -> BTreeSet<String> {
    let read = || {
        let sections = header.sections(endian, data).ok()?;
        let symbols = sections.symbols(endian, data, SHT_DYNSYM).ok()?;
        let wanted = symbols.iter().filter(|symbol| symbol.is_undefined(endian));
        let names = wanted.filter_map(|symbol| symbol.name(endian, symbols.strings()).ok());
        let names = names.filter_map(|name| TELLING.iter().find(|known| known.as_bytes() == name));
        Some(names.map(|name| (*name).to_owned()).collect())
    };
    read().unwrap_or_default()
}

/// The notes about what the program opens. One that does not read is passed over: it is metadata.
pub(super) fn notes<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    segments: &[H::ProgramHeader],
    endian: Endianness,
    data: R,
) -> Vec<OpenNote> {
    let mut found = Vec::new();
    for segment in segments {
        let Ok(Some(mut notes)) = segment.notes(endian, data) else { continue };
        while let Ok(Some(note)) = notes.next() {
            if note.name() == b"FDO" && note.n_type(endian) == DLOPEN {
                let text = note.desc().split(|byte| *byte == 0).next().unwrap_or_default();
                found.extend(serde_json::from_slice::<Vec<OpenNote>>(text).unwrap_or_default());
            }
        }
    }
    found.truncate(MAX_NOTES);
    found
}
