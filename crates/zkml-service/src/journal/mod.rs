//! What the service knows, in one SQLite file: whatever it means to do is written here first, so that it can be killed at
//! any time and goes on where it was.

mod blocks;
mod overview;
mod requests;
mod results;
mod rewards;
mod slots;
mod subjects;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::primitives::Address;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};

use crate::error::{Result, ServiceError};
pub(crate) use overview::Shown;
pub(crate) use requests::Missing;
pub use requests::{Closing, Counts, Entry};
pub use results::{Duty, DutyKind};
pub(crate) use rewards::UNPAID;
pub use slots::{NonceSlot, Offer};

/// The schema's version, in SQLite's `user_version`.
const VERSION: i64 = 6;
/// Columns that the first version lacks.
const FROM_FIRST: &str = "ALTER TABLE requests ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN begun_at INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX requests_by_begin ON requests (begun_at);";
/// Columns that the second version lacks.
const FROM_SECOND: &str = "ALTER TABLE slots ADD COLUMN cost TEXT;
    ALTER TABLE slots ADD COLUMN mined_at INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX slots_by_time ON slots (mined_at);";
/// Columns that the third version lacks.
const FROM_THIRD: &str = "ALTER TABLE requests ADD COLUMN reward BLOB CHECK (length(reward) = 160);";
/// Columns that the fourth version lacks.
const FROM_FOURTH: &str = "ALTER TABLE slots ADD COLUMN publication TEXT NOT NULL DEFAULT '0';";
/// Tables that the fifth version lacks, and new journals get behind the others.
const FROM_FIFTH: &str = include_str!("results.sql");
/// SQLite's `application_id` of these files: "zkml".
const APPLICATION: i64 = 0x7a6b_6d6c;

/// Whom a journal belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The chain.
    pub chain_id: u64,
    /// The contract whose requests are served.
    pub consumer: Address,
    /// The account that pays.
    pub sender: Address,
}

impl Owner {
    fn parts(&self) -> [(&'static str, String); 3] {
        let Self { chain_id, consumer, sender } = self;
        [("chain", chain_id.to_string()), ("consumer", consumer.to_string()), ("sender", sender.to_string())]
    }
}

/// An open journal; nobody else can open it meanwhile.
#[derive(Debug)]
pub struct Journal {
    /// One task uses it; the lock lets that task move between threads.
    connection: Mutex<Connection>,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal, or makes it.
    ///
    /// # Errors
    /// [`ServiceError::JournalInUse`] while another service has it, [`ServiceError::OtherJournal`] when it is another
    /// owner's, [`ServiceError::NoJournal`] when it is none, [`ServiceError::Journal`] when it cannot be read or written.
    pub fn open(path: &Path, owner: &Owner) -> Result<Self> {
        let fail = |e: rusqlite::Error| failed(path, e);
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(Duration::ZERO).map_err(fail)?;
        // The lock is the file's own, so that no other name of the file leads around it; a process that dies drops it.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(fail)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
        let mut journal = Self { connection: Mutex::new(connection), path: path.to_owned() };
        journal.prepare(owner)?;
        Ok(journal)
    }

    fn prepare(&mut self, owner: &Owner) -> Result<()> {
        let path = self.path.clone();
        let refuse = |why: String| ServiceError::NoJournal { path: path.clone(), why };
        let (version, application, tables) = self.write(|sql| {
            let number = |query| sql.query_row(query, [], |row| row.get::<_, i64>(0));
            Ok((
                number("PRAGMA user_version")?,
                number("PRAGMA application_id")?,
                number("SELECT count(*) FROM sqlite_schema")?,
            ))
        })?;
        if (version, application, tables) == (0, 0, 0) {
            return self.write(|sql| {
                sql.execute_batch(include_str!("schema.sql"))?;
                sql.execute_batch(FROM_FIFTH)?;
                for (key, value) in owner.parts() {
                    sql.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", [key, value.as_str()])?;
                }
                sql.pragma_update(None, "application_id", APPLICATION)?;
                sql.pragma_update(None, "user_version", VERSION)
            });
        }
        if application != APPLICATION {
            return Err(refuse("it is a database of something else: name another file".to_owned()));
        }
        if (1..VERSION).contains(&version) {
            self.write(|sql| {
                if version == 1 {
                    sql.execute_batch(FROM_FIRST)?;
                    sql.execute("UPDATE requests SET seen_at = ?1", [now_ms()])?;
                }
                if version <= 2 {
                    sql.execute_batch(FROM_SECOND)?;
                }
                if version <= 3 {
                    sql.execute_batch(FROM_THIRD)?;
                }
                if version <= 4 {
                    sql.execute_batch(FROM_FOURTH)?;
                }
                sql.execute_batch(FROM_FIFTH)?;
                sql.pragma_update(None, "user_version", VERSION)
            })?;
        } else if version != VERSION {
            return Err(refuse(format!(
                "its version is {version}, this program reads {VERSION}: use the program that wrote it until nothing is left, then name another file"
            )));
        }
        for (what, here) in owner.parts() {
            let there: Option<String> = self.read(|sql| {
                sql.query_row("SELECT value FROM meta WHERE key = ?1", [what], |row| row.get(0)).optional()
            })?;
            let there = there.unwrap_or_else(|| "unknown".to_owned());
            if there != here {
                return Err(ServiceError::OtherJournal { path: self.path.clone(), what, there, here });
            }
        }
        Ok(())
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|e| failed(&self.path, e))
    }

    /// All or nothing, and on the disk when it returns.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let path = self.path.clone();
        let connection = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        };
        run().map_err(|e: rusqlite::Error| failed(&path, e))
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> ServiceError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ServiceError::JournalInUse { path },
        _ => ServiceError::Journal { path, source },
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
