//! The ledger in a real PostgreSQL server, which each test starts for itself: on a port of the loopback
//! interface, in a folder of its own, as a user who is not root.
#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "outside_ledger/logins.rs"]
mod logins;
#[allow(dead_code)] // the tests of reports need more of them
#[path = "report/made.rs"]
mod made;
#[path = "outside_ledger/server.rs"]
mod server;
#[path = "outside_ledger/shared.rs"]
mod shared;
mod support;
