//! What dpkg says of itself: status files, and lists of a package's files.
//!
//! ```text
//! /var/lib/dpkg/status                     all packages, a stanza each, empty lines between (dpkg(1), "FILES")
//! /var/lib/dpkg/info/<package>[:arch].list a path a line
//! /var/lib/dpkg/status.d/<package>         one stanza, where packages are files of an image
//! /var/lib/dpkg/status.d/<package>.md5sums a digest and a path a line: what is in the image of it
//! ```
//!
//! Whoever made the image wrote these, so nothing in them is believed: a stanza that is broken is named in a note and
//! the rest serves; a file that is too large to be one is an error.

use std::collections::BTreeSet;

use super::subject::{Notes, Package, of_rebuild, plain};
use crate::advisory::Ecosystem;
use crate::ident::{DebVersion, ImagePath, PackageName, Purl};
use crate::recipe::merged;

/// The folder that dpkg keeps its files in, without its leading slash.
pub(super) const FOLDER: &str = "var/lib/dpkg";

/// The largest status file that is read, in bytes. Debian's own with ten thousand packages has 15 MB.
pub(super) const MAX_STATUS: u64 = 64 << 20;

/// The most packages that anything has.
const MAX_PACKAGES: usize = 100_000;

/// The longest value of a field that is looked at, in bytes.
const MAX_VALUE: usize = 512;

/// The most architectures and the like are words of this length.
const MAX_WORD: usize = 32;

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stanza {
    pub(super) name: PackageName,
    pub(super) version: DebVersion,
    pub(super) source: PackageName,
    pub(super) source_version: DebVersion,
    pub(super) architecture: String,
    /// Whether several architectures of it may be installed beside each other, which its list is named by.
    pub(super) multi_arch: bool,
}

/// The fields that are looked at.
#[derive(Debug, Default)]
struct Fields {
    package: Option<String>,
    status: Option<String>,
    version: Option<String>,
    source: Option<String>,
    architecture: Option<String>,
    multi_arch: Option<String>,
    any: bool,
}

impl Fields {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        let slot = match name.to_ascii_lowercase().as_str() {
            "package" => &mut self.package,
            "status" => &mut self.status,
            "version" => &mut self.version,
            "source" => &mut self.source,
            "architecture" => &mut self.architecture,
            "multi-arch" => &mut self.multi_arch,
            _ => return None,
        };
        Some(slot)
    }

    fn take(&mut self, line: &[u8]) {
        self.any = true;
        // Lines that go on with a field begin with white space.
        if line.first().is_none_or(u8::is_ascii_whitespace) || line.len() > MAX_VALUE {
            return;
        }
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else { return };
        if let Some(slot) = self.slot(name)
            && slot.is_none()
        {
            *slot = Some(value.trim().to_owned());
        }
    }

    /// Whether files of it are there: all but what was never unpacked, or is gone but for its configuration.
    fn is_there(&self) -> bool {
        let last = self.status.as_deref().and_then(|status| status.split_ascii_whitespace().last());
        !matches!(last, Some("not-installed" | "config-files"))
    }

    fn read(&self) -> Result<Stanza, String> {
        let name = self.package.as_deref().ok_or("it names no package")?;
        let name: PackageName = name.parse().map_err(|error: crate::ident::Malformed| error.to_string())?;
        let of = |why: String| format!("`{name}`: {why}");
        let version = self.version.as_deref().ok_or_else(|| of("it has no version".to_owned()))?;
        let version: DebVersion =
            version.parse().map_err(|error: crate::ident::Malformed| of(error.to_string()))?;
        let (source, source_version) = source(self.source.as_deref(), &name, &version).map_err(&of)?;
        let architecture = self.architecture.clone().unwrap_or_default();
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if architecture.len() > MAX_WORD || !architecture.bytes().all(fine) {
            return Err(of(format!("`{}` is no architecture", plain(&architecture))));
        }
        let multi_arch = self.multi_arch.as_deref() == Some("same");
        Ok(Stanza { name, version, source, source_version, architecture, multi_arch })
    }
}

/// The field `Source`: a name, and a version in parentheses where it is not the package's own (Debian policy,
/// 5.6.1).
fn source(
    field: Option<&str>,
    name: &PackageName,
    version: &DebVersion,
) -> Result<(PackageName, DebVersion), String> {
    let Some(field) = field.filter(|field| !field.is_empty()) else {
        return Ok((name.clone(), of_rebuild(version)));
    };
    let malformed = |error: crate::ident::Malformed| error.to_string();
    let Some((source, rest)) = field.split_once('(') else {
        return Ok((field.trim().parse().map_err(malformed)?, of_rebuild(version)));
    };
    let own = rest.strip_suffix(')').ok_or_else(|| format!("the source `{}` does not end", plain(field)))?;
    Ok((source.trim().parse().map_err(malformed)?, own.trim().parse().map_err(malformed)?))
}

/// The packages of a status file that are there. `file` is how it is called in notes.
pub(super) fn stanzas(bytes: &[u8], file: &str, notes: &mut Notes) -> Vec<Stanza> {
    let mut found = Vec::new();
    let mut end = |fields: Fields, notes: &mut Notes| {
        if !fields.any || !fields.is_there() {
            return;
        }
        match fields.read() {
            Err(why) => notes.add(format!("{file}: an entry is broken and was passed over: {why}")),
            Ok(_) if found.len() >= MAX_PACKAGES => {
                notes.add(format!("{file}: what comes after {MAX_PACKAGES} packages was passed over"));
            }
            Ok(stanza) => found.push(stanza),
        }
    };
    let mut fields = Fields::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            end(std::mem::take(&mut fields), notes);
        } else {
            fields.take(line);
        }
    }
    end(fields, notes);
    found
}

