//! `hardpan advisories`: what is known of vulnerabilities, brought once and asked offline.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::signing::SigningArgs;
use super::{Global, advisories_derive as derive, advisories_look as look, patience, print};
use crate::advisory::{self, FeedKind, Head, Imported, Order, Origin, Shelf, Snapshot};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Client, Url};
use crate::ident::Epoch;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Read feeds into a snapshot, which is asked from then on
    Import(ImportArgs),
    /// Make a snapshot of what changelogs of the archive's own packages say was fixed
    Derive(derive::Args),
    /// Show what was imported, and when
    List(look::ListArgs),
    /// Show what is known of a CVE
    Show(look::ShowArgs),
    /// Check a snapshot's bytes and signature
    Verify(look::VerifyArgs),
    /// Write a snapshot into a file, or its records as OSV
    Export(look::ExportArgs),
    /// Ask another snapshot from now on: one that is there, or one in a file
    Use(look::UseArgs),
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// Files, folders or addresses: Debian's tracker export, OSV (also `.zip`, `.tar.gz`), KEV, EPSS, CVE JSON 5
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<String>,
    /// Of which kind they are; found out from their content if not said
    #[arg(long, value_name = "KIND", value_parser = ["tracker", "osv", "kev", "epss", "cve5", "auto"], default_value = "auto")]
    kind: String,
    /// Forget the records of OSV and CVE 5 that these feeds do not have
    #[arg(long)]
    replace: bool,
    /// Take a feed that is older than what is there
    #[arg(long)]
    allow_older: bool,
    /// Of when what has no date itself is, a tracker export or a single record of OSV: 2026-11-20; the file's own if not said
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    #[command(flatten)]
    signing: IfSigned,
}

/// Who signs a snapshot, if anybody does: here no key is made by itself.
#[derive(Debug)]
pub(super) struct IfSigned(SigningArgs);

/// What `--key` means here, where nothing is signed unless it is said.
const KEY_HELP: &str =
    "Sign with this key; `HARDPAN_KEY` if not said. Without a key or signer the snapshot is not signed";

impl clap::Args for IfSigned {
    fn augment_args(command: clap::Command) -> clap::Command {
        SigningArgs::augment_args(command).mut_arg("key", |key| key.help(KEY_HELP))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        SigningArgs::augment_args_for_update(command).mut_arg("key", |key| key.help(KEY_HELP))
    }
}

impl clap::FromArgMatches for IfSigned {
    fn from_arg_matches(matches: &clap::ArgMatches) -> std::result::Result<Self, clap::Error> {
        SigningArgs::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &clap::ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    match &args.verb {
        Verb::Import(args) => import(global, args),
        Verb::Derive(args) => derive::run(global, args),
        Verb::List(_) => look::list(global),
        Verb::Show(args) => look::show(global, args),
        Verb::Verify(args) => look::verify(global, args),
        Verb::Export(args) => look::export(global, args),
        Verb::Use(args) => look::use_other(global, args),
    }
}

fn import(global: &Global, args: &ImportArgs) -> Result<()> {
    let date = args.date.as_deref().map(date).transpose()?;
    let store = Store::open(&global.store_path()?)?;
    let shelf = Shelf::of(&store);
    let _alone = shelf.lock()?;
    let mut origins = Vec::new();
    for feed in &args.feeds {
        origins.push(origin(&shelf, feed)?);
    }
    let order = Order {
        origins,
        kind: kind(&args.kind),
        replace: args.replace,
        allow_older: args.allow_older,
        date,
        now: host::now(),
    };
    let imported = advisory::import(&shelf, &order, &mut |problem| global.say(&problem))?;
    settle(global, &shelf, &imported, &args.signing, None)
}

/// Signs a new snapshot where a key is configured, makes it the current one, and says what it is. For machines, with
/// what was derived.
pub(super) fn settle(
    global: &Global,
    shelf: &Shelf,
    imported: &Imported,
    signing: &IfSigned,
    derived: Option<Value>,
) -> Result<()> {
    let snapshot = shelf.open(&imported.digest)?;
    let before = shelf.current().ok().flatten().map(|current| current.digest);
    let was_signed = before.is_some_and(|digest| host::is_file(&shelf.bundle_path(&digest)));
    let signed = sign(shelf, &snapshot, signing)?;
    let is_signed = signed.is_some() || host::is_file(&shelf.bundle_path(&imported.digest));
    let now = host::now();
    if was_signed && !is_signed {
        let problem = Problem::new(codes::NOT_SIGNED, "the snapshot before was signed, and this one is not");
        global.say(&problem.help("say the key again: `--key FILE`, or HARDPAN_KEY").warn());
    }
    shelf.set_current(imported.digest, now)?;
    if global.json {
        let value = json!({
            "digest": imported.digest, "changed": imported.changed, "imported": imported.feeds,
            "notes": imported.notes, "imported_at": now, "signed": signed.is_some(), "head": head_json(snapshot.head()), "derived": derived,
        });
        print::line(&value.to_string());
        return Ok(());
    }
    if !global.quiet {
        for feed in snapshot.head().feeds.iter().filter(|feed| imported.feeds.contains(&feed.name)) {
            let count = look::counted(feed);
            print::error(&format!("{:>12} {}: {count}, of {}", "Imported", feed.name, feed.date));
        }
        for note in &imported.notes {
            print::error(&format!("{:>12} {}", "Note", print::harmless(note)));
        }
        if !imported.changed {
            print::error(&format!("{:>12} the snapshot: it was made of the same before", "Unchanged"));
        }
        if let Some(by) = &signed {
            print::error(&format!("{:>12} by {by}", "Signed"));
        }
        if let Some(caveat) = snapshot.head().caveat() {
            print::error(&format!("{:>12} the snapshot was {caveat}", "Note"));
        }
    }
    print::line(&format!("sha256:{}", imported.digest));
    Ok(())
}

fn sign(shelf: &Shelf, snapshot: &Snapshot, IfSigned(signing): &IfSigned) -> Result<Option<String>> {
    if !signing.is_said()? {
        return Ok(None);
    }
    let signer = signing.open(&Global::environment())?;
    shelf.sign(snapshot, signer.as_ref())?;
    Ok(Some(signer.describe()))
}

fn origin(shelf: &Shelf, feed: &str) -> Result<Origin> {
    if !feed.contains("://") {
        return Ok(Origin::Path(PathBuf::from(feed)));
    }
    let address: Url = feed.parse().map_err(|why: String| Problem::new(codes::USAGE, why))?;
    advisory::download(shelf, &Client::new(patience()?), &address)
}

fn kind(word: &str) -> Option<FeedKind> {
    let kinds = [FeedKind::Tracker, FeedKind::Osv, FeedKind::Kev, FeedKind::Epss, FeedKind::Cve5];
    kinds.into_iter().find(|kind| kind.name() == word)
}

fn date(text: &str) -> Result<Epoch> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|error: crate::ident::Malformed| {
        let problem = Problem::new(codes::USAGE, error.to_string());
        problem.help("write a day, `2026-11-20`, or a moment, `2026-11-20T10:30:00Z`").into()
    })
}

/// A head for machines.
pub(super) fn head_json(head: &Head) -> Value {
    let mut value = json!(head);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("derived_only".to_owned(), (!head.tells_what_is_open()).into());
        fields.insert("counts_from".to_owned(), json!(head.counts_from()));
    }
    value
}
