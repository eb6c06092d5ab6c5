//! Where a run happens: a folder for images, bundles and the runtime's notes, which goes with the run
//! however that ends.
//!
//! ```text
//! STORE/trial/run-4711-0/
//!   lock         held by the run: whoever finds it free may clear the folder
//!   runtime      which runtime made the containers
//!   containers/  the runtime's notes
//!   images/      unpacked layers
//!   tests/       mounts, volumes, bundles
//! ```
//!
//! A guard, which is this program a second time, waits for the run's end; were the run killed, the
//! guard removes its containers and the folder. Were both killed, the next run does.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::runtime::{Runtime, not_isolated, state_folder};
use crate::diag::Result;
use crate::host::{self, FileLock, Helper};

/// How often, and how long apart, a guard looks for containers that were being made when the run died.
const LOOKS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(200);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A run's place; cleared when dropped.
pub(super) struct Ground {
    folder: PathBuf,
    runtime: Runtime,
    /// Held until the folder is gone.
    _lock: FileLock,
    /// Ends after us.
    guard: Option<Helper>,
    count: u32,
}

impl Ground {
    /// A place below `home`; what dead runs left there is cleared first.
    pub(super) fn take(home: &Path, runtime: &Runtime) -> Result<Self> {
        host::create_private_dir(home)?;
        // Nobody may take a folder for abandoned that is only being made.
        let _alone = FileLock::exclusive(&home.with_extension("lock"))?;
        sweep(home);
        let name = format!("run-{}-{}", host::own_id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = host::whole_path(home).join(name);
        host::create_private_dir(&folder)?;
        let lock = FileLock::exclusive(&folder.join("lock"))?;
        host::write_atomic(&folder.join("runtime"), &crate::canon::to_json(runtime))?;
        for name in ["containers", "images", "tests"] {
            host::create_dirs(&folder.join(name))?;
        }
        let guard = Helper::start(&["attend", "guard", &folder.display().to_string()]);
        let failed = |error| not_isolated("this program can't be started as a guard", error);
        let guard = Some(guard.map_err(failed)?);
        host::adopt_orphans().map_err(|error| not_isolated("the kernel lets nobody adopt orphans", error))?;
        Ok(Self { folder, runtime: runtime.clone(), _lock: lock, guard, count: 0 })
    }

    /// The runtime's own folder.
    pub(super) fn state(&self) -> PathBuf {
        state_folder(&self.folder)
    }

    /// A new empty folder below one of its folders.
    pub(super) fn new_folder(&mut self, below: &str) -> Result<PathBuf> {
        self.count += 1;
        let folder = self.folder.join(below).join(self.count.to_string());
        host::create_dirs(&folder)?;
        Ok(folder)
    }

    /// A name for a container that no other run has.
    pub(super) fn new_id(&mut self) -> String {
        self.count += 1;
        format!("hardpan-{}-{}", host::own_id(), self.count)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        clear(&self.folder, &self.runtime);
        self.guard = None;
    }
}

/// Removes containers and folder.
fn clear(folder: &Path, runtime: &Runtime) {
    runtime.clear(&state_folder(folder));
    // Folders that the image says nobody may look into are removed all the same.
    let _ = host::remove_dir(folder);
}

/// Clears what runs left whose lock nobody holds.
fn sweep(home: &Path) {
    for folder in host::list(home).unwrap_or_default() {
        let Ok(Some(_lock)) = FileLock::try_exclusive(&folder.join("lock")) else { continue };
        match runtime_of(&folder) {
            Some(runtime) => clear(&folder, &runtime),
            // It died before it could make a container.
            None => drop(host::remove_dir(&folder)),
        }
    }
}

fn runtime_of(folder: &Path) -> Option<Runtime> {
    serde_json::from_slice(&host::read(&folder.join("runtime")).ok()?).ok()
}

/// What a guard does: waits until whoever started it is gone, and clears what is left.
pub(super) fn guard(folder: &Path) {
    host::leave_terminal();
    host::told().for_each(drop);
    let Some(runtime) = runtime_of(folder) else { return };
    // A container that was being made is noted when it is whole.
    for _ in 0..LOOKS {
        runtime.clear(&state_folder(folder));
        if !host::exists(folder) {
            return;
        }
        host::pause(BETWEEN);
    }
    clear(folder, &runtime);
}
