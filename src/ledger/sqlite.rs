//! A ledger in one SQLite file.
//!
//! In WAL mode readers never wait, and a writer that is killed leaves nothing of its transaction; with
//! `synchronous=FULL` a transaction that was committed outlives a power cut. Writers wait for each
//! other as long as the caller has patience. The file is marked as ours (`application_id`), so that
//! another program's database is not written to.

use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params_from_iter};

use super::database::{Database, Row, Value};
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Stopwatch};

/// `HPLG`; changing it makes all ledgers somebody else's files.
const OURS: i64 = 0x4850_4c47;

/// How long to wait between two tries of what SQLite does not wait for by itself.
const BETWEEN: Duration = Duration::from_millis(20);

pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    patience: Duration,
}

impl Sqlite {
    /// Opens a file, and makes it if it is not there.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            host::create_dirs(folder)?;
        }
        not_another_kind(path)?;
        // A name that begins with `file:` would be taken for an address.
        let plain = if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut this = Self::connect(path, &plain, flags, patience)?;
        this.prepare()?;
        Ok(this)
    }

    /// Opens a file that is there to read it: as others may, too, who may not write to it.
    pub(super) fn look(path: &Path, patience: Duration) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if host::may_write(path) && host::may_write(folder) {
            return Self::open(path, patience);
        }
        not_another_kind(path)?;
        // Where nobody has it open, there is no log beside it, and none can be made: the file is all there is.
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let way = if host::exists(Path::new(&log)) { "mode=ro" } else { "immutable=1" };
        let address = format!("file:{}?{way}", escaped(&host::whole_path(path)));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let this = Self::connect(path, Path::new(&address), flags, patience)?;
        this.check_ours()?;
        Ok(this)
    }

    fn connect(path: &Path, way: &Path, flags: OpenFlags, patience: Duration) -> Result<Self> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let failed = |error| problem(path, "opening", &error);
        let connection = Connection::open_with_flags(way, flags).map_err(failed)?;
        connection.busy_timeout(patience).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), patience })
    }

    /// Whether the file bears our mark; a database that does not, and is not empty, is somebody else's.
    fn check_ours(&self) -> Result<bool> {
        // In this order: whoever makes a ledger at this moment marks it before it has tables.
        let tables = self.count_of_tables()?;
        let id = self.pragma("application_id")?;
        if id != OURS && tables > 0 {
            let message = format!("`{}` is a database, but not a ledger", self.path.display());
            let help = "name another file: `--ledger FILE`, or HARDPAN_LEDGER";
            return Err(Problem::new(codes::LEDGER_CORRUPT, message).help(help).into());
        }
        Ok(id == OURS)
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.check_ours()? {
            self.patiently("marking", |connection| connection.pragma_update(None, "application_id", OURS))?;
        }
        // Not every switch of the mode waits for others by itself.
        self.patiently("opening", |connection| {
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "trusted_schema", false)
        })
    }

    /// Tries again while another holds the file, until the patience is over.
    fn patiently(&self, doing: &str, work: impl Fn(&Connection) -> rusqlite::Result<()>) -> Result<()> {
        let begin = Stopwatch::start();
        loop {
            match work(&self.connection) {
                Err(error) if is_busy(&error) && begin.elapsed() < self.patience => host::pause(BETWEEN),
                done => return done.map_err(|error| problem(&self.path, doing, &error).into()),
            }
        }
    }

    fn pragma(&self, name: &str) -> Result<i64> {
        let value = self.connection.pragma_query_value(None, name, |row| row.get(0));
        value.map_err(|error| problem(&self.path, "reading", &error).into())
    }

    fn count_of_tables(&self) -> Result<i64> {
        let count = self.connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0));
        count.map_err(|error| problem(&self.path, "reading", &error).into())
    }

    fn simple(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|error| problem(&self.path, "writing", &error).into())
    }
}

/// A path as it stands in an address ("Uniform Resource Identifiers" in SQLite's documentation).
fn escaped(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") })
        .collect()
}

