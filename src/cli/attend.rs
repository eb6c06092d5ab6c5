//! `hardpan attend`: what `hardpan test` starts itself as; not for people.

use crate::diag::{Problem, Result, codes};
use crate::trial;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What it does: guard, network
    role: String,
    /// With what: a folder, a kind of network
    argument: String,
}

pub(super) fn run(args: &Args) -> Result<()> {
    if trial::attend(&args.role, &args.argument) {
        return Ok(());
    }
    Err(Problem::new(codes::USAGE, "this is what `hardpan test` starts by itself").into())
}
