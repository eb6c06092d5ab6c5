//! Which of the signers signs.

use std::path::{Path, PathBuf};

use super::{ExecSigner, KeySigner, Passwords, Signer, development_key, keyless, open_key};
use crate::diag::{Problem, Result, codes};
use crate::host::Environment;

/// What was said about who signs. At most one of key and signer; with neither, the development key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A key file.
    pub key: Option<PathBuf>,
    /// `exec:PROGRAM` or `keyless`.
    pub signer: Option<String>,
    /// A file that holds the key's password.
    pub password_file: Option<PathBuf>,
    /// What a keyless signer works with.
    pub keyless: Keyless,
}

/// What a keyless signer works with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyless {
    /// A file that holds an identity token; the environment is asked for one if not said.
    pub identity_token: Option<PathBuf>,
    /// The trusted root of the instance that signs.
    pub trusted_root: Option<PathBuf>,
    /// Which services that instance has.
    pub signing_config: Option<PathBuf>,
}

/// What `--signer` says for a signer without a lasting key.
const KEYLESS: &str = "keyless";

impl Choice {
    /// Opens the signer.
    pub fn open(&self, environment: &Environment) -> Result<Box<dyn Signer>> {
        if self.keyless != Keyless::default() && self.signer.as_deref() != Some(KEYLESS) {
            return Err(Problem::new(codes::USAGE, "options of keyless signing without it")
                .help("say `--signer keyless` as well")
                .into());
        }
        match (&self.key, &self.signer) {
            (Some(_), Some(_)) => Err(Problem::new(codes::USAGE, "both a key and a signer are named")
                .help("leave out `--key` or `--signer`")
                .into()),
            (Some(key), None) => self.with_key(key),
            (None, Some(signer)) if signer == KEYLESS => keyless::open(&self.keyless),
            (None, Some(signer)) => Ok(Box::new(ExecSigner::open(signer)?)),
            (None, None) => Ok(Box::new(development_key(environment)?)),
        }
    }

    fn with_key(&self, path: &Path) -> Result<Box<dyn Signer>> {
        let key = open_key(path, &Passwords { file: self.password_file.clone() })?;
        Ok(Box::new(KeySigner::new(key, format!("the key {}", path.display()))))
    }
}
