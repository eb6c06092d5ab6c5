//! `hardpan completions`: completions for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::diag::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[allow(clippy::unnecessary_wraps)] // as all verbs
pub(super) fn run(args: &Args) -> Result<()> {
    clap_complete::generate(args.shell, &mut super::Cli::command(), "hardpan", &mut std::io::stdout());
    Ok(())
}
