//! The lock: when it is stale, what moves, what is chosen, and what it pins beside packages.
#![allow(clippy::disallowed_methods)]

#[path = "lock/choices.rs"]
mod choices;
#[path = "lock/downloads.rs"]
mod downloads;
#[path = "lock/moves.rs"]
mod moves;
#[path = "lock/stale.rs"]
mod stale;
mod support;
