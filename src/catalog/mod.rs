//! The recipes of a folder: which there are, in which order they stand on each other, and which of
//! them a change touches. The room knows recipes and files, not what is built of them.

mod changed;
mod images;
mod list;

pub use changed::changed_since;
pub use images::{ImageTask, after, images};
pub use list::{Catalog, Entry};
