//! The texts and digests that an archive's indices are made of.

use std::fmt::Write as _;

use pgp::crypto::hash::HashAlgorithm;
use sha2::Digest as _;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The SHA-256 digest of `bytes`, in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// The MD5 digest of `bytes`, in hexadecimal digits: packages list their files by it still.
pub fn md5_hex(bytes: &[u8]) -> String {
    // The OpenPGP crate knows MD5, so no other crate is needed for it.
    hex(&HashAlgorithm::Md5.digest(bytes).expect("known"))
}

/// A moment in seconds since 1970 as release files write it: `Sat, 12 Sep 2026 07:55:41 UTC`.
pub fn release_date(seconds: u32) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [(&str, u32); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let days = seconds / 86_400;
    // Every fourth year is a leap year in all of the time that 32 bits reach up to 2100.
    let leap = |year: u32| u32::from(year.is_multiple_of(4));
    let (mut year, mut day) = (1970, days);
    while day >= 365 + leap(year) {
        day -= 365 + leap(year);
        year += 1;
    }
    let mut month = 0;
    while day >= MONTHS[month].1 + if month == 1 { leap(year) } else { 0 } {
        day -= MONTHS[month].1 + if month == 1 { leap(year) } else { 0 };
        month += 1;
    }
    let weekday = WEEKDAYS[(days % 7) as usize];
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let (day, month) = (day + 1, MONTHS[month].0);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The value of a field of a control file, if it is there.
pub fn field<'a>(control: &'a str, name: &str) -> Option<&'a str> {
    control.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Where the pool keeps the package with that control file.
pub fn pool_path(component: &str, control: &str) -> String {
    let value = |name| field(control, name).unwrap_or("unnamed");
    let (package, version, arch) = (value("Package"), value("Version"), value("Architecture"));
    let source =
        field(control, "Source").and_then(|source| source.split_whitespace().next()).unwrap_or(package);
    // Libraries have so many sources that they are spread over `liba`, `libb`, …
    let letters = if source.starts_with("lib") { 4 } else { 1 };
    let letters: String = source.chars().take(letters).collect();
    // File names leave the epoch out.
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    format!("pool/{component}/{letters}/{source}/{package}_{version}_{arch}.deb")
}

/// What an index says of a package: its control file, and where and what its bytes are.
pub fn stanza(control: &str, path: &str, bytes: &[u8]) -> String {
    let (size, md5, sha256) = (bytes.len(), md5_hex(bytes), sha256_hex(bytes));
    let control = control.trim_end();
    format!("{control}\nFilename: {path}\nSize: {size}\nMD5sum: {md5}\nSHA256: {sha256}\n\n")
}
