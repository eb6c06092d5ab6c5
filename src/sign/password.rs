//! Passwords of key files, and where they come from: a file, `HARDPAN_KEY_PASSWORD`, or whoever sits at
//! the terminal, in this order.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::diag::{Problem, Result, codes};
use crate::host;

/// The variable.
pub(super) const VARIABLE: &str = "HARDPAN_KEY_PASSWORD";

/// A password, wiped when dropped and not shown. An empty one is none.
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// One of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Where passwords come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passwords {
    /// A file that holds one, its last line end cut.
    pub file: Option<PathBuf>,
}

impl Passwords {
    /// The password of a key that is there; `of` says which, for people.
    pub fn of(&self, of: &str) -> Result<Password> {
        match self.given()? {
            Some(password) => Ok(password),
            None => ask(&format!("Password of {of}")).ok_or_else(|| missing(of).into()),
        }
    }

    /// The password for a key that is being made, asked for twice.
    pub fn of_new(&self, of: &str) -> Result<Password> {
        if let Some(password) = self.given()? {
            return Ok(password);
        }
        let first = ask(&format!("Password for {of}, empty for none")).ok_or_else(|| missing(of))?;
        let second = ask("The same password once more").ok_or_else(|| missing(of))?;
        if first.bytes() == second.bytes() {
            return Ok(first);
        }
        Err(Problem::new(codes::PASSWORD, "the two passwords differ")
            .help("run the same command again")
            .into())
    }

    fn given(&self) -> Result<Option<Password>> {
        let Some(file) = &self.file else { return Ok(host::secret_variable(VARIABLE).map(Password)) };
        let mut bytes = host::read_secret(file)?;
        let end = [&b"\r\n"[..], b"\n"].into_iter().find(|end| bytes.ends_with(end)).unwrap_or_default();
        let length = bytes.len() - end.len();
        bytes.truncate(length);
        Ok(Some(Password(bytes)))
    }
}

fn ask(question: &str) -> Option<Password> {
    host::ask_hidden(question).map(Password)
}

fn missing(of: &str) -> Problem {
    Problem::new(codes::PASSWORD, format!("there is no password for {of}, and nobody to ask for it")).help(
        format!("set {VARIABLE} (to nothing for no password), name a file with `--password-file`, or run it on a terminal"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_cut_from_a_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        for (written, expected) in
            [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("", ""), ("\n", "")]
        {
            host::write_new(&file, written.as_bytes(), true).expect("written");
            let passwords = Passwords { file: Some(file.clone()) };
            assert_eq!(passwords.of("a key").expect("there").bytes(), expected.as_bytes(), "{written:?}");
            host::remove(&file).expect("ours");
        }
        assert!(Passwords { file: Some(file) }.of("a key").is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(format!("{:?}", Password::new("secret")), "Password(…)");
    }
}
