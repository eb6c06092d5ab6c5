//! Tests of images, in containers of an OCI runtime: what a recipe says that its image must do.
//!
//! ```text
//! image ─► layers, unpacked as they are ─┐
//! test ─► mounts, volumes, certificates ─┼─► bundle ─► create, start ─► end, output, files ─► verdict
//! network of the test (attendant) ───────┘                  ▲
//!                                         questions, signals ┘
//! ```
//!
//! Containers have a read-only root, no capability, no new privileges, a network with nothing but its
//! loopback, and bounds of memory, processes and time. None outlives its run ([`ground`]'s guard). The
//! room does not know where tests come from, nor who is told of results.

mod account;
mod attendant;
mod bundle;
mod certificate;
mod container;
mod foreign;
mod furniture;
mod ground;
mod hall;
mod hearing;
mod judge;
mod junit;
mod making;
mod outcome;
mod ports;
mod room;
mod rootfs;
mod run;
mod runtime;
mod seccomp;
mod setup;
mod sight;
mod visiting;

pub use foreign::own_platform;
pub use hall::platform_of;
pub use hearing::{Heard, hear};
pub use junit::junit;
pub use outcome::{LastWords, Mismatch, Outcome, Verdict};
pub use run::{Isolation, Part, Results, Trial, attend, become_root, ready, run};
pub use visiting::{Greeted, Greeting, Stop, Visit, visit};
