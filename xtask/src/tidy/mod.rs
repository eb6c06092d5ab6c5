//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! Each file here holds one kind of rule: a pure function from the tree of tracked files to
//! findings. All findings are reported at once, each with its place and what to do.

mod codes;
mod finding;
mod layout;
mod manifests;
mod report;
mod rooms;
mod scan;
mod sizes;
mod tree;
mod words;

pub use report::run;
