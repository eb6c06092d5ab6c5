//! `hardpan report`: what happened to the images, how long fixes took, and what is open.

#[path = "report/held.rs"]
mod held;
#[path = "report/picture.rs"]
mod picture;
#[path = "report/sheet.rs"]
mod sheet;
#[path = "report/spent.rs"]
mod spent;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use self::picture::Picture;
use self::sheet::Sheet;
use super::{Global, books, patience, print};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::{Age, Epoch};
use crate::ledger::{self, Exposure, History, ImageId, Ledger, Place, VulnId};
use crate::verify::{Policy, Targets};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
    /// The ledger: a file, or `postgres://USER@HOST/DATABASE`; `ledger.db` in the store if not said
    #[arg(long, global = true, value_name = "FILE|URL", env = "HARDPAN_LEDGER", hide_env_values = true)]
    ledger: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How long it took from a fix, and from public knowledge, to a published image
    Mttr(Spent),
    /// Targets met and broken, and what is open
    Sla(Spent),
    /// The images, their digests and tags, and what is open in each
    Images(Images),
    /// What a vulnerability touches or touched, and when
    Cve(Cve),
    /// Take in events that `export` wrote, of another ledger
    Import {
        /// The events, one a line
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print all events, one a line
    Export,
}

#[derive(Debug, clap::Args)]
struct Window {
    /// Of this image alone: NAME or NAME+VARIANT; may be given several times
    #[arg(long, value_name = "IMAGE")]
    image: Vec<ImageId>,
    /// As it was at the end of this day or at this time; or so long ago: 2026-11-23, 7d
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct Spent {
    #[command(flatten)]
    window: Window,
    /// Without what ended before: 2026-11-01, 90d
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// One row for each of these
    #[arg(long, value_name = "WHAT", default_value = "severity")]
    by: By,
    /// The site's policy, whose `[sla]` has the targets; 24h, 7d and 30d if not said
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Images {
    #[command(flatten)]
    window: Window,
    /// Older digests too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct Cve {
    /// Such as CVE-2026-12345
    #[arg(value_name = "CVE")]
    id: VulnId,
    #[command(flatten)]
    window: Window,
    /// The site's policy, whose `[sla]` has the targets
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// A picture
    Svg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// How bad it was said to be
    Severity,
    /// The image
    Image,
    /// The source package
    Package,
    /// The week in which the fix was published
    Week,
}

/// A report, before anyone knows how it is printed.
struct Report {
    name: &'static str,
    title: String,
    /// What stands in the JSON beside the rows.
    facts: Map<String, Value>,
    sheet: Sheet,
    picture: Picture,
    /// In place of the table, where one would be too wide.
    text: Option<String>,
    notes: Vec<String>,
}

/// What reports are made of.
struct Known {
    history: History,
    as_of: Epoch,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let shelf = Shelf { place: books::place(global, args.ledger.as_deref())?, named: args.ledger.is_some() };
    let (window, report) = match &args.what {
        What::Import { file } => return import(global, &shelf.place, file),
        What::Export => return export(global, &shelf),
        What::Mttr(spent) => {
            let known = load(global, &shelf, &spent.window)?;
            (&spent.window, spent::mttr(&known, since(spent, &known)?, spent.by))
        }
        What::Sla(spent) => {
            let targets = targets(spent.policy.as_deref())?;
            let known = load(global, &shelf, &spent.window)?;
            (&spent.window, spent::sla(&known, since(spent, &known)?, spent.by, &targets))
        }
        What::Images(images) => {
            let known = load(global, &shelf, &images.window)?;
            (&images.window, held::images(&known, images.all))
        }
        What::Cve(cve) => {
            let targets = targets(cve.policy.as_deref())?;
            let known = load(global, &shelf, &cve.window)?;
            (&cve.window, held::cve(&known, &cve.id, &targets))
        }
    };
    show(global, window, &report);
    Ok(())
}

/// Where the ledger is, and whether somebody said so.
struct Shelf {
    place: Place,
    named: bool,
}

impl Shelf {
    /// The ledger, if it is there. One that was named must be: a report of nothing looks like a clean record.
    fn look(&self, global: &Global) -> Result<Option<Ledger>> {
        let found = Ledger::look(&self.place, patience()?)?;
        if found.is_none() && self.named {
            let problem = Problem::new(codes::LEDGER, format!("there is no ledger at {}", self.place));
            return Err(problem
                .help("name the one that `hardpan patch` writes to: `--ledger`, or HARDPAN_LEDGER")
                .into());
        }
        if found.is_none() && !global.quiet {
            print::error(&format!("there is no ledger at {} yet", self.place));
        }
        Ok(found)
    }
}

fn targets(policy: Option<&Path>) -> Result<Targets> {
    Ok(policy.map(Policy::read).transpose()?.unwrap_or_default().sla)
}

fn import(global: &Global, place: &Place, file: &Path) -> Result<()> {
    let events = ledger::from_lines(&host::read_text(file)?, &file.display().to_string())?;
    let done = Ledger::open(place, patience()?)?.import(&events, host::now())?;
    print::line(&if global.json {
        json!({ "new": done.new, "known": done.known }).to_string()
    } else {
        format!("{} new events, {} known already", done.new, done.known)
    });
    Ok(())
}

fn export(global: &Global, shelf: &Shelf) -> Result<()> {
    let events = match shelf.look(global)? {
        Some(mut ledger) => ledger.events()?,
        None => Vec::new(),
    };
    print::line(ledger::to_lines(&events).trim_end());
    Ok(())
}

fn load(global: &Global, shelf: &Shelf, window: &Window) -> Result<Known> {
    let now = host::now();
    let until = window.until.as_deref().map(|text| moment(text, now, true)).transpose()?;
    let as_of = until.map_or(now, |until| until.min(now));
    let images: BTreeSet<&ImageId> = window.image.iter().collect();
    let history = match shelf.look(global)? {
        Some(mut ledger) => ledger.history((!images.is_empty()).then_some(&images), until)?,
        None => History::default(),
    };
    for image in images.iter().filter(|image| !history.images.contains_key(image)) {
        let problem = Problem::new(codes::LEDGER, format!("the ledger knows of no image `{image}`"));
        global.say(&problem.help("`hardpan report images` shows those that it knows").warn());
    }
    Ok(Known { history, as_of })
}

fn since(spent: &Spent, known: &Known) -> Result<Option<Epoch>> {
    let since = spent.since.as_deref().map(|text| moment(text, host::now(), false)).transpose()?;
    if let Some(since) = since.filter(|since| *since > known.as_of) {
        let problem = Problem::new(codes::USAGE, "`--since` is later than the time that the report is of");
        let problem = problem.fact("since", since).fact("until", known.as_of);
        return Err(problem
            .help("nothing could ever be in it: exchange the two, or leave `--until` out")
            .into());
    }
    Ok(since)
}

/// A day (its beginning, or where it is over), a time, or how long ago.
fn moment(text: &str, now: Epoch, end: bool) -> Result<Epoch> {
    let day = || Some(Epoch(Epoch::from_day(text).ok()?.0 + if end { 86_400 } else { 0 }));
    let ago = || Some(Epoch(now.0 - text.parse::<Age>().ok()?.0));
    text.parse().ok().or_else(day).or_else(ago).ok_or_else(|| {
        let problem = Problem::new(codes::USAGE, format!("`{}` is no time", print::harmless(text)));
        problem
            .help("write a day (`2026-11-23`), a time (`2026-11-23T12:00:00Z`), or how long ago (`30d`)")
            .into()
    })
}

fn show(global: &Global, window: &Window, report: &Report) {
    let format = if global.json && window.format == Format::Table { Format::Json } else { window.format };
    let text = match format {
        Format::Table => table(global, report),
        Format::Json => to_json(report).to_string(),
        Format::Csv => report.sheet.to_csv(),
        Format::Svg => report.picture.to_svg(&report.title, &report.sheet.in_words()),
    };
    print::line(text.trim_end());
}

fn table(global: &Global, report: &Report) -> String {
    let table = report.text.as_deref().map_or_else(|| print::columns(&report.sheet.to_rows()), print::lines);
    let notes: &[String] = if global.quiet { &[] } else { &report.notes };
    std::iter::once(table.as_str()).chain(notes.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
}

fn to_json(report: &Report) -> Value {
    let mut facts = report.facts.clone();
    facts.insert("report".to_owned(), report.name.into());
    facts.insert("rows".to_owned(), report.sheet.to_json());
    Value::Object(facts)
}

impl Known {
    /// The exposures that had not ended at a time, with their images.
    fn exposures(&self, since: Option<Epoch>) -> Vec<(&ImageId, &Exposure)> {
        let counts = |exposure: &Exposure| match (exposure.ended(), since) {
            (Some(ended), Some(since)) => ended >= since,
            _ => true,
        };
        self.history.exposures().filter(|(_, exposure)| counts(exposure)).collect()
    }

    /// The time that a report is of, and since when.
    fn facts(&self, since: Option<Epoch>) -> Map<String, Value> {
        let mut facts = Map::new();
        facts.insert("as_of".to_owned(), self.as_of.to_string().into());
        facts.insert("since".to_owned(), since.map(|since| since.to_string()).into());
        facts
    }
}
