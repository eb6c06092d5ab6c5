//! Signing as an identity: with a Sigstore instance of our own, honest or not, and bundles that should
//! not be believed.
#![cfg(feature = "keyless")]
#![allow(clippy::disallowed_methods)]

#[path = "keyless/bundles.rs"]
mod bundles;
#[path = "keyless/images.rs"]
mod images;
#[path = "keyless/outside.rs"]
mod outside;
#[path = "keyless/roots.rs"]
mod roots;
#[path = "keyless/services.rs"]
mod services;
mod support;
#[path = "keyless/tokens.rs"]
mod tokens;

use hardpan::diag::{Code, Result};
use hardpan::host::Environment;
use hardpan::sign::{Bundle, Choice, Keyless, Keys, Signer, TrustedRoot};
use serde_json::Value;
use support::{Sandbox, Sigstore};

const ISSUER: &str = "https://issuer.example";
const NAME: &str = "builder@hardpan.example";
const TYPE: &str = "application/vnd.in-toto+json";

/// An instance, and a folder with what is known of it.
struct Desk {
    sandbox: Sandbox,
    sigstore: Sigstore,
}

impl Desk {
    /// One with a log of this version, the newest.
    fn new(version: u8) -> Self {
        let (sandbox, sigstore) = (Sandbox::new(), Sigstore::start());
        sandbox.write("root.json", sigstore.trusted_root().to_string());
        sandbox.write("config.json", sigstore.signing_config(version, version == 2).to_string());
        sandbox.write("token", Sigstore::token(600) + "\n");
        Self { sandbox, sigstore }
    }

    fn choice(&self) -> Choice {
        let keyless = Keyless {
            identity_token: Some(self.sandbox.path("token")),
            trusted_root: Some(self.sandbox.path("root.json")),
            signing_config: Some(self.sandbox.path("config.json")),
        };
        Choice { signer: Some("keyless".into()), keyless, ..Choice::default() }
    }

    fn open(&self) -> Result<Box<dyn Signer>> {
        self.choice().open(&Environment::of_process())
    }

    fn sign(&self) -> Result<Vec<u8>> {
        self.open()?.bundle(TYPE, b"{\"a\":1}")
    }

    fn trust(&self) -> Keys {
        trust(&self.sigstore.trusted_root())
    }

    /// Why nothing could be signed.
    fn refused(&self, code: Code) -> String {
        said(self.sign(), code)
    }
}

fn trust(root: &Value) -> Keys {
    let root = TrustedRoot::parse(root.to_string().as_bytes()).expect("ours");
    Keys::default().with_identity(NAME, ISSUER, &root).expect("enough")
}

fn read(bundle: &Value) -> Bundle {
    Bundle::parse(bundle.to_string().as_bytes()).expect("reads")
}

/// What a failure of this kind says.
fn said<T>(result: Result<T>, code: Code) -> String {
    let failure = result.err().expect("refused");
    assert!(failure.is(code), "{failure:?}");
    format!("{failure:?}")
}
