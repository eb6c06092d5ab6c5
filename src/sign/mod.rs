//! Keys, signers, DSSE, Sigstore bundles, and cosign's older form.
//!
//! ```text
//! payload ─► canon::pae_head + payload ─► Signer ─► bundle (JSON) ─► Bundle::parse ─► verify(keys)
//!                                           │                           └► legacy: .sig and .att
//!                    key file · exec:PROGRAM · development key · keyless
//! ```
//!
//! Signatures are ECDSA over P-256 with SHA-256. With a key file they are deterministic (RFC 6979), so
//! two signings of the same bytes are the same bytes. Secrets are wiped when they are done with, and no
//! type that holds one shows it.
//!
//! This room does not know what the statements that it signs mean.

mod bundle;
mod choice;
mod development;
mod exec;
mod keyfile;
#[cfg(feature = "keyless")]
mod keyless;
#[cfg(not(feature = "keyless"))]
#[path = "keyless/absent.rs"]
mod keyless;
mod legacy;
mod password;
mod pem;
mod private;
mod public;
mod root;
mod secretbox;
mod signer;
mod trusted;

pub use bundle::{BUNDLE, BUNDLE_FAMILY, Bundle, Material, VerifiedBy, write_bundle};
pub use choice::{Choice, Keyless};
pub use development::{development_key, development_public_key};
pub use exec::ExecSigner;
pub use keyfile::{KeyFiles, holds_private_key, open_key, read_public_key};
pub use legacy::{
    Attestation, LegacyKind, LegacyManifest, attestation_manifest, has_all, legacy_tag, merged,
    signature_manifest, simple_signing,
};
pub use password::{Password, Passwords};
pub use pem::write as pem_text;
pub use private::PrivateKey;
pub use public::PublicKey;
pub use root::{TrustedRoot, trusted_root};
pub use signer::{Custody, KeySigner, Signer};
pub use trusted::Keys;
