//! Which of the signers signs.

use std::path::{Path, PathBuf};

use super::{ExecSigner, KeySigner, Passwords, Signer, development_key, open_key};
use crate::diag::{Problem, Result, codes};
use crate::host::Environment;

/// What was said about who signs. At most one of key and signer; with neither, the development key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A key file.
    pub key: Option<PathBuf>,
    /// `exec:PROGRAM`.
    pub signer: Option<String>,
    /// A file that holds the key's password.
    pub password_file: Option<PathBuf>,
}

impl Choice {
    /// Opens the signer.
    pub fn open(&self, environment: &Environment) -> Result<Box<dyn Signer>> {
        match (&self.key, &self.signer) {
            (Some(_), Some(_)) => Err(Problem::new(codes::USAGE, "both a key and a signer are named")
                .help("leave out `--key` or `--signer`")
                .into()),
            (Some(key), None) => self.with_key(key),
            (None, Some(signer)) => Ok(Box::new(ExecSigner::open(signer)?)),
            (None, None) => Ok(Box::new(development_key(environment)?)),
        }
    }

    fn with_key(&self, path: &Path) -> Result<Box<dyn Signer>> {
        let key = open_key(path, &Passwords { file: self.password_file.clone() })?;
        Ok(Box::new(KeySigner::new(key, format!("the key {}", path.display()))))
    }
}
