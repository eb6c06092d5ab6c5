//! The names under which an image is published: moving ones, and one with its day that never moves.
//!
//! ```text
//! 3.13.5            moves to each newer image
//! 3.13.5-20261122   the image made on that day; if that day has had another one already:
//! 3.13.5-20261122-1 and so on
//! ```
//!
//! A dated tag that is there is never written again. Registries have no "write if it is not there", so
//! it is looked at once more right before it is written.

use super::remote::Remote;
use super::shipment::{Shipment, created_of};
use crate::diag::{Problem, Result, codes};
use crate::ident::{BlobDigest, Epoch, TagName};

/// Images of one day under one tag.
const MOST: usize = 1000;

/// The dated tag of an image: the one that it has, or the first that is free.
pub(super) fn dated(remote: &Remote, tag: &TagName, created: Epoch, digest: &BlobDigest) -> Result<TagName> {
    let day = format!("{tag}-{}", created.day());
    for count in 0..MOST {
        let text = if count == 0 { day.clone() } else { format!("{day}-{count}") };
        let name: TagName = text.parse().map_err(|error: crate::ident::Malformed| {
            Problem::new(codes::USAGE, format!("`{tag}` with its day makes no tag"))
                .fact("cause", error)
                .help("publish under a shorter tag: `--tag`")
        })?;
        match remote.digest_of(name.as_str())? {
            Some(found) if found != *digest => {}
            _ => return Ok(name),
        }
    }
    let what = format!("{} has {MOST} images of one day, `{day}`", remote.repository);
    Err(Problem::new(codes::NOT_PUBLISHED, what).help("publish under another tag: `--tag`").into())
}

/// A problem if a moving tag points to an image that was made later.
pub(super) fn not_newer(remote: &Remote, tag: &TagName, shipment: &Shipment) -> Result<()> {
    let Some(ours) = shipment.created else { return Ok(()) };
    let Some(there) = remote.manifest(tag.as_str())? else { return Ok(()) };
    match created_of(&there.bytes) {
        Some(theirs) if theirs > ours && there.digest != shipment.top.digest => {
            let what = format!("the tag `{tag}` of {} points to a newer image", remote.repository);
            Err(Problem::new(codes::NEWER_THERE, what)
                .found(format!("{} made {theirs}", there.digest))
                .fact("to be published", format!("{} made {ours}", shipment.top.digest))
                .help("publish under another tag with `--tag`, or move it back with `--allow-older`")
                .into())
        }
        _ => Ok(()),
    }
}

/// Points a tag at the image, and looks whether it does; whether it had to be moved. One that never
/// moves is not touched where it is there.
pub(super) fn point(remote: &Remote, tag: &TagName, shipment: &Shipment, moves: bool) -> Result<bool> {
    let top = &shipment.top;
    match remote.digest_of(tag.as_str())? {
        Some(found) if found == top.digest => return Ok(false),
        Some(found) if !moves => {
            let what = format!("somebody else set the tag `{tag}` of {} just now", remote.repository);
            let problem = Problem::new(codes::NOT_PUBLISHED, what).found(found);
            return Err(problem.help("run the same command again: it takes the next free one").into());
        }
        _ => {}
    }
    remote.put_manifest(tag.as_str(), &top.media_type, &top.bytes)?;
    let found = remote.digest_of(tag.as_str())?;
    if found != Some(top.digest) {
        let what = format!("the tag `{tag}` of {} does not point to what it was set to", remote.repository);
        let found = found.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
        return Err(Problem::new(codes::NOT_AS_PUSHED, what).found(found).expected(top.digest).into());
    }
    Ok(true)
}
