//! The JSON export of Debian's security tracker.
//!
//! ```text
//! { "openssl": { "CVE-2025-15467": { "description": "…", "scope": "remote", "debianbug": 1,
//!     "releases": { "bookworm": { "status": "resolved", "urgency": "high", "fixed_version": "3.0.18-1~deb12u2",
//!         "repositories": { "bookworm": "3.0.18-1~deb12u1", "bookworm-security": "3.0.18-1~deb12u2" },
//!         "nodsa": "Minor issue", "nodsa_reason": "postponed" } } } } }
//! ```
//!
//! By source package and release, and complete: what it does not list is absent or not affected. It is some seventy
//! megabytes, so one CVE of one package is read at a time. `status` is `open`, `resolved` or `undetermined`;
//! `fixed_version: "0"` means that the release was never affected.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::feed::FeedKind;
use super::intake::Intake;
use super::limits::{self, Metered};
use super::record::{
    Advisory, Affected, Ecosystem, Evidence, NoDsa, NoDsaReason, Severity, Span, State, Urgency,
};
use crate::diag::{Failure, Result};
use crate::ident::{CveId, DebVersion, PackageName};

/// One CVE of one source package.
#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    description: String,
    releases: BTreeMap<String, Value>,
}

/// How one release stands to it.
#[derive(Deserialize)]
struct Release {
    status: String,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: Option<String>,
    #[serde(default)]
    repositories: BTreeMap<String, String>,
    #[serde(default)]
    nodsa: Option<String>,
    #[serde(default)]
    nodsa_reason: Option<String>,
}

/// Reads an export.
pub(super) fn read(input: &mut (dyn Read + Send), intake: &mut Intake<'_>) -> Result<()> {
    let feed = intake.feed(FeedKind::Tracker, FeedKind::Tracker.name());
    let (reader, since) = Metered::new(input);
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(1 << 16, reader));
    let mut failure = None;
    let mut last = String::new();
    let seed = Sources { intake, feed, since, failure: &mut failure, last: &mut last };
    let outcome = seed.deserialize(&mut json).and_then(|()| json.end());
    if let Some(failure) = failure {
        return Err(failure);
    }
    outcome.map_err(|error| {
        let problem = limits::broken(&intake.input, &error.to_string(), error.is_io());
        let problem = if last.is_empty() { problem } else { problem.fact("last read", &last) };
        problem.into()
    })
}

struct Sources<'a, 'i> {
    intake: &'a mut Intake<'i>,
    feed: u16,
    since: Rc<Cell<u64>>,
    failure: &'a mut Option<Failure>,
    last: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Sources<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Sources<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("source packages by name")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        let mut count = 0_u32;
        while let Some(source) = map.next_key::<String>()? {
            count += 1;
            let issues = Issues {
                intake: &mut *self.intake,
                feed: self.feed,
                source: &source,
                since: &self.since,
                failure: &mut *self.failure,
                last: &mut *self.last,
            };
            map.next_value_seed(issues)?;
        }
        if count == 0 { Err(M::Error::custom("it lists no source package")) } else { Ok(()) }
    }
}

