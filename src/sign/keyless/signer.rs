//! The signer whose key is thrown away.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::authority::Roots;
use super::certificate::Certificate;
use super::config::{Config, LogVersion};
use super::entry::Envelope;
use super::service::Service;
use super::token::Source;
use super::{evidence, fulcio, rekor};
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::sign::bundle::write_envelope;
use crate::sign::{
    Custody, Keyless, Material, PrivateKey, PublicKey, Signer, TrustedRoot, exec, write_bundle,
};

/// How many seconds a certificate must still be good for to be used once more.
const MARGIN: i64 = 30;

/// Signs by a key that lives as long as this does, with certificates for it.
struct KeylessSigner {
    key: PrivateKey,
    public: PublicKey,
    roots: Roots,
    source: Source,
    authority: Service,
    logs: Vec<(Service, LogVersion)>,
    clocks: Vec<Service>,
    /// Whom the token names.
    named: String,
    /// The certificate of many signatures, while it is good.
    held: Mutex<Option<Certificate>>,
}

/// The signer that these files make. No service is asked yet, but for a token that the system gives.
pub fn open(with: &Keyless) -> Result<Box<dyn Signer>> {
    let missing = |flag: &str, what: &str| {
        Problem::new(codes::USAGE, format!("keyless signing needs {what}")).help(format!(
            "name it: `{flag} FILE`; whoever runs the instance gives it out, hardpan has none built in"
        ))
    };
    let path = with.signing_config.as_ref().ok_or_else(|| missing("--signing-config", "a signing config"))?;
    let root = with.trusted_root.as_ref().ok_or_else(|| missing("--trusted-root", "a trusted root"))?;
    let (now, patience) = (host::now(), exec::patience()?);
    let config =
        Config::read(&host::read(path)?, now).map_err(|failure| failure.fact("file", path.display()))?;
    let roots =
        Roots::read(&TrustedRoot::open(root)?).map_err(|failure| failure.fact("file", root.display()))?;
    let service = |what| move |url| Service::new(what, url, patience);
    let source = Source::find(with.identity_token.as_ref(), service("service for identity tokens"))?;
    let token = source.take(now)?;
    let log = service("transparency log");
    let key = PrivateKey::generate()?;
    Ok(Box::new(KeylessSigner {
        public: key.public(),
        key,
        roots,
        source,
        authority: service("certificate authority")(config.authority),
        logs: config.logs.into_iter().map(|(url, version)| (log(url), version)).collect(),
        clocks: config.clocks.into_iter().map(service("timestamp authority")).collect(),
        named: format!("{} (by {})", token.subject, token.issuer),
        held: Mutex::default(),
    }))
}

impl KeylessSigner {
    /// A certificate that is good for a while, the same one for as long as it can be.
    fn certificate(&self) -> Result<Certificate> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = host::now();
        if let Some(certificate) = held.as_ref().filter(|held| held.until.0 > now.0 + MARGIN) {
            return Ok(certificate.clone());
        }
        let token = self.source.take(now)?;
        let certificate = fulcio::certificate(&self.authority, &token, &self.key, &self.roots)?;
        Ok(held.insert(certificate).clone())
    }
}

impl Signer for KeylessSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_parts(&self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        Ok(self.key.sign_parts(parts))
    }

    fn describe(&self) -> String {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let certified = held
            .as_ref()
            .and_then(|held| Some(format!("{} (by {})", held.names.first()?, held.issuer.as_ref()?)));
        format!("the identity {}", certified.as_ref().unwrap_or(&self.named))
    }

    fn custody(&self) -> Custody {
        Custody::Ephemeral
    }

    fn lasting_identity(&self) -> Option<String> {
        None
    }

    fn bundle(&self, payload_type: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let leaf = self.certificate()?;
        let signature = self.key.sign_parts(&[&canon::pae_head(payload_type, payload.len()), payload]);
        let envelope = Envelope { payload_type, payload, signature: &signature, leaf: &leaf };
        let stamp = |clock| rekor::stamp(clock, &signature, &self.roots);
        let stamps = self.clocks.iter().map(stamp).collect::<Result<Vec<_>>>()?;
        let timestamps = (!stamps.is_empty()).then(|| json!({ "rfc3161Timestamps": stamps }));
        let written = write_envelope(payload_type, payload, &signature);
        let mut log_entries = Vec::new();
        for (log, version) in &self.logs {
            let entry = rekor::enter(log, *version, &envelope, &written)?;
            // Each by itself, so that who answered wrongly is named; with the timestamps, for a log of
            // version 2 tells no time.
            evidence::weigh(&self.roots, &envelope, std::slice::from_ref(&entry), timestamps.as_ref())
                .map_err(|why| log.lied(why))?;
            log_entries.push(entry);
        }
        let material = Material::Certificate { chain: vec![leaf.der.clone()], log_entries, timestamps };
        Ok(write_bundle(payload_type, payload, &signature, &material))
    }
}
