//! From a layer's entries to its blob.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::compose::Inputs;
use super::split::LayerPlan;
use super::tree::{Data, Node, NodeKind};
use crate::canon::{self, Compression, Header, Kind, TRAILER, padding};
use crate::diag::{Failure, Result};
use crate::host::file_problem;
use crate::ident::{BlobDigest, DiffId, Epoch, ImagePath};
use crate::source::ContentReader;
use crate::store::Store;

/// A layer that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedLayer {
    /// What it is called.
    pub name: String,
    /// Digest of the blob.
    pub digest: BlobDigest,
    /// Digest of the uncompressed tar.
    pub diff_id: DiffId,
    /// Length of the blob in bytes.
    pub size: u64,
    /// Length of the uncompressed tar in bytes.
    pub unpacked: u64,
    /// The newest packaged time in it.
    pub created: Epoch,
    /// How many entries it has.
    pub entries: usize,
}

/// Packs a layer into the store. `oldest` is the time of a layer that holds nothing packaged: that
/// of the layer below. No time is later than `clamp`.
pub fn pack(
    plan: &LayerPlan,
    inputs: &Inputs,
    compression: Compression,
    jobs: usize,
    store: &Store,
    oldest: Epoch,
    clamp: Option<Epoch>,
) -> Result<PackedLayer> {
    let created = created(plan, oldest, clamp);
    let mut blob = store.new_blob()?;
    let packed = canon::compress(compression, jobs, &mut blob, |blocks| {
        let mut packer = Packer {
            out: blocks,
            inputs,
            reader: ContentReader::new(),
            links: HashMap::new(),
            created,
            clamp,
        };
        plan.tree.nodes.iter().try_for_each(|(path, node)| packer.entry(path, node))?;
        packer.out.write_all(&TRAILER)
    });
    let failed =
        |error: io::Error| -> Failure { file_problem("packing a layer into", store.root(), &error).into() };
    let packed = packed.map_err(failed)?;
    blob.finish(store)?;
    Ok(PackedLayer {
        name: plan.name.clone(),
        digest: packed.digest,
        diff_id: packed.diff_id,
        size: packed.size,
        unpacked: packed.unpacked,
        created,
        entries: plan.tree.nodes.len(),
    })
}

fn clamped(time: i64, clamp: Option<Epoch>) -> i64 {
    clamp.map_or(time, |clamp| time.min(clamp.0))
}

/// The newest packaged time in a layer.
fn created(plan: &LayerPlan, oldest: Epoch, clamp: Option<Epoch>) -> Epoch {
    let newest = plan.tree.nodes.values().filter_map(|node| node.mtime).max();
    Epoch(clamped(newest.unwrap_or(oldest.0), clamp))
}

struct Packer<'a, W> {
    out: &'a mut W,
    inputs: &'a Inputs,
    reader: ContentReader,
    /// Files that have been written and may have further names, by parcel and first path.
    links: HashMap<(usize, &'a ImagePath), (&'a ImagePath, &'a Node)>,
    created: Epoch,
    clamp: Option<Epoch>,
}

impl<'a, W: Write> Packer<'a, W> {
    fn entry(&mut self, path: &'a ImagePath, node: &'a Node) -> io::Result<()> {
        let mtime = node.mtime.map_or(self.created.0, |time| clamped(time, self.clamp));
        let header = Header {
            member: path.member(),
            kind: Kind::Directory,
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            mtime,
            size: 0,
            link: "",
            xattrs: &node.xattrs,
        };
        match &node.kind {
            NodeKind::Directory => self.out.write_all(&header.encode()),
            NodeKind::Symlink(target) => {
                self.out.write_all(&Header { kind: Kind::Symlink, link: target, ..header }.encode())
            }
            NodeKind::File(data) => match self.first_name(path, node, data) {
                Some(first) => self
                    .out
                    .write_all(&Header { kind: Kind::HardLink, link: first.member(), ..header }.encode()),
                None => self.file(data, Header { kind: Kind::File, size: data.size(), ..header }),
            },
        }
    }

    /// The path under which this layer has the file already, if it is the same in all that a hard
    /// link shares.
    fn first_name(&mut self, path: &'a ImagePath, node: &'a Node, data: &'a Data) -> Option<&'a ImagePath> {
        let Data::Parcel { parcel, inode, .. } = data else { return None };
        let (first, there) = *self.links.entry((*parcel, inode)).or_insert((path, node));
        (first != path && there.looks_like(node) && there.mtime == node.mtime).then_some(first)
    }

    fn file(&mut self, data: &Data, header: Header) -> io::Result<()> {
        self.out.write_all(&header.encode())?;
        match data {
            Data::Bytes(bytes) => self.out.write_all(bytes)?,
            Data::Parcel { parcel, content, .. } => {
                let out = &mut *self.out;
                self.reader.read(self.inputs.parcel(*parcel), content, &mut |chunk| out.write_all(chunk))?;
            }
        }
        self.out.write_all(padding(header.size))
    }
}
