//! What others count up: CISA's catalog of known exploited vulnerabilities, and FIRST's EPSS.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::Value;

use super::dates::when;
use super::feed::FeedKind;
use super::intake::Intake;
use super::limits;
use super::record::{Epss, Kev};
use crate::diag::{Problem, Result, codes};
use crate::ident::CveId;

/// What to do about a list that says of itself that it is from the future.
const ASK_AGAIN: &str = "get it again from its source; if it is true, set this machine's clock right";

/// The catalog: `{"catalogVersion":"…","dateReleased":"…","count":1,"vulnerabilities":[…]}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalog {
    date_released: String,
    count: Option<usize>,
    vulnerabilities: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exploited {
    #[serde(rename = "cveID")]
    cve: String,
    #[serde(default)]
    vulnerability_name: String,
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: Option<String>,
}

/// Reads the catalog.
pub(super) fn read_kev(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let bad = |why: String| limits::broken(&intake.input, &why, false);
    let catalog: Catalog = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let date = when(&catalog.date_released).ok_or_else(|| bad("`dateReleased` is no date".to_owned()))?;
    intake.hold_date(date, ASK_AGAIN)?;
    let found = catalog.vulnerabilities.len();
    if let Some(count) = catalog.count.filter(|count| *count != found) {
        return Err(bad(format!("{found} entries")).expected(format!("{count}, as it says itself")).into());
    }
    if found == 0 {
        return Err(bad("the catalog is empty: it lists no vulnerability".to_owned()).into());
    }
    let feed = intake.feed(FeedKind::Kev, FeedKind::Kev.name());
    intake.feeds[usize::from(feed)].date = Some(date);
    for (at, value) in catalog.vulnerabilities.into_iter().enumerate() {
        match exploited(value) {
            Err(why) => intake.refuse(&format!("number {}", at + 1), &why),
            Ok((cve, _)) if intake.has(feed, &cve.to_string()) => {
                intake.refuse(&cve.to_string(), "it stands there twice");
            }
            Ok((cve, kev)) => intake.score(feed, cve, Some(kev.added), (Some(kev), None))?,
        }
    }
    Ok(())
}

fn exploited(value: Value) -> std::result::Result<(CveId, Kev), String> {
    let wire: Exploited = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let cve = wire.cve.parse::<CveId>().map_err(|error| error.to_string())?;
    let added = when(&wire.date_added).ok_or("`dateAdded` is no date")?;
    let due = match wire.due_date.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(when(text).ok_or("`dueDate` is no date")?),
    };
    let name: String =
        wire.vulnerability_name.chars().filter(|letter| !letter.is_control()).take(500).collect();
    let ransomware =
        wire.known_ransomware_campaign_use.is_some_and(|word| word.eq_ignore_ascii_case("known"));
    Ok((cve, Kev { added, due, name, ransomware }))
}

/// The longest line of a list of scores, in bytes.
const MAX_LINE: u64 = 1 << 10;

/// Reads scores:
///
/// ```text
/// #model_version:v2025.03.14,score_date:2026-11-20T00:00:00+0000
/// cve,epss,percentile
/// CVE-1999-0001,0.0125,0.78
/// ```
pub(super) fn read_epss(input: &mut dyn Read, intake: &mut Intake<'_>) -> Result<()> {
    let mut lines = io::BufReader::with_capacity(1 << 16, input);
    let (mut line, mut at) = (String::new(), 0_u64);
    let feed = intake.feed(FeedKind::Epss, FeedKind::Epss.name());
    let mut headed = false;
    loop {
        line.clear();
        let read = (&mut lines).take(MAX_LINE).read_line(&mut line);
        let got = read.map_err(|error| limits::broken(&intake.input, &error.to_string(), true))?;
        at += 1;
        if got as u64 == MAX_LINE {
            return Err(limits::broken(
                &intake.input,
                &format!("line {at} is longer than a kibibyte"),
                false,
            )
            .into());
        }
        let text = line.trim();
        if got == 0 {
            break;
        } else if let Some(comment) = text.strip_prefix('#') {
            note_date(comment, feed, intake)?;
        } else if !headed {
            check_header(text, intake)?;
            headed = true;
        } else if !text.is_empty() {
            match score(text) {
                // A whole line ends; one that is broken off may have thousands missing behind it.
                Err(why) if !line.ends_with('\n') => {
                    let why = format!("line {at} breaks off, so what comes behind it is missing: {why}");
                    return Err(limits::broken(&intake.input, &why, false).into());
                }
                Err(why) => intake.refuse(&format!("in line {at}"), &why),
                Ok((cve, _)) if intake.has(feed, &cve.to_string()) => {
                    intake.refuse(&cve.to_string(), "it stands there twice");
                }
                Ok((cve, epss)) => intake.score(feed, cve, None, (None, Some(epss)))?,
            }
        }
    }
    if intake.feeds[usize::from(feed)].date.is_none() {
        let why = "no line says `score_date`, so nobody knows how old it is";
        return Err(limits::broken(&intake.input, why, false).into());
    }
    Ok(())
}

fn note_date(comment: &str, feed: u16, intake: &mut Intake<'_>) -> Result<()> {
    let Some(text) = comment.split(',').find_map(|part| part.trim().strip_prefix("score_date:")) else {
        return Ok(());
    };
    let date = when(text).ok_or_else(|| limits::broken(&intake.input, "`score_date` is no date", false))?;
    intake.hold_date(date, ASK_AGAIN)?;
    intake.feeds[usize::from(feed)].date = Some(date);
    Ok(())
}

fn check_header(text: &str, intake: &Intake<'_>) -> Result<()> {
    if text == "cve,epss,percentile" {
        return Ok(());
    }
    let what = format!("{} has columns that are not known", intake.input);
    let found: String = text.chars().take(100).flat_map(char::escape_debug).collect();
    Err(Problem::new(codes::UNKNOWN_FORM, what)
        .found(found)
        .expected("cve,epss,percentile")
        .help("use a newer hardpan, or an export in the older form")
        .into())
}

fn score(line: &str) -> std::result::Result<(CveId, Epss), String> {
    let cells: Vec<&str> = line.split(',').collect();
    let [cve, score, percentile] = cells[..] else {
        return Err(format!("{} columns, where three belong", cells.len()));
    };
    let part = |text: &str| {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| {
            format!("`{}` is no number from 0 to 1", text.chars().take(40).collect::<String>())
        })
    };
    let cve = cve.parse::<CveId>().map_err(|error| error.to_string())?;
    Ok((cve, Epss { percentile: part(percentile)?, score: part(score)? }))
}
