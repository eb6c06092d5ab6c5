//! Alternatives as `update-alternatives` links them: `/usr/bin/awk` to `/etc/alternatives/awk`, and
//! that to the program. Its records of who asked for what are left out: nothing in an image changes.

use crate::diag::codes;
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::tree::{Node, Reason};

/// Adds both links of each alternative.
pub(super) fn add(work: &mut Work) {
    let recipe = work.recipe;
    for (link, target) in &recipe.system.alternatives {
        let (target, place) = (&target.value, &target.place);
        let managed: ImagePath =
            format!("/etc/alternatives/{}", link.file_name()).parse().expect("a name of a file");
        if work.view().follow(target).is_none() {
            let message = format!("there is no `{target}` for `{link}` to lead to");
            let help = "take it from a package, or name a program that is in the image";
            work.problems.push(place.problem(codes::NO_MATCH, message, "leads nowhere").help(help));
            continue;
        }
        let there = work.tree.nodes.get(link).is_some_and(|node| node.reason == Reason::Asked);
        if there {
            let message = format!("`{link}` is in the image already");
            let help = "leave it out by `except` or `drop`, or do without the alternative";
            work.problems.push(place.problem(codes::CONFLICT, message, "this link").help(help));
            continue;
        }
        work.tree.nodes.insert(managed.clone(), Node::generated_link(target.as_str()));
        work.tree.nodes.insert(link.clone(), Node::generated_link(managed.as_str()));
    }
}
