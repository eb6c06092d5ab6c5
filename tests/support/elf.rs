//! Tiny ELF files (System V ABI, "Object Files"): what a loader reads, and no sections at all, as in
//! files that were stripped to the bone. Only a file that calls functions has the two sections that
//! name them.

/// Machine number of x86-64.
pub const X86_64: u16 = 62;
/// Machine number of 64-bit ARM.
pub const AARCH64: u16 = 183;

const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;

/// Whether a file is to be run or to be linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElfKind {
    /// An executable at a fixed address. Without interpreter and needs it really runs, and ends
    /// with status 0.
    Exec,
    /// A shared object, or a position-independent executable where it has an interpreter.
    Shared,
}

/// A 64-bit little-endian ELF file under construction.
#[derive(Debug, Clone)]
pub struct Elf {
    machine: u16,
    kind: ElfKind,
    interp: Option<String>,
    entries: Vec<(u64, String)>,
    /// Versions needed, each with the library that it is of.
    needed_versions: Vec<(String, String)>,
    /// Which of these may be missing, by their places.
    weak: Vec<usize>,
    versions: Vec<String>,
    note: Option<String>,
    calls: Vec<String>,
}

/// The parts whose places in the file depend on one another.
struct Plan {
    base: u64,
    interp: u64,
    strings: u64,
    dynamic: u64,
    code: u64,
    /// Where version tables and notes begin, one behind the other.
    needs: u64,
    has: u64,
    note: u64,
}

const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_VERDEF: u64 = 0x6fff_fffc;
const DT_VERDEFNUM: u64 = 0x6fff_fffd;
const DT_VERNEED: u64 = 0x6fff_fffe;
const DT_VERNEEDNUM: u64 = 0x6fff_ffff;

impl Elf {
    /// A file that needs nothing.
    pub fn new(machine: u16, kind: ElfKind) -> Self {
        Self {
            machine,
            kind,
            interp: None,
            entries: Vec::new(),
            needed_versions: Vec::new(),
            weak: Vec::new(),
            versions: Vec::new(),
            note: None,
            calls: Vec::new(),
        }
    }

    fn entry(mut self, tag: u64, text: &str) -> Self {
        self.entries.push((tag, text.into()));
        self
    }

    /// The name under which others need it.
    pub fn soname(self, name: &str) -> Self {
        self.entry(DT_SONAME, name)
    }

    /// One more library that it needs.
    pub fn needed(self, name: &str) -> Self {
        self.entry(DT_NEEDED, name)
    }

    /// Where it looks for libraries.
    pub fn runpath(self, path: &str) -> Self {
        self.entry(DT_RUNPATH, path)
    }

    /// Where it looks for libraries, the old way.
    pub fn rpath(self, path: &str) -> Self {
        self.entry(DT_RPATH, path)
    }

    /// A version of symbols that it must find in a library.
    pub fn needs_version(mut self, library: &str, version: &str) -> Self {
        self.needed_versions.push((library.into(), version.into()));
        self
    }

    /// A version of symbols that it uses if the library has it.
    pub fn may_need_version(mut self, library: &str, version: &str) -> Self {
        self.weak.push(self.needed_versions.len());
        self.needs_version(library, version)
    }

    /// A function that it takes from a library, named in a section as the linker would.
    pub fn calls(mut self, function: &str) -> Self {
        self.calls.push(function.into());
        self
    }

    /// A version of symbols that it has.
    pub fn has_version(mut self, version: &str) -> Self {
        self.versions.push(version.into());
        self
    }

    /// What it says that it opens at run time (JSON of the specification "ELF notes for dlopen
    /// metadata").
    pub fn opens(mut self, json: &str) -> Self {
        self.note = Some(json.into());
        self
    }

    /// The loader that runs it.
    pub fn interp(mut self, path: &str) -> Self {
        self.interp = Some(path.into());
        self
    }

