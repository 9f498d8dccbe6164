//! Versions of the queue's schema on a server, forward and back.

use super::{SCHEMA, procedures};
use crate::{
    access::{failed, once},
    error::{Result, ServiceError},
    store::{DatabaseUrl, Dialect, Lock, Postgres, Session, Sql, Store, StoreError, in_dialect, values},
};

/// The version that this program works with.
pub const LATEST: u32 = 3;
/// Tables, as SQLite writes them.
pub(crate) const TABLES: &str = include_str!("schema.sql");
/// Columns and a table that the second version lacks, as SQLite writes them.
pub(crate) const KEYS: &str = include_str!("keys.sql");
/// The number of the lock that migrations are made under.
const LOCK: i64 = 0x7a6b_6d6c_0001;
/// The number of the lock that all services share: while one works, nothing goes back.
pub(crate) const IN_USE: i64 = 0x7a6b_6d6c_0002;
/// Functions of versions before this one's.
const EARLIER: &str = include_str!("functions_2.sql");
const READER: &str = "CREATE VIEW queue AS
    SELECT state, count(*) AS tasks, (max(now_ms() - made_at) / 1000)::bigint AS oldest_seconds FROM tasks GROUP BY state;";
/// The same of the reader's role.
const READS: &str = "DO $rights$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'zkml_reader') AND to_regclass('queue') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA zkml TO zkml_reader;
        GRANT SELECT ON queue TO zkml_reader;
        GRANT EXECUTE ON FUNCTION now_ms TO zkml_reader;
    END IF;
END $rights$;";
const CLOCK: &str = "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    $body$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $body$;";

/// Result of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Migrated {
    /// The version that was found; 0 if there was none.
    pub from: u32,
    /// The version that is there now.
    pub to: u32,
}

/// One step between versions.
struct Step {
    up: fn() -> String,
    down: &'static str,
}

/// The steps, the first from nothing to version 1.
const STEPS: [Step; LATEST as usize] = [
    Step {
        up: first,
        down: "DROP TABLE tasks CASCADE; DROP TABLE workers; DROP FUNCTION IF EXISTS greet; DROP FUNCTION now_ms;",
    },
    Step { up: || READER.to_owned(), down: "DROP VIEW queue;" },
    Step {
        up: || in_dialect(Dialect::Postgres, KEYS),
        down: "DROP FUNCTION arrive; DROP TABLE orders; ALTER TABLE workers DROP COLUMN opens; ALTER TABLE tasks DROP COLUMN sealed_for;",
    },
];

fn first() -> String {
    format!("{}\n{CLOCK}", in_dialect(Dialect::Postgres, TABLES))
}

/// Brings the queue's schema on a server to a version; the role has to own it.
///
/// # Errors
/// [`ServiceError::QueueVersion`] for a version that is not known, [`ServiceError::QueueNotEmpty`] when going back would lose tasks,
/// [`ServiceError::JournalInUse`] when it would take the queue away from a service that works with it; those of the database. After each of them
/// everything is as it was.
pub fn migrate(url: &DatabaseUrl, to: u32) -> Result<Migrated> {
    if to > LATEST {
        return Err(ServiceError::QueueVersion { found: to, latest: LATEST });
    }
    let place = format!("queue of {url}");
    let alone = Lock { number: LOCK, shared: false, holder: "another migration is being made" };
    let session = Session { schemas: vec![SCHEMA.to_owned()], locks: vec![alone] };
    let mut store = Postgres::open(url, session).map_err(|e| failed(&place, e))?;
    let found = once(&place, |sql| steps(sql, to), |work| store.write(work))?;
    match found {
        Ok(from) => Ok(Migrated { from, to }),
        Err(Refused::Unknown(found)) => Err(ServiceError::QueueVersion { found, latest: LATEST }),
        Err(Refused::Served) => Err(ServiceError::JournalInUse {
            journal: place,
            holder: "a service works with it, which has to be stopped before its queue goes back".to_owned(),
        }),
        Err(Refused::Tasks(tasks)) => Err(ServiceError::QueueNotEmpty { tasks }),
    }
}

enum Refused {
    Unknown(u32),
    Served,
    Tasks(u64),
}

fn steps(sql: &mut dyn Sql, to: u32) -> Result<Result<u32, Refused>, StoreError> {
    sql.batch("CREATE SCHEMA IF NOT EXISTS zkml; CREATE TABLE IF NOT EXISTS zkml.migrations (version BIGINT NOT NULL);")?;
    let from = version(sql)?;
    if from > LATEST {
        return Ok(Err(Refused::Unknown(from)));
    }
    if to < from {
        let free = sql.first("SELECT pg_try_advisory_xact_lock(?1)", &values![IN_USE])?;
        if !free.map(|row| row.get(0)).transpose()?.unwrap_or(false) {
            return Ok(Err(Refused::Served));
        }
    }
    if to == 0 && from > 0 {
        let tasks = sql.number("SELECT count(*) FROM tasks", &[])?;
        if tasks > 0 {
            return Ok(Err(Refused::Tasks(tasks)));
        }
    }
    let between =
        |low: u32, high: u32| STEPS.iter().skip(low as usize).take(high.saturating_sub(low) as usize);
    for step in between(from, to) {
        sql.batch(&(step.up)())?;
    }
    for step in between(to, from).rev() {
        sql.batch(step.down)?;
    }
    if to > 0 {
        // Their bodies are this program's, also where tables did not change.
        let functions: String = procedures::ALL.iter().map(|procedure| procedure.function()).collect();
        let (functions, greeting) =
            if to == LATEST { (functions.as_str(), "arrive") } else { (EARLIER, "greet") };
        sql.batch(functions)?;
        sql.batch(&rights(greeting))?;
        sql.batch(READS)?;
    }
    sql.execute("DELETE FROM migrations", &[])?;
    sql.execute("INSERT INTO migrations (version) VALUES (?1)", &values![i64::from(to)])?;
    Ok(Ok(from))
}

/// A worker's role may call these functions. Roles may be missing where one account does everything.
fn rights(greeting: &str) -> String {
    format!(
        "DO $rights$ BEGIN
            IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'zkml_worker') THEN
                GRANT USAGE ON SCHEMA zkml TO zkml_worker;
                GRANT EXECUTE ON FUNCTION {greeting}, tidy, lease, beat, parts, complete, fail, release TO zkml_worker;
            END IF;
        END $rights$;"
    )
}

fn version(sql: &mut dyn Sql) -> Result<u32, StoreError> {
    let row = sql.first("SELECT max(version) FROM migrations", &[])?;
    let number = row.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten().unwrap_or(0);
    Ok(number.try_into().unwrap_or(u32::MAX))
}

/// The version of a server's queue; 0 if it has none.
pub(crate) fn check(sql: &mut dyn Sql) -> Result<u32, StoreError> {
    let made = sql.first("SELECT 1 WHERE to_regclass('zkml.migrations') IS NOT NULL", &[])?;
    if made.is_none() { Ok(0) } else { version(sql) }
}
