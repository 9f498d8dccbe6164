//! One SQLite file, which nobody else can open meanwhile.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, Statement, ToSql, TransactionBehavior,
    functions::FunctionFlags,
    types::{ToSqlOutput, Value as Stored, ValueRef},
};

use super::{Dialect, Row, SAME_REQUESTS, Sql, Store, StoreError, StoreErrorKind, Value, Work};
use crate::clock::now_ms;

/// An open file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// Opens a file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::ZERO)?;
        // The lock is the file's own, so that no other name of the file leads around it; a process that dies drops it.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let flags = FunctionFlags::SQLITE_UTF8;
        connection.create_scalar_function("now_ms", 0, flags, |_| Ok(now_ms()))?;
        Ok(Self { connection, path: path.to_owned() })
    }
}

impl Store for Sqlite {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), StoreError> {
        work(&mut Open(&self.connection))
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&mut Open(&transaction))?;
        Ok(transaction.commit()?)
    }
}

/// A connection, perhaps within a transaction.
struct Open<'a>(&'a Connection);

impl Open<'_> {
    /// Several statements may share parameters: each takes as many as it names.
    fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), StoreError> {
        for (number, value) in (1..=statement.parameter_count()).zip(values) {
            statement.raw_bind_parameter(number, value)?;
        }
        Ok(())
    }
}

impl Sql for Open<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        Self::bind(&mut statement, values)?;
        let (mut rows, mut found) = (statement.raw_query(), Vec::new());
        while let Some(row) = rows.next()? {
            let values =
                (0..columns.len()).map(|place| value(row.get_ref(place)?)).collect::<Result<_, _>>()?;
            found.push(Row { columns: Arc::clone(&columns), values });
        }
        Ok(found)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        Self::bind(&mut statement, values)?;
        Ok(statement.raw_execute()?)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        Ok(self.0.execute_batch(sql)?)
    }
}

fn value(stored: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::damaged("a column is no integer, text or bytes")),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Stored::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::new(StoreErrorKind::InUse, SAME_REQUESTS)
            }
            _ => Self::new(StoreErrorKind::Other, error),
        }
    }
}