    /// The bytes of the file.
    pub fn build(&self) -> Vec<u8> {
        let interp = self.interp.as_ref().map_or(Vec::new(), |path| [path.as_bytes(), b"\0"].concat());
        let (strings, offsets) = self.strings();
        let headers = 1
            + u64::from(self.interp.is_some())
            + u64::from(self.is_dynamic())
            + u64::from(self.note.is_some());
        let base = if self.kind == ElfKind::Exec { 0x40_0000 } else { 0 };
        let at = HEADER + headers * PROGRAM_HEADER;
        let after = at + interp.len() as u64;
        let dynamic = (after + strings.len() as u64).next_multiple_of(8);
        let code = dynamic + 16 * self.tag_count();
        let needs = (code + self.code().len() as u64).next_multiple_of(8);
        let (needed, had, noted) = (self.verneed(&offsets), self.verdef(&offsets), self.noted());
        let has = needs + needed.len() as u64;
        let note = has + had.len() as u64;
        let plan = Plan { base, interp: at, strings: after, dynamic, code, needs, has, note };
        let tags = self.dynamic(&plan, strings.len() as u64, &offsets);
        let size = note + noted.len() as u64;
        let sections = self.sections(size.next_multiple_of(8));
        let mut out = self.header(&plan, headers, sections.as_ref().map_or(0, |(at, _)| *at));
        out.extend(self.program_headers(&plan, size, tags.len() as u64));
        out.extend(interp);
        out.extend(strings);
        out.resize(usize::try_from(dynamic).expect("small"), 0);
        out.extend(tags);
        out.extend(self.code());
        out.resize(usize::try_from(needs).expect("small"), 0);
        out.extend([needed, had, noted].concat());
        if let Some((_, sections)) = sections {
            out.resize(out.len().next_multiple_of(8), 0);
            out.extend(sections);
        }
        out
    }

    /// Symbols (`Elf64_Sym`), their names, and the headers of both sections behind an empty one
    /// (`Elf64_Shdr`), for the place `at`; and where the headers begin.
    fn sections(&self, at: u64) -> Option<(u64, Vec<u8>)> {
        if self.calls.is_empty() {
            return None;
        }
        let mut names = vec![0];
        // The first symbol is none. The others are functions that others have (`STB_GLOBAL`, `STT_FUNC`).
        let mut symbols = vec![0; 24];
        for name in &self.calls {
            symbols.extend(word(names.len() as u64));
            symbols.extend([0x12, 0, 0, 0]);
            symbols.extend([0; 16]);
            names.extend(name.bytes().chain([0]));
        }
        names.resize(names.len().next_multiple_of(8), 0);
        let (first, second) = (symbols.len() as u64, names.len() as u64);
        let header = |kind: u64, at: u64, size: u64, link: u64, info: u64, each: u64| {
            let mut out = [word(0), word(kind)].concat();
            out.extend([0_u64, 0, at, size].map(u64::to_le_bytes).concat());
            out.extend([word(link), word(info)].concat());
            out.extend([1_u64, each].map(u64::to_le_bytes).concat());
            out
        };
        let headers = [
            header(0, 0, 0, 0, 0, 0),
            header(11, at, first, 2, 1, 24),
            header(3, at + first, second, 0, 0, 0),
        ];
        Some((at + first + second, [symbols, names, headers.concat()].concat()))
    }

    fn tag_count(&self) -> u64 {
        if !self.is_dynamic() {
            return 0;
        }
        let pairs = usize::from(!self.needed_versions.is_empty()) + usize::from(!self.versions.is_empty());
        (self.entries.len() + 3 + 2 * pairs) as u64
    }

    /// One record a need (`Elf64_Verneed`), each with one version (`Elf64_Vernaux`) right behind it.
    fn verneed(&self, offsets: &[u64]) -> Vec<u8> {
        let start = self.entries.len();
        let mut out = Vec::new();
        for at in 0..self.needed_versions.len() {
            let (file, name) = (word(offsets[start + 2 * at]), word(offsets[start + 2 * at + 1]));
            let next: u32 = if at + 1 == self.needed_versions.len() { 0 } else { 32 };
            out.extend([1_u16.to_le_bytes(), 1_u16.to_le_bytes()].concat());
            out.extend([file, 16_u32.to_le_bytes(), next.to_le_bytes()].concat());
            let flags: u64 = if self.weak.contains(&at) { 2 } else { 0 };
            out.extend([[0; 4], word(flags), name, [0; 4]].concat());
        }
        out
    }

    /// One record a version (`Elf64_Verdef`), its name (`Elf64_Verdaux`) right behind it.
    fn verdef(&self, offsets: &[u64]) -> Vec<u8> {
        let start = self.entries.len() + 2 * self.needed_versions.len();
        let mut out = Vec::new();
        for at in 0..self.versions.len() {
            let next: u32 = if at + 1 == self.versions.len() { 0 } else { 28 };
            let index = u16::try_from(at + 2).expect("few");
            out.extend([1_u16, 0, index, 1].map(u16::to_le_bytes).concat());
            out.extend([[0; 4], 20_u32.to_le_bytes(), next.to_le_bytes()].concat());
            out.extend([word(offsets[start + at]), [0; 4]].concat());
        }
        out
    }

    /// A note of the kind "FDO" with the type that lists what is opened.
    fn noted(&self) -> Vec<u8> {
        let Some(json) = &self.note else { return Vec::new() };
        let mut text = [json.as_bytes(), b"\0"].concat();
        let length = u32::try_from(text.len()).expect("short");
        text.resize(text.len().next_multiple_of(4), 0);
        let head = [4_u32, length, 0x407c_0c0a].map(u32::to_le_bytes).concat();
        [head, b"FDO\0".to_vec(), text].concat()
    }

