//! The options of every verb that signs, and of every verb that opens a key.

use std::path::{Path, PathBuf};

use crate::diag::{Problem, Result, codes};
use crate::host::{self, Environment};
use crate::image::Beside;
use crate::sign::{Choice, Keyless, Keys, Passwords, Signer, TrustedRoot, trusted_root};

/// Who signs. What is said here goes before the environment's `HARDPAN_KEY` and `HARDPAN_SIGNER`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SigningArgs {
    /// Sign with this key; `HARDPAN_KEY` if not said, else a key of this machine, made on first use
    #[arg(long, value_name = "FILE", conflicts_with = "signer")]
    key: Option<PathBuf>,
    /// Sign by another program (exec:PROGRAM, `hardpan explain HP105`), or as an identity (keyless,
    /// `hardpan explain HP106`); `HARDPAN_SIGNER` if not said
    #[arg(long, value_name = "SIGNER", conflicts_with = "password_file")]
    signer: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    keyless: KeylessArgs,
}

/// What signing as an identity works with.
#[derive(Debug, Clone, Default, clap::Args)]
struct KeylessArgs {
    /// For `--signer keyless`: who signs, an OpenID Connect token; `SIGSTORE_ID_TOKEN` if not said
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    identity_token: Option<PathBuf>,
    /// For `--signer keyless`: which services are asked
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    signing_config: Option<PathBuf>,
    /// For `--signer keyless`: what the services' answers are verified with
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    trusted_root: Option<PathBuf>,
}

/// Whose signatures count.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct TrustArgs {
    /// The public key of who must have signed; may be given several times. If nobody is named: those in
    /// keys/, and the development key of this machine
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The identity of who must have signed without a lasting key: a mail address or URI
    #[arg(long, value_name = "ID", requires = "certificate_oidc_issuer", requires = "trusted_root")]
    certificate_identity: Option<String>,
    /// Who vouches for that identity
    #[arg(long, value_name = "ISSUER", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The trusted root of the instance that they signed with
    #[arg(long, value_name = "FILE", requires = "certificate_identity")]
    trusted_root: Option<PathBuf>,
}

impl TrustArgs {
    /// Those that were named, else those that are there; nothing where there is none.
    pub(super) fn open_any(&self, environment: &Environment) -> Result<Option<Keys>> {
        if self.is_said() {
            self.open(environment).map(Some)
        } else {
            Keys::there(Path::new("keys"), environment)
        }
    }

    /// Whether anybody was named.
    pub(super) fn is_said(&self) -> bool {
        !self.key.is_empty() || self.certificate_identity.is_some()
    }

    /// Those that were named, else those of the working folder and of this machine.
    pub(super) fn open(&self, environment: &Environment) -> Result<Keys> {
        let Some(identity) = &self.certificate_identity else {
            if self.key.is_empty() {
                return Keys::by_default(Path::new("keys"), environment);
            }
            return Keys::of_files(&self.key);
        };
        let root = self.trusted_root.as_deref().map(TrustedRoot::open).transpose()?;
        // The arguments are declared so that neither is missing.
        let (Some(issuer), Some(root)) = (&self.certificate_oidc_issuer, root) else {
            return Err(Problem::new(
                codes::USAGE,
                "an identity without who vouches for it, or without a trusted root",
            )
            .into());
        };
        Keys::of_files(&self.key)?.with_identity(identity, issuer, &root)
    }
}

/// Where passwords come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the key's password from this file; `HARDPAN_KEY_PASSWORD` or the terminal if not said
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl SigningArgs {
    /// Opens the signer; a development key is made if nothing else was said.
    pub(super) fn open(&self, environment: &Environment) -> Result<Box<dyn Signer>> {
        self.choice()?.open(environment)
    }

    /// Whether a key or signer was named, here or in the environment.
    pub(super) fn is_said(&self) -> Result<bool> {
        let choice = self.choice()?;
        Ok(choice.key.is_some() || choice.signer.is_some())
    }

    /// What was said here, as words of a command line.
    pub(super) fn words(&self) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let options = [
            ("--key", path(&self.key)),
            ("--signer", self.signer.clone()),
            ("--password-file", path(&self.password.password_file)),
            ("--identity-token", path(&self.keyless.identity_token)),
            ("--signing-config", path(&self.keyless.signing_config)),
            ("--trusted-root", path(&self.keyless.trusted_root)),
        ];
        let said = options.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
        said.flatten().collect()
    }

    /// Where the password of its key comes from.
    pub(super) fn passwords(&self) -> Passwords {
        self.password.passwords()
    }

    /// What was said, here or in the environment.
    fn choice(&self) -> Result<Choice> {
        let said = self.key.is_some() || self.signer.is_some();
        let from = |name| host::variable(name).filter(|_| !said);
        let (key, signer) = (from("HARDPAN_KEY").map(PathBuf::from), from("HARDPAN_SIGNER"));
        if key.is_some() && signer.is_some() {
            let problem = Problem::new(codes::CONFIG, "both HARDPAN_KEY and HARDPAN_SIGNER are set");
            return Err(problem.help("unset one of them, or say `--key` or `--signer`").into());
        }
        let keyless = Keyless {
            identity_token: self.keyless.identity_token.clone(),
            signing_config: self.keyless.signing_config.clone(),
            trusted_root: self.keyless.trusted_root.clone(),
        };
        Ok(Choice {
            key: self.key.clone().or(key),
            signer: self.signer.clone().or(signer),
            password_file: self.password.password_file.clone(),
            keyless,
        })
    }
}

impl PasswordArgs {
    /// The source that was said.
    pub(super) fn passwords(&self) -> Passwords {
        Passwords { file: self.password_file.clone() }
    }
}

/// What lies beside a layout that has statements: the root of trust that verifiers want before they look
/// at a key.
pub(super) fn beside(signed: bool) -> Vec<Beside> {
    if signed { vec![("trusted_root.json", trusted_root())] } else { Vec::new() }
}

/// The signer that a verb's own option names: a key file, or `exec:PROGRAM`.
pub(super) fn signer_named(name: &str, password_file: Option<&Path>) -> Result<Box<dyn Signer>> {
    let password_file = password_file.map(Path::to_owned);
    let program = name.starts_with("exec:");
    let choice = Choice {
        key: (!program).then(|| PathBuf::from(name)),
        signer: program.then(|| name.to_owned()),
        password_file,
        ..Choice::default()
    };
    choice.open(&Environment::of_process())
}
