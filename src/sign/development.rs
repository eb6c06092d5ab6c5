//! The key that is made on first use where nobody configured one. It proves only that something was
//! signed on this machine by this user, and callers say so.

use std::path::PathBuf;

use super::keyfile::{self, KeyFiles, read_public_key};
use super::{KeySigner, Password, PrivateKey, PublicKey};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Environment, FileLock};

fn files(environment: &Environment) -> Option<(PathBuf, KeyFiles)> {
    let folder = environment.data.as_ref()?.join("hardpan");
    let files = KeyFiles::of(&folder.join("development"));
    Some((folder, files))
}

/// The development key's signer; the key is made if it is not there. It is not encrypted: what guards
/// it is that nobody else may read its file.
pub fn development_key(environment: &Environment) -> Result<KeySigner> {
    let (folder, files) = files(environment).ok_or_else(|| {
        Problem::new(
            codes::CONFIG,
            "there is no place for a development key: neither HOME nor XDG_DATA_HOME is set",
        )
        .help("name a key: `--key FILE`; `hardpan keys generate` makes one")
    })?;
    host::create_private_dir(&folder)?;
    // Two that come at once must not make two keys.
    let lock = FileLock::exclusive(&folder.join("development.lock"))?;
    let key = if host::exists(&files.key) {
        read(&files)?
    } else {
        let key = PrivateKey::generate()?;
        // A public key without its private one is left from a pair that somebody took apart.
        host::remove(&files.public)?;
        files.write_plain(&key)?;
        key
    };
    drop(lock);
    Ok(KeySigner::development(key, "the development key of this machine".to_owned()))
}

fn read(files: &KeyFiles) -> Result<PrivateKey> {
    let bytes = host::read_private(&files.key)?;
    let text = String::from_utf8_lossy(&bytes);
    let key = keyfile::decode(&text, &mut || Ok(Password::new("")));
    let key = key.map_err(|failure| failure.fact("file", files.key.display()))?;
    if read_public_key(&files.public).ok() != Some(key.public()) {
        host::write_atomic(&files.public, key.public().to_pem().as_bytes())?;
    }
    Ok(key)
}

/// The development key's public half, if one was made; makes none.
pub fn development_public_key(environment: &Environment) -> Result<Option<PublicKey>> {
    let Some((_, files)) = files(environment) else { return Ok(None) };
    if host::exists(&files.public) { read_public_key(&files.public).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::super::Signer as _;
    use super::*;

    fn environment(data: Option<PathBuf>) -> Environment {
        Environment { cache: None, config: None, data, system: "/".into() }
    }

    #[test]
    fn the_key_is_made_once_and_its_public_half_again_if_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = environment(Some(folder.path().to_owned()));
        assert_eq!(development_public_key(&environment), Ok(None));
        let first = development_key(&environment).expect("made");
        assert!(first.is_development());
        let public = folder.path().join("hardpan/development.pub");
        host::remove(&public).expect("ours");
        let second = development_key(&environment).expect("read");
        assert_eq!(first.public_key(), second.public_key());
        assert_eq!(development_public_key(&environment), Ok(Some(first.public_key().clone())));
    }

    #[test]
    fn without_a_home_there_is_no_key() {
        assert!(development_key(&environment(None)).expect_err("nowhere").is(codes::CONFIG));
        assert_eq!(development_public_key(&environment(None)), Ok(None));
    }
}