impl Stanza {
    /// What its list of files may be called.
    pub(super) fn lists(&self) -> Vec<String> {
        let with = format!("{}:{}.list", self.name, self.architecture);
        let without = format!("{}.list", self.name);
        if self.multi_arch { vec![with, without] } else { vec![without, with] }
    }

    /// The package, of a release.
    pub(super) fn package(self, release: &str, files: Option<BTreeSet<ImagePath>>) -> Package {
        let Self { name, version, source, source_version, architecture, .. } = self;
        let distribution = format!("debian-{release}");
        let from = (&source, &source_version);
        let purl = Purl::deb("debian", &name, &version, &architecture, &distribution, from);
        Package {
            binary: name.to_string(),
            version,
            source: source.to_string(),
            source_version,
            architecture,
            purl: purl.to_string(),
            ecosystem: Ecosystem::debian(release),
            files,
        }
    }
}

/// The paths of a `.list`, folders among them, or of a `.md5sums`; what is no path is passed over.
pub(super) fn listed(bytes: &[u8], sums: bool) -> impl Iterator<Item = ImagePath> + '_ {
    bytes.split(|byte| *byte == b'\n').filter_map(move |line| {
        let line = std::str::from_utf8(line).ok()?;
        let path = if sums { line.split_once("  ")?.1 } else { line };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        merged(&path).parse::<ImagePath>().ok().filter(|path| !path.is_root())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut notes = Notes::default();
        let found = stanzas(text.as_bytes(), "status", &mut notes);
        let line = |one: &Stanza| {
            format!("{} {} {} {} {}", one.name, one.version, one.source, one.source_version, one.architecture)
        };
        (found.iter().map(line).collect(), notes.into_vec())
    }

    #[test]
    fn source_and_its_version_are_read_in_each_of_their_forms() {
        let (found, notes) = read(
            "Package: dmsetup\nStatus: install ok installed\nArchitecture: amd64\nSource: lvm2 (2.03.16-2)\nVersion: 2:1.02.185-2\nDescription: a\n text: b\n .\n Version: 9\n\n\n\
             Package: libbrotli1\nStatus: install ok installed\nSource: brotli (1.0.9-2)\nVersion: 1.0.9-2+b6\nArchitecture: amd64\n\n\
             package: bash\nversion: 5.2.15-2+b7\narchitecture: amd64\n\n\
             Package: libssl3\nSource: openssl\nVersion: 3.0.20-1~deb12u2\nArchitecture: amd64",
        );
        assert_eq!(
            found,
            [
                "dmsetup 2:1.02.185-2 lvm2 2.03.16-2 amd64",
                "libbrotli1 1.0.9-2+b6 brotli 1.0.9-2 amd64",
                "bash 5.2.15-2+b7 bash 5.2.15-2 amd64",
                "libssl3 3.0.20-1~deb12u2 openssl 3.0.20-1~deb12u2 amd64",
            ]
        );
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_is_gone_is_not_there_and_what_is_half_done_is() {
        let stanza = |status: &str| format!("Package: xx\nVersion: 1\nStatus: {status}\n\n");
        for (status, there) in [
            ("install ok installed", true),
            ("hold ok installed", true),
            ("install ok unpacked", true),
            ("install ok triggers-pending", true),
            ("deinstall ok config-files", false),
            ("purge ok not-installed", false),
        ] {
            assert_eq!(read(&stanza(status)).0.len(), usize::from(there), "{status}");
        }
    }

    #[test]
    fn broken_entries_are_named_and_the_rest_serves() {
        let huge = format!("Package: {}\nVersion: 1\n", "x".repeat(5_000_000));
        for (broken, why) in [
            ("Package: x/y\nVersion: 1\n", "is not a Debian package name"),
            ("Package: a\u{0}b\nVersion: 1\n", "is not a Debian package name"),
            ("Package: \u{1b}[31mred\nVersion: 1\n", "\\u{1b}[31mred"),
            ("Package: xx\n", "it has no version"),
            ("Package: xx\nVersion: 1 2\n", "is not a Debian version"),
            ("Package: xx\nVersion: 1\nSource: yy (2\n", "does not end"),
            ("Package: xx\nVersion: 1\nArchitecture: ../etc\n", "is no architecture"),
            ("root:x:0:0:root:/root:/bin/sh\n", "it names no package"),
            (&huge, "it names no package"),
        ] {
            let (found, notes) = read(&format!("{broken}\nPackage: good\nVersion: 1-1\n"));
            assert_eq!(found, ["good 1-1 good 1-1 "], "{why}");
            assert!(notes.len() == 1 && notes[0].contains(why), "{why}: {notes:?}");
            assert!(!notes[0].contains(char::is_control));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_packages() {
        let noise: Vec<u8> =
            (0..100_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let mut notes = Notes::default();
        assert!(stanzas(&noise, "status", &mut notes).is_empty());
        assert!(notes.into_vec().len() <= 21);
    }

    #[test]
    fn lists_name_paths_where_merged_usr_has_them() {
        let paths: Vec<String> = listed(b"/.\n/usr\n/lib/x86_64-linux-gnu/libc.so.6\n../x\n\xff\n", false)
            .map(|path| path.to_string())
            .collect();
        assert_eq!(paths, ["/usr", "/usr/lib/x86_64-linux-gnu/libc.so.6"]);
        let sums: Vec<String> =
            listed(b"00  usr/bin/x\nnonsense\n", true).map(|path| path.to_string()).collect();
        assert_eq!(sums, ["/usr/bin/x"]);
    }
}
