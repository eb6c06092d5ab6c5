//! The machines that images are built for.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, serde_as_text};

/// A platform, in the spelling of the OCI image specification: `linux/amd64`, `linux/arm64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Platform {
    /// All that hardpan builds for, in the order in which an index lists them.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// The architecture as Debian and OCI both call it.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The multiarch triplet, the name of the library folder below `/usr/lib`.
    pub fn triplet(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture())
    }
}

impl FromStr for Platform {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|platform| platform.to_string() == text);
        found.ok_or_else(|| Malformed::new(text, "a platform (`linux/amd64` or `linux/arm64`)"))
    }
}
serde_as_text!(Platform);
