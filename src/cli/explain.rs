//! `hardpan explain`: the page of a problem's code.

use super::print;
use crate::diag::{self, Problem, Result, codes};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code, such as HP307
    code: String,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let page = diag::explain(&args.code).ok_or_else(|| {
        let problem = Problem::new(codes::USAGE, format!("there is no code `{}`", args.code));
        problem.help("a code stands in brackets behind `error`, such as `error[HP307]`")
    })?;
    print::line(page);
    Ok(())
}
