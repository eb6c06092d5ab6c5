//! What tests are built from is itself held against the tools that Debian has for it, so that a
//! mistake in it is seen here and not hunted in hardpan.
#![allow(clippy::disallowed_methods)]

#[path = "support_works/archives.rs"]
mod archives;
#[path = "support_works/keys.rs"]
mod keys;
#[path = "support_works/packages.rs"]
mod packages;
#[path = "support_works/sandboxes.rs"]
mod sandboxes;
#[path = "support_works/schemas.rs"]
mod schemas;
#[path = "support_works/servers.rs"]
mod servers;
mod support;
