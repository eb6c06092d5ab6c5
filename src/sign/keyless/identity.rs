//! Identities whose signatures count.

use super::authority::Roots;
use super::certificate::Certificate;
use super::entry::Envelope;
use super::{Checked, evidence};
use crate::canon;
use crate::diag::{Problem, Result, codes};
use crate::sign::{Bundle, Material, PublicKey, TrustedRoot};

/// An identity, who vouches for it, and which services are believed.
#[derive(Debug, Clone)]
pub struct Identity {
    who: String,
    issuer: String,
    roots: Roots,
}

impl Identity {
    /// Exactly this identity, vouched for by exactly this issuer, as the services of a trusted root say.
    pub fn new(identity: &str, issuer: &str, root: &TrustedRoot) -> Result<Self> {
        for (text, flag) in [(identity, "--certificate-identity"), (issuer, "--certificate-oidc-issuer")] {
            if text.is_empty() {
                return Err(Problem::new(codes::USAGE, format!("`{flag}` names nobody")).into());
            }
        }
        Ok(Self { who: identity.to_owned(), issuer: issuer.to_owned(), roots: Roots::read(root)? })
    }

    /// How it is called for people.
    pub fn name(&self) -> String {
        format!("{} (by {})", self.who, self.issuer)
    }

    /// Whether it signed a bundle: its name if so.
    pub fn verify(&self, bundle: &Bundle) -> Result<String> {
        self.check(bundle).map(|()| self.name()).map_err(|found| {
            Problem::new(codes::NOT_SIGNED, "the bundle is not signed by a trusted identity")
                .found(found)
                .expected(format!("a signature by {}", self.name()))
                .help(
                    "name who signed it by `--certificate-identity` and `--certificate-oidc-issuer`, and the \
                     trusted root of the instance that they signed with by `--trusted-root`",
                )
                .into()
        })
    }

    fn check(&self, bundle: &Bundle) -> Checked<()> {
        let Material::Certificate { chain, log_entries, timestamps } = bundle.material() else {
            return Err("a signature by a key".to_owned());
        };
        let leaf = Certificate::read(chain.first().ok_or("no certificate")?)?;
        self.is_named(&leaf)?;
        let envelope = Envelope {
            payload_type: bundle.payload_type(),
            payload: bundle.payload(),
            signature: bundle.signature(),
            leaf: &leaf,
        };
        signed(&envelope)?;
        evidence::weigh(&self.roots, &envelope, log_entries, timestamps.as_ref())
    }

    fn is_named(&self, leaf: &Certificate) -> Checked<()> {
        let shown = |text: &str| text.chars().take(200).flat_map(char::escape_debug).collect::<String>();
        match &leaf.names[..] {
            [name] if *name == self.who => {}
            [] => return Err("a certificate of nobody".to_owned()),
            names => {
                let names: Vec<String> = names.iter().take(8).map(|name| shown(name)).collect();
                return Err(format!("a certificate of {}", names.join(", ")));
            }
        }
        match &leaf.issuer {
            Some(issuer) if *issuer == self.issuer => Ok(()),
            Some(issuer) => Err(format!("an identity that {} vouches for", shown(issuer))),
            None => Err("a certificate that does not say who vouches for the identity".to_owned()),
        }
    }
}

/// Whether the certificate's key signed the envelope.
fn signed(envelope: &Envelope<'_>) -> Checked<()> {
    let key = PublicKey::from_spki_der(&envelope.leaf.spki)
        .map_err(|_| "a certificate for another kind of key than P-256")?;
    let head = canon::pae_head(envelope.payload_type, envelope.payload.len());
    if key.verify_parts(&[&head, envelope.payload], envelope.signature) {
        return Ok(());
    }
    Err("a signature that the certificate's key did not make".to_owned())
}
