//! What the project does to itself: `cargo xtask ci`, `tidy` and `bench`.
#![allow(clippy::disallowed_methods, reason = "the one door to the machine is for what ships; this does not")]

#[cfg(feature = "bench")]
mod bench;
mod ci;
mod process;
mod tidy;
mod tools;
mod verbs;

fn main() -> std::process::ExitCode {
    verbs::run(&std::env::args().skip(1).collect::<Vec<_>>())
}
