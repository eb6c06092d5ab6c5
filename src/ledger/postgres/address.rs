//! `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=…&sslrootcert=FILE&host=FOLDER]`, as libpq
//! reads it, where that is safe.
//!
//! libpq's own default (`prefer`) goes plain wherever the server says so, and somebody on the way can say
//! so for it. Here what is not said is `verify-full`, but on this machine's own addresses and sockets,
//! where nobody listens: there it is `disable`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::ident::is_loopback;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Plain.
    Disable,
    /// By TLS, with whoever answers.
    Require,
    /// By TLS, with whoever has a certificate for the host's name.
    VerifyFull,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whither {
    /// At a port of a host.
    Host(String),
    /// At a socket in a folder of this machine.
    Folder(PathBuf),
}

/// A password, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The address of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) whither: Whither,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) mode: Mode,
    pub(super) roots: Option<PathBuf>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, port, database, .. } = self;
        match &self.whither {
            Whither::Host(host) if host.contains(':') => {
                write!(f, "postgres://{user}@[{host}]:{port}/{database}")
            }
            Whither::Host(host) => write!(f, "postgres://{user}@{host}:{port}/{database}"),
            Whither::Folder(folder) => {
                write!(f, "postgres://{user}@/{database}?host={}&port={port}", folder.display())
            }
        }
    }
}

/// What stands behind the question mark.
#[derive(Default)]
struct Options {
    mode: Option<Mode>,
    roots: Option<PathBuf>,
    host: Option<String>,
    port: Option<u16>,
}

impl FromStr for Address {
    type Err = String;

    /// Reads what follows `postgres://`. No message quotes what may be a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let (text, options) = text.split_once('?').unwrap_or((text, ""));
        let options = Options::parse(options)?;
        let (authority, database) = text.split_once('/').unwrap_or((text, ""));
        let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(Secret(Zeroizing::new(decode(password, "password")?)))),
            None => (who, None),
        };
        let user = decode(user, "user")?;
        if user.is_empty() {
            return Err("the address of a server names its user: `postgres://USER@HOST/DATABASE`".to_owned());
        }
        let database = decode(database, "database")?;
        let (host, port) = host_and_port(place)?;
        let whither = whither(&host, options.host)?;
        let local = match &whither {
            Whither::Folder(_) => true,
            Whither::Host(host) => {
                host.contains(':') && is_loopback(&format!("[{host}]")) || is_loopback(host)
            }
        };
        let mode = options.mode.unwrap_or(if local { Mode::Disable } else { Mode::VerifyFull });
        if options.roots.is_some() && mode != Mode::VerifyFull {
            return Err("`sslrootcert` says whom to trust, which only `sslmode=verify-full` asks".to_owned());
        }
        if matches!(whither, Whither::Folder(_)) && mode != Mode::Disable {
            return Err("there is no TLS on a socket of this machine: leave `sslmode` out".to_owned());
        }
        Ok(Self {
            database: if database.is_empty() { user.clone() } else { database },
            user,
            password,
            whither,
            port: port.or(options.port).unwrap_or(5432),
            mode,
            roots: options.roots,
        })
    }
}

impl Options {
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value, key)?;
            match key {
                "sslmode" => options.mode = Some(mode(&value)?),
                "sslrootcert" => options.roots = Some(value.into()),
                "host" => options.host = Some(value),
                "port" => options.port = Some(port(&value)?),
                "password" => return Err("a password stands before the host, or in PGPASSWORD".to_owned()),
                _ => {
                    let known = "`sslmode`, `sslrootcert`, `host`, `port`";
                    return Err(format!("`{}` is none of {known}", key.escape_debug()));
                }
            }
        }
        Ok(options)
    }
}

fn mode(word: &str) -> Result<Mode, String> {
    match word {
        "disable" => Ok(Mode::Disable),
        "require" => Ok(Mode::Require),
        "verify-full" => Ok(Mode::VerifyFull),
        "allow" | "prefer" => Err(format!(
            "`sslmode={word}` goes plain when it is told to: say `disable`, `require` or `verify-full`"
        )),
        "verify-ca" => {
            Err("`sslmode=verify-ca` takes any server's certificate for any name: say `verify-full`"
                .to_owned())
        }
        _ => Err(format!("`{}` is none of `disable`, `require`, `verify-full`", word.escape_debug())),
    }
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("a `[` without a `]`")?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) => Some(port(digits)?),
        None if rest.is_empty() => None,
        None => return Err("the host is not followed by a port".to_owned()),
    };
    Ok((decode(host, "host")?, port))
}

