//! The command line of hardpan.

use std::process::ExitCode;

fn main() -> ExitCode {
    hardpan::cli::main()
}
