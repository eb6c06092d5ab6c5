//! `hardpan advisories list|show|verify|export|use`: looking at snapshots, and handing them on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::advisories::head_json;
use super::signing::TrustArgs;
use super::{Global, print};
use crate::advisory::{self, Affected, Feed, Known, NoDsaReason, Said, Shelf, SignedBy, Snapshot, State};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Scratch, size};
use crate::ident::Sha256;

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {}

/// Which snapshot is looked at.
#[derive(Debug, clap::Args)]
struct Which {
    /// Another snapshot than the current one: its digest, or a file
    #[arg(long, value_name = "DIGEST|FILE")]
    advisories: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// A CVE, or any other name that a feed has for something: CVE-2026-102633, DSA-6113-1, TEMP-0000000-ABCDEF
    #[arg(value_name = "CVE")]
    id: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The digest of a snapshot, or a file; the current one if not said
    #[arg(value_name = "DIGEST|FILE")]
    snapshot: Option<String>,
    /// The signature of a snapshot in a file; the file's name with `.bundle` behind it if not said
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Where to write to; its signature goes beside it, with `.bundle` behind the name
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Write records of OSV instead, one a line
    #[arg(long)]
    osv: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct UseArgs {
    /// The digest of a snapshot, or a file that `export` wrote; a signature beside it is taken along
    #[arg(value_name = "DIGEST|FILE")]
    snapshot: String,
}

fn shelf(global: &Global) -> Result<Shelf> {
    Ok(Shelf::at(&global.store_path()?))
}

fn open(shelf: &Shelf, which: &Which) -> Result<Snapshot> {
    match &which.advisories {
        Some(name) => shelf.open_named(name),
        None => Ok(shelf.open_current()?.0),
    }
}

/// How many records a feed has, in words.
pub(super) fn counted(feed: &Feed) -> String {
    let mut text = format!("{} records", feed.records);
    for (count, what) in [(feed.refused, "refused"), (feed.withdrawn, "taken back")] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}

pub(super) fn list(global: &Global) -> Result<()> {
    let shelf = shelf(global)?;
    let (snapshot, current) = shelf.open_current()?;
    let head = snapshot.head();
    let signed = host::is_file(&shelf.bundle_path(&current.digest));
    let others: Vec<Sha256> = shelf.list()?.into_iter().filter(|digest| *digest != current.digest).collect();
    if global.json {
        let value = json!({
            "digest": current.digest, "imported_at": current.imported_at, "signed": signed,
            "head": head_json(head), "others": others,
        });
        print::line(&value.to_string());
        return Ok(());
    }
    print::line(&format!("sha256:{}", current.digest));
    print::line(&format!(
        "  of {}, imported {}, {}",
        head.date,
        current.imported_at,
        if signed { "signed" } else { "not signed" }
    ));
    print::line(&format!("  {} packages, {} vulnerabilities", head.packages, head.vulnerabilities));
    if let Some(caveat) = head.caveat() {
        print::line(&format!("  {caveat}"));
    }
    let rows: Vec<Vec<String>> = head
        .feeds
        .iter()
        .map(|feed| vec![format!("  {}", feed.name), feed.date.to_string(), counted(feed)])
        .collect();
    print::line(&print::columns(&rows));
    for digest in others {
        print::line(&format!("also here: sha256:{digest}"));
    }
    Ok(())
}

pub(super) fn show(global: &Global, args: &ShowArgs) -> Result<()> {
    let shelf = shelf(global)?;
    let snapshot = open(&shelf, &args.which)?;
    let Some((known, said)) = snapshot.look_up(&args.id)? else {
        let what = format!("nothing is known of {}", print::harmless(&args.id));
        return Err(Problem::new(codes::NO_ADVISORIES, what)
            .fact("snapshot", format!("sha256:{}, of {}", snapshot.digest(), snapshot.head().date))
            .help("feeds of another kind or day may know it: `hardpan advisories import FILE…`")
            .into());
    };
    if global.json {
        print::line(&json(&snapshot, &known, &said).to_string());
    } else {
        print_known(&snapshot, &known, &said);
    }
    Ok(())
}

fn json(snapshot: &Snapshot, known: &Known, said: &[Said]) -> Value {
    let feeds = &snapshot.head().feeds;
    let affected: Vec<Value> = said
        .iter()
        .map(|said| {
            let Affected { ecosystem, package, state, urgency, fixed, no_dsa, advisory, available, fix_available_at, evidence, spans, versions } = &said.affected;
            json!({
                "feed": feeds.get(said.feed).map(|feed| &feed.name), "id": said.id, "ecosystem": ecosystem, "package": package,
                "status": state, "standing": said.affected.standing(), "urgency": urgency, "fixed": fixed, "no_dsa": no_dsa,
                "advisory": advisory, "available": available, "fix_available_at": fix_available_at, "evidence": evidence,
                "ranges": spans, "versions": versions,
            })
        })
        .collect();
    let names: Vec<&String> = known.feeds.iter().filter_map(|feed| Some(&feeds.get(*feed)?.name)).collect();
    json!({
        "id": known.id, "aliases": known.aliases, "summary": known.summary, "published": known.published,
        "modified": known.modified, "severity": known.severity(), "severities": known.severities, "kev": known.kev,
        "epss": known.epss, "feeds": names, "affected": affected, "snapshot": { "digest": snapshot.digest(), "date": snapshot.head().date },
    })
}

fn print_known(snapshot: &Snapshot, known: &Known, said: &[Said]) {
    print::line(&print::harmless(&known.id));
    if !known.summary.is_empty() {
        // In one line, so that no text of a feed stands where ours does.
        let words: Vec<&str> = known.summary.split_whitespace().collect();
        print::line(&print::harmless(&words.join(" ")));
    }
    let mut rows = Vec::new();
    let mut row = |name: &str, text: String| rows.push(vec![format!("  {name}"), text]);
    match known.severity() {
        None => row("severity", "unknown: no feed here says any".to_owned()),
        Some(severity) => {
            let score = severity.score.map(|score| format!(" {score:.1}")).unwrap_or_default();
            row("severity", format!("{}{score}, says {}", severity.level, severity.source));
        }
    }
    if let Some(published) = known.published {
        row("published", published.to_string());
    }
    if let Some(kev) = &known.kev {
        let ransomware = if kev.ransomware { ", by ransomware too" } else { "" };
        row("exploited", format!("known since {}{ransomware}", kev.added));
    }
    if let Some(epss) = known.epss {
        row("EPSS", format!("{:.4}, above {:.1} % of all", epss.score, epss.percentile * 100.0));
    }
    if !known.aliases.is_empty() {
        row("also", known.aliases.join(", "));
    }
    print::line(&print::columns(&rows));
    let feeds = &snapshot.head().feeds;
    let rows: Vec<Vec<String>> = said
        .iter()
        .map(|one| {
            let affected = &one.affected;
            let feed = feeds.get(one.feed).map_or("", |feed| feed.name.as_str());
            vec![
                format!("  {}", affected.ecosystem),
                affected.package.clone(),
                stands(affected),
                format!("says {feed}"),
            ]
        })
        .collect();
    if !rows.is_empty() {
        print::line(&print::columns(&rows));
    }
}

/// How a package stands, in words.
fn stands(affected: &Affected) -> String {
    let mut text = match (affected.state, &affected.fixed) {
        (State::NotAffected, _) => "not affected".to_owned(),
        (State::Resolved, Some(fixed)) => format!("fixed in {fixed}"),
        (State::Resolved, None) => {
            let fixed: Vec<&str> = affected.spans.iter().filter_map(|span| span.fixed.as_deref()).collect();
            if fixed.is_empty() { "fixed".to_owned() } else { format!("fixed in {}", fixed.join(", ")) }
        }
        (State::Undetermined, _) => "undetermined".to_owned(),
        (State::Open, _) => "open".to_owned(),
    };
    if let Some(no_dsa) = &affected.no_dsa {
        let reason = match no_dsa.reason {
            NoDsaReason::Ignored => "ignored",
            NoDsaReason::Postponed => "postponed",
            NoDsaReason::None => "no DSA",
        };
        let _ = write!(text, ", {reason}");
        if !no_dsa.comment.is_empty() {
            let _ = write!(text, " ({})", no_dsa.comment);
        }
    }
    if let Some(advisory) = &affected.advisory {
        let _ = write!(text, " by {advisory}");
    }
    if let Some(at) = affected.fix_available_at {
        let _ = write!(text, ", there since {at} at the latest");
    }
    text
}

pub(super) fn verify(global: &Global, args: &VerifyArgs) -> Result<()> {
    let shelf = shelf(global)?;
    let named = args.snapshot.as_deref();
    let digest = named.map(|name| name.strip_prefix("sha256:").unwrap_or(name).parse::<Sha256>());
    let (path, bundle) = match (named, digest) {
        (Some(name), Some(Err(_))) => (PathBuf::from(name), beside(Path::new(name))),
        (_, Some(Ok(digest))) => (shelf.path(&digest), shelf.bundle_path(&digest)),
        _ => {
            let digest = shelf.open_current()?.1.digest;
            (shelf.path(&digest), shelf.bundle_path(&digest))
        }
    };
    // Hashed whole, whatever its stamp says.
    let snapshot = advisory::open_file(&path)?;
    let expected = path.file_name().and_then(|name| name.to_str()?.parse::<Sha256>().ok());
    if let Some(expected) = expected.filter(|expected| *expected != snapshot.digest()) {
        let what = format!("the snapshot of advisories {expected} was changed");
        return Err(Problem::new(codes::BAD_SNAPSHOT, what)
            .found(format!("sha256 {}", snapshot.digest()))
            .into());
    }
    let groups = snapshot.check()?;
    let bundle = args.bundle.clone().unwrap_or(bundle);
    let keys = args.trust.open_any(&Global::environment())?;
    let signed = if host::is_file(&bundle) {
        advisory::check_bundle(&host::read(&bundle)?, &snapshot.digest(), keys.as_ref())?
    } else {
        SignedBy::Nobody
    };
    if args.trust.is_said() && !matches!(signed, SignedBy::Trusted(_)) {
        let what = format!("the snapshot {} is not signed by who was named", snapshot.digest());
        return Err(Problem::new(codes::NOT_SIGNED, what).found("no signature").into());
    }
    if global.json {
        let by = if let SignedBy::Trusted(by) = &signed { Some(by) } else { None };
        let value = json!({ "digest": snapshot.digest(), "groups": groups, "signed": signed != SignedBy::Nobody, "signed_by": by, "head": head_json(snapshot.head()) });
        print::line(&value.to_string());
        return Ok(());
    }
    print::line(&format!("sha256:{}: whole, {groups} groups", snapshot.digest()));
    print::line(&match signed {
        SignedBy::Trusted(by) => format!("signed by {by}"),
        SignedBy::Unverified => "signed, and there is no key here to verify it with".to_owned(),
        SignedBy::Nobody => "not signed".to_owned(),
    });
    Ok(())
}

/// Where the signature of a snapshot in a file is.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bundle");
    PathBuf::from(name)
}

