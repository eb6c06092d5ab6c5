//! Patch rebuilds: what the archives have that images lack, which CVEs that fixes, and how it gets out.
//!
//! ```text
//! archives ─► newer ─► moves ─► locks (in memory) ─► image ─► tests ─► evidence ─► published ─► lock on disk
//!             per      which of  the plan, all of it                               tags last     ledger, note
//!             source   them fix  before anything is built
//! ```
//!
//! All locks are planned on one look at the archives. A lock is written after an image of it was
//! published, so that a run that was interrupted anywhere plans the same moves again: what is built
//! already is found in the store, what is published already is not sent again, and only what is missing
//! is done. What fails keeps its tag, its digest and its lock, and stops only what stands on it.

mod again;
mod book;
mod compared;
mod fixes;
mod newer;
mod note;
mod outcome;
mod place;
mod plan;
mod run;
mod schedule;
mod seen;
mod settle;
mod stage;
mod trying;

pub use book::{Books, Past};
pub use fixes::{Fix, KnownBy, Sources};
pub use newer::{Held, Newer};
pub use note::{CHANGES, FileChange, Note, file_changes, notes_ready};
pub use outcome::{Cause, Done, Kept, Outcome, kept_back};
pub use place::{Goods, Out, Place, There};
pub use plan::{Extent, Move, Plan, Planned, plan};
pub use run::{Patching, alone, run};
pub use schedule::{Schedule, Scheduled, schedule};
pub use trying::{Trials, Tried};
