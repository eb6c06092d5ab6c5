//! The release note of an image: what it fixes, and what changed, by package and by file; as Markdown for people and as a
//! predicate for machines. It holds no time of this machine, so that the same move makes the same note.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::fixes::{Fix, order};
use super::plan::{Move, Planned};
use crate::canon;
use crate::diag::Result;
use crate::host;
use crate::ident::{BlobDigest, TagName};
use crate::image::{Contents, FileFacts, Image, contents};
use crate::lock::Change;
use crate::scan::SnapshotFacts;

/// The predicate type of a release note: hardpan's own.
pub const CHANGES: &str = "https://hardpan.dev/changes/v1";

/// Files that the Markdown names; the predicate has all.
const SHOWN: usize = 100;

/// What changed between two images of one name.
#[derive(Debug)]
pub struct Note<'a> {
    /// What the image is called.
    pub name: String,
    /// Its tags that move, the most telling first.
    pub tags: &'a [TagName],
    /// Its digest.
    pub digest: BlobDigest,
    /// The digest that had its place.
    pub before: Option<BlobDigest>,
    /// What moved.
    pub planned: &'a Planned,
    /// The snapshot of advisories that was asked; `None` where changelogs alone say what is fixed.
    pub advisories: Option<&'a SnapshotFacts>,
    /// Which packages differ between the two.
    pub packages: Vec<Change>,
    /// What differs between the two, by platform; `None` where there is nothing to compare with.
    pub files: Option<BTreeMap<String, Vec<FileChange>>>,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path, with its slash.
    pub path: String,
    /// What was there.
    pub before: Option<String>,
    /// What is there.
    pub after: Option<String>,
}

/// Makes sure that notes can be written to a folder, before anything is brought out that they would be about.
pub fn notes_ready(folder: &Path) -> Result<()> {
    host::create_dirs(folder)?;
    host::Scratch::in_folder(folder).map(drop)
}

/// All paths that differ between two images, by platform.
pub fn file_changes(before: &Image, after: &Image) -> Result<BTreeMap<String, Vec<FileChange>>> {
    let mut all = BTreeMap::new();
    for platform in &after.platforms {
        let now = contents(after, platform)?;
        let then = match before.platforms.iter().find(|one| one.platform == platform.platform) {
            Some(platform) => contents(before, platform)?,
            None => Contents::default(),
        };
        all.insert(platform.platform.clone(), differing(&then, &now));
    }
    Ok(all)
}

fn differing(before: &Contents, after: &Contents) -> Vec<FileChange> {
    let paths: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
    let say = |facts: &FileFacts| match (&facts.link, &facts.sha256) {
        (Some(link), _) => format!("-> {link}"),
        (None, Some(sha256)) => format!("sha256:{sha256}"),
        (None, None) => format!("{} {:04o}", facts.kind, facts.mode),
    };
    let changes = paths.into_iter().filter_map(|path| {
        let (then, now) = (before.files.get(path), after.files.get(path));
        // Which layer it is in, and its time, are nobody's business here.
        let same = |a: &FileFacts, b: &FileFacts| {
            (a.kind, a.mode, &a.owner, say(a)) == (b.kind, b.mode, &b.owner, say(b))
        };
        let is_same = then.zip(now).is_some_and(|(then, now)| same(then, now));
        let change = || FileChange { path: format!("/{path}"), before: then.map(say), after: now.map(say) };
        (!is_same).then(change)
    });
    changes.collect()
}

