//! The login by SCRAM-SHA-256 (RFC 5802, RFC 7677), in which the server never sees the password, and has
//! to show that it knows it too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The fewest rounds: with fewer, who plays the server could find the password from our answer.
const LEAST_ROUNDS: u32 = 4096;

/// The most rounds: some seconds of work.
const MOST_ROUNDS: u32 = 10_000_000;

/// A login that has begun.
pub(super) struct Login {
    first: String,
    nonce: String,
}

/// A login that was answered: what the server must say at the end.
pub(super) struct Answered {
    /// Our last message.
    pub(super) message: String,
    message_of_all: String,
    server_key: [u8; 32],
}

impl Login {
    /// Begins one with a random text. PostgreSQL takes the user from the connection, not from here.
    pub(super) fn new(random: &[u8]) -> Self {
        Self::with("", STANDARD.encode(random))
    }

    fn with(user: &str, nonce: String) -> Self {
        Self { first: format!("n={user},r={nonce}"), nonce }
    }

    /// Our first message; `n,,` says that the connection itself is not part of the login.
    pub(super) fn message(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// Answers the server's first message.
    pub(super) fn answer(&self, said: &str, password: &str) -> Result<Answered, String> {
        let wrong = || "the server's part of the login does not read".to_owned();
        let mut fields = said.split(',');
        let mut field = |key: &str| fields.next().and_then(|field| field.strip_prefix(key));
        let (Some(nonce), Some(salt), Some(rounds)) = (field("r="), field("s="), field("i=")) else {
            return Err(wrong());
        };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server answers another login than ours".to_owned());
        }
        let salt = STANDARD.decode(salt).map_err(|_| wrong())?;
        let rounds: u32 = rounds.parse().map_err(|_| wrong())?;
        if !(LEAST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
            return Err(format!("the server asks for {rounds} rounds, not {LEAST_ROUNDS} to {MOST_ROUNDS}"));
        }
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
        let client_key = keyed(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={nonce}");
        let message_of_all = format!("{},{said},{without_proof}", self.first);
        let signature = keyed(&Sha256::digest(client_key), message_of_all.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, byte)| key ^ byte).collect();
        Ok(Answered {
            message: format!("{without_proof},p={}", STANDARD.encode(proof)),
            message_of_all,
            server_key: keyed(&salted, b"Server Key"),
        })
    }
}

impl Answered {
    /// Checks the server's last message: it knows the password, or what was made of it.
    pub(super) fn check(&self, said: &str) -> Result<(), String> {
        if let Some(why) = said.strip_prefix("e=") {
            return Err(format!("the server refused the login: {}", why.escape_debug()));
        }
        let signature = said.strip_prefix("v=").and_then(|text| STANDARD.decode(text).ok());
        let verified = signature.is_some_and(|bytes| {
            hmac(&self.server_key, self.message_of_all.as_bytes()).verify_slice(&bytes).is_ok()
        });
        if verified { Ok(()) } else { Err("the server does not know the password".to_owned()) }
    }
}

fn hmac(key: &[u8], bytes: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(bytes);
    mac
}

fn keyed(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    hmac(key, bytes).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn login() -> Login {
        Login::with("user", "rOprNGfwEbeRWgbNEkqO".to_owned())
    }

    #[test]
    fn the_example_of_the_standard_holds() {
        let login = login();
        assert_eq!(login.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answered = login.answer(FIRST, "pencil").expect("answered");
        assert_eq!(
            answered.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(answered.check("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found() {
        let answered = login().answer(FIRST, "pencil").expect("answered");
        for said in ["", "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "e=other-error", "v=AAAA"] {
            assert!(answered.check(said).is_err(), "{said}");
        }
    }

    #[test]
    fn a_server_that_answers_another_login_or_asks_for_little_work_is_refused() {
        for (from, to) in [
            ("r=rOpr", "r=xOpr"),
            ("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""),
            ("i=4096", "i=1"),
            ("i=4096", "i=4000000000"),
            ("i=4096", "i=x"),
            ("s=W22", "s=*22"),
            (",s=", ",t="),
        ] {
            assert!(login().answer(&FIRST.replace(from, to), "pencil").is_err(), "{to}");
        }
    }
}
