//! A session with a server: secured, logged in, asked.

use std::io::{self, BufReader, Read as _, Write};
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::database::{Database, Row, Value};
use super::address::{Address, Mode, Secret, Whither};
use super::scram::Login;
use super::wire::{self, Content, Message, Reader, Refusal, bad};
use crate::diag::{Failure, Problem, Result, codes};
use crate::host::{self, Channel, Whom};

/// What an empty session asks for TLS with (`SSLRequest`).
const TLS_PLEASE: u32 = 80_877_103;

/// Version 3.0 of the protocol.
const VERSION: u32 = 3 << 16;

/// The lock that writers of ledgers hold: `hpledger`.
const WRITERS: i64 = 0x6870_6c65_6467_6572;

/// Beside what others may make us wait, what a server may take for its own work, in seconds.
const WORK: Duration = Duration::from_secs(30);

/// The most messages that a server may send before a login is done.
const MOST_BEFORE: usize = 100;

/// A session that is logged in.
pub(in super::super) struct Postgres {
    channel: BufReader<Channel>,
    name: String,
}

/// What went wrong: the connection, or the server says no.
enum Trouble {
    Broken(io::Error),
    Refused(Refusal),
    /// We do not go on, and say why.
    Unsafe(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

type Tried<T> = std::result::Result<T, Trouble>;

impl Postgres {
    pub(in super::super) fn connect(address: &Address, patience: Duration) -> Result<Self> {
        let roots = address.roots.as_deref().map(host::read).transpose()?;
        let channel =
            open(address, roots.as_deref(), patience).map_err(|error| not_opened(address, error))?;
        let mut session = Self { channel: BufReader::new(channel), name: format!("`{address}`") };
        session.log_in(address).map_err(|error| not_opened(address, error))?;
        let wait = patience.as_millis().clamp(1, 3_600_000);
        session.told("reading", &format!("SET lock_timeout = {wait}"), &[])?;
        Ok(session)
    }

    fn send(&mut self, messages: &[u8]) -> Tried<()> {
        Ok(wire::send(self.channel.get_mut(), messages)?)
    }

    /// The next message that is about what was asked.
    fn receive(&mut self) -> Tried<Message> {
        loop {
            let (kind, content) = wire::receive(&mut self.channel)?;
            match kind {
                // A notice, the setting of a parameter, a notification.
                b'N' | b'S' | b'A' => {}
                b'E' => return Err(Trouble::Refused(Refusal::read(&content)?)),
                _ => return Ok((kind, content)),
            }
        }
    }

    fn log_in(&mut self, address: &Address) -> Tried<()> {
        let content = Content::default().long(VERSION);
        let settings = [
            ("user", address.user.as_str()),
            ("database", &address.database),
            ("application_name", "hardpan"),
            ("client_encoding", "UTF8"),
        ];
        let content = settings.iter().fold(content, |content, (name, value)| content.text(name).text(value));
        let mut message = content.untyped();
        // An empty name ends the list.
        message.push(0);
        let length = u32::try_from(message.len()).expect("small");
        message[..4].copy_from_slice(&length.to_be_bytes());
        self.send(&message)?;
        self.authenticate(address)?;
        for _ in 0..MOST_BEFORE {
            match self.receive()? {
                (b'K', _) => {}
                (b'Z', _) => return Ok(()),
                (kind, _) => return Err(unexpected(kind).into()),
            }
        }
        Err(bad("the server does not get ready").into())
    }

    fn authenticate(&mut self, address: &Address) -> Tried<()> {
        let content = self.authentication()?;
        let mut reader = Reader(&content);
        match reader.long()? {
            0 => Ok(()),
            3 => {
                if !self.channel.get_ref().is_private() {
                    let why = "the server asks for the password itself, and others could listen";
                    return Err(Trouble::Unsafe(why.to_owned()));
                }
                let password = password(address)?;
                self.send(&Content::default().text(&password.0).message(b'p'))?;
                self.done()
            }
            10 => self.scram(address, &mut reader),
            5 => Err(Trouble::Unsafe(
                "the server asks for a login by MD5, which no longer protects a password; set \
                 `password_encryption = scram-sha-256` there, and the password anew"
                    .to_owned(),
            )),
            way => {
                Err(Trouble::Unsafe(format!("the server asks for a way to log in that is not known ({way})")))
            }
        }
    }

    fn authentication(&mut self) -> Tried<Vec<u8>> {
        match self.receive()? {
            (b'R', content) => Ok(content),
            (kind, _) => Err(unexpected(kind).into()),
        }
    }

    fn done(&mut self) -> Tried<()> {
        let content = self.authentication()?;
        if Reader(&content).long()? == 0 { Ok(()) } else { Err(bad("the login does not end").into()) }
    }

    fn scram(&mut self, address: &Address, ways: &mut Reader<'_>) -> Tried<()> {
        const WAY: &str = "SCRAM-SHA-256";
        let mut known = false;
        loop {
            match ways.text()?.as_str() {
                "" => break,
                way => known |= way == WAY,
            }
        }
        if !known {
            return Err(Trouble::Unsafe(format!("the server does not know the login {WAY}")));
        }
        let password = password(address)?;
        let mut random = Zeroizing::new([0; 24]);
        host::random(random.as_mut()).map_err(|failure| Trouble::Unsafe(failure.to_string()))?;
        let login = Login::new(random.as_ref());
        self.send(&Content::default().text(WAY).value(Some(&login.message())).message(b'p'))?;
        let said = self.login_says(11)?;
        let answered = login.answer(&said, &password.0).map_err(Trouble::Unsafe)?;
        let mut message = Content::default();
        message.0.extend(answered.message.as_bytes());
        self.send(&message.message(b'p'))?;
        let said = self.login_says(12)?;
        answered.check(&said).map_err(Trouble::Unsafe)?;
        self.done()
    }

    /// What the server says in a step of the login.
    fn login_says(&mut self, step: u32) -> Tried<String> {
        let content = self.authentication()?;
        let mut reader = Reader(&content);
        if reader.long()? != step {
            // Even "you are logged in" is no answer here: the server has not shown that it knows the password.
            return Err(bad("the server leaves out a step of the login").into());
        }
        Ok(reader.rest())
    }

    /// Runs a statement: its rows, and what the server says was done.
    fn ask(&mut self, sql: &str, values: &[Value]) -> Tried<(Vec<Row>, String)> {
        let bind = Content::default().text("").text("").short(0).short(values.len());
        let bind = values.iter().fold(bind, |content, value| match value {
            Value::Null => content.value(None),
            Value::Integer(number) => content.value(Some(&number.to_string())),
            Value::Text(text) => content.value(Some(text)),
        });
        let messages = [
            Content::default().text("").text(sql).short(0).message(b'P'),
            bind.short(0).message(b'B'),
            Content::default().text("").long(0).message(b'E'),
            Content::default().message(b'S'),
        ];
        self.send(&messages.concat())?;
        self.answer()
    }

    fn answer(&mut self) -> Tried<(Vec<Row>, String)> {
        let (mut rows, mut done, mut refused) = (Vec::new(), String::new(), None);
        loop {
            match self.receive() {
                Ok((b'1' | b'2' | b'n' | b'I', _)) => {}
                Ok((b'D', content)) => rows.push(row(&content)?),
                Ok((b'C', content)) => done = Reader(&content).text()?,
                Ok((b'Z', _)) => return refused.map_or(Ok((rows, done)), |why| Err(Trouble::Refused(why))),
                Ok((kind, _)) => return Err(unexpected(kind).into()),
                // It says when it is ready for the next question, also after an error.
                Err(Trouble::Refused(why)) if refused.is_none() => refused = Some(why),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn told(&mut self, doing: &str, sql: &str, values: &[Value]) -> Result<(Vec<Row>, String)> {
        self.ask(sql, values).map_err(|trouble| self.problem(doing, trouble))
    }

    fn problem(&self, doing: &str, trouble: Trouble) -> Failure {
        let name = &self.name;
        let failed = || format!("{doing} the ledger {name} failed");
        let problem = match trouble {
            Trouble::Broken(error) => Problem::new(codes::LEDGER, failed())
                .fact("cause", error)
                .help("what was being recorded is there whole or not at all; run the same command again"),
            Trouble::Unsafe(why) => Problem::new(codes::LEDGER, failed()).fact("cause", why),
            Trouble::Refused(why) => {
                let problem = |code, message: String| Problem::new(code, message).fact("cause", &why.words);
                match why.code.as_str() {
                    // lock_not_available, query_canceled, deadlock_detected
                    "55P03" | "57014" | "40P01" => {
                        let message =
                            format!("another process writes to the ledger {name}, and does not end");
                        problem(codes::LEDGER_BUSY, message)
                            .help("wait for it, or end it; HARDPAN_TIMEOUT says how many seconds to wait")
                    }
                    // disk_full
                    "53100" => problem(codes::DISK_FULL, failed()).help("make room on the server"),
                    // data_corrupted, index_corrupted
                    "XX001" | "XX002" => {
                        problem(codes::LEDGER_CORRUPT, format!("the ledger {name} is damaged"))
                    }
                    code => problem(codes::LEDGER, failed()).fact("sqlstate", code),
                }
            }
        };
        problem.into()
    }
}

impl Database for Postgres {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn check(&mut self) -> Result<()> {
        // A server looks after its own pages, and says so when it is asked for rows.
        Ok(())
    }

    fn version(&mut self) -> Result<u32> {
        // Not by `to_regclass`: it answers from a cache, which another's commit before our turn may not have
        // reached.
        let there = "SELECT relname FROM pg_catalog.pg_class WHERE relname = 'hardpan_schema' \
                     AND pg_catalog.pg_table_is_visible(oid)";
        if self.told("reading", there, &[])?.0.is_empty() {
            return Ok(0);
        }
        let (rows, _) = self.told("reading", "SELECT max(version) FROM hardpan_schema", &[])?;
        let version = rows.first().and_then(|row| row.first()).and_then(Value::integer).unwrap_or(0);
        Ok(u32::try_from(version).unwrap_or(u32::MAX))
    }

    fn set_version(&mut self, version: u32) -> Result<()> {
        self.execute("CREATE TABLE IF NOT EXISTS hardpan_schema (version BIGINT NOT NULL)", &[])?;
        self.execute("DELETE FROM hardpan_schema", &[])?;
        let values = [Value::Integer(version.into())];
        self.execute("INSERT INTO hardpan_schema (version) VALUES ($1)", &values)?;
        Ok(())
    }

    fn numbered(&self) -> &'static str {
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    }

    fn begin(&mut self) -> Result<()> {
        self.told("writing", "BEGIN", &[])?;
        let taken = self.told("writing", "SELECT pg_advisory_xact_lock($1)", &[Value::Integer(WRITERS)]);
        if taken.is_err() {
            self.rollback();
        }
        taken.map(|_| ())
    }

    fn commit(&mut self) -> Result<()> {
        let (_, done) = self.told("writing", "COMMIT", &[])?;
        if done == "COMMIT" {
            return Ok(());
        }
        // A transaction in which something failed ends with ROLLBACK, and no error.
        Err(self.problem("writing", Trouble::Unsafe(format!("the server did {done} instead"))))
    }

    fn rollback(&mut self) {
        // A connection that is gone took the transaction with it.
        let _ = self.ask("ROLLBACK", &[]);
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let (_, done) = self.told("writing", sql, values)?;
        Ok(done.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        Ok(self.told("reading", sql, values)?.0)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.send(&Content::default().message(b'X'));
    }
}

fn open(address: &Address, roots: Option<&[u8]>, patience: Duration) -> Tried<Channel> {
    // A server that waits for another writer says so itself, when the patience is over.
    let patience = patience + WORK;
    let name = match &address.whither {
        Whither::Folder(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{}", address.port));
            return Ok(Channel::to_socket(&socket, patience)?);
        }
        Whither::Host(name) => name,
    };
    let mut channel = Channel::to_host(name, address.port, patience)?;
    if address.mode == Mode::Disable {
        return Ok(channel);
    }
    channel.write_all(&Content::default().long(TLS_PLEASE).untyped())?;
    channel.flush()?;
    let mut answer = [0];
    channel.read_exact(&mut answer)?;
    if answer != *b"S" {
        let why = "the server has no TLS, or somebody on the way says so; nothing was sent to it";
        return Err(Trouble::Unsafe(why.to_owned()));
    }
    let whom = match (address.mode, roots) {
        (Mode::VerifyFull, Some(roots)) => Whom::CertifiedBy(roots),
        (Mode::VerifyFull, None) => Whom::Known,
        _ => Whom::Anybody,
    };
    Ok(channel.secured(name, whom)?)
}

/// The password of the address, or of the environment.
fn password(address: &Address) -> Tried<Secret> {
    let of_environment = || {
        let bytes = host::secret_variable("PGPASSWORD")?;
        Some(Secret(Zeroizing::new(String::from_utf8(bytes.to_vec()).ok()?)))
    };
    let secret = address.password.clone().or_else(of_environment);
    let secret = secret.ok_or_else(|| Trouble::Unsafe("the server asks for a password".to_owned()))?;
    if secret.0.is_ascii() {
        return Ok(secret);
    }
    // Others would have to be brought into one form first (SASLprep), as the server did.
    Err(Trouble::Unsafe("the password has letters that are not ASCII, which is not supported".to_owned()))
}

fn row(content: &[u8]) -> io::Result<Row> {
    let mut reader = Reader(content);
    let columns = reader.short()?;
    (0..columns).map(|_| Ok(reader.value()?.map_or(Value::Null, Value::Text))).collect()
}

fn unexpected(kind: u8) -> io::Error {
    bad(&format!("the server sends a message that is not expected here (`{}`)", kind.escape_ascii()))
}

fn not_opened(address: &Address, trouble: Trouble) -> Failure {
    let problem = |code| Problem::new(code, format!("the ledger `{address}` can't be opened"));
    let problem = match trouble {
        Trouble::Broken(error) => problem(codes::LEDGER)
            .fact("cause", error)
            .help("is the server running, and does it listen there? `hardpan explain HP140` says more"),
        Trouble::Unsafe(why) => problem(codes::LEDGER_LOGIN)
            .fact("cause", why)
            .help("`hardpan explain HP145` lists the ways to log in and to use TLS"),
        Trouble::Refused(why) => {
            problem(codes::LEDGER_LOGIN).fact("cause", why.words).fact("sqlstate", why.code)
        }
    };
    problem.into()
}