impl Note<'_> {
    /// For people.
    pub fn to_markdown(&self) -> String {
        let tag = self.tags.first().map_or_else(|| "latest".to_owned(), ToString::to_string);
        let mut text = format!("# {} {tag}\n\n", plain(&self.name));
        let before = match self.before {
            Some(before) => format!("in place of `{before}`"),
            None => "the first one".to_owned(),
        };
        let _ = writeln!(text, "Digest `{}`,\n{before}.\n", self.digest);
        self.fixed(&mut text);
        self.packages(&mut text);
        self.files(&mut text);
        text
    }

    fn fixed(&self, text: &mut String) {
        text.push_str("## Fixed\n\n");
        match self.advisories.filter(|facts| !facts.derived_only) {
            Some(SnapshotFacts { digest, date, .. }) => {
                let _ = writeln!(
                    text,
                    "By the advisories `sha256:{digest}` of {date}; of packages that they don't know, by changelogs.\n"
                );
            }
            None => text.push_str("By changelogs alone, which know nothing of CVEs that are open.\n\n"),
        }
        let fixes = self.fixes();
        if fixes.is_empty() {
            text.push_str("No CVE that is known.\n\n");
            return;
        }
        text.push_str("| CVE | severity | source package | fixed in | fix available since | known by |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for (one, fix) in fixes {
            let exploited = if fix.exploited { ", exploited" } else { "" };
            let since = fix.available.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
            let by = match fix.known_by {
                super::KnownBy::Advisories => "advisories",
                super::KnownBy::Changelogs => "changelogs",
                super::KnownBy::Ledger => "an earlier run",
            };
            let _ = writeln!(
                text,
                "| {} | {}{exploited} | {} | {} | {since} | {by} |",
                plain(&fix.id),
                fix.severity,
                one.source,
                fix.fixed
            );
        }
        text.push('\n');
    }

    fn packages(&self, text: &mut String) {
        text.push_str("## Packages\n\n");
        if self.packages.is_empty() {
            text.push_str("No pin moved.\n\n");
            return;
        }
        text.push_str("| package | before | after |\n|---|---|---|\n");
        for Change { what, before, after, platforms } in &self.packages {
            let only = match platforms[..] {
                [one] => format!(" ({one})"),
                _ => String::new(),
            };
            let cell = |version: &Option<String>| version.as_deref().map_or_else(|| "-".to_owned(), plain);
            let _ = writeln!(text, "| {}{only} | {} | {} |", plain(what), cell(before), cell(after));
        }
        text.push('\n');
    }

    fn files(&self, text: &mut String) {
        text.push_str("## Files\n\n");
        let Some(files) = &self.files else {
            text.push_str("Nothing to compare with.\n");
            return;
        };
        for (platform, changes) in files {
            let _ = writeln!(text, "{platform}: {} changed\n", changes.len());
            for change in changes.iter().take(SHOWN) {
                let sign = match (&change.before, &change.after) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    _ => "changed",
                };
                let _ = writeln!(text, "- {sign} `{}`", plain(&change.path));
            }
            if changes.len() > SHOWN {
                let _ = writeln!(text, "- and {} more, which the attestation names", changes.len() - SHOWN);
            }
            text.push('\n');
        }
    }

    /// What is fixed, sorted by CVE.
    fn fixes(&self) -> Vec<(&Move, &Fix)> {
        let mut all: Vec<(&Move, &Fix)> = self.planned.fixes().into_values().collect();
        all.sort_by_cached_key(|(_, fix)| order(&fix.id));
        all
    }

    /// For machines.
    pub fn to_predicate(&self) -> Vec<u8> {
        let fixed: Vec<Value> = self
            .fixes()
            .into_iter()
            .map(|(one, fix)| {
                let mut value = serde_json::to_value(fix).expect("plain data");
                value["package"] = json!(one.source);
                value
            })
            .collect();
        let change = |change: &Change| json!({ "name": change.what, "before": change.before, "after": change.after, "platforms": change.platforms });
        let file = |change: &FileChange| json!({ "path": change.path, "before": change.before, "after": change.after });
        let files = self.files.as_ref().map(|files| {
            let of = files
                .iter()
                .map(|(platform, changes)| (platform, changes.iter().map(file).collect::<Vec<_>>()));
            of.collect::<BTreeMap<_, _>>()
        });
        canon::to_json(&json!({
            "version": 1,
            "image": self.name,
            "tags": self.tags,
            "digest": { "sha256": self.digest.0 },
            "before": self.before.map(|before| json!({ "sha256": before.0 })),
            "advisories": self.advisories.map(|facts| json!({ "sha256": facts.digest, "date": facts.date, "derived_only": facts.derived_only, "signed_by": facts.signer() })),
            "fixed": fixed,
            "packages": self.packages.iter().map(change).collect::<Vec<_>>(),
            "files": files,
        }))
    }
}

