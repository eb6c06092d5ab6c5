//! `hardpan keys`: makes, shows and imports signing keys.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::signing::{PasswordArgs, SigningArgs};
use super::{Global, print};
use crate::diag::Result;
use crate::host;
use crate::sign::{
    KeyFiles, Passwords, PrivateKey, PublicKey, holds_private_key, open_key, read_public_key, trusted_root,
};

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Private keys are written as cosign writes them, encrypted, to files that nobody else may read.\n\n\
    Instead of a key file, whatever signs takes `--signer exec:PROGRAM`, a program that is asked:\n\n  \
    PROGRAM public-key   prints the public key, P-256, as PEM\n  \
    PROGRAM sign         reads the bytes to be signed until their end, and prints the signature:\n                       \
    ECDSA with SHA-256, ASN.1 DER or base64 of that\n\n\
    `hardpan explain HP105` says more about it."
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new key pair
    Generate(Generate),
    /// Show the public key of a key file, or of what would sign
    Show(Show),
    /// Write a key of another form as hardpan and cosign write them
    Import(Import),
    /// Print a root of trust that names nobody: cosign wants one before it looks at a key offline
    TrustedRoot,
}

#[derive(Debug, clap::Args)]
struct Generate {
    /// Where to write it: PREFIX.key and PREFIX.pub, neither of which may be there
    #[arg(long, value_name = "PREFIX")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// A key file, private or public; what would sign if not said
    #[arg(conflicts_with_all = ["key", "signer"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// A private key: cosign's, PKCS#8 or openssl's `EC PRIVATE KEY`
    file: PathBuf,
    /// Where to write it: PREFIX.key and PREFIX.pub, neither of which may be there
    #[arg(long, value_name = "PREFIX")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
    /// Read the new file's password from this file; it is the old one if not said off a terminal
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    match &args.verb {
        Verb::Generate(args) => generate(global, args),
        Verb::Show(args) => show(global, args),
        Verb::Import(args) => import(global, args),
        Verb::TrustedRoot => {
            print::line(&String::from_utf8_lossy(&trusted_root()));
            Ok(())
        }
    }
}

fn generate(global: &Global, args: &Generate) -> Result<()> {
    let files = KeyFiles::of(&args.out);
    files.check_free()?;
    let password = args.password.passwords().of_new(&files.key.display().to_string())?;
    let key = PrivateKey::generate()?;
    files.write(&key, &password)?;
    report(global, "Generated", &files, &key.public());
    Ok(())
}

fn import(global: &Global, args: &Import) -> Result<()> {
    let files = KeyFiles::of(&args.out);
    files.check_free()?;
    let passwords = args.password.passwords();
    let key = open_key(&args.file, &passwords)?;
    let new = args.new_password_file.clone().map_or(passwords, |file| Passwords { file: Some(file) });
    files.write(&key, &new.of_new(&files.key.display().to_string())?)?;
    report(global, "Imported", &files, &key.public());
    Ok(())
}

fn show(global: &Global, args: &Show) -> Result<()> {
    let (public, whose, development) = if let Some(file) = &args.file {
        let public = public_key(file, &args.signing.passwords())?;
        (public, format!("the key {}", file.display()), false)
    } else {
        let signer = args.signing.open(&Global::environment())?;
        (signer.public_key().clone(), signer.describe(), signer.is_development())
    };
    if global.json {
        let mut shown = facts(&public);
        shown["of"] = json!(whose);
        shown["development"] = json!(development);
        print::line(&shown.to_string());
    } else {
        if !global.quiet {
            let warning = if development { ", which proves only that something was signed here" } else { "" };
            print::error(&format!("{:>12} {whose}{warning}", "Shown"));
        }
        print::line(public.to_pem().trim_end());
        print::line(&format!("hint         {}", public.hint()));
        print::line(&format!("fingerprint  sha256:{}", public.fingerprint()));
    }
    Ok(())
}

/// The public key in a file, or that of the private key in it.
fn public_key(file: &Path, passwords: &Passwords) -> Result<PublicKey> {
    if holds_private_key(file)? { Ok(open_key(file, passwords)?.public()) } else { read_public_key(file) }
}

fn facts(public: &PublicKey) -> serde_json::Value {
    json!({
        "public_key": public.to_pem(),
        "hint": public.hint(),
        "fingerprint": format!("sha256:{}", public.fingerprint()),
    })
}

fn report(global: &Global, verb: &str, files: &KeyFiles, public: &PublicKey) {
    if global.json {
        let mut shown = facts(public);
        shown["private_key_file"] = json!(host_path(&files.key));
        shown["public_key_file"] = json!(host_path(&files.public));
        print::line(&shown.to_string());
    } else if !global.quiet {
        let (key, file) = (files.key.display(), files.public.display());
        print::error(&format!("{verb:>12} {key} and {file} (sha256:{})", public.fingerprint()));
        print::error(&format!("{:>12} keep {key} secret and safe; give {file} to who verifies", "Note"));
    }
}

/// Where a file really is, for programs that run elsewhere.
fn host_path(path: &Path) -> PathBuf {
    host::whole_path(path)
}
