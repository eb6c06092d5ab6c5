//! Events: what was seen, and when. One line of JSON each, in the ledger and in what is exported.
//!
//! ```text
//! {"detected":{"at":"2026-11-20T02:00:00Z","cve":"CVE-2026-1234","digest":"sha256:…","image":"python",
//!              "package":"openssl","public":"2026-11-18T09:00:00Z","severity":"high",
//!              "severity-source":"cve5","version":"3.5.1-1"}}
//! {"fix":      {"at","available","cve","image","known-by","package","version"}}
//! {"built":    {"at","digest","image","version"?}}
//! {"fixed":    {"after","at","before","cve","image","package","version"?}}
//! {"published":{"at","before"?,"digest","image","repository","tags"}}
//! {"gone":     {"at","cve","image","package","why"}}
//! ```
//!
//! `at` is when it happened, by the clock of whoever did it. `public` and `available` are others' times.
//! The canonical text (keys sorted, no blanks) of an event is what its id is the digest of: another
//! name for a key makes all ledgers unreadable.

use serde::{Deserialize, Serialize};

use super::names::{FixSource, ImageId, VulnId, Why};
use crate::advisory::Level;
use crate::canon;
use crate::ident::{BlobDigest, Epoch, Repository, Sha256, TagName};

/// The most characters of a package's name, a version, or the name of a source.
const LONGEST: usize = 256;

/// Something that happened to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A vulnerability was found in it.
    Detected(Detected),
    /// It became known that there is a fix.
    Fix(FixKnown),
    /// It was built.
    Built(Built),
    /// What was built lacks a vulnerability that was there before.
    Fixed(Fixed),
    /// What was built was published.
    Published(Published),
    /// A vulnerability touches it no more, without a fix.
    Gone(Gone),
}

/// A vulnerability was found in an image. To find it again in the same digest is the same event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Detected {
    /// When it was found.
    pub at: Epoch,
    /// In which image.
    pub image: ImageId,
    /// In which digest of it (of its index).
    pub digest: BlobDigest,
    /// Which.
    pub cve: VulnId,
    /// The source package that has it.
    pub package: String,
    /// The version of the source package.
    pub version: String,
    /// How bad it is said to be at this time.
    pub severity: Level,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_source: Option<String>,
    /// Since when everybody may know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Epoch>,
}

/// There is a fix, since when, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FixKnown {
    /// When we came to know.
    pub at: Epoch,
    /// For which image.
    pub image: ImageId,
    /// Of what.
    pub cve: VulnId,
    /// In which source package.
    pub package: String,
    /// Its first version with the fix.
    pub version: String,
    /// Since when it could be had.
    pub available: Epoch,
    /// How that is known.
    pub known_by: FixSource,
}

/// An image was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Built {
    /// When it was done.
    pub at: Epoch,
    /// Which.
    pub image: ImageId,
    /// The digest of its index.
    pub digest: BlobDigest,
    /// The version that it is tagged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A vulnerability of one digest is not in another that takes its place. The exposure ends when that
/// one is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fixed {
    /// When that was seen.
    pub at: Epoch,
    /// Of which image.
    pub image: ImageId,
    /// Which.
    pub cve: VulnId,
    /// The source package that had it.
    pub package: String,
    /// The version of the source package that has it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The digest that has it.
    pub before: BlobDigest,
    /// The digest that has it not.
    pub after: BlobDigest,
}

/// An image was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Published {
    /// When everybody could have it: its moving tags were moved.
    pub at: Epoch,
    /// Which.
    pub image: ImageId,
    /// The digest that the tags name now.
    pub digest: BlobDigest,
    /// The digest that they named before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BlobDigest>,
    /// Where.
    pub repository: Repository,
    /// The tags that name it.
    pub tags: Vec<TagName>,
}

/// A vulnerability touches an image no more, and not because of a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gone {
    /// When that was seen.
    pub at: Epoch,
    /// Of which image.
    pub image: ImageId,
    /// Which.
    pub cve: VulnId,
    /// The source package.
    pub package: String,
    /// Why.
    pub why: Why,
}

