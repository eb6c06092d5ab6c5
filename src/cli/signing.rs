//! The options of every verb that signs, and of every verb that opens a key.

use std::path::{Path, PathBuf};

use crate::diag::{Problem, Result, codes};
use crate::host::{self, Environment};
use crate::image::Beside;
use crate::sign::{Choice, Passwords, Signer, trusted_root};

/// Who signs. What is said here goes before the environment's `HARDPAN_KEY` and `HARDPAN_SIGNER`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SigningArgs {
    /// Sign with this key; `HARDPAN_KEY` if not said, else a key of this machine, made on first use
    #[arg(long, value_name = "FILE", conflicts_with = "signer")]
    key: Option<PathBuf>,
    /// Sign by another program (`hardpan explain HP105`); `HARDPAN_SIGNER` if not said
    #[arg(long, value_name = "exec:PROGRAM", conflicts_with = "password_file")]
    signer: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
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
        Ok(Choice {
            key: self.key.clone().or(key),
            signer: self.signer.clone().or(signer),
            password_file: self.password.password_file.clone(),
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
    };
    choice.open(&Environment::of_process())
}
