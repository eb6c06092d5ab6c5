//! Whose signature a snapshot of advisories bears.

use std::path::PathBuf;

use super::Global;
use super::signing::TrustArgs;
use crate::advisory::{self, Shelf, SignedBy, Snapshot};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Sha256;

/// Who signed it, by the bundle beside the file that was named, else that of the store. A signature that is wrong is a
/// problem wherever the snapshot is from; that there is none only where somebody was named who must have signed.
pub(super) fn signed_by(
    shelf: &Shelf,
    snapshot: &Snapshot,
    named: Option<&str>,
    trust: &TrustArgs,
) -> Result<SignedBy> {
    let digest = snapshot.digest();
    let keys = trust.open_any(&Global::environment())?;
    let own = shelf.bundle_path(&digest);
    let file = named.filter(|name| name.strip_prefix("sha256:").unwrap_or(name).parse::<Sha256>().is_err());
    let bundle = file.map(beside).filter(|path| host::is_file(path)).unwrap_or(own);
    let signed = if host::is_file(&bundle) {
        advisory::check_bundle(&host::read(&bundle)?, &digest, keys.as_ref())?
    } else {
        SignedBy::Nobody
    };
    if trust.is_said() && !matches!(signed, SignedBy::Trusted(_)) {
        let what = format!("the snapshot of advisories {digest} is not signed by who was named");
        return Err(Problem::new(codes::NOT_SIGNED, what).found("no signature").into());
    }
    Ok(signed)
}

/// Where the signature of a snapshot in a file is.
fn beside(name: &str) -> PathBuf {
    PathBuf::from(format!("{name}.bundle"))
}
