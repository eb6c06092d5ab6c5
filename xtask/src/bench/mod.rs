//! `cargo xtask bench`: hardpan's speed against what can't be avoided and against a peer.
//!
//! ```text
//! feed     50,000 records of advisories, for scans
//! ground   a recipe over python3's whole closure, its packages in a store, all in memory
//! catalog  folders of recipes over the same packages
//! contest  what is timed, in turns, so that a slow minute of the machine hits all alike
//! measure  wall, processor and memory of one child process
//! floor    the work that no builder can leave out, as a program of its own
//! table    medians and ratios, as Markdown
//! ```

mod catalog;
mod contest;
mod feed;
mod floor;
mod ground;
mod measure;
mod table;

pub use contest::run;
pub use floor::floor;
