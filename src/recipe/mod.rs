//! From the text of a recipe to what it concretely asks for.
//!
//! ```text
//! text ─► node (as written, with places) ─► shape checked ─► amended (variant, platform) ─► model
//! ```
//!
//! All problems of a file are reported at once, each with the words underlined. The room knows
//! neither archives nor packages: whether a package exists is the lock's business.

mod amend;
mod keys;
mod keys_test;
mod load;
mod lower;
mod lower_closure;
mod lower_download;
mod lower_image;
mod lower_policy;
mod lower_system;
mod lower_test;
mod model;
mod model_test;
mod node;
mod owners;
mod pattern;
mod policy;
mod schema;
mod shape;
pub mod text;

pub use load::Family;
pub use model::{
    ArchiveSpec, At, Chain, ClosureSpec, Directory, Download, DownloadFormat, Group, ImageSpec, Lifecycle,
    LocalFile, Owner, PackageEntry, Place, Recipe, System, Take, TextFile, User, Zones,
};
pub use model_test::{Action, AskTcp, AskUrl, Command, Ending, FileFact, Mount, RunSpec, TestSpec, TestStep};
pub use pattern::{ALIASES, Pattern, merged};
pub use policy::{EXCEPTION_LABEL, Exception, PolicyRule};
pub use schema::schema;