macro_rules! each {
    ($event:expr, $it:ident => $value:expr) => {
        match $event {
            Event::Detected($it) => $value,
            Event::Fix($it) => $value,
            Event::Built($it) => $value,
            Event::Fixed($it) => $value,
            Event::Published($it) => $value,
            Event::Gone($it) => $value,
        }
    };
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Epoch {
        each!(self, it => it.at)
    }

    /// To which image.
    pub fn image(&self) -> &ImageId {
        each!(self, it => &it.image)
    }

    /// The same event at another time.
    #[must_use]
    pub fn moved_to(mut self, at: Epoch) -> Self {
        each!(&mut self, it => it.at = at);
        self
    }

    /// What kind of event it is, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Detected(_) => "detected",
            Self::Fix(_) => "fix",
            Self::Built(_) => "built",
            Self::Fixed(_) => "fixed",
            Self::Published(_) => "published",
            Self::Gone(_) => "gone",
        }
    }

    /// The vulnerability that it is about, and the source package that has it.
    pub fn about(&self) -> Option<(&VulnId, &str)> {
        match self {
            Self::Detected(it) => Some((&it.cve, &it.package)),
            Self::Fix(it) => Some((&it.cve, &it.package)),
            Self::Fixed(it) => Some((&it.cve, &it.package)),
            Self::Gone(it) => Some((&it.cve, &it.package)),
            Self::Built(_) | Self::Published(_) => None,
        }
    }

    /// Its canonical text.
    pub fn to_text(&self) -> String {
        String::from_utf8(canon::to_json(self)).expect("JSON is UTF-8")
    }

    /// The id of an event with this text.
    pub fn id(text: &str) -> Sha256 {
        Sha256::of(text.as_bytes())
    }

    /// Reads an event; `Err` says why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let event: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        event.check()?;
        Ok(event)
    }

    /// Whether what its fields say can be; `Err` says what can't.
    pub fn check(&self) -> Result<(), String> {
        let times = match self {
            Self::Detected(it) => vec![Some(it.at), it.public],
            Self::Fix(it) => vec![Some(it.at), Some(it.available)],
            _ => vec![Some(self.at())],
        };
        times.into_iter().flatten().try_for_each(in_our_time)?;
        let words = match self {
            Self::Detected(it) => {
                vec![Some(&it.package), Some(&it.version), it.severity_source.as_ref()]
            }
            Self::Fix(it) => vec![Some(&it.package), Some(&it.version)],
            Self::Fixed(it) => vec![Some(&it.package), it.version.as_ref()],
            Self::Gone(it) => vec![Some(&it.package)],
            Self::Built(it) => vec![it.version.as_ref()],
            Self::Published(_) => Vec::new(),
        };
        words.into_iter().flatten().try_for_each(|word| is_word(word))?;
        match self {
            Self::Fixed(it) if it.before == it.after => {
                Err(format!("`{}` can't be both before and after a fix", it.after))
            }
            _ => Ok(()),
        }
    }
}

/// Nothing that images are made of is older than 1980 (the oldest time of a zip), nor of the year 10000.
fn in_our_time(time: Epoch) -> Result<(), String> {
    let sane = (315_532_800..253_402_300_800).contains(&time.0);
    if sane { Ok(()) } else { Err(format!("`{time}` is not a time of ours")) }
}

fn is_word(word: &str) -> Result<(), String> {
    let fine = !word.is_empty() && word.len() <= LONGEST && !word.contains(char::is_control);
    if fine {
        return Ok(());
    }
    let shown: String = word.chars().take(40).flat_map(char::escape_debug).collect();
    Err(format!("`{shown}` is not one to {LONGEST} bytes without control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTED: &str = r#"{"detected":{"at":"2026-11-20T02:00:00Z","cve":"CVE-2026-123456","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","image":"python","package":"openssl","public":"2026-11-18T09:00:00Z","severity":"high","severity-source":"cve5","version":"3.5.1-1"}}"#;

    #[test]
    fn an_event_reads_back_to_the_same_text() {
        let event = Event::parse(DETECTED).expect("an event");
        assert_eq!(event.to_text(), DETECTED);
        // Ledgers hold this: changing it makes all of them unreadable.
        assert_eq!(Event::id(DETECTED).short(), "23e1392bd37c");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for (from, to, why) in [
            ("\"image\"", "\"immage\"", "immage"),
            ("\"high\"", "\"dreadful\"", "unknown variant `dreadful`, expected one of"),
            ("2026-11-20T02:00:00Z", "2026-11-31T02:00:00Z", "a time"),
            ("2026-11-18T09:00:00Z", "0026-11-18T09:00:00Z", "not a time of ours"),
            ("openssl", "", "one to 256"),
            ("openssl", "open\\nssl", "control"),
            ("detected", "suspected", "unknown variant"),
            ("CVE-2026-123456", "CVE-2026", "no name of a vulnerability"),
            ("}}", "}", "EOF"),
        ] {
            let said = Event::parse(&DETECTED.replace(from, to)).expect_err(to);
            assert!(said.contains(why), "{to}: {said}");
        }
    }

    #[test]
    fn a_changelog_can_not_say_since_when_there_is_a_fix() {
        let text = r#"{"fix":{"at":"2026-11-20T02:00:00Z","available":"2026-11-19T00:00:00Z","cve":"CVE-2026-1234","image":"python","known-by":"release-file","package":"openssl","version":"3.5.1-1+deb13u1"}}"#;
        assert!(Event::parse(text).is_ok());
        let why = Event::parse(&text.replace("release-file", "changelog")).expect_err("refused");
        assert!(why.contains("changelog's date is none"), "{why}");
    }
}
