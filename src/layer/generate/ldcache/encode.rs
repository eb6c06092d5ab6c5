//! The bytes of the cache.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// `cache_file_new_flags_endian_little`.
const LITTLE_ENDIAN: u8 = 2;
/// `cache_extension_magic`.
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
/// The extensions' head, with room for both sections.
const EXTENSION_HEAD: usize = 8 + 2 * SECTION;
const SECTION: usize = 16;
/// `cache_extension_tag_generator`, `cache_extension_tag_glibc_hwcaps`.
const GENERATOR: u32 = 0;
const HWCAPS: u32 = 1;
/// `DL_CACHE_HWCAP_EXTENSION`: the low half of the field is an index.
const HWCAPS_FLAG: u64 = 1 << 62;

/// A library in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name that others need it by.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: String,
    /// Kind and machine.
    pub(super) flags: u32,
    /// The folder of processors that it is in.
    pub(super) hwcaps: Option<String>,
    /// What it needs of a processor, beside the folder.
    pub(super) isa_level: u32,
}

/// The cache of libraries, given in the order of their folders.
pub(super) fn cache(mut entries: Vec<Entry>, folders: BTreeSet<String>, generator: Option<&str>) -> Vec<u8> {
    entries.sort_by(order);
    let used: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.hwcaps.as_deref()).collect();
    let texts = entries.iter().flat_map(|entry| [entry.name.as_str(), entry.path.as_str()]);
    let (places, strings) = strings(texts.chain(folders.iter().map(String::as_str)).collect());
    let start = HEADER + entries.len() * ENTRY;
    let place = |text: &str| word(start + places[text]);
    let end = (start + strings.len()).next_multiple_of(4);
    let extensions = extensions(end, &used.iter().map(|name| place(name)).collect::<Vec<_>>(), generator);
    let mut out = Vec::with_capacity(end + extensions.len());
    out.extend(MAGIC);
    out.extend(word(entries.len()));
    out.extend(word(strings.len()));
    out.extend([LITTLE_ENDIAN, 0, 0, 0]);
    out.extend(word(if extensions.is_empty() { 0 } else { end }));
    out.extend([0; 12]);
    for entry in &entries {
        let index = entry.hwcaps.as_deref().and_then(|name| used.iter().position(|used| *used == name));
        let index = index.map(|index| u64::try_from(index).expect("few"));
        let field = index.map_or(0, |index| HWCAPS_FLAG | u64::from(entry.isa_level) << 32 | index);
        out.extend(entry.flags.to_le_bytes());
        out.extend(place(&entry.name));
        out.extend(place(&entry.path));
        // No version of the operating system.
        out.extend([0; 4]);
        out.extend(field.to_le_bytes());
    }
    out.extend(strings);
    if !extensions.is_empty() {
        out.resize(end, 0);
        out.extend(extensions);
    }
    out
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a cache is small").to_le_bytes()
}

/// What follows the strings: the folders of processors, and who wrote the cache.
fn extensions(at: usize, hwcaps: &[[u8; 4]], generator: Option<&str>) -> Vec<u8> {
    let indices = hwcaps.concat();
    let mut sections = Vec::new();
    let mut section = |tag: u32, at: usize, size: usize| {
        sections.extend([tag.to_le_bytes(), [0; 4], word(at), word(size)].concat());
    };
    // Where there is one section only, what it points to comes right behind it.
    let both = generator.is_some() && !hwcaps.is_empty();
    let body = at + if both { EXTENSION_HEAD } else { EXTENSION_HEAD - SECTION };
    if let Some(generator) = generator {
        section(GENERATOR, body + indices.len(), generator.len());
    }
    if !hwcaps.is_empty() {
        section(HWCAPS, body, indices.len());
    }
    if sections.is_empty() {
        return Vec::new();
    }
    let count = word(sections.len() / SECTION);
    let head = [EXTENSION_MAGIC.to_le_bytes(), count].concat();
    [head, sections, indices, generator.unwrap_or_default().as_bytes().to_vec()].concat()
}

