//! `hardpan completions`: completions for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::print;
use crate::diag::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[allow(clippy::unnecessary_wraps)] // as all verbs
pub(super) fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "hardpan", &mut script);
    print::line(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
