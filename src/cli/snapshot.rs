//! Whose signature a snapshot of advisories bears.

use std::path::PathBuf;

use super::Global;
use super::signing::TrustArgs;
use crate::advisory::{self, Shelf, SignedBy, Snapshot};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host;
use crate::ident::Sha256;
use crate::sign::{Custody, Keys, Signer};

/// Who signed it, by the bundle beside the file that was named, else that of the store. A signature that is wrong is a
/// problem wherever the snapshot is from; that there is none only where somebody was named who must have signed.
pub(super) fn signed_by(
    shelf: &Shelf,
    snapshot: &Snapshot,
    named: Option<&str>,
    trust: &TrustArgs,
    own: Option<&dyn Signer>,
) -> Result<SignedBy> {
    let digest = snapshot.digest();
    let keys = trust.open_any(&Global::environment())?;
    let in_store = shelf.bundle_path(&digest);
    let file = named.filter(|name| name.strip_prefix("sha256:").unwrap_or(name).parse::<Sha256>().is_err());
    let bundle = file.map(beside).filter(|path| host::is_file(path)).unwrap_or(in_store);
    let signed = if host::is_file(&bundle) {
        check(&host::read(&bundle)?, &digest, keys, own)?
    } else {
        SignedBy::Nobody
    };
    if trust.is_said() && !matches!(signed, SignedBy::Trusted(_)) {
        let what = format!("the snapshot of advisories {digest} is not signed by who was named");
        return Err(Problem::new(codes::NOT_SIGNED, what).found("no signature").into());
    }
    Ok(signed)
}

/// Checks a signature by the keys that count. What signed as `own` does now counts too: who is trusted to sign images is
/// trusted to sign what they were scanned with.
fn check(bundle: &[u8], digest: &Sha256, keys: Option<Keys>, own: Option<&dyn Signer>) -> Result<SignedBy> {
    let Some(own) = own.filter(|own| own.custody() != Custody::Ephemeral) else {
        return advisory::check_bundle(bundle, digest, keys.as_ref());
    };
    let nobody_is_known = keys.is_none();
    let keys = keys.unwrap_or_default();
    let fingerprint = own.public_key().fingerprint();
    let is_known = keys.names().any(|(_, known)| known == fingerprint);
    let all = if is_known { keys } else { keys.with(own.public_key().clone(), own.describe()) };
    match advisory::check_bundle(bundle, digest, Some(&all)) {
        Err(failure) if failure.is(codes::NOT_SIGNED) && nobody_is_known => {
            advisory::check_bundle(bundle, digest, None)
        }
        // Here `--key` names who signs, so it can't name whom to trust.
        Err(failure) if failure.is(codes::NOT_SIGNED) => {
            let help = "put the public key of who signs snapshots into `keys/` (a file that ends in `.pub`)";
            let problems = failure.into_problems().into_iter().map(|problem| problem.help(help));
            Failure::check(problems.collect()).map(|()| SignedBy::Nobody)
        }
        checked => checked,
    }
}

/// Where the signature of a snapshot in a file is.
fn beside(name: &str) -> PathBuf {
    PathBuf::from(format!("{name}.bundle"))
}
