//! Recipes: what is wrong in one is said all at once, with code, place and help; what is right in
//! one shows in the image.
#![allow(clippy::disallowed_methods)]

#[path = "recipe/amendments.rs"]
mod amendments;
#[path = "recipe/chains.rs"]
mod chains;
#[path = "recipe/errors.rs"]
mod errors;
#[path = "recipe/language.rs"]
mod language;
mod support;
