//! The ledger and `hardpan report`: what events add up to, what is recorded, what is printed, and what
//! becomes of ledgers that are locked, damaged, of another version, or on a full disk.
#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "report/broken.rs"]
mod broken;
#[path = "report/history.rs"]
mod history;
#[path = "report/made.rs"]
mod made;
#[path = "report/printed.rs"]
mod printed;
#[path = "report/recorded.rs"]
mod recorded;
mod support;
#[path = "report/writers.rs"]
mod writers;
