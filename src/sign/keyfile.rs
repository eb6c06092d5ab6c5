//! Files that hold keys: cosign's form, which we write, and those of others, which we read.
//!
//! ```text
//! -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----     base64 of JSON:
//! {"kdf":    {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": 32 bytes},
//!  "cipher": {"name": "nacl/secretbox", "nonce": 24 bytes},
//!  "ciphertext": secretbox(scrypt(password), PKCS#8)}
//! ```
//!
//! Read too: the same under cosign's older name, PKCS#8 (RFC 5958), encrypted or not, and SEC 1.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::SigningKey;
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::public::{P256, algorithm, bad_key, curve_name};
use super::{Password, Passwords, PrivateKey, PublicKey, pem, secretbox};
use crate::canon;
use crate::diag::{Problem, Result, WithProblem as _, codes};
use crate::host::{self, Written};

/// What cosign calls its form, now and formerly.
const COSIGN: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// The most memory that a key file may ask for, in bytes; ours ask for 64 MiB.
const MAX_MEMORY: u64 = 1 << 30;

/// The most rounds that a key file may ask for.
const MAX_ROUNDS: u32 = 16;

/// The two files of a key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The private key.
    pub key: PathBuf,
    /// The public key.
    pub public: PathBuf,
}

impl KeyFiles {
    /// `PREFIX.key` and `PREFIX.pub`.
    pub fn of(prefix: &Path) -> Self {
        let with = |ending: &str| {
            let mut name = OsString::from(prefix);
            name.push(ending);
            PathBuf::from(name)
        };
        Self { key: with(".key"), public: with(".pub") }
    }

    /// A problem if one of them is there already.
    pub fn check_free(&self) -> Result<()> {
        match [&self.key, &self.public].into_iter().find(|path| host::exists(path)) {
            Some(path) => Err(exists(path).into()),
            None => Ok(()),
        }
    }

    /// Writes both, and replaces neither.
    pub fn write(&self, key: &PrivateKey, password: &Password) -> Result<()> {
        self.check_free()?;
        self.write_text(key, &encode(key, password)?)
    }

    /// Writes both without encryption, for a key that only its file's permissions guard: a password
    /// that everybody knows would cost each use a tenth of a second and guard nothing.
    pub(super) fn write_plain(&self, key: &PrivateKey) -> Result<()> {
        self.write_text(key, &Zeroizing::new(pem::write("PRIVATE KEY", &key.to_pkcs8())))
    }

    fn write_text(&self, key: &PrivateKey, text: &str) -> Result<()> {
        if host::write_new(&self.key, text.as_bytes(), true)? == Written::Exists {
            return Err(exists(&self.key).into());
        }
        let written = host::write_new(&self.public, key.public().to_pem().as_bytes(), false);
        if written == Ok(Written::New) {
            return Ok(());
        }
        // Half a pair is of no use; this half is ours.
        host::remove(&self.key)?;
        written.and_then(|_| Err(exists(&self.public).into()))
    }
}

fn exists(path: &Path) -> Problem {
    Problem::new(
        codes::OUTPUT,
        format!("`{}` is there already, and keys are never overwritten", path.display()),
    )
    .help("choose another name with `--out`, or move the old key away")
}

/// Reads a private key from a file that nobody else may read, whatever its form.
pub fn open_key(path: &Path, passwords: &Passwords) -> Result<PrivateKey> {
    // Whoever names a public key by mistake is not told that it is open to others.
    let public = host::exists(path) && !holds_private_key(path)?;
    let bytes = if public { host::read_secret(path)? } else { host::read_private(path)? };
    let text = std::str::from_utf8(&bytes).map_err(|_| bad_key("bytes that are no text"));
    let name = path.display().to_string();
    text.map_err(Into::into)
        .and_then(|text| decode(text, &mut || passwords.of(&name)))
        .map_err(|failure| failure.fact("file", name))
}

