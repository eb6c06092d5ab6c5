//! Where programs that no Debian package has are kept, and of which version: in the user's cache.
//!
//!     hardpan-tools/cosign-2.6.5/cosign             a program built from its module
//!     hardpan-tools/cargo-deny-0.20.2/bin/…         one built by cargo
//!     hardpan-tools/python-0123456789abcdef/bin/…   an environment, named after its list
//!     hardpan-tools/go-1.26.6/go/bin/go             the compiler, where the machine has none
//!     hardpan-tools/.cosign-2.6.5.4711.part         being made by the process 4711
//!
//! The tests that drive these programs compile this file too (`tests/outside`), so that a version is
//! named once.

use std::path::{Path, PathBuf};

/// A program that is built from its Go module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoProgram {
    /// What it is called.
    pub name: &'static str,
    /// Its version, without a `v`.
    pub version: &'static str,
    /// The package of its `main`, in its module.
    pub package: &'static str,
}

/// The second cosign: what most policies are checked by.
pub const COSIGN_2: GoProgram =
    GoProgram { name: "cosign", version: "2.6.5", package: "github.com/sigstore/cosign/v2/cmd/cosign" };

/// The third cosign.
pub const COSIGN_3: GoProgram =
    GoProgram { name: "cosign", version: "3.1.3", package: "github.com/sigstore/cosign/v3/cmd/cosign" };

/// The registry that others are measured by.
pub const REGISTRY: GoProgram = GoProgram {
    name: "registry",
    version: "3.0.0",
    package: "github.com/distribution/distribution/v3/cmd/registry",
};

/// A scanner that reads images without a network.
pub const OSV_SCANNER: GoProgram = GoProgram {
    name: "osv-scanner",
    version: "2.2.4",
    package: "github.com/google/osv-scanner/v2/cmd/osv-scanner",
};

/// All programs from Go modules.
pub const GO_PROGRAMS: [GoProgram; 4] = [REGISTRY, COSIGN_2, COSIGN_3, OSV_SCANNER];

/// The Python packages of the outside tests, one a line, as pip reads them.
pub const PYTHON: &str = include_str!("python.txt");

impl GoProgram {
    /// The folder's name, in the cache.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// The name of the Python environment's folder: another list is another environment.
pub fn python_folder() -> String {
    // FNV-1a: the name has to change with the list, nobody has to be kept from making two lists collide.
    let hash = PYTHON.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("python-{hash:016x}")
}

/// The folder of all programs that we keep.
pub fn folder() -> Result<PathBuf, String> {
    let named = std::env::var_os("XDG_CACHE_HOME").filter(|path| Path::new(path).is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let cache = named.map(PathBuf::from).or_else(home).ok_or("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(cache.join("hardpan-tools"))
}
