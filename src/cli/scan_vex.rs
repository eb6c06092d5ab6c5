//! Which decisions on vulnerabilities a scan goes by.

use std::path::{Path, PathBuf};

use crate::diag::Result;
use crate::host;
use crate::vex::Decisions;

/// What `--vex` names, in that order: of several that speak of a finding, the first counts. Where nothing is named, the
/// decisions beside the recipe that what is scanned is the lock of.
pub(super) fn open(paths: &[PathBuf], what: &str) -> Result<Vec<Decisions>> {
    let recipe = Path::new(what).with_extension("toml");
    let is_lock = Path::new(what).extension().is_some_and(|ending| ending == "lock");
    if paths.is_empty() && is_lock && host::is_file(&recipe) {
        return Ok(vec![Decisions::of_recipe(&recipe)?]);
    }
    paths.iter().map(|path| Decisions::of_path(path, None)).collect()
}
