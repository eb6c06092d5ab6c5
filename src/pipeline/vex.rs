//! What was decided on vulnerabilities in an image that was just built, as a document about its digests.

use super::{Context, Finished, provenance};
use crate::diag::Result;
use crate::vex::{Document, Held, document};

/// The document, if anything was decided that counts today. Where nothing was decided at all, the image's inventory is
/// not even read.
pub fn vex(context: &Context, finished: &Finished) -> Result<Option<Document>> {
    if finished.decisions.is_empty() {
        return Ok(None);
    }
    let bills = provenance::bills(context, finished)?;
    let platforms = bills.iter().filter(|bill| bill.platform.is_some()).flat_map(|bill| &bill.platforms);
    let platforms: Vec<Held> = platforms.map(Held::of_platform).collect();
    let built = &finished.built;
    let held: Vec<Held> = std::iter::once(Held::of_index(built.digest(), &platforms))
        .chain(platforms.iter().cloned())
        .collect();
    Ok(document(&finished.decisions, &built.name, &held, context.now, context.clamp))
}
