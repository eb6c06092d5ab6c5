//! The database of MIME types in `/usr/share/mime`, from the packages' XML (Shared MIME-info Database
//! specification, version 0.22), as the text files that `update-mime-database` writes.
//!
//! ```text
//! types aliases subclasses XMLnamespaces icons generic-icons globs globs2 magic treemagic version
//! ```
//!
//! Where that program's order is the one in which a hash table happens to have its keys, here it is
//! the keys' own. The memory image `mime.cache` and one XML file a type with its names in all
//! languages are not made: readers that find no image read these files.

mod read;
mod write;

use super::{Node, bytes_of, insert};
use crate::diag::{Problem, Result, codes};
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::source::ContentReader;

const FOLDER: &str = "/usr/share/mime";

/// Makes it where the recipe, or one below whose types this one adds to, asks for it.
pub(super) fn add(work: &mut Work) -> Result<()> {
    let Some(place) = work.upto().iter().rev().find_map(|recipe| recipe.system.mime.as_ref()) else {
        return Ok(());
    };
    let adds = work.tree.nodes.keys().any(is_source);
    if work.recipe.system.mime.is_none() && !adds {
        return Ok(());
    }
    let view = work.view();
    let mut files: Vec<(&ImagePath, &Node)> =
        view.all().into_iter().filter(|(path, _)| is_source(path)).collect();
    // What an administrator overrides comes last.
    files.sort_by_key(|(path, _)| (path.file_name() == "Override.xml", path.as_str()));
    let mut types = read::Types::default();
    let mut reader = ContentReader::new();
    for (path, _) in &files {
        let Some(data) = view.follow(path).and_then(|(_, node)| node.data()) else { continue };
        let bytes = bytes_of(work, &mut reader, path, data)?;
        types.add(&bytes).map_err(|why| {
            let problem = Problem::new(codes::BAD_PACKAGE, format!("`{path}` tells of no MIME types"));
            problem.found(why).help("leave it out by `except`, or do without `mime`")
        })?;
    }
    if files.is_empty() {
        let message = format!("there is nothing in `{FOLDER}/packages` to make a database of");
        let problem = place.problem(codes::NO_MATCH, message, "asked for here");
        return Err(problem.help("take it from the package `shared-mime-info`").into());
    }
    for (name, bytes) in write::files(&types) {
        insert(work, &format!("{FOLDER}/{name}"), Node::generated(bytes));
    }
    if let Some((_, package)) = work.inputs.package("shared-mime-info") {
        let version = package.version.to_string();
        let upstream = version.rsplit_once('-').map_or(version.as_str(), |(upstream, _)| upstream);
        let text = format!("{upstream}\n");
        insert(work, &format!("{FOLDER}/version"), Node::generated(text.into_bytes()));
    }
    Ok(())
}

fn is_source(path: &ImagePath) -> bool {
    let name = path.as_str().strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix("/packages/"));
    name.is_some_and(|name| !name.contains('/') && name.strip_suffix(".xml").is_some())
}
