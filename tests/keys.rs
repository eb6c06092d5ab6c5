//! Keys: made, shown, imported, refused; and programs that sign, fair and foul.
#![allow(clippy::disallowed_methods)]

#[path = "keys/development.rs"]
mod development;
#[path = "keys/files.rs"]
mod files;
#[path = "keys/programs.rs"]
mod programs;
mod support;

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::SigningKey;
use pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use support::{Output, Sandbox};

/// A key from outside.
fn outside(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

/// PEM with lines of 64 letters, as openssl writes it.
fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn pkcs8_pem(key: &SigningKey) -> String {
    pem("PRIVATE KEY", key.to_pkcs8_der().unwrap().as_bytes())
}

fn public_pem(key: &SigningKey) -> String {
    pem("PUBLIC KEY", key.verifying_key().to_public_key_der().unwrap().as_bytes())
}

/// Gives a file permissions.
fn permit(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// Writes a file that only we may read.
fn secret(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.write(name, text);
    permit(&path, 0o600);
    path
}

/// The public key that `keys show` printed.
fn shown(output: &Output) -> String {
    let end = "-----END PUBLIC KEY-----\n";
    let at = output.stdout.find(end).expect("a public key") + end.len();
    output.stdout[..at].to_owned()
}
