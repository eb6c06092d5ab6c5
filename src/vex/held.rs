//! What an image holds, as far as decisions need to know.

use std::collections::BTreeSet;

use crate::ident::{BlobDigest, ImagePath};
use crate::sbom::PlatformBill;

/// An image, by the digest of its index or of one platform.
#[derive(Debug, Clone)]
pub struct Held {
    /// The digest.
    pub digest: BlobDigest,
    /// The packages of which any file is in it.
    pub packages: BTreeSet<HeldPackage>,
    /// Every file and link; `None` where that is not known.
    pub files: Option<BTreeSet<ImagePath>>,
}

/// A package of which something is in an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldPackage {
    /// Its source package.
    pub source: String,
    /// Its own name.
    pub binary: String,
    /// Its URL, without version and qualifiers.
    pub purl: String,
    /// That of its source package.
    pub source_purl: String,
}

impl Held {
    /// What a platform that was built holds.
    pub fn of_platform(bill: &PlatformBill) -> Self {
        let package = |name: &crate::ident::PackageName| {
            let pin = bill.packages.get(name)?;
            Some(HeldPackage {
                source: pin.source.0.to_string(),
                binary: name.to_string(),
                purl: pin.purl(name).plain().to_string(),
                source_purl: pin.purl(&pin.source.0).plain().to_string(),
            })
        };
        Self {
            digest: bill.digest,
            packages: bill.inventory.packages.keys().filter_map(package).collect(),
            files: Some(bill.inventory.paths().map(|(path, ..)| path.clone()).collect()),
        }
    }

    /// What an index holds: all that any of its platforms does.
    pub fn of_index(digest: BlobDigest, platforms: &[Self]) -> Self {
        let packages = platforms.iter().flat_map(|one| one.packages.iter().cloned()).collect();
        let files: Option<Vec<&BTreeSet<ImagePath>>> =
            platforms.iter().map(|one| one.files.as_ref()).collect();
        let files = files.map(|files| files.into_iter().flatten().cloned().collect());
        Self { digest, packages, files }
    }
}
