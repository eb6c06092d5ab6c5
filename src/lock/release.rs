//! A suite's signed release file (Debian wiki, `RepositoryFormat`, "Release files").

use std::collections::BTreeMap;

use super::Archive;
use crate::diag::{Failure, Problem, codes};
use crate::ident::{Epoch, Sha256};

/// How far a clock may be slow, in seconds.
const GRACE: i64 = 86_400;

/// A release file whose signature, dates and names were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its Origin; empty if it says none.
    pub origin: String,
    /// Its Label; empty if it says none.
    pub label: String,
    /// When it was made.
    pub date: Epoch,
    /// Digest of the whole signed file.
    pub sha256: Sha256,
    /// Whether indices are to be asked for by their digest.
    pub by_hash: bool,
    /// Whether `Architecture: all` packages have an index of their own; else those of the
    /// architectures hold them as well.
    pub all_apart: bool,
    /// The fingerprint of the key that signed it.
    pub signer: String,
    parts: BTreeMap<String, (Sha256, u64)>,
}

/// A file that a release file vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// Its path below the suite's folder.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub size: u64,
}

/// Origin and Label of a release file, nothing checked: enough to see whose it is.
pub fn peek(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    (field("Origin"), field("Label"))
}

impl Release {
    /// Reads and checks `bytes` as the release file of `suite` of `archive`. `locked` is the date of
    /// the release that the lock has seen: an older one is refused.
    pub fn check(
        archive: &Archive,
        suite: &str,
        bytes: &[u8],
        now: Epoch,
        locked: Option<Epoch>,
    ) -> Result<Self, Failure> {
        let verified = archive.keys.verify_inline(bytes, now).map_err(|reasons| {
            let mut problem = about(archive, suite, codes::BAD_SIGNATURE, "has no good signature");
            for reason in reasons {
                problem = problem.found(reason);
            }
            problem
                .expected(format!("a signature by one of {}", archive.keys.fingerprints().join(", ")))
                .help("try another mirror; if the archive has a new key, add it to `keys`")
        })?;
        let fields = fields(&verified.text);
        let release = Self::read(&fields, bytes, verified.fingerprint)
            .map_err(|why| about(archive, suite, codes::BAD_INDEX, "does not read as one").found(why))?;
        release.check_names(archive, suite, &fields)?;
        release.check_dates(archive, suite, &fields, now, locked)?;
        Ok(release)
    }

    fn read(fields: &BTreeMap<&str, String>, bytes: &[u8], signer: String) -> Result<Self, String> {
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let words = |name: &str, word: &str| text(name).split_whitespace().any(|there| there == word);
        let date = Epoch::from_release_date(&text("Date")).map_err(|error| error.to_string())?;
        let sums = fields.get("SHA256").ok_or("it has no SHA256 section")?;
        let parts = sums.lines().filter(|line| !line.trim().is_empty()).map(part).collect::<Option<_>>();
        Ok(Self {
            origin: text("Origin"),
            label: text("Label"),
            date,
            sha256: Sha256::of(bytes),
            by_hash: text("Acquire-By-Hash") == "yes",
            all_apart: words("Architectures", "all") && !words("No-Support-for-Architecture-all", "Packages"),
            signer,
            parts: parts.ok_or("a line of its SHA256 section is broken")?,
        })
    }

    /// A release file of another suite, or of another archive with the same keys, is refused.
    fn check_names(
        &self,
        archive: &Archive,
        suite: &str,
        fields: &BTreeMap<&str, String>,
    ) -> Result<(), Problem> {
        let said = |name: &str| fields.get(name).map_or("", String::as_str);
        let wrong = |name: &str, expected: &str| {
            Err(about(archive, suite, codes::BAD_INDEX, "is of another archive or suite")
                .found(format!("{name}: {}", said(name)))
                .expected(format!("{name}: {expected}"))
                .help("check the mirror's address"))
        };
        // Repositories made with small tools may name neither; then only the key speaks for them.
        let names = [said("Suite"), said("Codename")];
        let base = suite.rsplit('/').next().unwrap_or(suite);
        if names.iter().any(|name| !name.is_empty()) && !names.contains(&suite) && !names.contains(&base) {
            return wrong("Codename", suite);
        }
        match (&archive.origin, &archive.label) {
            (Some(origin), _) if *origin != self.origin => wrong("Origin", origin),
            (_, Some(label)) if *label != self.label => wrong("Label", label),
            _ => Ok(()),
        }
    }

    fn check_dates(
        &self,
        archive: &Archive,
        suite: &str,
        fields: &BTreeMap<&str, String>,
        now: Epoch,
        locked: Option<Epoch>,
    ) -> Result<(), Problem> {
        // One from the future would make every honest release after it look like a step back.
        if self.date.0 > now.0 + GRACE {
            return Err(about(archive, suite, codes::EXPIRED, "is from the future")
                .found(self.date)
                .expected(format!("{now}, this machine's time, or earlier"))
                .help("check this machine's clock; if it is right, try another mirror"));
        }
        if let Some(until) = fields.get("Valid-Until") {
            let until = Epoch::from_release_date(until)
                .map_err(|error| about(archive, suite, codes::BAD_INDEX, "has a broken date").found(error))?;
            if until < now {
                return Err(about(archive, suite, codes::EXPIRED, "has expired")
                    .found(format!("valid until {until}"))
                    .expected(format!("valid at {now}, this machine's time"))
                    .help("the mirror is stale, or holds new fixes back: try another one"));
            }
        }
        self.not_before(archive, suite, locked)
    }

    /// That it is not older than the one that a lock has seen.
    pub(super) fn not_before(
        &self,
        archive: &Archive,
        suite: &str,
        locked: Option<Epoch>,
    ) -> Result<(), Problem> {
        match locked {
            Some(locked) if self.date < locked => {
                Err(about(archive, suite, codes::ROLLBACK, "is older than the locked one")
                    .found(self.date)
                    .expected(format!("{locked} or later"))
                    .help("an archive never goes backwards: try another mirror"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the release lists a file with this digest and length.
    pub fn vouches_for(&self, path: &str, sha256: &Sha256, size: u64) -> bool {
        self.parts.get(path) == Some(&(*sha256, size))
    }

    /// The best compressed form of an index, if the release has it: `main/binary-amd64/Packages`.
    pub fn index(&self, path: &str) -> Option<IndexPart> {
        [".xz", ".zst", ".gz", ""].into_iter().find_map(|ending| {
            let path = format!("{path}{ending}");
            let (sha256, size) = *self.parts.get(&path)?;
            Some(IndexPart { path, sha256, size })
        })
    }
}

fn about(archive: &Archive, suite: &str, code: crate::diag::Code, what: &str) -> Problem {
    Problem::new(code, format!("the release file of suite {suite} of archive {} {what}", archive.name))
}

/// `<digest> <size> <path>`.
fn part(line: &str) -> Option<(String, (Sha256, u64))> {
    let mut words = line.split_whitespace();
    let (digest, size, path) = (words.next()?, words.next()?, words.next()?);
    Some((path.to_owned(), (digest.parse().ok()?, size.parse().ok()?)))
}

/// The fields of a single stanza; the first of two with the same name counts.
fn fields(text: &str) -> BTreeMap<&str, String> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    let mut current: Option<&str> = None;
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some(field) = current.and_then(|name| fields.get_mut(name)) {
                field.push('\n');
                field.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            current = (!fields.contains_key(name)).then_some(name);
            fields.entry(name).or_insert_with(|| value.trim().to_owned());
        } else {
            current = None;
        }
    }
    fields
}
