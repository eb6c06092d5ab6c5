//! Records of OSV (schema 1.7), of any ecosystem.
//!
//! Debian's come as `DEBIAN-CVE-…`, one a CVE with the CVE under `upstream`, and as `DSA-…` and `DLA-…`, one an
//! advisory with all its CVEs; others as `GHSA-…`, `PYSEC-…`, `RUSTSEC-…` with the CVE among their aliases. A
//! record of an advisory makes one statement for each CVE that it names, and is named by each.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::cvss;
use super::dates::when;
use super::feed::FeedKind;
use super::group::highest_fix;
use super::intake::Intake;
use super::record::{
    Advisory, Affected, Ecosystem, Evidence, Level, NoDsa, NoDsaReason, Severity, Span, State, Urgency,
};
use super::version_order::VersionOrder;
use crate::diag::{Problem, Result, codes};
use crate::ident::{CveId, DebVersion};

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    schema_version: Option<String>,
    id: String,
    modified: String,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    upstream: Option<Vec<String>>,
    #[serde(default)]
    related: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    severity: Option<Vec<Score>>,
    #[serde(default)]
    affected: Option<Vec<WireAffected>>,
    #[serde(default)]
    database_specific: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Score {
    score: String,
}

#[derive(Deserialize)]
struct WireAffected {
    #[serde(default)]
    package: Option<WirePackage>,
    #[serde(default)]
    ranges: Option<Vec<WireRange>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<Score>>,
    #[serde(default)]
    ecosystem_specific: Option<Map<String, Value>>,
    #[serde(default)]
    database_specific: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct WirePackage {
    ecosystem: Ecosystem,
    name: String,
}

#[derive(Deserialize)]
struct WireRange {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<Map<String, Value>>,
}

/// The most versions that are listed one by one.
const MAX_VERSIONS: usize = 50_000;

/// Takes a record in. An unknown version of the schema ends the import; anything else that is wrong with the
/// record is refused by name.
pub(super) fn take(bytes: &[u8], name: &str, intake: &mut Intake<'_>) -> Result<()> {
    let record: Record = match serde_json::from_slice(bytes) {
        Ok(record) => record,
        Err(error) => {
            intake.refuse(name, &error.to_string());
            return Ok(());
        }
    };
    check_schema(&record, intake)?;
    let id = record.id.clone();
    match advisory(record) {
        Err(why) => intake.refuse(&id, &why),
        Ok((advisory, cves)) => {
            let scope = advisory.affected.first().map_or("other", |affected| affected.ecosystem.base());
            let feed = intake.feed(FeedKind::Osv, &format!("osv/{scope}"));
            if let Err(why) = intake.take(feed, &advisory, &cves)? {
                intake.refuse(&id, &why);
            }
        }
    }
    Ok(())
}

fn check_schema(record: &Record, intake: &Intake<'_>) -> Result<()> {
    // A record that says none is of 1.0.0.
    let Some(version) =
        record.schema_version.as_deref().filter(|version| *version != "1" && !version.starts_with("1."))
    else {
        return Ok(());
    };
    let version: String = version.chars().take(40).flat_map(char::escape_debug).collect();
    let id: String = record.id.chars().take(100).flat_map(char::escape_debug).collect();
    let what = format!("{} is written in a version of OSV's schema that is not known", intake.input);
    Err(Problem::new(codes::UNKNOWN_FORM, what)
        .found(format!("version {version} in the record {id}"))
        .expected("version 1.x")
        .help("use a newer hardpan, or an export in the older form")
        .into())
}

fn advisory(record: Record) -> std::result::Result<(Advisory, Vec<CveId>), String> {
    let date = |text: &Option<String>, what: &str| match text {
        None => Ok(None),
        Some(text) => {
            let short: String = text.chars().take(40).collect();
            when(text).map(Some).ok_or_else(|| format!("`{what}` is no date: `{short}`"))
        }
    };
    let modified = when(&record.modified).ok_or("`modified` is no date")?;
    let (published, withdrawn) =
        (date(&record.published, "published")?, date(&record.withdrawn, "withdrawn")?);
    let cves = cves(&record);
    let of_debian = is_advisory(&record.id).then(|| record.id.clone());
    let severity = severity(&record);
    let mut affected = Vec::new();
    for one in record.affected.unwrap_or_default() {
        let Some(package) = one.package else { continue };
        let place = format!("{} {}", package.ecosystem, package.name);
        let read = stands(package, one.ranges, one.versions, one.ecosystem_specific.unwrap_or_default());
        let mut read = read.map_err(|why| format!("{place}: {why}"))?;
        read.advisory = read.advisory.or_else(|| of_debian.clone());
        affected.push(read);
    }
    // What is only related is another vulnerability: what is decided about it says nothing of this one.
    let related = record.related.filter(|_| of_debian.is_some());
    let names = [record.aliases, record.upstream, related].into_iter().flatten().flatten();
    let aliases: BTreeSet<String> =
        names.filter(|name| name.len() <= 200 && *name != record.id).take(2_000).collect();
    let advisory = Advisory {
        cve: if let [cve] = cves[..] { Some(cve) } else { None },
        id: record.id,
        aliases: aliases.into_iter().collect(),
        summary: record.summary.filter(|text| !text.is_empty()).or(record.details).unwrap_or_default(),
        published,
        modified: Some(modified),
        withdrawn,
        severity,
        affected,
    };
    Ok((advisory, cves))
}

/// Whether a record is about an advisory of Debian's rather than a vulnerability.
fn is_advisory(id: &str) -> bool {
    ["DSA-", "DLA-", "ELA-", "DTSA-"].iter().any(|prefix| id.starts_with(prefix))
}

/// The CVEs that a record is about. What is only related is about something else, but for Debian's
/// advisories, which once named their CVEs so.
fn cves(record: &Record) -> Vec<CveId> {
    let own = record.id.strip_prefix("DEBIAN-").unwrap_or(&record.id).parse::<CveId>();
    if let Ok(own) = own {
        return vec![own];
    }
    let related = record.related.as_ref().filter(|_| is_advisory(&record.id));
    let names = [record.aliases.as_ref(), record.upstream.as_ref(), related].into_iter().flatten().flatten();
    let cves: BTreeSet<CveId> = names.filter_map(|name| name.parse().ok()).take(2_000).collect();
    cves.into_iter().collect()
}

/// The best that the record says: a vector that can be scored, else a word, else a vector that can't.
fn severity(record: &Record) -> Option<Severity> {
    let own = record.severity.iter().flatten();
    let of_packages =
        record.affected.iter().flatten().flat_map(|affected| affected.severity.iter().flatten());
    let best = cvss::best(own.chain(of_packages).filter_map(|score| cvss::severity(&score.score, "osv")));
    if best.as_ref().is_some_and(|best| best.score.is_some()) {
        return best;
    }
    let inner = record.affected.iter().flatten().filter_map(|affected| affected.database_specific.as_ref());
    let mut words =
        record.database_specific.iter().chain(inner).filter_map(|specific| specific.get("severity"));
    let level = words.find_map(|word| Level::of_word(word.as_str()?));
    let vector = best.as_ref().and_then(|best| best.vector.clone());
    level.map(|level| Severity { level, score: None, source: "osv".to_owned(), vector }).or(best)
}

fn stands(
    package: WirePackage,
    ranges: Option<Vec<WireRange>>,
    versions: Option<Vec<String>>,
    specific: Map<String, Value>,
) -> std::result::Result<Affected, String> {
    let order = VersionOrder::of(&package.ecosystem);
    let debian = order == Some(VersionOrder::Debian);
    let mut spans = Vec::new();
    // What a range of git says is about commits, not versions.
    for range in ranges.unwrap_or_default().into_iter().filter(|range| range.kind != "GIT") {
        read_events(&range.events, order, &mut spans)?;
    }
    let mut versions = versions.unwrap_or_default();
    if versions.len() > MAX_VERSIONS || versions.iter().any(|version| version.len() > 256) {
        return Err("it lists too many versions, or too long ones".to_owned());
    }
    if debian {
        // Debian's records spell out what their ranges say already.
        let spelled = |version: &String| spans.iter().any(|span| span.holds(VersionOrder::Debian, version));
        versions.retain(|version| !spelled(version));
    }
    let text = |key: &str| specific.get(key).and_then(Value::as_str);
    let fixed = if debian { highest_fix(&spans)? } else { None };
    let all_fixed = !spans.is_empty() && spans.iter().all(|span| span.fixed.is_some());
    let said = text("status").and_then(|word| serde_json::from_value(word.into()).ok());
    let state = said.unwrap_or(if all_fixed { State::Resolved } else { State::Open });
    let reason = text("reason").and_then(|word| serde_json::from_value(word.into()).ok());
    let comment = text("nodsa").map(str::to_owned);
    let no_dsa = (reason.is_some() || comment.is_some())
        .then(|| NoDsa { comment: comment.unwrap_or_default(), reason: reason.unwrap_or(NoDsaReason::None) });
    let evidence = text("evidence").and_then(|word| serde_json::from_value(word.into()).ok());
    Ok(Affected {
        state,
        urgency: text("urgency").filter(|_| debian).map(Urgency::of_word),
        fixed,
        no_dsa,
        advisory: text("advisory").map(|text| text.chars().take(100).collect()),
        available: text("available").and_then(|version| version.parse().ok()),
        fix_available_at: text("fix_available_at").and_then(when),
        evidence: evidence.unwrap_or(Evidence::Osv),
        ecosystem: package.ecosystem,
        package: package.name,
        spans,
        versions,
    })
}

/// Which of two events comes first. `0` stands for what is before all versions, which Debian's 0 is not; and what
/// begins where another ends comes behind it, but for what is fixed before all: that was never there.
fn in_order(order: VersionOrder, (one, a): (&str, &str), (other, b): (&str, &str)) -> Ordering {
    let begins = |name: &str| name == "introduced";
    let versions = order.compare(a, b).unwrap_or(Ordering::Equal);
    let ends_first = begins(one).cmp(&begins(other));
    let ends_first = if a == "0" && b == "0" { ends_first.reverse() } else { ends_first };
    (b == "0").cmp(&(a == "0")).then(versions).then(ends_first)
}

/// Events in pairs: each `introduced` begins a range, `fixed` or `last_affected` ends it. They are put into the order
/// of their ecosystem first, where that is known and all of them are versions of it. A `limit` bounds all of them.
fn read_events(
    events: &[Map<String, Value>],
    order: Option<VersionOrder>,
    spans: &mut Vec<Span>,
) -> std::result::Result<(), String> {
    let (mut read, mut limits, first) = (Vec::new(), Vec::new(), spans.len());
    for (name, version) in events.iter().flatten() {
        let version = version.as_str().filter(|text| !text.is_empty() && text.len() <= 256);
        let version = version.ok_or_else(|| format!("the event `{name}` has no version"))?;
        if name == "limit" && version == "*" {
            limits.push(None);
            continue;
        }
        if order == Some(VersionOrder::Debian) && version != "0" {
            version.parse::<DebVersion>().map_err(|error| error.to_string())?;
        }
        if name == "limit" {
            limits.push(Some(version));
            continue;
        }
        read.push((name.as_str(), version));
    }
    if let Some(order) =
        order.filter(|order| read.iter().all(|(_, text)| order.compare(text, text).is_some()))
    {
        read.sort_by(|a, b| in_order(order, *a, *b));
    }
    let mut open: Option<Span> = None;
    for (name, version) in read {
        match (name, open.take()) {
            ("introduced", before) => {
                spans.extend(before);
                open = Some(Span { introduced: version.to_owned(), ..Span::default() });
            }
            ("fixed", Some(span)) => spans.push(Span { fixed: Some(version.to_owned()), ..span }),
            ("last_affected", Some(span)) => {
                spans.push(Span { last_affected: Some(version.to_owned()), ..span });
            }
            ("fixed" | "last_affected", None) => {
                return Err(format!("a range has `{name}` without `introduced`"));
            }
            (other, _) => {
                return Err(format!("a range has an event `{}`", other.chars().take(60).collect::<String>()));
            }
        }
    }
    spans.extend(open);
    let limit = highest_limit(&limits, order);
    spans[first..].iter_mut().for_each(|span| span.limit.clone_from(&limit));
    Ok(())
}

/// Of several limits the highest counts. `*` is none, and one that can't be compared limits nothing.
fn highest_limit(limits: &[Option<&str>], order: Option<VersionOrder>) -> Option<String> {
    let limits: Option<Vec<&str>> = limits.iter().copied().collect();
    let (limits, order) = (limits?, order?);
    let fine = limits.iter().all(|limit| order.compare(limit, limit).is_some());
    let highest = limits.into_iter().max_by(|a, b| order.compare(a, b).unwrap_or(Ordering::Equal));
    highest.filter(|_| fine).map(str::to_owned)
}