pub(super) fn export(global: &Global, args: &ExportArgs) -> Result<()> {
    let shelf = shelf(global)?;
    let snapshot = open(&shelf, &args.which)?;
    let folder = args.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| host::file_problem("writing", &args.out, &error);
    let mut scratch = Scratch::in_folder(folder)?;
    let mut count = 0_u64;
    if args.osv {
        let mut out = std::io::BufWriter::new(scratch.file());
        advisory::export_osv(&snapshot, &mut |_, record| {
            count += 1;
            out.write_all(record).and_then(|()| out.write_all(b"\n")).map_err(|error| failed(error).into())
        })?;
        out.flush().map_err(failed)?;
    } else {
        std::io::copy(&mut snapshot.bytes()?, scratch.file()).map_err(failed)?;
        let bundle = shelf.bundle_path(&snapshot.digest());
        if host::is_file(&bundle) {
            host::write_atomic(&beside(&args.out), &host::read(&bundle)?)?;
        }
    }
    let length = scratch.file().metadata().map_err(failed)?.len();
    scratch.persist(&args.out)?;
    if global.json {
        let value = json!({ "digest": snapshot.digest(), "path": args.out, "bytes": length, "records": args.osv.then_some(count) });
        print::line(&value.to_string());
    } else if !global.quiet {
        print::error(&format!("{:>12} {} ({})", "Wrote", args.out.display(), size(length)));
    }
    Ok(())
}

pub(super) fn use_other(global: &Global, args: &UseArgs) -> Result<()> {
    let shelf = shelf(global)?;
    let _alone = shelf.lock()?;
    let snapshot = shelf.open_named(&args.snapshot)?;
    let digest = snapshot.digest();
    snapshot.check()?;
    if !host::is_file(&shelf.path(&digest)) {
        shelf.adopt(&snapshot)?;
        let bundle = beside(Path::new(&args.snapshot));
        if host::is_file(&bundle) {
            let bytes = host::read(&bundle)?;
            advisory::check_bundle(&bytes, &digest, None)?;
            host::write_atomic(&shelf.bundle_path(&digest), &bytes)?;
        }
    }
    let now = host::now();
    shelf.set_current(digest, now)?;
    if global.json {
        print::line(&json!({ "digest": digest, "imported_at": now }).to_string());
    } else {
        print::line(&format!("sha256:{digest}"));
    }
    Ok(())
}
