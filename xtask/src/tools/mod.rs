//! Programs of others that checks and tests need, and how they get here.

mod apt;
mod deny;
mod go;
mod keep;
mod outside;
mod places;
mod python;

pub use deny::cargo_deny;
pub use outside::outside_programs;
