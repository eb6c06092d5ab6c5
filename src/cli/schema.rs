//! `hardpan schema`: the JSON Schema of recipes.

use super::print;
use crate::diag::Result;
use crate::recipe;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

#[allow(clippy::unnecessary_wraps)] // as all verbs
pub(super) fn run(_args: &Args) -> Result<()> {
    print::line(&serde_json::to_string_pretty(&recipe::schema()).expect("a JSON value is always written"));
    Ok(())
}
