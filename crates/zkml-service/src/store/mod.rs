//! The place of rows: one trait, and SQLite or PostgreSQL behind it. What is asked of them is written once, in the SQL that both have:
//! parameters are `?1`, `?2` and so on, integers have eight bytes, and `now_ms()` is the database's own clock.

mod postgres;
mod sqlite;
mod value;

use std::{error::Error, fmt};

pub use postgres::DatabaseUrl;
pub(crate) use postgres::{Postgres, Session, translated as postgres_text};
pub(crate) use sqlite::Sqlite;
pub(crate) use value::{Row, Value, values};

/// Which database it is, for the few things that they say differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Bytes within a statement.
    pub(crate) fn bytes(self, bytes: &[u8]) -> String {
        let digits = alloy::primitives::hex::encode(bytes);
        match self {
            Self::Sqlite => format!("x'{digits}'"),
            Self::Postgres => format!("decode('{digits}', 'hex')"),
        }
    }
}

/// A database, or a transaction in it.
pub(crate) trait Sql {
    fn dialect(&self) -> Dialect;

    /// Rows of a question, or those that a change returns.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Number of rows that were changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<usize, StoreError>;

    /// Several statements without parameters.
    fn batch(&mut self, sql: &str) -> Result<(), StoreError>;

    /// The first row of a question, if there is one.
    fn first(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// The one number that a question comes to.
    fn number(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let row = self.first(sql, values)?.ok_or_else(|| StoreError::damaged("a number is missing"))?;
        Ok(row.get::<i64>(0)?.unsigned_abs())
    }
}

/// Work on a database; it may not be called twice.
pub(crate) type Work<'a> = &'a mut dyn FnMut(&mut dyn Sql) -> Result<(), StoreError>;

/// A database.
pub(crate) trait Store: Send + fmt::Debug {
    /// Its name, for people.
    fn place(&self) -> String;

    /// Questions.
    fn read(&mut self, work: Work<'_>) -> Result<(), StoreError>;

    /// Changes: all or nothing, and kept when it returns.
    fn write(&mut self, work: Work<'_>) -> Result<(), StoreError>;
}

/// Why a database could not do what it was asked for.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// The kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Somebody else has it.
    InUse,
    /// It cannot be reached, or went away: whether the last change was made is not known. It is worth another attempt.
    Away,
    /// Anything else: a full disk, a row that is not what it should be, a change that it does not allow.
    Other,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Other, what.into())
    }

    /// The kind of trouble.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
