//! What images are there, and what a vulnerability touches.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::picture::{Life, Picture, Stack};
use super::sheet::{Cell, Column, Sheet, length};
use super::spent::judged;
use super::{Known, Report};
use crate::advisory::Level;
use crate::ident::{BlobDigest, Epoch};
use crate::ledger::{Exposure, ImageHistory, ImageId, Published, State, VulnId, of_exposure};
use crate::verify::Targets;

/// The images, and what is open in each.
pub(super) fn images(known: &Known, all: bool) -> Report {
    let (mut rows, mut stacks) = (Vec::new(), Vec::new());
    for (id, image) in &known.history.images {
        let open: Vec<&Exposure> =
            image.exposures().filter(|exposure| exposure.state() == State::Open).collect();
        stacks.push(Stack { name: id.to_string(), parts: by_severity(&open) });
        let now = now_of(image);
        for held in &now {
            rows.push(held.row(id, &open));
        }
        if all {
            rows.extend(older(image, &now).iter().map(|held| {
                let found: Vec<&Exposure> =
                    image.exposures().filter(|exposure| exposure.digests.contains(&held.digest)).collect();
                held.row(id, &found)
            }));
        }
    }
    let mut notes = vec!["fixable: open, and a fix is known".to_owned()];
    if all {
        notes.push("of older digests, what was found in them".to_owned());
    }
    Report {
        name: "images",
        title: "What is open, by image".to_owned(),
        facts: known.facts(None),
        sheet: Sheet { columns: image_columns(), rows },
        picture: Picture::Stacks {
            legend: Level::WORST_FIRST.iter().map(|severity| (severity.name(), severity.name())).collect(),
            stacks,
        },
        text: None,
        notes,
    }
}

fn image_columns() -> Vec<Column> {
    let mut columns = vec![
        ("image", "image"),
        ("state", "state"),
        ("repository", ""),
        ("tags", "tags"),
        ("open", "open"),
        ("fixable", "fixable"),
    ];
    columns.extend(Level::WORST_FIRST.iter().map(|severity| (severity.name(), severity.name())));
    columns.extend([("built", "built"), ("published", "published"), ("digest", "digest")]);
    columns
}

/// A digest of an image, and where it is.
struct Held {
    digest: BlobDigest,
    state: &'static str,
    built: Option<Epoch>,
    published: Option<Published>,
}

impl Held {
    fn of(
        image: &ImageHistory,
        digest: BlobDigest,
        state: &'static str,
        published: Option<&Published>,
    ) -> Self {
        let built = image.builds.iter().find(|built| built.digest == digest).map(|built| built.at);
        Self { digest, state, built, published: published.cloned() }
    }

    fn row(&self, id: &ImageId, exposures: &[&Exposure]) -> Vec<Cell> {
        let published = self.published.as_ref();
        let fixable = exposures.iter().filter(|one| one.state() == State::Open && one.fix.is_some()).count();
        let mut cells = vec![
            Cell::Text(id.to_string()),
            Cell::Text(self.state.to_owned()),
            Cell::Text(published.map(|one| one.repository.to_string()).unwrap_or_default()),
            Cell::List(
                published.map(|one| one.tags.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            ),
            Cell::Count(exposures.len()),
            Cell::Count(fixable),
        ];
        cells.extend(by_severity(exposures).into_iter().map(Cell::Count));
        cells.extend([Cell::Time(self.built), Cell::Time(published.map(|one| one.at))]);
        cells.push(Cell::Text(self.digest.to_string()));
        cells
    }
}

/// What is published of an image, one a repository; where nothing is, what was built or looked at last. What was found open
/// in something that was never built here is out since before the ledger: what was built after it was kept back.
fn now_of(image: &ImageHistory) -> Vec<Held> {
    let current: Vec<Held> =
        image.current().map(|one| Held::of(image, one.digest, "published", Some(one))).collect();
    if !current.is_empty() {
        return current;
    }
    let is_built = |digest: BlobDigest| image.builds.iter().any(|built| built.digest == digest);
    let seen = |exposures: &mut dyn Iterator<Item = &Exposure>| {
        let last = exposures.max_by_key(|exposure| exposure.detected)?;
        Some(Held::of(image, *last.digests.last()?, "seen", None))
    };
    let out = seen(&mut image.exposures().filter(|exposure| exposure.state() == State::Open))
        .filter(|held| !is_built(held.digest));
    let built = || image.builds.last().map(|built| Held::of(image, built.digest, "built", None));
    out.or_else(built).or_else(|| seen(&mut image.exposures())).into_iter().collect()
}

/// All other digests of an image, the newest first.
fn older(image: &ImageHistory, now: &[Held]) -> Vec<Held> {
    let built = image.builds.iter().map(|built| (built.digest, built.at));
    let published = image.publications.iter().map(|one| (one.digest, one.at));
    let found =
        image.exposures().flat_map(|one| one.digests.iter().map(move |digest| (*digest, one.detected)));
    let mut first: BTreeMap<BlobDigest, Epoch> = BTreeMap::new();
    for (digest, at) in built.chain(published).chain(found) {
        let earliest = first.entry(digest).or_insert(at);
        *earliest = (*earliest).min(at);
    }
    let mut digests: Vec<(BlobDigest, Epoch)> =
        first.into_iter().filter(|(digest, _)| now.iter().all(|held| held.digest != *digest)).collect();
    digests.sort_by_key(|(digest, at)| (std::cmp::Reverse(*at), *digest));
    let held = |digest: BlobDigest| {
        let last = image.publications.iter().rfind(|one| one.digest == digest);
        let is_out = last.is_some() || image.builds.iter().all(|built| built.digest != digest);
        Held::of(image, digest, if is_out { "older" } else { "built" }, last)
    };
    digests.into_iter().map(|(digest, _)| held(digest)).collect()
}

fn by_severity(exposures: &[&Exposure]) -> Vec<usize> {
    let count = |severity: &Level| exposures.iter().filter(|one| one.severity == *severity).count();
    Level::WORST_FIRST.iter().map(count).collect()
}

/// What a vulnerability touches or touched.
pub(super) fn cve(known: &Known, cve: &VulnId, targets: &Targets) -> Report {
    let those: Vec<(&ImageId, &Exposure)> =
        known.history.exposures().filter(|(_, exposure)| exposure.cve == *cve).collect();
    let rows = those.iter().map(|(id, exposure)| touched(id, exposure, targets, known.as_of)).collect();
    let mut facts = known.facts(None);
    facts.insert("cve".to_owned(), cve.as_str().into());
    let blocks: Vec<String> = those.iter().map(|(id, one)| block(id, one, targets, known.as_of)).collect();
    let text = if blocks.is_empty() {
        format!("the ledger knows of no image that {cve} touches or touched")
    } else {
        blocks.join("\n")
    };
    let lives = those.iter().map(|(id, one)| Life {
        name: id.to_string(),
        public: one.public,
        available: one.fix.as_ref().map(|fix| fix.available),
        detected: one.detected,
        ended: one.ended(),
    });
    Report {
        name: "cve",
        title: format!("{cve}, by image"),
        facts,
        sheet: Sheet { columns: cve_columns(), rows },
        picture: Picture::Lives { lives: lives.collect(), now: known.as_of },
        text: Some(text),
        notes: Vec::new(),
    }
}

fn cve_columns() -> Vec<Column> {
    [
        "image",
        "package",
        "version",
        "state",
        "severity",
        "severity_source",
        "public",
        "fix_available",
        "fix_known_by",
        "fixed_version",
        "detected",
        "rebuilt",
        "published",
        "gone",
        "gone_why",
        "remediate_seconds",
        "exposed_seconds",
        "standing",
        "digests",
        "digest_before",
        "digest_after",
    ]
    .map(|name| (name, name))
    .into()
}

fn state(exposure: &Exposure) -> &'static str {
    match exposure.state() {
        State::Open => "open",
        State::Fixed => "fixed",
        State::Gone => "gone",
    }
}

