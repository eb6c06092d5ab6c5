//! The street on one screen: recipe ► lock ► fetch ► layer ► image ► evidence.
//!
//! Each stage is a type that says what is proved: [`Family`] (the recipe reads), [`Pinned`] (the lock
//! satisfies it), [`Gathered`] (every byte that is needed is in the store with its pinned digest),
//! [`Layers`] (packed), [`Built`] (the image's index exists). No stage goes back to the network of an
//! earlier one, but for a pin that is gone from all mirrors, which is moved once.

mod evidence;
mod gather;
mod held;
mod image;
mod layers;
mod pin;
mod provenance;
mod rebuild;
mod resign;
mod vex;

use std::path::PathBuf;
use std::sync::Arc;

use crate::canon::Compression;
use crate::diag::{Problem, Result};
use crate::fetch::Mirrors;
use crate::host::{self, Client, Progress};
use crate::ident::{Epoch, Platform};
use crate::layer::Inventory;
use crate::lock::Shelf;
use crate::recipe::Family;
use crate::store::Store;
use crate::vex::Decisions;

pub use evidence::{Attesting, attach, attest, attest_decisions, store_bundle, with_others};
pub use gather::{Gathered, parcels};
use held::Held;
pub use image::{Built, built_tags, image};
pub use layers::{Layers, RecipeLayers};
pub use pin::{LockMode, Locks, PinReport, Pinned, pin};
pub use provenance::own_digest;
pub use rebuild::{rebuild, recipes_of};
pub use resign::{OlderForm, older_form, older_tags, resigned, signed_by};
pub use vex::vex;

/// What every stage works with.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub store: Store,
    /// Where archives are.
    pub mirrors: Arc<Mirrors>,
    /// How bytes are had.
    pub client: Client,
    /// Who is told.
    pub progress: Progress,
    /// Whether the network is forbidden.
    pub offline: bool,
    /// How many threads decode and compress.
    pub jobs: usize,
    /// The time, for signatures and ages; nothing in an image comes from it.
    pub now: Epoch,
    /// No time in an image is later than this (`SOURCE_DATE_EPOCH`).
    pub clamp: Option<Epoch>,
    /// The indices of archives that were read already.
    pub shelf: Arc<Shelf>,
}

/// What is to be built.
#[derive(Debug, Clone)]
pub struct Order {
    /// The recipe's file.
    pub recipe: PathBuf,
    /// Which variant; `None` for the default.
    pub variant: Option<String>,
    /// Which platforms; `None` for all of the recipe's.
    pub platforms: Option<Vec<Platform>>,
    /// How layers are compressed.
    pub compression: Compression,
    /// Whether the lock may change.
    pub mode: LockMode,
}

/// An image that was built, and all that can be said of how.
#[derive(Debug)]
pub struct Finished {
    /// What was asked for.
    pub order: Order,
    /// The image.
    pub built: Built,
    /// The recipe and the lock.
    pub pinned: Pinned,
    /// The layers of each platform.
    pub layers: Vec<Layers>,
    /// What should be said about it all the same.
    pub warnings: Vec<Problem>,
    /// What the kernel enforced while they were made.
    pub enforced: Vec<String>,
    /// What happened to locks on the way.
    pub report: PinReport,
    /// What people decided on vulnerabilities in it.
    pub decisions: Decisions,
    held: Held,
}

impl Finished {
    /// What the image of each platform holds; read when it is first asked for.
    pub fn inventories(&self, context: &Context) -> Result<&[Inventory]> {
        self.held.of(context, &self.layers)
    }
}

/// Walks the street to the image's index; what is written where is the caller's business.
pub fn build(context: &Context, order: &Order) -> Result<Finished> {
    let mut locks = Locks::default();
    let finished = build_on(context, order, &mut locks)?;
    locks.commit()?;
    Ok(finished)
}

/// The same, with the caller's locks: none is written until the caller commits them.
pub fn build_on(context: &Context, order: &Order, locks: &mut Locks) -> Result<Finished> {
    let family = Family::open(&order.recipe)?;
    let platforms = pin::platforms(&family, order.platforms.as_deref())?;
    // A variant that is not there is said before anything is locked or fetched.
    family.chain(order.variant.as_deref(), platforms[0])?;
    let decisions = Decisions::of_recipe(&order.recipe)?;
    let (mut pinned, mut report) = pin(context, &family, &order.mode, locks)?;
    let (plan, gathered) = loop {
        let plan = layers::plan(context, &pinned, order.variant.as_deref(), &platforms, order.compression)?;
        match gather::gather(context, &pinned, &plan)? {
            Ok(gathered) => break (plan, gathered),
            // A pin that no mirror holds any more: moved, said, and gone on, unless the lock is fixed.
            Err(gone) => {
                let (moved, more) = pin::move_gone(context, &family, &order.mode, &gone, locks)?;
                report.changes.extend(more.changes);
                pinned = moved;
            }
        }
    };
    // From here on nothing is fetched, and nothing written but to the store: the kernel holds us to it.
    let ((layers, built), enforced) = host::confined(&[context.store.root()], || {
        let layers = layers::make(context, &pinned, plan, &gathered)?;
        let built = image(&pinned, &layers, order.compression)?;
        Ok((layers, built))
    })?;
    let held = Held::default();
    let mut warnings = held.warnings(context, &pinned.family, &layers)?;
    warnings.extend(image::unneeded_exceptions(&built));
    warnings.extend(decisions.idle(context.now));
    let order = order.clone();
    Ok(Finished { order, built, pinned, layers, warnings, enforced, report, decisions, held })
}
