//! Building an image again from its own provenance: recipe, lock and files are taken out of it, and
//! the same street is walked.

use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Context, Finished, LockMode, Order, build};
use crate::attest::{BuildFile, BuildInputs};
use crate::canon::Compression;
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{self, ScratchDir};
use crate::ident::{Platform, Sha256};

/// Builds again what a provenance describes, for these platforms. `beside` is where files are looked
/// for that are too large for provenance.
pub fn rebuild(
    context: &Context,
    inputs: &BuildInputs,
    platforms: &[Platform],
    beside: Option<&Path>,
) -> Result<Finished> {
    let scratch = ScratchDir::beside(&context.store.root().join("rebuild"))?;
    let folder = scratch.path();
    for recipe in inputs.extends.iter().chain([&inputs.recipe]) {
        let path = folder.join(plain_name(&recipe.file)?);
        host::write_atomic(&path, recipe.text.as_bytes())?;
    }
    let recipe = folder.join(plain_name(&inputs.recipe.file)?);
    host::write_atomic(&recipe.with_extension("lock"), inputs.lock.as_bytes())?;
    for file in &inputs.files {
        // A file that stands where another was written would change what is built.
        if host::exists(&below(folder, &file.path)?) {
            return Err(bad("names a file twice, or in place of a recipe or lock").found(&file.path).into());
        }
        write_file(folder, file, beside)?;
    }
    let compression: Compression = inputs
        .compression
        .parse()
        .map_err(|_| bad("names a compression that this hardpan does not have").found(&inputs.compression))?;
    let order = Order {
        recipe,
        variant: inputs.variant.clone(),
        platforms: Some(platforms.to_vec()),
        compression,
        mode: LockMode::Locked,
    };
    let clamp = inputs.source_date_epoch.map(crate::ident::Epoch);
    let context = Context { clamp, ..context.clone() };
    build(&context, &order).map_err(blame)
}

/// Lays out the recipes that a provenance carries, with the files beside them that a recipe must have to
/// be read; the path of the one that was built. Of a file that is too large for provenance only the name
/// is there: nothing can be built from this.
pub fn recipes_of(inputs: &BuildInputs, folder: &Path) -> Result<PathBuf> {
    for recipe in inputs.extends.iter().chain([&inputs.recipe]) {
        let path = folder.join(plain_name(&recipe.file)?);
        host::write_atomic(&path, recipe.text.as_bytes())?;
    }
    for file in &inputs.files {
        let path = below(folder, &file.path)?;
        if !host::exists(&path) {
            host::write_atomic(&path, b"")?;
        }
    }
    Ok(folder.join(plain_name(&inputs.recipe.file)?))
}

/// A recipe or lock that is wrong is the provenance's fault here: nobody wrote them on this machine.
fn blame(failure: Failure) -> Failure {
    if !matches!(failure.exit_code(), 2 | 3) {
        return failure;
    }
    let first = &failure.problems()[0];
    let problem = bad("has a recipe, variant or lock that can't be followed");
    let cause = format!("{}: {}", first.code, first.message);
    let facts = first.facts.iter().filter(|(name, _)| *name == "found");
    facts.fold(problem.fact("cause", cause), |problem, (_, value)| problem.found(value)).into()
}

fn bad(why: &str) -> Problem {
    Problem::new(codes::BAD_PROVENANCE, format!("the provenance {why}"))
}

/// A file's name without folders: what provenance says is not trusted to stay where it is put.
fn plain_name(file: &str) -> Result<&str> {
    let mut parts = Path::new(file).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if plain && Path::new(file).extension().is_some_and(|ending| ending == "toml") {
        return Ok(file);
    }
    Err(bad("names a recipe's file by more than a name").found(file).expected("such as `python.toml`").into())
}

/// A path that stays below the folder.
fn below(folder: &Path, path: &str) -> Result<PathBuf> {
    let stays = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    // What no file system takes is refused here rather than by whichever this is.
    let parts = || path.split('/');
    let short = path.len() <= 1024 && parts().count() <= 64 && parts().all(|part| part.len() <= 200);
    if stays && short && !path.is_empty() && !path.contains(char::is_control) {
        return Ok(folder.join(path));
    }
    Err(bad("names a file outside the recipe's folder")
        .found(path.chars().take(200).collect::<String>())
        .into())
}

fn write_file(folder: &Path, file: &BuildFile, beside: Option<&Path>) -> Result<()> {
    let to = below(folder, &file.path)?;
    let bytes = match (&file.content, beside) {
        (Some(content), _) => STANDARD
            .decode(content)
            .map_err(|error| bad("holds a file that is not base64").found(error).fact("file", &file.path))?,
        (None, Some(beside)) => host::read(&below(beside, &file.path)?)?,
        (None, None) => {
            return Err(Problem::new(
                codes::NO_FILE,
                format!("the file `{}` is too large for provenance", file.path),
            )
            .expected(format!("sha256:{}", file.sha256))
            .help("say where the recipe's own files are: `--files DIR`")
            .into());
        }
    };
    let found = Sha256::of(&bytes);
    if found != file.sha256 {
        let what = format!("the file `{}` is not the one that the image was built with", file.path);
        return Err(Problem::new(codes::DIGEST_MISMATCH, what).found(found).expected(file.sha256).into());
    }
    host::write_atomic(&to, &bytes)?;
    host::set_executable(&to, file.executable)
}
