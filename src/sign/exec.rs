//! Signing by another program: the way to an HSM, a KMS, or a signer under another user id.
//!
//! ```text
//! PROGRAM public-key        stdout: the public key, PEM (`PUBLIC KEY`), P-256
//! PROGRAM sign              stdin:  exactly the bytes to be signed, until its end
//!                           stdout: the signature, ECDSA with SHA-256, ASN.1 DER or base64 of that
//! ```
//!
//! The program hashes what it gets itself, so that it can look at what it signs. Exit code 0 means that
//! it answered; what it prints on its error output is shown when it did not. It may take
//! `HARDPAN_SIGNER_TIMEOUT` seconds for an answer, 60 if that is not set; then it is killed. No shell is
//! between, and it does not get `HARDPAN_KEY_PASSWORD`. Each signature is verified with the public key
//! before it is used. A program that does not sign deterministically makes signatures, and so bundles,
//! that differ from run to run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Custody, PublicKey, Signer, password};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Call, Ended};

/// The longest answer to either question, in bytes.
const MOST: usize = 16 << 10;

/// What names a program, in `--signer`.
const SCHEME: &str = "exec:";

/// Signs by a program.
#[derive(Debug)]
pub struct ExecSigner {
    program: String,
    public: PublicKey,
    patience: Duration,
}

impl ExecSigner {
    /// The signer that `exec:PROGRAM` names; the program is asked for its public key.
    pub fn open(signer: &str) -> Result<Self> {
        let program = signer.strip_prefix(SCHEME).filter(|program| !program.is_empty()).ok_or_else(|| {
            Problem::new(codes::USAGE, format!("`{}` names no signer", signer.escape_debug()))
                .expected("`keyless`, or exec:PROGRAM, PROGRAM being a path or a name in PATH")
        })?;
        let patience = patience()?;
        let answer = ask(program, "public-key", &[], patience)?;
        let public = String::from_utf8(answer)
            .map_err(|_| super::public::bad_key("bytes that are no text").into())
            .and_then(|text| PublicKey::from_pem(&text))
            .map_err(|failure| failure.fact("program", format!("{program} public-key")))?;
        Ok(Self { program: program.to_owned(), public, patience })
    }
}

impl Signer for ExecSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_parts(&self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let answer = ask(&self.program, "sign", parts, self.patience)?;
        let signature = read_signature(&answer);
        let good = signature.filter(|signature| self.public.verify_parts(parts, signature));
        good.ok_or_else(|| {
            failed(&self.program, "sign", "did not answer with a signature of its key")
                .found(format!("{} bytes", answer.len()))
                .expected("ECDSA with SHA-256 over what it got, ASN.1 DER or base64 of that")
                .fact("key", self.public.fingerprint())
                .into()
        })
    }

    fn describe(&self) -> String {
        format!("the program {}", self.program)
    }

    fn custody(&self) -> Custody {
        Custody::Elsewhere
    }
}

/// DER begins with a byte that base64 does not have.
fn read_signature(answer: &[u8]) -> Option<Vec<u8>> {
    if answer.first() == Some(&0x30)
        && answer.get(1).is_some_and(|&length| usize::from(length) + 2 == answer.len())
    {
        return Some(answer.to_vec());
    }
    let text: Vec<u8> = answer.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

pub(super) fn patience() -> Result<Duration> {
    const NAME: &str = "HARDPAN_SIGNER_TIMEOUT";
    let Some(text) = host::variable(NAME) else { return Ok(Duration::from_mins(1)) };
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::new(codes::CONFIG, format!("the variable {NAME} does not say how long to wait"))
            .found(text)
            .expected("a whole number of seconds, from 1 to 86400")
            .into()),
    }
}

fn ask(program: &str, question: &str, input: &[&[u8]], patience: Duration) -> Result<Vec<u8>> {
    let arguments = [question];
    let without = [password::VARIABLE];
    let call = Call { program, arguments: &arguments, without: &without, input, most: MOST, patience };
    let ended = host::call(&call)
        .map_err(|error| failed(program, question, "could not be talked to").fact("cause", error))?;
    let (problem, said) = match ended {
        Ended::Well(answer) => return Ok(answer),
        Ended::NotStarted(why) => {
            (failed(program, question, "could not be started").fact("cause", why), String::new())
        }
        Ended::Badly(how, said) => (failed(program, question, "failed").found(how), said),
        Ended::TooMuch => {
            let problem = failed(program, question, "answered too much");
            (problem.expected(format!("at most {MOST} bytes")), String::new())
        }
        Ended::TooLong(said) => {
            let problem = failed(program, question, "took too long, and was ended");
            (problem.expected(format!("an answer within {} s", patience.as_secs())), said)
        }
    };
    let problem = if said.is_empty() { problem } else { problem.fact("it said", said) };
    Err(problem.into())
}

fn failed(program: &str, question: &str, how: &str) -> Problem {
    Problem::new(codes::SIGNER, format!("the signer `{} {question}` {how}", program.escape_debug()))
        .help("`hardpan explain HP105` says what a signer is asked and how it answers")
}

#[cfg(test)]
mod tests {
    use super::super::private::tests::key;
    use super::*;

    #[test]
    fn der_and_base64_of_it_read_and_other_answers_do_not_verify() {
        let signature = key(1).sign_parts(&[b"x"]);
        assert_eq!(read_signature(&signature), Some(signature.clone()));
        let base64 = STANDARD.encode(&signature);
        let (first, second) = base64.split_at(20);
        assert_eq!(read_signature(format!("{first}\n{second}\r\n").as_bytes()), Some(signature));
        assert_eq!(read_signature(b"0\x05abc"), None);
        assert_eq!(read_signature(b""), Some(Vec::new()));
        assert_eq!(read_signature(b"error: no"), None);
    }

    #[test]
    fn only_programs_are_signers() {
        for signer in ["", "exec:", "hsm:x", "/bin/true"] {
            assert!(ExecSigner::open(signer).expect_err("none").is(codes::USAGE), "{signer}");
        }
        assert!(ExecSigner::open("exec:no-such-program-here").expect_err("none").is(codes::SIGNER));
    }
}