/// Text of others inside a table's cell: neither its own columns, nor code, nor links, nor what a terminal obeys.
fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        '|' | '`' | '[' | ']' | '<' | '>' | '*' | '_' | '\\' if letter != '_' => format!("\\{letter}"),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_break_no_table() {
        assert_eq!(plain("a|b`c\n[d](e)"), "a\\|b\\`c\\n\\[d\\](e)");
        assert_eq!(plain("libstdc++6 lib_x"), "libstdc++6 lib_x");
    }
    fn facts(kind: &'static str, mode: u32, owner: &str, content: &str) -> FileFacts {
        let sha256 = (kind == "file").then(|| crate::ident::Sha256::of(content.as_bytes()));
        let link = (kind == "link").then(|| content.to_owned());
        FileFacts { kind, mode, owner: owner.to_owned(), size: content.len() as u64, sha256, link, layer: 0 }
    }

    fn holding(files: &[(&str, FileFacts)]) -> Contents {
        let files = files.iter().map(|(path, facts)| ((*path).to_owned(), facts.clone())).collect();
        Contents { files, ..Contents::default() }
    }

    #[test]
    fn content_links_modes_and_owners_are_changes_and_which_layer_holds_a_file_is_none() {
        let one = facts("file", 0o644, "0:0", "a");
        let before = holding(&[("etc/x", one.clone())]);
        for changed in [
            facts("file", 0o644, "0:0", "b"),
            facts("file", 0o4755, "0:0", "a"),
            facts("file", 0o644, "0:33", "a"),
            facts("link", 0o644, "0:0", "y"),
            facts("folder", 0o644, "0:0", ""),
        ] {
            let changes = differing(&before, &holding(&[("etc/x", changed)]));
            assert_eq!(changes.iter().map(|change| &*change.path).collect::<Vec<_>>(), ["/etc/x"]);
        }
        assert!(differing(&before, &holding(&[("etc/x", FileFacts { layer: 3, ..one.clone() })])).is_empty());
        let moved = differing(&before, &holding(&[("etc/y", one)]));
        let sides: Vec<_> = moved.iter().map(|one| (one.before.is_some(), one.after.is_some())).collect();
        assert_eq!(sides, [(true, false), (false, true)]);
    }

    #[test]
    fn of_many_files_the_markdown_names_some_and_says_how_many_more_there_are() {
        let change = |number: u32| FileChange { path: format!("/f{number}"), before: None, after: None };
        let files = BTreeMap::from([("linux/amd64".to_owned(), (0..103).map(change).collect())]);
        let planned = Planned {
            moves: Vec::new(),
            waiting: Vec::new(),
            held: BTreeSet::new(),
            changes: Vec::new(),
            before: None,
        };
        let digest = BlobDigest(crate::ident::Sha256::of(b""));
        let name = "one".to_owned();
        let files = Some(files);
        let note = Note {
            name,
            tags: &[],
            digest,
            before: None,
            planned: &planned,
            advisories: None,
            packages: Vec::new(),
            files,
        };
        let text = note.to_markdown();
        assert!(text.contains("linux/amd64: 103 changed") && text.contains("- and 3 more"), "{text}");
        assert_eq!(text.matches("`/f").count(), SHOWN);
        assert!(String::from_utf8(note.to_predicate()).expect("JSON").contains("/f102"));
    }
}
