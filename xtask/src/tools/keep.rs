//! Programs are kept whole or not at all.
//!
//! Each is made in a folder of its own, named after the process that makes it, and gets its name in
//! one step. So a run that is killed leaves no half program, and two runs side by side each make
//! one: the second to end throws its own away. What was left by a killed run, the next one removes.

use std::path::{Path, PathBuf};

use super::places;

/// Where `program` (a path in the folder `name`) is; if it isn't, `make` is given a folder to make it in.
pub fn kept(
    name: &str,
    program: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    kept_in(&places::folder()?, name, program, make)
}

fn kept_in(
    folder: &Path,
    name: &str,
    program: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let whole = folder.join(name);
    let kept = whole.join(program);
    if kept.is_file() {
        return Ok(kept);
    }
    std::fs::create_dir_all(folder).map_err(|error| failed("made", folder, &error))?;
    sweep(folder)?;
    let part = folder.join(format!(".{name}.{}.part", std::process::id()));
    // Left by another that had our number: where processes are few, numbers come again.
    if part.exists() {
        remove(&part)?;
    }
    std::fs::create_dir(&part).map_err(|error| failed("made", &part, &error))?;
    let done = make(&part).and_then(|()| settle(&part, &whole, program));
    if part.exists() {
        remove(&part)?;
    }
    done.map(|()| kept)
}

/// Gives what was made its name.
fn settle(part: &Path, whole: &Path, program: &str) -> Result<(), String> {
    if !part.join(program).is_file() {
        return Err(format!("`{}` was made without `{program}`", whole.display()));
    }
    if whole.exists() && !whole.join(program).is_file() {
        remove(whole)?;
    }
    match std::fs::rename(part, whole) {
        // Another run was faster; its program is as good as ours.
        Err(_) if whole.join(program).is_file() => Ok(()),
        renamed => renamed.map_err(|error| failed("given its name", whole, &error)),
    }
}

/// Removes what runs that are gone have left.
fn sweep(folder: &Path) -> Result<(), String> {
    let listed = |error| failed("listed", folder, &error);
    for entry in std::fs::read_dir(folder).map_err(listed)? {
        let path = entry.map_err(listed)?.path();
        if maker(&path).is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// The process that makes what is in a folder, if it is such a folder.
fn maker(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".part")?;
    name.rsplit_once('.')?.1.parse().ok()
}

fn remove(folder: &Path) -> Result<(), String> {
    std::fs::remove_dir_all(folder).map_err(|error| failed("removed", folder, &error))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("`{}` can't be {what}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that vanishes.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-keep-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("made");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).expect("listed");
            let mut names: Vec<String> =
                entries.map(|entry| entry.expect("listed").file_name().to_string_lossy().into()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("removed");
        }
    }

    fn good(folder: &Path) -> Result<(), String> {
        std::fs::write(folder.join("tool"), "whole").map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_is_made_once() {
        let folder = Folder::new("once");
        let path = kept_in(&folder.0, "tool-1", "tool", good).expect("made");
        assert_eq!(path, folder.0.join("tool-1/tool"));
        kept_in(&folder.0, "tool-1", "tool", |_| panic!("made again")).expect("kept");
        assert_eq!(folder.names(), ["tool-1"]);
    }

    #[test]
    fn what_fails_leaves_nothing_and_is_tried_again() {
        let folder = Folder::new("fails");
        let why = kept_in(&folder.0, "tool-1", "tool", |part| {
            good(part)?;
            Err("it broke".to_owned())
        });
        assert_eq!(why, Err("it broke".to_owned()));
        assert!(
            kept_in(&folder.0, "tool-1", "tool", |_| Ok(())).expect_err("nothing made").contains("without")
        );
        assert!(folder.names().is_empty());
        kept_in(&folder.0, "tool-1", "tool", good).expect("made");
    }

    #[test]
    fn a_folder_that_lacks_its_program_is_made_anew() {
        let folder = Folder::new("half");
        std::fs::create_dir(folder.0.join("tool-1")).expect("made");
        std::fs::write(folder.0.join("tool-1/rest"), "").expect("written");
        kept_in(&folder.0, "tool-1", "tool", good).expect("made");
        assert!(!folder.0.join("tool-1/rest").exists());
    }

    #[test]
    fn the_slower_of_two_takes_what_the_faster_made() {
        let folder = Folder::new("race");
        let other = folder.0.join("tool-1");
        let path = kept_in(&folder.0, "tool-1", "tool", |part| {
            std::fs::create_dir(&other).expect("made");
            std::fs::write(other.join("tool"), "theirs").expect("written");
            good(part)
        });
        assert_eq!(std::fs::read(path.expect("there")).expect("readable"), b"theirs");
        assert_eq!(folder.names(), ["tool-1"]);
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_living_one_makes_is_not() {
        let folder = Folder::new("left");
        // No process has the highest number that can be written; the first always runs.
        for name in [".old-1.4294967295.part", ".new-1.1.part", "other"] {
            std::fs::create_dir(folder.0.join(name)).expect("made");
        }
        std::fs::create_dir(folder.0.join(format!(".tool-1.{}.part", std::process::id()))).expect("made");
        kept_in(&folder.0, "tool-1", "tool", good).expect("made");
        assert_eq!(folder.names(), [".new-1.1.part", "other", "tool-1"]);
    }
}