struct Issues<'a, 'i> {
    intake: &'a mut Intake<'i>,
    feed: u16,
    source: &'a str,
    since: &'a Rc<Cell<u64>>,
    failure: &'a mut Option<Failure>,
    last: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Issues<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Issues<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the CVEs of {} by name", self.source)
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> std::result::Result<(), M::Error> {
        while let Some(id) = map.next_key::<String>()? {
            self.since.set(0);
            let value: Value = map.next_value()?;
            *self.last = format!("{id} of {}", self.source);
            match issue(self.source, &id, value) {
                Err(why) => self.intake.refuse(self.last, &why),
                Ok((advisory, broken)) => {
                    for (release, why) in broken {
                        self.intake.refuse(&format!("{} in {release}", self.last), &why);
                    }
                    if let Err(failure) = self.take(&advisory) {
                        *self.failure = Some(failure);
                        return Err(M::Error::custom("stopped"));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Issues<'_, '_> {
    /// The same CVE stands under each source package that it touches; its description is kept once.
    fn take(&mut self, advisory: &Advisory) -> Result<()> {
        let cves: Vec<CveId> = advisory.cve.into_iter().collect();
        if self.intake.has(self.feed, &advisory.id) {
            return self.intake.affected(self.feed, advisory, &cves);
        }
        if let Err(why) = self.intake.take(self.feed, advisory, &cves)? {
            self.intake.refuse(self.last, &why);
        }
        Ok(())
    }
}

/// A release that does not read, and why.
type Broken = (String, String);

/// What one CVE of one source is in each release. Where a release does not read, the others serve all the same: what
/// somebody broke of `sid` hides nothing that is open in a release that is used. With none that reads, it is refused.
fn issue(source: &str, id: &str, value: Value) -> std::result::Result<(Advisory, Vec<Broken>), String> {
    let source: PackageName = source.parse().map_err(|error: crate::ident::Malformed| error.to_string())?;
    let issue: Issue = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let cve = id.parse::<CveId>().ok();
    // What has no CVE yet is listed as TEMP-0000000-ABCDEF.
    if cve.is_none() && !id.starts_with("TEMP-") {
        return Err(format!("`{}` is no name of a CVE", id.chars().take(60).collect::<String>()));
    }
    let (mut affected, mut broken) = (Vec::new(), Vec::new());
    for (name, release) in issue.releases {
        let read = serde_json::from_value(release).map_err(|error| error.to_string());
        match read.and_then(|release| stands(&source, &name, release)) {
            Ok(read) => affected.push(read),
            Err(why) => broken.push((name, why)),
        }
    }
    if let ([], [(name, why), ..]) = (&affected[..], &broken[..]) {
        return Err(format!("release {name}: {why}"));
    }
    let urgencies = affected.iter().filter_map(|affected| affected.urgency?.level());
    let severity = urgencies.max().map(|level| Severity {
        level,
        score: None,
        source: "debian".to_owned(),
        vector: None,
    });
    let advisory = Advisory {
        id: id.to_owned(),
        cve,
        aliases: Vec::new(),
        summary: issue.description,
        published: None,
        modified: None,
        withdrawn: None,
        severity,
        affected,
    };
    Ok((advisory, broken))
}

fn stands(source: &PackageName, name: &str, release: Release) -> std::result::Result<Affected, String> {
    let fixed = release.fixed_version.filter(|version| !version.is_empty());
    let state = match (release.status.as_str(), fixed.as_deref()) {
        ("resolved", Some("0")) => State::NotAffected,
        ("resolved", Some(_)) => State::Resolved,
        ("resolved", None) => return Err("it is resolved without a `fixed_version`".to_owned()),
        ("open", _) => State::Open,
        ("undetermined", _) => State::Undetermined,
        (other, _) => {
            return Err(format!("the status `{}` is not known", other.chars().take(60).collect::<String>()));
        }
    };
    let version = |text: &str| text.parse::<DebVersion>().map_err(|error| error.to_string());
    let fixed = fixed.filter(|_| state == State::Resolved).as_deref().map(version).transpose()?;
    let span = Span {
        introduced: "0".to_owned(),
        fixed: fixed.as_ref().map(ToString::to_string),
        ..Span::default()
    };
    // An open one is open in every version; where nobody knows, every version may be touched.
    let spans = if state == State::NotAffected { Vec::new() } else { vec![span] };
    let reason = release.nodsa_reason.as_deref();
    let no_dsa = release.nodsa.filter(|_| state != State::Resolved).map(|comment| NoDsa {
        comment,
        reason: match reason {
            Some("ignored") => NoDsaReason::Ignored,
            Some("postponed") => NoDsaReason::Postponed,
            _ => NoDsaReason::None,
        },
    });
    // A suite that the security team filled long ago may hold a version below that of the release itself.
    let mut available = None;
    for text in
        release.repositories.iter().filter(|(suite, _)| is_of(suite, name)).map(|(_, version)| version)
    {
        available = available.max(Some(version(text)?));
    }
    Ok(Affected {
        ecosystem: Ecosystem::debian_named(name),
        package: source.to_string(),
        state,
        spans,
        versions: Vec::new(),
        urgency: release.urgency.as_deref().map(Urgency::of_word),
        fixed,
        no_dsa,
        advisory: None,
        available,
        fix_available_at: None,
        evidence: Evidence::Tracker,
    })
}

/// Whether a suite is one that every machine of a release takes its packages from.
fn is_of(suite: &str, release: &str) -> bool {
    suite == release || matches!(suite.strip_prefix(release), Some("-security" | "-updates" | "-lts"))
}
