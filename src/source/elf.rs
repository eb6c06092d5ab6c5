//! What an ELF file needs to run (System V ABI, "Dynamic Section"; ELF-64 object file format).

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef, StringTable};
use serde::{Deserialize, Serialize};

/// The dynamic section of an ELF file, as far as a loader looks for other files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ElfInfo {
    /// The machine (`e_machine`).
    pub machine: u16,
    /// Whether it is of the 64-bit class.
    pub wide: bool,
    /// The name by which others need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// The names of what it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed: Vec<String>,
    /// Where it wants these looked for first: RUNPATH, else RPATH.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runpath: Vec<String>,
    /// Its loader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
}

/// Names longer than this are no honest library's.
const MAX_NAME: usize = 4096;

/// Reads what an ELF file needs. A file that has the magic but does not read as ELF, or is not
/// dynamic, needs nothing that hardpan could see: `None`.
pub(super) fn read<'a, R: ReadRef<'a>>(data: R) -> Option<ElfInfo> {
    let class = data.read_bytes_at(4, 1).ok()?[0];
    if class == elf::ELFCLASS64.0 {
        inspect::<FileHeader64<Endianness>, R>(data, true)
    } else if class == elf::ELFCLASS32.0 {
        inspect::<FileHeader32<Endianness>, R>(data, false)
    } else {
        None
    }
}

fn inspect<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(data: R, wide: bool) -> Option<ElfInfo> {
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    if !matches!(header.e_type(endian), elf::ET_DYN | elf::ET_EXEC) {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let mut info = ElfInfo { machine: header.e_machine(endian).0, wide, ..ElfInfo::default() };
    info.interpreter = segments
        .iter()
        .find_map(|segment| segment.interpreter(endian, data).ok().flatten())
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten());
    let Some(dynamic) = dynamic else { return Some(info) };
    let value = |tag: elf::DynamicTag| {
        dynamic.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.d_val(endian).into())
    };
    let (address, size) = (value(elf::DT_STRTAB)?, value(elf::DT_STRSZ)?);
    let start = offset_of::<H>(endian, segments, address)?;
    let strings = StringTable::new(data, start, start.checked_add(size)?);
    let text = |entry: &H::Dyn| {
        let at = u32::try_from(entry.d_val(endian).into()).ok()?;
        let bytes = strings.get(at).ok().filter(|bytes| bytes.len() <= MAX_NAME)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let all = |tag: elf::DynamicTag| dynamic.iter().filter(move |entry| entry.tag(endian) == tag);
    info.needed = all(elf::DT_NEEDED).filter_map(text).collect();
    info.soname = all(elf::DT_SONAME).find_map(text);
    let paths = all(elf::DT_RUNPATH).find_map(text).or_else(|| all(elf::DT_RPATH).find_map(text));
    info.runpath = paths
        .iter()
        .flat_map(|paths| paths.split(':'))
        .filter(|path| !path.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    Some(info)
}

/// Where in the file a virtual address is.
fn offset_of<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[H::ProgramHeader],
    address: u64,
) -> Option<u64> {
    segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let size: u64 = segment.p_filesz(endian).into();
        let inside = address.checked_sub(start).filter(|inside| *inside < size)?;
        let offset: u64 = segment.p_offset(endian).into();
        offset.checked_add(inside)
    })
}
