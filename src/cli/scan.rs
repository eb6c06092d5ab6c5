//! `hardpan scan`: the known vulnerabilities of what was, or will be, built; here or by others.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::signing::TrustArgs;
use super::{Global, clamp, print, scan_subject, scan_table, scan_vex, snapshot};
use crate::advisory::{Shelf, SignedBy, Snapshot};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::{Age, Epoch};
use crate::scan::{self, Comparison, FailOn, Met, Report, Want};
use crate::verify::Policy;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An image (OCI layout folder, archive, reference), an SBOM, a lock file, or a folder with a Debian system
    #[arg(value_name = "IMAGE|SBOM|LOCK|PREFIX")]
    what: String,
    /// Another snapshot of advisories than the current one: its digest, or a file
    #[arg(long, value_name = "DIGEST|FILE")]
    advisories: Option<String>,
    /// Exit with 6 if there is such a finding: fixable, kev, critical, high, medium, low, negligible, unknown, any
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,
    /// Count the same of another, and show by how much this is less
    #[arg(long, value_name = "OTHER")]
    compare: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Format,
    /// Write it into a file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Decisions that silence findings: a folder of recipes or its folder `vex`, a file of decisions, or an `OpenVEX`
    /// document; may be given several times. Of a lock, those beside it if nothing is said
    #[arg(long, value_name = "DIR|FILE")]
    vex: Vec<PathBuf>,
    /// The recipe that it is an image of, for what does not say it: whose decisions count
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// One platform alone, such as linux/amd64
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// The release of Debian of what does not say it: 13
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// Findings too that Debian ignores, gives no update for, or holds for unimportant
    #[arg(long, visible_alias = "show-all")]
    all: bool,
    /// Fail if the advisories are older: days, or 12h, 7d, 2w
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<Age>,
    /// The site's policy, whose `advisories-max-age` counts where `--max-age` is not said
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs, all that is known
    Json,
    /// For code hosts: SARIF 2.1.0
    Sarif,
    /// A vulnerability disclosure report: `CycloneDX` 1.6
    Cyclonedx,
    /// An attestation: in-toto's vulns 0.2
    Vulns,
    /// An attestation: cosign's vuln
    CosignVuln,
    /// For pull requests
    Markdown,
}

/// A number of days, or a length of time with its unit.
fn age(text: &str) -> std::result::Result<Age, String> {
    let days = text.parse::<u32>().map(|days| Age(i64::from(days) * 86_400));
    days.or_else(|_| text.parse()).map_err(|error: crate::ident::Malformed| error.to_string())
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let format = if global.json && args.format == Format::Table { Format::Json } else { args.format };
    if args.compare.is_some() && !matches!(format, Format::Table | Format::Json | Format::Markdown) {
        let problem = Problem::new(codes::USAGE, "a comparison has no form of this kind");
        return Err(problem.expected("`--format table`, `json` or `markdown`").into());
    }
    let now = host::now();
    let (snapshot, signed) = asked(global, args)?;
    let decisions = scan_vex::open(&args.vex, &args.what)?;
    decisions.iter().flat_map(|decisions| decisions.idle(now)).for_each(|warning| global.say(&warning));
    let report = |what: &str, recipe: Option<&String>| {
        let mut report = report(global, args, what, &snapshot, &signed, now)?;
        report.subject.product = recipe.cloned().or(report.subject.product);
        report.decided(&decisions.iter().collect::<Vec<_>>(), now);
        Ok::<_, Failure>(report)
    };
    let ours = report(&args.what, args.recipe.as_ref())?;
    decisions
        .iter()
        .flat_map(|decisions| ours.beside(decisions, now))
        .for_each(|warning| global.say(&warning));
    ours.snapshot.check_age(max_age(args)?)?;
    let met = ours.met(&args.fail_on, args.all);
    // Documents bear the time that a build would, where one is asked for; ages count by the clock.
    let at = clamp()?.map_or(now, |clamp| now.min(clamp));
    let bytes = match &args.compare {
        None => written(&ours, &met, args, format, at),
        Some(other) => {
            let other = report(other, None)?;
            compared(&Comparison::of(&ours, &other), &met, format)
        }
    };
    for warning in ours.snapshot.warnings() {
        global.say(&warning);
    }
    hand_over(global, args.out.as_deref(), &bytes)?;
    if met.is_empty() {
        return Ok(());
    }
    let failure = Failure::from(ours.failed(&met));
    // It stands in the JSON that was printed.
    Err(if format == Format::Json && args.out.is_none() { failure.told() } else { failure })
}

fn max_age(args: &Args) -> Result<Option<Age>> {
    let policy = args.policy.as_deref().map(Policy::read).transpose()?;
    Ok(args.max_age.or_else(|| policy?.advisories_max_age))
}

fn report(
    global: &Global,
    args: &Args,
    what: &str,
    snapshot: &Snapshot,
    signed: &SignedBy,
    now: Epoch,
) -> Result<Report> {
    let want = Want { platform: args.platform.clone(), release: args.release.clone() };
    let subject = scan_subject::open(global, what, &want, args.plain_http)?;
    let mut report = scan::scan(&subject, snapshot, now)?;
    report.snapshot.signed = Some(signed.clone());
    Ok(report)
}

/// The snapshot, and whose signature it bears.
fn asked(global: &Global, args: &Args) -> Result<(Snapshot, SignedBy)> {
    let shelf = Shelf::at(&global.store_path()?);
    let snapshot = match &args.advisories {
        None => shelf.open_current()?.0,
        Some(name) => shelf.open_named(name)?,
    };
    let signed = snapshot::signed_by(&shelf, &snapshot, args.advisories.as_deref(), &args.trust, None)?;
    Ok((snapshot, signed))
}

fn written(report: &Report, met: &[Met], args: &Args, format: Format, at: Epoch) -> Vec<u8> {
    match format {
        Format::Table => scan_table::report(report, args.all).into_bytes(),
        Format::Json => with_failures(scan::report_json(report), met),
        Format::Sarif => scan::sarif(report, args.all, at),
        Format::Cyclonedx => scan::vdr(report, at),
        Format::Vulns => scan::vulns(report, at),
        Format::CosignVuln => scan::cosign_vuln(report, at),
        Format::Markdown => scan::report_markdown(report, args.all).into_bytes(),
    }
}

fn compared(comparison: &Comparison, met: &[Met], format: Format) -> Vec<u8> {
    match format {
        Format::Json => with_failures(scan::comparison_json(comparison), met),
        Format::Markdown => scan::comparison_markdown(comparison).into_bytes(),
        _ => scan_table::comparison(comparison).into_bytes(),
    }
}

/// What `--fail-on` met stands in the document too.
fn with_failures(mut document: Value, met: &[Met]) -> Vec<u8> {
    let failed: Vec<Value> = met
        .iter()
        .map(|(on, findings)| {
            let ids: Vec<&str> = findings.iter().map(|one| one.id.as_str()).collect();
            json!({ "on": on.to_string(), "count": findings.len(), "ids": ids })
        })
        .collect();
    document["failed"] = failed.into();
    document.to_string().into_bytes()
}

fn hand_over(global: &Global, output: Option<&Path>, bytes: &[u8]) -> Result<()> {
    let Some(path) = output else {
        print::line(String::from_utf8_lossy(bytes).trim_end());
        return Ok(());
    };
    host::write_atomic(path, bytes)?;
    if !global.quiet {
        print::error(&format!("{:>12} {} ({})", "Wrote", path.display(), host::size(bytes.len() as u64)));
    }
    Ok(())
}