fn whither(host: &str, option: Option<String>) -> Result<Whither, String> {
    let host = match (host, option) {
        ("", Some(host)) => host,
        (host, None) => host.to_owned(),
        _ => return Err("the host is named twice".to_owned()),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    match host.as_str() {
        "" => Err("the address names no host: `postgres://USER@HOST/DATABASE`".to_owned()),
        path if path.starts_with('/') => Ok(Whither::Folder(path.into())),
        name if name.bytes().all(plain) => Ok(Whither::Host(host)),
        _ => Err("the host is not one name".to_owned()),
    }
}

fn port(digits: &str) -> Result<u16, String> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse().ok().filter(|port| plain && *port > 0);
    number.ok_or_else(|| "the port is not a number from 1 to 65535".to_owned())
}

/// Text with `%41` for `A`; no message shows it.
fn decode(text: &str, what: &str) -> Result<String, String> {
    let wrong =
        || format!("the {} is not text with `%` and two digits for special letters", what.escape_debug());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return Err(wrong()) };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let (high, low) = (digit(high).ok_or_else(wrong)?, digit(low).ok_or_else(wrong)?);
        bytes.push(u8::try_from(high * 16 + low).expect("two digits"));
        rest = after;
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    // The protocol ends its texts with a zero.
    if text.contains(char::is_control) { Err(wrong()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn an_address_reads_and_never_shows_its_password() {
        let address = read("me:p%40ss%2fword@db.example:6543/ledger?sslmode=require");
        assert_eq!(address.to_string(), "postgres://me@db.example:6543/ledger");
        assert_eq!(address.password.as_ref().map(|secret| secret.0.as_str()), Some("p@ss/word"));
        assert_eq!(address.mode, Mode::Require);
        assert!(!format!("{address:?}").contains("p@ss"), "{address:?}");
        assert_eq!(read("me@[::1]/x").to_string(), "postgres://me@[::1]:5432/x");
        assert_eq!(read("me@db.example").database, "me");
    }

    #[test]
    fn what_leaves_the_machine_is_verified_unless_it_is_said() {
        for (text, mode) in [
            ("me@db.example/x", Mode::VerifyFull),
            ("me@10.0.0.1/x", Mode::VerifyFull),
            ("me@127.0.0.1.example/x", Mode::VerifyFull),
            ("me@db.example/x?sslmode=disable", Mode::Disable),
            ("me@localhost/x", Mode::Disable),
            ("me@[::1]/x", Mode::Disable),
            ("me@127.0.0.1:1/x?sslmode=verify-full", Mode::VerifyFull),
            ("me@/x?host=/run/postgresql", Mode::Disable),
            ("me@/x?host=%2Frun%2Fpostgresql&port=5433", Mode::Disable),
        ] {
            assert_eq!(read(text).mode, mode, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_kept_or_read_is_refused_without_its_password() {
        for (text, why) in [
            ("me:secret@db.example/x?sslmode=prefer", "goes plain"),
            ("me:secret@db.example/x?sslmode=allow", "goes plain"),
            ("me:secret@db.example/x?sslmode=verify-ca", "verify-full"),
            ("me:secret@db.example/x?sslmode=", "none of"),
            ("me:secret@db.example/x?sslrootcert=/ca.pem&sslmode=require", "verify-full"),
            ("me:secret@db.example/x?sslmodus=disable", "none of"),
            ("me@db.example/x?password=secret", "PGPASSWORD"),
            ("me:secret%zz@db.example/x", "password is not text"),
            ("me:secret%00@db.example/x", "password is not text"),
            (":secret@db.example/x", "names its user"),
            ("me:secret@/x", "names no host"),
            ("me:secret@a,b/x", "not one name"),
            ("me:secret@db.example:0/x", "port"),
            ("me:secret@db.example:99999/x", "port"),
            ("me:secret@db.example/x?host=/run", "twice"),
            ("me:secret@/x?host=/run&sslmode=require", "no TLS"),
            ("me:secret@[::1/x", "without"),
        ] {
            let said = text.parse::<Address>().expect_err(text);
            assert!(said.contains(why) && !said.contains("secret"), "{text}: {said}");
        }
    }
}
