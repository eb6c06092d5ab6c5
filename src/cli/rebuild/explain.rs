//! Why the bytes differ, as far as it can be told.

use std::time::Duration;

use serde_json::{Value, json};

use super::Rebuilt;
use crate::diag::Result;
use crate::host;
use crate::pipeline::{self, Context};
use crate::verify::{Difference, DifferingFile};

/// How long diffoscope may look at one file.
const LOOKING: Duration = Duration::from_mins(1);

/// What differs, and why as far as it can be told.
pub(super) fn explain(context: &Context, rebuilt: &Rebuilt) -> Result<Vec<Difference>> {
    let mut lines = rebuilt.differences.lines.clone();
    if rebuilt.same() {
        return Ok(lines);
    }
    let mut say = |what: String| lines.push(Difference { place: "why".to_owned(), what });
    let own = rebuilt.finished.order.compression.backend();
    let (theirs, version) = (&rebuilt.provenance, env!("CARGO_PKG_VERSION"));
    if theirs.compressor != own {
        say(format!("it was compressed by {}, and rebuilt by {own}", theirs.compressor));
    }
    if theirs.version != version {
        say(format!("it was built by hardpan {}, and rebuilt by {version}", theirs.version));
    } else if theirs.hardpan.is_some_and(|digest| Some(digest) != pipeline::own_digest(context).ok()) {
        say(format!("both are hardpan {version}, but not the same program"));
    }
    for file in &rebuilt.differences.files {
        lines.extend(diffoscope(context, file)?);
    }
    Ok(lines)
}

/// What diffoscope sees in two files, if it is here.
fn diffoscope(context: &Context, file: &DifferingFile) -> Result<Option<Difference>> {
    let folder = host::ScratchDir::beside(&context.store.root().join("compare"))?;
    let name = file.path.rsplit('/').next().unwrap_or("file");
    let (a, b) = (folder.path().join("published").join(name), folder.path().join("rebuilt").join(name));
    host::write_atomic(&a, &file.theirs)?;
    host::write_atomic(&b, &file.ours)?;
    let (a, b) = (a.to_string_lossy().into_owned(), b.to_string_lossy().into_owned());
    let Ok(answer) = host::ask("diffoscope", &["--no-progress", "--text", "-", &a, &b], &[], LOOKING) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let inside = folder.path().to_string_lossy().into_owned();
    let shown: Vec<String> = text.lines().take(40).map(|line| line.replace(&inside, "")).collect();
    let what = format!("diffoscope /{}:\n{}", file.path, shown.join("\n"));
    Ok((!shown.is_empty()).then(|| Difference { place: file.place.clone(), what }))
}

pub(super) fn as_json(lines: &[Difference]) -> Vec<Value> {
    lines.iter().map(|line| json!({ "place": line.place, "what": line.what })).collect()
}