/// What every SQLite file begins with ("Database File Format", 1.3.1).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// SQLite takes a very short file for an empty database, and would write over it.
fn not_another_kind(path: &Path) -> Result<()> {
    if !host::is_file(path) {
        return Ok(());
    }
    let mut head = Vec::new();
    let read = host::open(path)?.take(16).read_to_end(&mut head);
    read.map_err(|error| host::file_problem("reading", path, &error))?;
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(Problem::new(codes::LEDGER_CORRUPT, format!("`{}` is not a ledger", path.display()))
        .help("name another file: `--ledger FILE`, or HARDPAN_LEDGER; nothing was changed")
        .into())
}

impl Database for Sqlite {
    fn name(&self) -> String {
        format!("`{}`", self.path.display())
    }

    fn check(&mut self) -> Result<()> {
        let found = self.connection.pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0));
        match found.map_err(|error| problem(&self.path, "reading", &error))? {
            fine if fine == "ok" => Ok(()),
            found => {
                Err(damaged(&self.path.display()).found(found.lines().next().unwrap_or_default()).into())
            }
        }
    }

    fn version(&mut self) -> Result<u32> {
        Ok(u32::try_from(self.pragma("user_version")?).unwrap_or(u32::MAX))
    }

    fn set_version(&mut self, version: u32) -> Result<()> {
        let set = self.connection.pragma_update(None, "user_version", version);
        set.map_err(|error| problem(&self.path, "writing", &error).into())
    }

    fn numbered(&self) -> &'static str {
        "INTEGER PRIMARY KEY AUTOINCREMENT"
    }

    fn begin(&mut self) -> Result<()> {
        self.simple("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<()> {
        self.simple("COMMIT")
    }

    fn rollback(&mut self) {
        // Some failures have ended the transaction already.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let run = || {
            let mut statement = self.connection.prepare(&sql.replace('$', "?"))?;
            statement.execute(params_from_iter(values))
        };
        let changed = run().map_err(|error| problem(&self.path, "writing", &error))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let run = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.connection.prepare(&sql.replace('$', "?"))?;
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| Ok(value(row.get(at)?))).collect();
            statement.query_map(params_from_iter(values), read)?.collect()
        };
        run().map_err(|error| problem(&self.path, "reading", &error).into())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(number),
        Cell::Text(text) => Value::Text(text),
        // No column of ours has such.
        Cell::Real(number) => Value::Text(number.to_string()),
        Cell::Blob(bytes) => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn damaged(name: &impl std::fmt::Display) -> Problem {
    Problem::new(codes::LEDGER_CORRUPT, format!("the ledger `{name}` is damaged"))
        .help("bring back a copy of it; `hardpan explain HP142` says what else can be done")
}

fn problem(path: &Path, doing: &str, error: &rusqlite::Error) -> Problem {
    let name = path.display();
    let say = |code, message: String| Problem::new(code, message).fact("cause", error);
    match error.sqlite_error_code() {
        _ if is_busy(error) => say(
            codes::LEDGER_BUSY,
            format!("another process writes to the ledger `{name}`, and does not end"),
        )
        .help("wait for it, or end it; HARDPAN_TIMEOUT says how many seconds to wait"),
        Some(ErrorCode::NotADatabase) => say(codes::LEDGER_CORRUPT, format!("`{name}` is not a ledger"))
            .help("name another file: `--ledger FILE`, or HARDPAN_LEDGER; nothing was changed"),
        Some(ErrorCode::DatabaseCorrupt) => damaged(&name).fact("cause", error),
        Some(ErrorCode::DiskFull) => say(codes::DISK_FULL, format!("{doing} the ledger `{name}` failed"))
            .help("make room and run the same command again; what was recorded before is there"),
        Some(ErrorCode::SystemIoFailure) => say(codes::LEDGER, format!("{doing} the ledger `{name}` failed"))
            .help("look whether its disk is full, broken or gone; what was recorded before is there"),
        Some(ErrorCode::ReadOnly) => say(codes::LEDGER, format!("{doing} the ledger `{name}` failed"))
            .help("file and folder must be ones that may be written to by this user; one of an older version is brought up by its owner's next report"),
        Some(ErrorCode::CannotOpen) => say(codes::LEDGER, format!("{doing} the ledger `{name}` failed"))
            .help("it is a file, in a folder that may be written to: `--ledger FILE`, or HARDPAN_LEDGER"),
        _ => say(codes::LEDGER, format!("{doing} the ledger `{name}` failed")),
    }
}
