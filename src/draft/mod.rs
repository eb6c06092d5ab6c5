//! Drafting a recipe for a Debian package (`hardpan new`).
//!
//! ```text
//! package ─► parcels of all that it depends on ─► subject ─► programs ─┐
//!    ┌───────────────── plan ◄─────────────────────────────────────────┘
//!    ▼
//!  recipe's text ─► build ─► problems ─► repaired plan ─┐
//!    ▲                └────► image ─► the program is asked for its version
//!    └──────────── what it misses is added ◄────────────┘
//! ```
//!
//! Nothing here knows single packages: what is done follows from what packages hold, depend on and tell
//! systemd, and from what the program says when it is tried. Whoever can run images hands a [`Prober`]
//! in. A draft is always written, even if it does not build; then it says so.

mod asking;
mod bench;
mod complaint;
mod compose;
mod data;
mod drafting;
mod examination;
mod exploring;
mod foundation;
mod greeting;
mod language;
mod options;
mod outcome;
mod patterns;
mod plan;
mod ports;
mod probe;
mod program;
mod remarks;
mod repair;
mod runtime;
mod scripts;
mod service;
mod serving;
mod sheet;
mod shell;
mod subject;
mod toml;
mod unit;
mod wanting;
mod words;
mod world;
mod write;
mod write_test;

pub use drafting::draft;
pub use foundation::{Draft, State, Wish};
pub use probe::{Prober, Ran, Stage};

use foundation::{Foundation, SUITE};
