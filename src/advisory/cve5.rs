//! CVE records in JSON, format 5: what is taken of them is severity, and when they were published.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::cvss;
use super::dates::when;
use super::feed::FeedKind;
use super::intake::Intake;
use super::record::{Advisory, Level, Severity};
use crate::diag::{Problem, Result, codes};
use crate::ident::CveId;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    data_type: String,
    data_version: String,
    cve_metadata: Metadata,
    #[serde(default)]
    containers: Containers,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    cve_id: String,
    state: String,
    #[serde(default)]
    date_published: Option<String>,
    #[serde(default)]
    date_updated: Option<String>,
    #[serde(default)]
    date_rejected: Option<String>,
}

#[derive(Deserialize, Default)]
struct Containers {
    #[serde(default)]
    cna: Container,
    #[serde(default)]
    adp: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    provider_metadata: Option<Provider>,
    #[serde(default)]
    descriptions: Vec<Description>,
    #[serde(default)]
    metrics: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    #[serde(default)]
    short_name: Option<String>,
}

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    value: String,
}

/// Takes a record in. An unknown version of the format ends the import; anything else that is wrong with the
/// record is refused by name.
pub(super) fn take(bytes: &[u8], name: &str, intake: &mut Intake<'_>) -> Result<()> {
    let record: Record = match serde_json::from_slice(bytes) {
        Ok(record) => record,
        Err(error) => {
            intake.refuse(name, &error.to_string());
            return Ok(());
        }
    };
    if record.data_type != "CVE_RECORD" || !record.data_version.starts_with("5.") {
        let found: String = record.data_version.chars().take(40).flat_map(char::escape_debug).collect();
        let what = format!("{} is written in a version of the CVE format that is not known", intake.input);
        return Err(Problem::new(codes::UNKNOWN_FORM, what)
            .found(format!("version {found} in {name}"))
            .expected("version 5.x")
            .help("use a newer hardpan, or an export in the older form")
            .into());
    }
    let feed = intake.feed(FeedKind::Cve5, FeedKind::Cve5.name());
    let id = record.cve_metadata.cve_id.clone();
    let taken = match advisory(record) {
        Err(why) => Err(why),
        Ok((advisory, cve)) => intake.take(feed, &advisory, &[cve])?,
    };
    if let Err(why) = taken {
        intake.refuse(if id.is_empty() { name } else { &id }, &why);
    }
    Ok(())
}

fn advisory(record: Record) -> std::result::Result<(Advisory, CveId), String> {
    let Metadata { cve_id, state, date_published, date_updated, date_rejected } = record.cve_metadata;
    let cve: CveId = cve_id.parse().map_err(|error: crate::ident::Malformed| error.to_string())?;
    let date = |text: Option<String>, what: &str| match text {
        None => Ok(None),
        Some(text) => when(&text).map(Some).ok_or_else(|| format!("`{what}` is no date")),
    };
    let (published, modified) = (date(date_published, "datePublished")?, date(date_updated, "dateUpdated")?);
    let withdrawn = match state.as_str() {
        "PUBLISHED" => None,
        "REJECTED" => {
            date(date_rejected, "dateRejected")?.or(modified).or(published).or(Some(crate::ident::Epoch(0)))
        }
        _ => return Err("its state is neither PUBLISHED nor REJECTED".to_owned()),
    };
    let Containers { cna, adp } = record.containers;
    let english = cna.descriptions.iter().find(|description| description.lang.starts_with("en"));
    let summary = cna.title.clone().or_else(|| Some(english?.value.clone())).unwrap_or_default();
    let own = severity(&cna, "cve");
    let severity = own.or_else(|| {
        adp.iter().find_map(|container| {
            let by = container.provider_metadata.as_ref()?.short_name.as_deref()?;
            let by: String = by.chars().filter(|letter| !letter.is_control()).take(60).collect();
            severity(container, &format!("cve:{by}"))
        })
    });
    let advisory = Advisory {
        id: cve_id,
        cve: Some(cve),
        aliases: Vec::new(),
        summary,
        published,
        modified,
        withdrawn,
        severity,
        affected: Vec::new(),
    };
    Ok((advisory, cve))
}

/// The newest form of CVSS that somebody gives, of those that say how bad it is.
fn severity(container: &Container, source: &str) -> Option<Severity> {
    let forms = ["cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"];
    let given = forms.iter().flat_map(|form| {
        container.metrics.iter().filter_map(|metric| given(metric.get(*form)?, form, source))
    });
    let mut unscored = None;
    for severity in given {
        if severity.level != Level::Unknown {
            return Some(severity);
        }
        unscored = unscored.or(Some(severity));
    }
    unscored
}

fn given(metric: &Value, form: &str, source: &str) -> Option<Severity> {
    let vector = metric.get("vectorString").and_then(Value::as_str);
    let worked_out = vector.and_then(|vector| cvss::severity(vector, source));
    let score = metric.get("baseScore").and_then(Value::as_f64).filter(|score| (0.0..=10.0).contains(score));
    let word = metric.get("baseSeverity").and_then(Value::as_str).and_then(Level::of_word);
    let Some(score) = score else { return worked_out };
    let said = word.unwrap_or_else(|| Level::of_score(score));
    Some(Severity {
        level: if form == "cvssV2_0" { cvss::at_most_high(said) } else { said },
        score: Some(score),
        source: source.to_owned(),
        vector: worked_out.and_then(|severity| severity.vector),
    })
}
