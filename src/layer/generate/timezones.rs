//! Time zones: which of those taken stay, and which is the local one.
//!
//! The tables beside the zones (`zone.tab`, `tzdata.zi` and their like) are no zones: the recipe's own
//! patterns say whether they are taken.

use std::collections::BTreeSet;

use super::insert;
use crate::diag::codes;
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::tree::{Node, NodeKind, merged_path};
use crate::recipe::Zones;

const FOLDER: &str = "/usr/share/zoneinfo";

/// Leaves out the zones that the recipe does not want, of those that it takes.
pub(in crate::layer) fn keep(work: &mut Work) {
    let Some(policy) = &work.recipe.system.timezones else { return };
    let zones: Vec<ImagePath> =
        work.tree.nodes.keys().filter(|path| zone_name(path).is_some()).cloned().collect();
    if zones.is_empty() {
        let message = "this recipe takes no time zones";
        let help = "take them from the package `tzdata`; what a recipe below took is changed there";
        work.problems
            .push(policy.place.problem(codes::NO_MATCH, message, "says which of them stay").help(help));
        return;
    }
    let patterns = match &policy.value {
        Zones::All => return,
        Zones::None => &[][..],
        Zones::Only(patterns) => patterns,
    };
    let mut kept = BTreeSet::new();
    for pattern in patterns {
        let fits = |path: &&ImagePath| {
            zone_name(path).is_some_and(|name| pattern.value.matches(&format!("/{name}")))
        };
        let found: Vec<&ImagePath> = zones.iter().filter(fits).collect();
        if found.is_empty() {
            let name = pattern.value.as_str().trim_start_matches('/');
            let message = format!("`{name}` matches none of the time zones that this recipe takes");
            let near = crate::diag::nearest(name, zones.iter().filter_map(zone_name));
            let help = near
                .map_or_else(|| "such as `Europe/*`".to_owned(), |near| format!("did you mean `{near}`?"));
            work.problems.push(pattern.place.problem(codes::NO_MATCH, message, "matches nothing").help(help));
        }
        kept.extend(found.into_iter().flat_map(|path| with_targets(work, path)));
    }
    work.tree.nodes.retain(|path, node| {
        zone_name(path).is_none() || node.is_directory() && !kept.is_empty() || kept.contains(path)
    });
    // A folder of which nothing stays goes too.
    let all: Vec<ImagePath> = work.tree.nodes.keys().cloned().collect();
    let folder: ImagePath = FOLDER.parse().expect("a path of ours");
    work.tree.nodes.retain(|path, node| {
        !node.is_directory()
            || !path.is_under(&folder)
            || all.iter().any(|other| other != path && other.is_under(path))
    });
}

/// The name of the zone at a path; `None` for the tables beside the zones.
fn zone_name(path: &ImagePath) -> Option<&str> {
    let name = path.as_str().strip_prefix(FOLDER)?.strip_prefix('/')?;
    let table = name.contains('.') || ["leapseconds", "+VERSION", "SECURITY"].contains(&name);
    (!table).then_some(name)
}

/// A path and what its links lead to.
fn with_targets(work: &Work, path: &ImagePath) -> Vec<ImagePath> {
    let mut found = vec![path.clone()];
    while let Some(NodeKind::Symlink(target)) = found
        .last()
        .and_then(|path| work.tree.nodes.get(path))
        .map(|node| &node.kind)
        .filter(|_| found.len() < 40)
    {
        let last = found.last().expect("one at least");
        let Ok(next) = last.resolve(target) else { break };
        found.push(merged_path(&next));
    }
    found
}

/// The local time zone, as `tzdata`'s script makes it.
pub(super) fn local(work: &mut Work) {
    let Some(zone) = &work.recipe.system.timezone else { return };
    let path: Option<ImagePath> = format!("{FOLDER}/{}", zone.value).parse().ok();
    let there = path.as_ref().and_then(|path| work.view().follow(path));
    if there.is_none_or(|(_, node)| node.data().is_none()) {
        let view = work.view();
        let all = view.all();
        let names = all.keys().filter_map(|path| zone_name(path));
        let near = crate::diag::nearest(&zone.value, names);
        let help = near.map_or_else(
            || "take it from the package `tzdata`, and let `timezones` keep it".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("the image has no time zone `{}`", zone.value);
        let problem = zone.place.problem(codes::NO_MATCH, message, "not there").help(help);
        work.problems.push(problem);
        return;
    }
    let text = format!("{}\n", zone.value);
    insert(work, "/etc/localtime", Node::generated_link(&format!("{FOLDER}/{}", zone.value)));
    insert(work, "/etc/timezone", Node::generated(text.into_bytes()));
}