    fn is_dynamic(&self) -> bool {
        self.kind == ElfKind::Shared || self.interp.is_some() || !self.entries.is_empty()
    }

    /// The string table, and where in it the text of each entry begins.
    fn strings(&self) -> (Vec<u8>, Vec<u64>) {
        let mut table = vec![0];
        let mut offsets = Vec::new();
        let entries = self.entries.iter().map(|(_, text)| text);
        let needed = self.needed_versions.iter().flat_map(|(library, version)| [library, version]);
        for text in entries.chain(needed).chain(&self.versions) {
            offsets.push(table.len() as u64);
            table.extend(text.bytes().chain([0]));
        }
        (table, offsets)
    }

    fn dynamic(&self, plan: &Plan, size: u64, offsets: &[u64]) -> Vec<u8> {
        if !self.is_dynamic() {
            return Vec::new();
        }
        let mut tags: Vec<(u64, u64)> =
            self.entries.iter().zip(offsets).map(|((tag, _), &offset)| (*tag, offset)).collect();
        for (needed, count, at, tag, number) in [
            (
                !self.needed_versions.is_empty(),
                self.needed_versions.len(),
                plan.needs,
                DT_VERNEED,
                DT_VERNEEDNUM,
            ),
            (!self.versions.is_empty(), self.versions.len(), plan.has, DT_VERDEF, DT_VERDEFNUM),
        ] {
            tags.extend([(tag, plan.base + at), (number, count as u64)].into_iter().filter(|_| needed));
        }
        tags.extend([(DT_STRTAB, plan.base + plan.strings), (DT_STRSZ, size), (0, 0)]);
        tags.iter().flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat()).collect()
    }

    fn header(&self, plan: &Plan, headers: u64, sections: u64) -> Vec<u8> {
        // 64 bits, little-endian, version 1.
        let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let kind: u16 = if self.kind == ElfKind::Exec { 2 } else { 3 };
        out.extend(kind.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        for field in [plan.base + plan.code, HEADER, sections] {
            out.extend(field.to_le_bytes());
        }
        out.extend(0_u32.to_le_bytes());
        let count = u16::try_from(headers).expect("three at most");
        // The names of sections are nowhere but in the table of strings that is there.
        let (sections, names) = if sections == 0 { (0, 0) } else { (3, 2) };
        for field in [64, 56, count, 64, sections, names] {
            out.extend(field.to_le_bytes());
        }
        out
    }

    /// One for all of the file, then those for its interpreter and dynamic section.
    fn program_headers(&self, plan: &Plan, size: u64, tags: u64) -> Vec<u8> {
        const READ: u32 = 4;
        const READ_AND_RUN: u32 = 5;
        let mut out = Vec::new();
        if self.interp.is_some() {
            out.extend(program_header(3, READ, plan.base, plan.interp, plan.strings - plan.interp, 1));
        }
        out.extend(program_header(1, READ_AND_RUN, plan.base, 0, size, 0x1000));
        if self.is_dynamic() {
            out.extend(program_header(2, READ, plan.base, plan.dynamic, tags, 8));
        }
        if self.note.is_some() {
            out.extend(program_header(4, READ, plan.base, plan.note, size - plan.note, 4));
        }
        out
    }

    /// `exit(0)`, as the kernel takes it.
    fn code(&self) -> &'static [u8] {
        match self.machine {
            // mov eax, 60; xor edi, edi; syscall
            X86_64 => b"\xb8\x3c\0\0\0\x31\xff\x0f\x05",
            // mov x8, 93; mov x0, 0; svc 0
            AARCH64 => b"\xa8\x0b\x80\xd2\0\0\x80\xd2\x01\0\0\xd4",
            _ => b"\0\0\0\0",
        }
    }
}

fn word(number: u64) -> [u8; 4] {
    u32::try_from(number).expect("small").to_le_bytes()
}

fn program_header(kind: u32, flags: u32, base: u64, offset: u64, size: u64, align: u64) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
    for field in [offset, base + offset, base + offset, size, size, align] {
        out.extend(field.to_le_bytes());
    }
    out
}

/// An ELF file in one call; [`Elf`] can say more.
pub fn elf(
    machine: u16,
    kind: ElfKind,
    soname: Option<&str>,
    needed: &[&str],
    interp: Option<&str>,
) -> Vec<u8> {
    let elf = needed.iter().fold(Elf::new(machine, kind), |elf, name| elf.needed(name));
    let elf = soname.into_iter().fold(elf, Elf::soname);
    interp.into_iter().fold(elf, Elf::interp).build()
}
