//! From parcels and a recipe to layers.
//!
//! ```text
//! indices ─► selection ─► closure ─► recipe's own paths ─► generated files ─► tree ─► split ─► packed
//! ```
//!
//! A tree is what one recipe of a chain adds to the trees below it; it becomes one layer, from which
//! the biggest packages are split off. Layers are a pure function of the recipe, the pins and the
//! trees below, and are cached by the hash of these ([`key`]). No maintainer script runs: what they
//! would have made is made by the generators here. The room does not know images or registries.

mod closure;
mod compose;
mod copyright;
mod dlopen;
mod first_line;
mod generate;
mod inventory;
mod key;
mod licences;
mod loader;
mod needs;
mod own;
mod pack;
mod select;
mod split;
mod symbols;
mod tree;
mod warnings;

pub use compose::{Composed, Inputs, PackageParcel, compose};
pub use inventory::{FileItem, INVENTORY_VERSION, Inventory, LinkItem, PackageItem, SourceItem, inventory};
pub use key::{RecipeKey, recipe_key};
pub use needs::{Edge, Need};
pub use pack::{PackedLayer, pack};
pub use split::{LayerPlan, split};
pub use tree::{Data, Node, NodeKind, Origin, Reason, Tree};
pub use warnings::{WARNINGS_VERSION, warnings};
