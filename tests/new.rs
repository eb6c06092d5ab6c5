//! `hardpan new`: drafts of made packages, one heuristic after the other.
#![allow(clippy::disallowed_methods)]

#[path = "new/files.rs"]
mod files;
#[path = "new/hostile.rs"]
mod hostile;
#[path = "new/made.rs"]
mod made;
#[path = "new/platforms.rs"]
mod platforms;
#[path = "new/programs.rs"]
mod programs;
#[path = "new/refused.rs"]
mod refused;
#[path = "new/repairs.rs"]
mod repairs;
#[path = "new/services.rs"]
mod services;
mod support;
