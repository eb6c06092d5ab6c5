//! OCI images (image specification 1.1): configuration, manifest, index; written as a layout folder,
//! an archive of one, or a docker archive; and read again from any of these.
//!
//! ```text
//! layers ─► configuration ─► manifest ─┐
//! layers ─► configuration ─► manifest ─┴► index ─► layout folder, archive
//! ```
//!
//! All JSON is written by `canon`. The types of the `oci-spec` crate are not used: their annotations
//! are hash maps, whose order differs from run to run. The room does not know signatures.

mod archive;
mod artifact;
mod contents;
mod entries;
mod form;
mod layout;
mod model;
mod open;
mod overlay;
mod stream;
mod whole;

pub use archive::{ArchiveKind, write_archive};
pub use artifact::{Artifact, EMPTY, EMPTY_BYTES};
pub use contents::{Contents, FileFacts, PackageFacts, contents};
pub use entries::{EntryFacts, layer_entries, layer_file};
pub use layout::{copy_layout, write_layout};
pub use model::{
    Config, Descriptor, INDEX, ImageParts, MANIFEST, PlatformImage, Runtime, assemble, index_of,
};
pub use open::{Image, OpenPlatform, Referrer};
pub use stream::{LayerMember, Proof, stream_layer};
pub use whole::{Beside, Parts, layout_index};
