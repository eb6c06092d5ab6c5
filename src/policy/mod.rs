//! The contents policy: what no image holds unless its recipe says why.
//!
//! ```text
//! tree of a recipe ─► findings (kept in the store beside its layers) ─┐
//! configuration, exceptions of all recipes of the chain ──────────────┴► verdict ─► violations, labels
//! ```
//!
//! | rule | what counts |
//! |---|---|
//! | `shell` | a file that a shell is called by, a copy of one, a link to one |
//! | `package-manager` | programs that install software, and the modules that do so |
//! | `setuid` | set-user-id and set-group-id bits of files, and capabilities |
//! | `world-writable` | files that anybody may write, and folders without the sticky bit |
//! | `secrets` | content that looks like a key or token, files of passwords, variables named after them |
//! | `unowned` | owners without an account |
//! | `root` | an image that runs as root or in root's group |
//!
//! Every recipe of a chain is looked at by itself, so what a recipe above hides counts all the same: it
//! is in the image's blobs. Where a file comes from needs no rule of its own: a tree has nothing whose
//! origin is not known. The room says what is wrong and how to allow it; it knows neither stores nor
//! statements.

mod finding;
mod judge;
mod look;
mod names;
mod passwords;
mod problems;

pub use finding::{Finding, Findings, Replaced};
pub use judge::{Allowed, Unneeded, Verdict, judge};
pub use look::{FINDINGS_VERSION, look};
pub use problems::{unneeded, violations};
