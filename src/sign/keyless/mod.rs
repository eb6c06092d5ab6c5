//! Signing without a lasting key: somebody vouches for an identity, and a public log for the time.
//!
//! ```text
//! identity token ─► certificate authority (Fulcio) ─► certificate for a key that is thrown away
//! signature ──────► timestamp authority (RFC 3161) ─► when, where the log does not say
//! signature ──────► transparency log (Rekor) ───────► entry, proof of inclusion, signed checkpoint
//!                   all of which go into the bundle, and are verified against a trusted root:
//!
//! leaf ◄─ chain ─ CA          valid at that time, for code signing, its SCT by a log of certificates
//! envelope ◄─ body ◄─ proof ─ checkpoint ◄─ log's key
//! time ◄─ signed entry timestamp (log's key), or timestamp token (authority's chain)
//! ```
//!
//! What signs runs the verifier over its own bundle before it hands it out, so nothing that a service
//! answers is used before it is verified. No service is built in: a signing config names them, a
//! trusted root says what they sign with. Chains and signatures are verified by the TLS library's own
//! parts (`rustls-webpki`), which are in the program anyway; the formats around them are read here.

mod asn1;
mod authority;
mod certificate;
mod checkpoint;
mod config;
mod entry;
mod evidence;
mod fulcio;
mod identity;
mod keys;
mod merkle;
mod rekor;
mod service;
mod signer;
mod stamp;
mod token;

pub use identity::Identity;
pub use signer::open;

/// What a check says: why not, in words that go on with "found".
type Checked<T> = std::result::Result<T, String>;