/// All texts, each ended by a zero and each once; one that ends another stands inside that. With
/// where each begins. They are sorted from high to low as read from their ends.
fn strings(texts: BTreeSet<&str>) -> (BTreeMap<&str, usize>, Vec<u8>) {
    let mut sorted: Vec<&str> = texts.into_iter().collect();
    sorted.sort_by(|a, b| {
        let mut pairs = a.bytes().rev().zip(b.bytes().rev());
        let differing = pairs.find(|(a, b)| a != b).map(|(a, b)| b.cmp(&a));
        differing.unwrap_or_else(|| b.len().cmp(&a.len()))
    });
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut out, mut previous): (Vec<u8>, Option<&str>) = (Vec::new(), None);
    for text in sorted {
        let place = if let Some(previous) = previous.filter(|previous| previous.ends_with(text)) {
            places[previous] + previous.len() - text.len()
        } else {
            let place = out.len();
            out.extend(text.bytes().chain([0]));
            place
        };
        places.insert(text, place);
        previous = Some(text);
    }
    (places, out)
}

/// From high to low, as the loader's search expects it; those of one name stay in their folders' order.
fn order(a: &Entry, b: &Entry) -> Ordering {
    let names = compare(b.name.as_bytes(), a.name.as_bytes());
    let flags = b.flags.cmp(&a.flags);
    let hwcaps = match (&a.hwcaps, &b.hwcaps) {
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(b),
        (None, None) => Ordering::Equal,
    };
    names.then(flags).then(hwcaps)
}

/// glibc's order of names (`_dl_cache_libcmp`): numbers in them by value.
pub(super) fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let number = |text: &mut &[u8]| {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = text[..digits]
            .iter()
            .fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        *text = &text[digits..];
        value
    };
    while let Some(first) = a.first() {
        let second = b.first().copied().unwrap_or(0);
        match (first.is_ascii_digit(), second.is_ascii_digit()) {
            (true, true) => match number(&mut a).cmp(&number(&mut b)) {
                Ordering::Equal => {}
                other => return other,
            },
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) if *first != second => return first.cmp(&second),
            (false, false) => (a, b) = (&a[1..], &b[1..]),
        }
    }
    if b.is_empty() { Ordering::Equal } else { Ordering::Less }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_glibc_orders_them() {
        assert_eq!(compare(b"libx.so.9", b"libx.so.10"), Ordering::Less);
        assert_eq!(compare(b"libx.so.1", b"libx.so"), Ordering::Greater);
        assert_eq!(compare(b"libx1.so", b"libx-1.so"), Ordering::Greater);
        assert_eq!(compare(b"liba.so", b"liba.so"), Ordering::Equal);
    }

    #[test]
    fn a_text_that_ends_another_stands_inside_it() {
        let (places, bytes) = strings(BTreeSet::from(["libx.so.1", "/usr/lib/libx.so.1", "/lib/libx.so.1"]));
        assert_eq!(bytes, b"/usr/lib/libx.so.1\0");
        assert_eq!(places["/lib/libx.so.1"], 4);
        assert_eq!(places["libx.so.1"], 9);
    }

    #[test]
    fn the_header_says_what_follows() {
        let entry = Entry {
            name: "libx.so.1".into(),
            path: "/usr/lib/libx.so.1".into(),
            flags: 0x303,
            hwcaps: None,
            isa_level: 0,
        };
        let bytes = cache(vec![entry.clone()], BTreeSet::new(), None);
        assert_eq!(&bytes[..20], MAGIC);
        assert_eq!(u32::from_le_bytes(bytes[20..24].try_into().expect("four")), 1);
        assert_eq!(&bytes[HEADER + ENTRY..], b"/usr/lib/libx.so.1\0");
        let signed = cache(vec![entry], BTreeSet::new(), Some("me"));
        assert!(signed.ends_with(b"me"));
    }
}
