//! What an image holds, read when it is asked for, and what should be said about it.
//!
//! An inventory lists each file of an image. A build that changes nothing needs none: that there was
//! nothing to warn about is remembered by the hash of all that it was judged by.

use std::sync::OnceLock;

use super::{Context, Layers};
use crate::diag::{Problem, Result};
use crate::ident::Sha256;
use crate::layer::{self, Inventory, WARNINGS_VERSION};
use crate::recipe::Family;

/// The kind under which the store keeps that there was nothing to say.
const KIND: &str = "quiet";

/// The inventories of an image's platforms.
#[derive(Debug, Default)]
pub(super) struct Held(OnceLock<Vec<Inventory>>);

impl Held {
    /// The inventory of each platform.
    pub(super) fn of(&self, context: &Context, layers: &[Layers]) -> Result<&[Inventory]> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let read = layers.iter().map(|layers| layers.inventory(context)).collect::<Result<_>>()?;
        Ok(self.0.get_or_init(|| read))
    }

    /// The warnings of all platforms, each once.
    pub(super) fn warnings(
        &self,
        context: &Context,
        family: &Family,
        layers: &[Layers],
    ) -> Result<Vec<Problem>> {
        let key = judged_by(family, layers);
        if context.store.open_derived(KIND, &key)?.is_some() {
            return Ok(Vec::new());
        }
        let mut all: Vec<Problem> = Vec::new();
        for (layers, inventory) in layers.iter().zip(self.of(context, layers)?) {
            let new = layer::warnings(&layers.chain, inventory);
            all.extend(new.into_iter().filter(|warning| !all.contains(warning)).collect::<Vec<_>>());
        }
        if all.is_empty() {
            context.store.write_derived(KIND, &key, b"")?;
        }
        Ok(all)
    }
}

/// The texts of the recipes, the variant and the platforms, and what the layers were made of.
fn judged_by(family: &Family, layers: &[Layers]) -> Sha256 {
    let head = format!("warnings {WARNINGS_VERSION}");
    let texts = family.texts().map(|(name, text)| format!("{name} {}", Sha256::of(text.as_bytes())));
    let made_of = layers.iter().flat_map(|layers| {
        let variant = layers.chain.last().variant.as_deref().unwrap_or_default();
        let which = format!("{}/{variant}", layers.chain.platform);
        std::iter::once(which).chain(layers.keys.iter().map(|key| key.0.to_string()))
    });
    let all: Vec<String> = std::iter::once(head).chain(texts).chain(made_of).collect();
    Sha256::of(all.join("\n").as_bytes())
}
