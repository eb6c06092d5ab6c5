//! What stands in for keyless signing where it was left out of the program.

use crate::diag::{Problem, Result, codes};
use crate::sign::{Bundle, Keyless, Signer, TrustedRoot};

/// Whose certificates would count.
#[derive(Debug, Clone)]
pub struct Identity(std::convert::Infallible);

impl Identity {
    /// Says that this can't be done.
    pub fn new(_identity: &str, _issuer: &str, _root: &TrustedRoot) -> Result<Self> {
        Err(absent())
    }

    /// There is none of this type.
    pub fn verify(&self, _bundle: &Bundle) -> Result<String> {
        match self.0 {}
    }

    /// There is none of this type.
    pub fn name(&self) -> String {
        match self.0 {}
    }
}

/// Says that this can't be done.
pub fn open(_with: &Keyless) -> Result<Box<dyn Signer>> {
    Err(absent())
}

fn absent() -> crate::diag::Failure {
    Problem::new(codes::USAGE, "this hardpan was built without keyless signing")
        .help("build it with the cargo feature `keyless`, which is on if nothing else is said")
        .into()
}
