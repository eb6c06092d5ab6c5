//! A recipe that is only there while it is tried: beside the one that will be written, because the
//! recipe that it extends is looked for there, and gone with its lock when it is dropped.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::world::World;
use crate::canon::Compression;
use crate::diag::Result;
use crate::host;
use crate::ident::Platform;
use crate::lock::{self, Lock};
use crate::pipeline::{self, Context, Finished, LockMode, Locks, Order};
use crate::recipe::Family;

/// The place of a recipe under trial.
pub(super) struct Bench<'a> {
    context: &'a Context,
    path: PathBuf,
    /// The pins of all that was looked at: those of every draft are among them, so that none has to be
    /// resolved again.
    pins: RefCell<Lock>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(context: &'a Context, folder: &Path) -> Result<Self> {
        host::create_dirs(folder)?;
        let name = format!(".hardpan-{}-draft.part", std::process::id());
        Ok(Self { context, path: folder.join(name), pins: RefCell::default() })
    }

    /// Where the recipe under trial is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The parcels of all that a recipe of this text reaches.
    pub(super) fn worlds(&self, text: &str, platforms: &[Platform]) -> Result<Vec<World>> {
        host::write_atomic(&self.path, text.as_bytes())?;
        let family = Family::open(&self.path)?;
        let mut locks = Locks::default();
        let (pinned, _) = pipeline::pin(self.context, &family, &LockMode::Needed, &mut locks)?;
        *self.pins.borrow_mut() = pinned.lock.clone();
        let world = |platform: &Platform| {
            let inputs = pipeline::parcels(self.context, &pinned, *platform)?;
            Ok(World::new(*platform, inputs, &pinned.lock))
        };
        platforms.iter().map(world).collect()
    }

    /// Builds a recipe of this text.
    pub(super) fn build(&self, text: &str, platforms: &[Platform]) -> Result<Finished> {
        host::write_atomic(&self.path, text.as_bytes())?;
        self.write_lock(&Family::open(&self.path)?)?;
        let order = Order {
            recipe: self.path.clone(),
            variant: None,
            platforms: Some(platforms.to_vec()),
            compression: Compression::default(),
            mode: LockMode::Needed,
        };
        pipeline::build(self.context, &order)
    }

    /// Writes the pins that the recipe reaches as its lock.
    fn write_lock(&self, family: &Family) -> Result<()> {
        let mut own = self.pins.borrow().clone();
        let platforms = family.platforms();
        own.packages.retain(|platform, _| platforms.contains(platform));
        for platform in platforms {
            let chain = family.chain(None, platform)?;
            let roots =
                chain.recipes.iter().flat_map(|recipe| &recipe.packages).map(|entry| &entry.name.value);
            // What is not pinned yet will be, by the build.
            let Ok(reached) = lock::reachable(&own, platform, roots) else { return Ok(()) };
            own.packages.entry(platform).or_default().retain(|name, _| reached.contains(name));
        }
        own.write(&family.lock_path())
    }

    /// The lock of what was built last.
    pub(super) fn lock(&self) -> Result<Option<Lock>> {
        Lock::read(&self.path.with_extension("lock"))
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        let _ = host::remove(&self.path);
        let _ = host::remove(&self.path.with_extension("lock"));
    }
}
