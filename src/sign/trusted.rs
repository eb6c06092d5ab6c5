//! Whose signatures count, and how each is called.

use std::path::Path;

use super::keyless::Identity;
use super::{Bundle, Material, PublicKey, TrustedRoot, development_public_key, read_public_key};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Environment};
use crate::ident::Sha256;

/// Keys and identities whose signatures count.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    known: Vec<PublicKey>,
    names: Vec<String>,
    identities: Vec<Identity>,
}

impl Keys {
    /// The public keys in these files, and no others.
    pub fn of_files<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let mut keys = Self::default();
        for path in paths {
            let path = path.as_ref();
            keys.add(read_public_key(path)?, path.display().to_string());
        }
        Ok(keys)
    }

    /// Those that count if nobody says which: the public keys in `folder` (files that end in `.pub`),
    /// and the development key of this machine, if there is one.
    pub fn by_default(folder: &Path, environment: &Environment) -> Result<Self> {
        Self::there(folder, environment)?.ok_or_else(|| {
            Problem::new(codes::USAGE, "there is no key to verify with")
                .found(format!("no `.pub` file in `{}`, and no development key", folder.display()))
                .help("name the signer's public key: `--key FILE`")
                .into()
        })
    }

    /// The same, or nothing where there is no key; one that does not read is a problem.
    pub fn there(folder: &Path, environment: &Environment) -> Result<Option<Self>> {
        let mut keys = Self::default();
        for path in host::list(folder)? {
            if path.extension().is_some_and(|ending| ending == "pub") {
                keys.add(read_public_key(&path)?, path.display().to_string());
            }
        }
        if let Some(key) = development_public_key(environment)? {
            keys.add(key, "the development key of this machine".to_owned());
        }
        Ok((!keys.known.is_empty()).then_some(keys))
    }

    /// These keys and one more.
    #[must_use]
    pub fn with(mut self, key: PublicKey, name: String) -> Self {
        self.add(key, name);
        self
    }

    /// These, and whoever signs without a lasting key under an identity: exactly this one, vouched for
    /// by exactly this issuer, with certificates and log entries of the services of a trusted root.
    pub fn with_identity(mut self, identity: &str, issuer: &str, root: &TrustedRoot) -> Result<Self> {
        self.identities.push(Identity::new(identity, issuer, root)?);
        Ok(self)
    }

    /// What each identity is called.
    pub fn identities(&self) -> impl Iterator<Item = String> {
        self.identities.iter().map(Identity::name)
    }

    fn add(&mut self, key: PublicKey, name: String) {
        self.known.push(key);
        self.names.push(name);
    }

    /// What each key is called, with its fingerprint.
    pub fn names(&self) -> impl Iterator<Item = (&str, Sha256)> {
        self.names.iter().map(String::as_str).zip(self.known.iter().map(PublicKey::fingerprint))
    }

    /// What the key or identity that signed a bundle is called.
    pub fn verify(&self, bundle: &Bundle) -> Result<String> {
        if let (Material::Certificate { .. }, [first, others @ ..]) =
            (bundle.material(), &self.identities[..])
        {
            let first = first.verify(bundle);
            return others
                .iter()
                .fold(first, |found, other| found.or_else(|why| other.verify(bundle).or(Err(why))));
        }
        let by = bundle.verify(&self.known)?;
        Ok(self.names[by.index].clone())
    }
}
