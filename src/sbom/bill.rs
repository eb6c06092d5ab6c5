//! What is known of an image when its SBOM is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{BlobDigest, DebVersion, Epoch, PackageName, Platform, Purl, RecipeName, Sha256};
use crate::layer::Inventory;

/// An image, or one platform of it, and what is in it.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The image's name.
    pub name: RecipeName,
    /// Its most telling tag.
    pub version: String,
    /// What it is, in a line.
    pub summary: Option<String>,
    /// The digest of what is described: an index, or a platform's manifest.
    pub digest: BlobDigest,
    /// The platform, if one platform's manifest is described.
    pub platform: Option<Platform>,
    /// The image's own time.
    pub created: Epoch,
    /// What each platform holds.
    pub platforms: Vec<PlatformBill>,
}

/// What one platform of an image holds.
#[derive(Debug, Clone)]
pub struct PlatformBill {
    /// The platform.
    pub platform: Platform,
    /// Digest of its manifest.
    pub digest: BlobDigest,
    /// Exceptions to the contents policy that it needs: reasons by rule.
    pub exceptions: BTreeMap<String, String>,
    /// What was noted when its layers were made.
    pub inventory: Inventory,
    /// What is pinned of its packages.
    pub packages: BTreeMap<PackageName, PackagePin>,
    /// What is pinned of archives and local files, by recipe and name.
    pub sources: BTreeMap<(String, String), SourcePin>,
}

/// What the lock says of a package.
#[derive(Debug, Clone)]
pub struct PackagePin {
    /// Its version.
    pub version: DebVersion,
    /// Its architecture, or `all`.
    pub architecture: String,
    /// Name and version of its source package.
    pub source: (PackageName, DebVersion),
    /// Who made the archive that it comes from, as the release file says it: `Debian`.
    pub vendor: String,
    /// What it was made for: `debian-13`.
    pub distribution: String,
    /// Path below the archive's root.
    pub path: String,
    /// Digest of the package.
    pub sha256: Sha256,
    /// What its dependencies were resolved to.
    pub depends: BTreeSet<PackageName>,
}

/// What is pinned of an archive or a local file.
#[derive(Debug, Clone)]
pub struct SourcePin {
    /// The address, as the recipe says it; `None` for a local file.
    pub address: Option<String>,
    /// Digest of the whole.
    pub sha256: Sha256,
}

impl PackagePin {
    /// The vendor as package URLs name it: `debian`, whatever its suite.
    fn namespace(&self) -> String {
        let lower = self.vendor.to_ascii_lowercase();
        if lower.starts_with("debian") {
            return "debian".to_owned();
        }
        lower.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
    }

    /// The package's URL.
    pub fn purl(&self, name: &PackageName) -> Purl {
        let source = (&self.source.0, &self.source.1);
        let distribution = &self.distribution;
        Purl::deb(&self.namespace(), name, &self.version, &self.architecture, distribution, source)
    }

    /// The URL of its source package.
    pub(super) fn source_purl(&self) -> Purl {
        Purl::deb_source(&self.namespace(), &self.source.0, &self.source.1, &self.distribution)
    }
}

impl Bill {
    /// Exceptions to the contents policy that one of its platforms needs: reasons by rule.
    pub(super) fn exceptions(&self) -> BTreeMap<&str, String> {
        let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (rule, reason) in self.platforms.iter().flat_map(|platform| &platform.exceptions) {
            let reasons = all.entry(rule).or_default();
            if !reasons.contains(&reason.as_str()) {
                reasons.push(reason);
            }
        }
        all.into_iter().map(|(rule, reasons)| (rule, reasons.join("; "))).collect()
    }

    /// The URL of the image.
    pub(super) fn purl(&self) -> Purl {
        Purl::oci(&self.name, &self.digest, self.platform)
    }

    /// What all identifiers of the documents about this image are made from.
    pub(super) fn seed(&self, format: &str) -> String {
        format!("{format} {} {} hardpan {}", self.name, self.digest, env!("CARGO_PKG_VERSION"))
    }
}
