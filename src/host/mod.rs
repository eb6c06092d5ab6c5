//! The only door to files, network, clock, environment, processes and terminal.
//!
//! Everything else is given what it needs as values and is testable in memory; clippy's
//! `disallowed-methods` keeps it so. Nothing here knows recipes, packages or images.
#![allow(clippy::disallowed_methods)]

mod ask;
mod attendant;
mod channel;
mod clock;
mod confine;
mod detached;
mod env;
mod files;
mod http;
mod net;
mod private;
mod process;
mod progress;
mod prompt;
mod question;
mod rooted;
mod scratch;
mod spaces;
mod threads;

pub use ask::{Answer, ask};
pub use attendant::{Helper, told};
pub use channel::{Channel, Whom};
pub use clock::{Stopwatch, cores, now, pause, peak_memory};
pub use confine::confined;
pub use detached::{End, Launched, Said, Stream, ended, kill, launch, memory_beside};
pub use env::{Environment, find_program, variable};
pub use files::{
    MAX_TEXT, copy_stamped, create_dirs, create_private_dir, exists, file_problem, is_dir, is_empty_dir,
    is_executable, is_file, list, may_write, modified, open, open_append, own_program, read, read_lossy,
    read_text, remove, remove_dir, rename, set_executable, set_used, size_and_use, stamped, walk, whole_path,
    write_atomic,
};
pub use http::{Body, Http, HttpAnswer, HttpRequest};
pub use net::{Client, Fetched, Limits, Url};
pub use private::{Written, random, read_private, read_secret, secret_variable, write_new};
pub use process::{Call, Ended, call};
pub use progress::{Bar, Progress, Voice, on_terminal, size};
pub use prompt::ask_hidden;
pub use question::{connect_loopback, question};
pub use rooted::{Met, Rooted, Traits};
pub use scratch::{FileLock, Scratch, ScratchDir};
pub use spaces::{
    adopt_orphans, become_alone_in_network, become_own_root, hide_mixed_cgroups, in_user_space, is_root,
    leave_terminal, own_id,
};
pub use threads::{in_order, side_by_side};
