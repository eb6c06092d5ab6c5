//! `/etc/ld.so.cache` in glibc's new format (glibc, `elf/cache.c`, `sysdeps/generic/dl-cache.h`):
//! a header, entries sorted from high to low, their strings.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::ident::{ImagePath, Platform};
use crate::layer::compose::Work;
use crate::layer::loader::{machine, system_folders};
use crate::layer::tree::Data;

const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// `cache_file_new_flags_endian_little`.
const LITTLE_ENDIAN: u8 = 2;

/// `FLAG_ELF_LIBC6` with the flag of the platform's 64-bit libraries.
fn flags(platform: Platform) -> u32 {
    match platform {
        Platform::Amd64 => 0x0303,
        Platform::Arm64 => 0x0a03,
    }
}

/// The cache of all libraries in the loader's folders; `None` if this recipe adds none of them.
pub(super) fn cache(work: &Work) -> Option<Vec<u8>> {
    let folders = system_folders(work.platform);
    let in_folders = |path: &ImagePath| path.parent().is_some_and(|parent| folders.contains(&parent));
    let is_library = |path: &&ImagePath| in_folders(path) && is_library_name(path.file_name());
    if !work.tree.nodes.keys().any(|path| is_library(&path)) {
        return None;
    }
    let view = work.view();
    let mut libraries: BTreeMap<String, ImagePath> = BTreeMap::new();
    for path in view.all().into_keys().filter(is_library) {
        let Some((_, node)) = view.follow(path) else { continue };
        let Some(Data::Parcel { content, .. }) = node.data() else { continue };
        let Some(elf) = content.elf.as_ref().filter(|elf| elf.wide && elf.machine == machine(work.platform))
        else {
            continue;
        };
        // As ldconfig has it: a library counts under its own name, where that is a file or link.
        if elf.soname.as_deref().unwrap_or(path.file_name()) == path.file_name() {
            libraries.entry(path.file_name().to_owned()).or_insert_with(|| path.clone());
        }
    }
    Some(encode(&libraries, flags(work.platform)))
}

fn is_library_name(name: &str) -> bool {
    (name.starts_with("lib") || name.starts_with("ld-")) && name.contains(".so")
}

fn encode(libraries: &BTreeMap<String, ImagePath>, flags: u32) -> Vec<u8> {
    let mut sorted: Vec<_> = libraries.iter().collect();
    sorted.sort_by(|a, b| compare(b.0.as_bytes(), a.0.as_bytes()));
    let start = HEADER + sorted.len() * ENTRY;
    let (mut entries, mut strings) = (Vec::new(), Vec::new());
    for (name, path) in &sorted {
        let word = |number: usize| u32::try_from(number).expect("a cache is small").to_le_bytes();
        let key = start + strings.len();
        strings.extend(name.bytes().chain([0]));
        let value = start + strings.len();
        strings.extend(path.as_str().bytes().chain([0]));
        entries.extend(flags.to_le_bytes());
        entries.extend(word(key));
        entries.extend(word(value));
        // No operating system version, no hardware capabilities.
        entries.extend([0; 12]);
    }
    let word = |number: usize| u32::try_from(number).expect("a cache is small").to_le_bytes();
    let mut out = Vec::with_capacity(start + strings.len());
    out.extend(MAGIC);
    out.extend(word(sorted.len()));
    out.extend(word(strings.len()));
    out.extend([LITTLE_ENDIAN, 0, 0, 0]);
    // No extensions.
    out.extend([0; 16]);
    out.extend(entries);
    out.extend(strings);
    out
}

/// glibc's order of names (`_dl_cache_libcmp`): numbers in them by value.
fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
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
    fn the_header_says_what_follows() {
        let libraries =
            BTreeMap::from([("libx.so.1".to_owned(), "/usr/lib/libx.so.1".parse().expect("a path"))]);
        let cache = encode(&libraries, 0x303);
        assert_eq!(&cache[..20], MAGIC);
        assert_eq!(u32::from_le_bytes(cache[20..24].try_into().expect("four")), 1);
        assert_eq!(&cache[HEADER + ENTRY..HEADER + ENTRY + 10], b"libx.so.1\0");
    }
}