fn touched(id: &ImageId, exposure: &Exposure, targets: &Targets, now: Epoch) -> Vec<Cell> {
    let times = of_exposure(exposure);
    let fix = exposure.fix.as_ref();
    let text = |text: Option<String>| Cell::Text(text.unwrap_or_default());
    let fixed = exposure.fixed_version.clone().or_else(|| fix.map(|fix| fix.version.clone()));
    vec![
        text(Some(id.to_string())),
        text(Some(exposure.package.clone())),
        text(Some(exposure.version.clone())),
        text(Some(state(exposure).to_owned())),
        text(Some(exposure.severity.to_string())),
        text(exposure.severity_source.clone()),
        Cell::Time(exposure.public),
        Cell::Time(fix.map(|fix| fix.available)),
        text(fix.map(|fix| fix.known_by.to_string())),
        text(fixed),
        Cell::Time(Some(exposure.detected)),
        Cell::Time(exposure.rebuilt),
        Cell::Time(exposure.published),
        Cell::Time(exposure.gone.map(|(at, _)| at)),
        text(exposure.gone.map(|(_, why)| why.to_string())),
        Cell::Length(times.to_remediate),
        Cell::Length(times.exposed),
        text(Some(judged(exposure, targets, now))),
        Cell::List(exposure.digests.iter().map(ToString::to_string).collect()),
        text(exposure.before.map(|digest| digest.to_string())),
        text(exposure.after.map(|digest| digest.to_string())),
    ]
}

/// One exposure for people, a fact a line.
fn block(id: &ImageId, exposure: &Exposure, targets: &Targets, now: Epoch) -> String {
    let Exposure { package, version, severity, .. } = exposure;
    let source = exposure.severity_source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    let mut text = format!("{id}: {}, {severity}{source}, {package} {version}\n", state(exposure));
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "    {what:<17} {value}");
        }
    };
    let time = |time: Option<Epoch>| time.map(|time| time.to_string());
    say("public", time(exposure.public));
    let fix = exposure.fix.as_ref();
    say("fix available", fix.map(|fix| format!("{} ({}), {}", fix.available, fix.known_by, fix.version)));
    say("first detected", time(Some(exposure.detected)));
    say("rebuilt", time(exposure.rebuilt));
    say("published", time(exposure.published));
    say("gone", exposure.gone.map(|(at, why)| format!("{at} ({why})")));
    for digest in &exposure.digests {
        say("digest with it", Some(digest.to_string()));
    }
    say("digest without it", exposure.after.map(|digest| digest.to_string()));
    let times = of_exposure(exposure);
    let judged = judged(exposure, targets, now);
    let taken = times.to_remediate.map(|seconds| format!("{}, {judged}", length(seconds)));
    say("time to remediate", Some(taken.unwrap_or(judged)));
    say("exposed", times.exposed.map(length));
    text.trim_end().to_owned()
}