/// Whether a file holds a private key, by its labels alone.
pub fn holds_private_key(path: &Path) -> Result<bool> {
    let bytes = host::read_secret(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY-----")))
}

/// Reads a public key from a file.
pub fn read_public_key(path: &Path) -> Result<PublicKey> {
    let bytes = host::read_secret(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| bad_key("bytes that are no text"));
    text.map_err(Into::into)
        .and_then(PublicKey::from_pem)
        .map_err(|failure| failure.fact("file", path.display()))
}

/// Reads a private key of any form; `password` is asked for if it has one.
pub(super) fn decode(text: &str, password: &mut dyn FnMut() -> Result<Password>) -> Result<PrivateKey> {
    let blocks = pem::blocks(text).map_err(bad_key)?;
    // openssl writes the curve's name before the key.
    let mut keys = blocks.iter().filter(|block| block.label != "EC PARAMETERS");
    let (Some(block), None) = (keys.next(), keys.next()) else {
        return Err(bad_key("text that does not hold one private key").into());
    };
    match block.label {
        label if COSIGN.contains(&label) => unseal(&block.bytes, &password()?),
        "PRIVATE KEY" => from_pkcs8(&block.bytes),
        "ENCRYPTED PRIVATE KEY" => decrypt(&block.bytes, &password()?),
        "EC PRIVATE KEY" => from_sec1(&block.bytes),
        "PUBLIC KEY" => Err(bad_key("a public key, which can't sign").into()),
        "RSA PRIVATE KEY" => Err(bad_key("an RSA key").into()),
        "OPENSSH PRIVATE KEY" => Err(bad_key("a key of OpenSSH").into()),
        other => Err(bad_key(format!("`{}`", other.escape_debug())).into()),
    }
}

fn from_pkcs8(der: &[u8]) -> Result<PrivateKey> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| bad_key("bytes that are no key"))?;
    let what = algorithm(&info.algorithm);
    if what != P256 {
        return Err(bad_key(what).into());
    }
    let key = SigningKey::try_from(info).map_err(|_| bad_key("a damaged P-256 key"))?;
    Ok(PrivateKey::new(key))
}

fn from_sec1(der: &[u8]) -> Result<PrivateKey> {
    let key = p256::SecretKey::from_sec1_der(der).map_err(|_| {
        // Only to name it: the curve's identifier stands somewhere in it.
        let curves = ["1.3.132.0.33", "1.3.132.0.34", "1.3.132.0.35", "1.3.132.0.10"];
        let curves = curves.map(ObjectIdentifier::new_unwrap);
        let named = |curve: &&ObjectIdentifier| {
            let oid = curve.as_bytes();
            der.windows(oid.len()).any(|window| window == oid)
        };
        match curves.iter().find(named) {
            Some(curve) => bad_key(curve_name(Some(*curve))),
            None => bad_key("an elliptic curve key that is damaged or of another curve"),
        }
    })?;
    Ok(PrivateKey::new(key.into()))
}

fn decrypt(der: &[u8], password: &Password) -> Result<PrivateKey> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        bad_key("an encryption that hardpan does not know")
            .help("encrypt it anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc`")
    })?;
    let plain = info.decrypt(password.bytes()).map_err(|_| wrong_password())?;
    from_pkcs8(plain.as_bytes())
}

