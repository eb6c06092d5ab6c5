//! Tar headers (POSIX.1-2017, pax, "ustar Interchange Format"): numeric owners, no names, whole
//! seconds, and an extended header only where a field does not fit.

use std::collections::BTreeMap;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file; its content follows the header, padded to 512 bytes.
    File,
    /// A second name for a file earlier in the same layer.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A folder.
    Directory,
}

/// One entry of a layer, ready to be written.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Member name, without leading slash; folders get their closing slash here.
    pub member: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Permission and set-id bits, at most 0o7777.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Whole seconds since 1970.
    pub mtime: i64,
    /// Content length in bytes; 0 for all but files.
    pub size: u64,
    /// Where a link points to: for hard links a member name.
    pub link: &'a str,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: &'a BTreeMap<String, Vec<u8>>,
}

/// What ends a tar: two empty blocks.
pub const TRAILER: [u8; 1024] = [0; 1024];

/// The zeros that follow `size` bytes of content.
pub fn padding(size: u64) -> &'static [u8] {
    let over = usize::try_from(size % 512).expect("below 512");
    &TRAILER[..(512 - over) % 512]
}

/// The largest number that a field of `digits` octal digits holds.
const fn largest(digits: u32) -> u64 {
    8_u64.pow(digits) - 1
}

impl Header<'_> {
    /// The bytes of the header, with the extended header before it where one is needed.
    pub fn encode(&self) -> Vec<u8> {
        let slash = if self.kind == Kind::Directory && !self.member.ends_with('/') { "/" } else { "" };
        let name = format!("{}{slash}", self.member);
        let records = self.records(&name);
        let mut out = Vec::with_capacity(512);
        if !records.is_empty() {
            let size = records.len() as u64;
            out.extend(block("PaxHeader", b'x', 0o644, [0, 0], size, 0, ""));
            out.extend(&records);
            out.extend(padding(size));
        }
        let flag = match self.kind {
            Kind::File => b'0',
            Kind::HardLink => b'1',
            Kind::Symlink => b'2',
            Kind::Directory => b'5',
        };
        let mtime = u64::try_from(self.mtime).unwrap_or(0);
        out.extend(block(&name, flag, self.mode, [self.uid, self.gid], self.size, mtime, self.link));
        out
    }

    /// The extended header's records, sorted by key; empty where the plain header says all.
    fn records(&self, name: &str) -> Vec<u8> {
        let plain = |text: &str| text.len() <= 100 && text.is_ascii();
        let mut fields: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        if !plain(name) {
            fields.insert("path".into(), name.into());
        }
        if !plain(self.link) {
            fields.insert("linkpath".into(), self.link.into());
        }
        if self.size > largest(11) {
            fields.insert("size".into(), self.size.to_string().into());
        }
        if self.mtime < 0 || self.mtime.unsigned_abs() > largest(11) {
            fields.insert("mtime".into(), self.mtime.to_string().into());
        }
        for (key, id) in [("uid", self.uid), ("gid", self.gid)] {
            if u64::from(id) > largest(7) {
                fields.insert(key.into(), id.to_string().into());
            }
        }
        for (attribute, value) in self.xattrs {
            fields.insert(format!("SCHILY.xattr.{attribute}"), value.clone());
        }
        fields.iter().flat_map(|(key, value)| record(key, value)).collect()
    }
}

/// `<length> <key>=<value>\n`, where the length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let digits = |length: usize| length.to_string().len();
    let mut length = rest + digits(rest);
    while rest + digits(length) != length {
        length = rest + digits(length);
    }
    let mut out = format!("{length} {key}=").into_bytes();
    out.extend(value);
    out.push(b'\n');
    out
}

fn block(name: &str, flag: u8, mode: u32, owner: [u32; 2], size: u64, mtime: u64, link: &str) -> [u8; 512] {
    let mut block = [0; 512];
    put(&mut block, 0, 100, name);
    octal(&mut block, 100, 7, u64::from(mode));
    octal(&mut block, 108, 7, u64::from(owner[0]));
    octal(&mut block, 116, 7, u64::from(owner[1]));
    octal(&mut block, 124, 11, size);
    octal(&mut block, 136, 11, mtime);
    block[148..156].fill(b' ');
    block[156] = flag;
    put(&mut block, 157, 100, link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = block.iter().copied().map(u64::from).sum();
    octal(&mut block, 148, 6, sum);
    block[154] = 0;
    block
}

/// Writes as much of `text` as the field holds; the rest stands in the extended header. A character
/// is never cut in two.
fn put(block: &mut [u8; 512], at: usize, width: usize, text: &str) {
    let cut = text.floor_char_boundary(width);
    block[at..at + cut].copy_from_slice(&text.as_bytes()[..cut]);
}

/// Octal digits with leading zeros; a number too large for them is 0 here and stands in the
/// extended header.
fn octal(block: &mut [u8; 512], at: usize, digits: u32, number: u64) {
    let number = if number > largest(digits) { 0 } else { number };
    let text = format!("{number:0width$o}", width = digits as usize);
    block[at..at + text.len()].copy_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_counts_its_own_digits() {
        assert_eq!(record("path", b"x"), b"9 path=x\n");
        for length in 85..110 {
            let record = record("path", &vec![b'x'; length]);
            let said: usize =
                String::from_utf8_lossy(&record).split(' ').next().map_or(0, |n| n.parse().unwrap_or(0));
            assert_eq!(said, record.len());
        }
    }

    proptest! {
        /// What we write, the `tar` crate reads as it was meant, however long or large.
        #[test]
        fn another_reader_sees_the_same_entry(
            member in "[a-zé]{1,120}(/[a-z]{1,60}){0,3}",
            link in "[a-z/]{1,150}",
            uid in any::<u32>(),
            mtime in -10_i64..20_000_000_000,
            mode in 0_u32..0o10000,
            // The other reader cuts records at line ends instead of counting, so none here.
            value in proptest::collection::vec(any::<u8>().prop_filter("a line end", |byte| *byte != b'\n'), 0..40),
        ) {
            let xattrs = BTreeMap::from([("user.note".to_owned(), value.clone())]);
            let header = Header { member: &member, kind: Kind::Symlink, mode, uid, gid: 7, mtime, size: 0, link: &link, xattrs: &xattrs };
            let mut bytes = header.encode();
            bytes.extend(TRAILER);
            let mut archive = tar::Archive::new(&bytes[..]);
            let mut entry = archive.entries().expect("a tar").next().expect("an entry").expect("whole");
            prop_assert_eq!(entry.path_bytes(), member.as_bytes());
            prop_assert_eq!(entry.link_name_bytes().expect("a link").into_owned(), link.as_bytes());
            prop_assert_eq!(entry.header().mode().expect("a mode"), mode);
            let extensions: BTreeMap<String, Vec<u8>> = entry.pax_extensions().expect("readable").expect("there")
                .map(|extension| extension.expect("whole"))
                .map(|extension| (extension.key().expect("text").to_owned(), extension.value_bytes().to_owned()))
                .collect();
            prop_assert_eq!(&extensions["SCHILY.xattr.user.note"], &value);
            if u64::from(uid) <= largest(7) { prop_assert_eq!(entry.header().uid().expect("a uid"), u64::from(uid)); }
            let mut none = Vec::new();
            prop_assert_eq!(entry.read_to_end(&mut none).expect("read"), 0);
        }
    }
}
