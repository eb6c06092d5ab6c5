//! Which decisions on vulnerabilities a scan goes by.

use std::path::{Path, PathBuf};

use crate::diag::Result;
use crate::host;
use crate::vex::Decisions;

/// What `--vex` names, in that order: of several that speak of a finding, the first counts. Where nothing is named, the
/// decisions beside the recipe whose lock is scanned, whichever of both is named.
pub(super) fn open(paths: &[PathBuf], what: &str) -> Result<Vec<Decisions>> {
    let recipe = Path::new(what).with_extension("toml");
    let is_its = Path::new(what).extension().is_some_and(|ending| ending == "lock" || ending == "toml");
    if paths.is_empty() && is_its && host::is_file(&recipe) {
        return Ok(vec![Decisions::of_recipe(&recipe)?]);
    }
    paths.iter().map(|path| Decisions::of_path(path, None)).collect()
}