fn wrong_password() -> Problem {
    Problem::new(codes::PASSWORD, "the password does not open the key")
        .help("try again; if it is the right one, the key's file is damaged")
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";

/// What cosign and we ask for.
const COST: Cost = Cost { n: 65536, r: 8, p: 1 };

/// The text of a key file, in cosign's form.
pub(super) fn encode(key: &PrivateKey, password: &Password) -> Result<String> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    host::random(&mut salt)?;
    host::random(&mut nonce)?;
    let derived = derive(password, &salt, &COST)?;
    let sealed = Sealed {
        kdf: Kdf { name: KDF.into(), params: COST, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: CIPHER.into(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(secretbox::seal(&derived, &nonce, &key.to_pkcs8())),
    };
    Ok(pem::write(COSIGN[0], &canon::to_json(&sealed)))
}

fn unseal(json: &[u8], password: &Password) -> Result<PrivateKey> {
    let sealed: Sealed = serde_json::from_slice(json)
        .map_err(|error| bad_key("a damaged key of cosign").fact("cause", error))?;
    if (sealed.kdf.name.as_str(), sealed.cipher.name.as_str()) != (KDF, CIPHER) {
        let found = format!("encryption by `{}` and `{}`", sealed.kdf.name, sealed.cipher.name);
        return Err(bad_key(found.escape_debug()).into());
    }
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| bad_key("a damaged key of cosign"));
    let nonce: [u8; 24] =
        bytes(&sealed.cipher.nonce)?.try_into().map_err(|_| bad_key("a damaged key of cosign"))?;
    let derived = derive(password, &bytes(&sealed.kdf.salt)?, &sealed.kdf.params)?;
    let plain = secretbox::open(&derived, &nonce, &bytes(&sealed.ciphertext)?).ok_or_else(wrong_password)?;
    from_pkcs8(&plain)
}

fn derive(password: &Password, salt: &[u8], cost: &Cost) -> Result<Zeroizing<[u8; 32]>> {
    let memory = u64::from(cost.r).saturating_mul(128).saturating_mul(cost.n);
    if !cost.n.is_power_of_two() || cost.n < 2 || memory > MAX_MEMORY || cost.p > MAX_ROUNDS {
        let found = format!("scrypt with N={}, r={}, p={}", cost.n, cost.r, cost.p);
        return Err(bad_key(found).help("no tool makes such keys: the file is damaged").into());
    }
    let log = u8::try_from(cost.n.trailing_zeros()).expect("below 64");
    let wrong = || "deriving the key's key failed".to_owned();
    let params = scrypt::Params::new(log, cost.r, cost.p).or_problem(codes::BAD_KEY, wrong)?;
    let mut derived = Zeroizing::new([0; 32]);
    scrypt::scrypt(password.bytes(), salt, &params, &mut *derived).or_problem(codes::BAD_KEY, wrong)?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::super::private::tests::key;
    use super::*;

    fn with(text: &str, password: &str) -> Result<PrivateKey> {
        decode(text, &mut || Ok(Password::new(password)))
    }

    fn unasked(text: &str) -> Result<PrivateKey> {
        decode(text, &mut || panic!("no password is needed"))
    }

    /// The JSON in a key file of ours, changed.
    fn changed(change: impl Fn(&mut serde_json::Value)) -> String {
        let text = encode(&key(1), &Password::new("p")).expect("encoded");
        let blocks = pem::blocks(&text).expect("ours");
        let mut json = serde_json::from_slice(&blocks[0].bytes).expect("ours");
        change(&mut json);
        pem::write(COSIGN[0], json.to_string().as_bytes())
    }

    #[test]
    fn a_key_file_opens_with_its_password_only_under_both_of_its_names() {
        let text = encode(&key(1), &Password::new("right")).expect("encoded");
        assert_eq!(with(&text, "right").expect("opens").public(), key(1).public());
        assert!(with(&text, "wrong").expect_err("does not").is(codes::PASSWORD));
        let older = text.replace(COSIGN[0], COSIGN[1]);
        assert_eq!(with(&older, "right").expect("opens").public(), key(1).public());
        assert_ne!(encode(&key(1), &Password::new("right")), Ok(text), "salt and nonce are new each time");
    }

    #[test]
    fn a_key_file_that_asks_for_the_impossible_is_refused() {
        let costs: [(u64, u32, u32); 6] = [
            (65537, 8, 1),
            (0, 8, 1),
            (1 << 30, 8, 1),
            (65536, 8, 1000),
            (65536, 0, 1),
            (1 << 62, 1 << 31, 1),
        ];
        for (n, r, p) in costs {
            let text = changed(|json| json["kdf"]["params"] = serde_json::json!({ "N": n, "r": r, "p": p }));
            assert!(with(&text, "p").expect_err("refused").is(codes::BAD_KEY), "{n} {r} {p}");
        }
        for change in [
            |json: &mut serde_json::Value| json["kdf"]["name"] = "md5".into(),
            |json: &mut serde_json::Value| json["cipher"]["nonce"] = "AAAA".into(),
            |json: &mut serde_json::Value| json["ciphertext"] = "*".into(),
            |json: &mut serde_json::Value| *json = serde_json::Value::Null,
        ] {
            assert!(with(&changed(change), "p").expect_err("refused").is(codes::BAD_KEY));
        }
    }

    #[test]
    fn pkcs8_and_sec1_read_without_password_and_encrypted_pkcs8_with_it() {
        let pkcs8 = key(3).to_pkcs8();
        let text = pem::write("PRIVATE KEY", &pkcs8);
        assert_eq!(unasked(&text).expect("reads").public(), key(3).public());
        let secret = p256::SecretKey::from_slice(&[3; 32]).expect("a key");
        let sec1 = pem::write("EC PRIVATE KEY", &secret.to_sec1_der().expect("encoded"));
        let sec1 = pem::write("EC PARAMETERS", b"x") + &sec1;
        assert_eq!(unasked(&sec1).expect("reads").public(), key(3).public());
        let cost =
            pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(1000, b"salted!!", [7; 16]);
        let plain = PrivateKeyInfoRef::try_from(pkcs8.as_slice()).expect("ours");
        let encrypted = plain.encrypt_with_params(cost.expect("fine"), b"right").expect("encrypted");
        let encrypted = pem::write("ENCRYPTED PRIVATE KEY", encrypted.as_bytes());
        assert_eq!(with(&encrypted, "right").expect("reads").public(), key(3).public());
        assert!(with(&encrypted, "wrong").expect_err("does not").is(codes::PASSWORD));
    }

    #[test]
    fn what_is_no_private_key_of_ours_is_named() {
        let two = pem::write("PRIVATE KEY", b"x").repeat(2);
        for (text, found) in [
            ("", "does not hold one"),
            (&*two, "does not hold one"),
            (&*pem::write("PUBLIC KEY", b"x"), "public key"),
            (&*pem::write("RSA PRIVATE KEY", b"x"), "RSA"),
            (&*pem::write("OPENSSH PRIVATE KEY", b"x"), "OpenSSH"),
            (&*pem::write("PRIVATE KEY", b"x"), "no key"),
            (&*pem::write("EC PRIVATE KEY", b"x"), "damaged"),
            (&*pem::write("EC PRIVATE KEY", &[6, 5, 0x2b, 0x81, 4, 0, 0x22]), "P-384"),
        ] {
            let failure = unasked(text).expect_err("refused");
            assert!(failure.is(codes::BAD_KEY));
            assert!(failure.problems()[0].facts[0].1.contains(found), "{failure:?}");
        }
    }

    #[test]
    fn a_pair_is_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = KeyFiles::of(&folder.path().join("team.x"));
        assert!(files.key.ends_with("team.x.key") && files.public.ends_with("team.x.pub"));
        files.write(&key(1), &Password::new("")).expect("written");
        assert!(files.write(&key(2), &Password::new("")).expect_err("there").is(codes::OUTPUT));
        assert_eq!(read_public_key(&files.public), Ok(key(1).public()));
        host::remove(&files.key).expect("ours");
        assert!(files.write(&key(2), &Password::new("")).expect_err("there").is(codes::OUTPUT));
        assert!(!host::exists(&files.key), "no half of a pair is left");
    }
}
