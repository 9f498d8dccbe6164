//! Opening a journal: whose it is, and of which version.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use zkml_protocol::keccak256;

use super::{Journal, Owner, now_ms};
use crate::{
    access::{failed, once},
    error::{Result, ServiceError},
    queue::{self, KEYS, SCHEMA, TABLES},
    store::{
        DatabaseUrl, Dialect, Lock, Postgres, SAME_REQUESTS, Session, Sql, Sqlite, Store, StoreError,
        in_dialect, values,
    },
};

/// The schema's version in PostgreSQL: a row of `meta`.
const ON_SERVERS: i64 = 6;
/// The same in SQLite, whose files have the queue as well: `user_version`.
const IN_FILES: i64 = 7;
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
/// Tables that the fifth version lacks, besides those of the queue.
const RESULTS: &str = include_str!("results.sql");
/// SQLite's `application_id` of these files: "zkml".
const APPLICATION: i64 = 0x7a6b_6d6c;
impl Journal {
    /// Opens the journal in a file, or makes it.
    ///
    /// # Errors
    /// [`ServiceError::JournalInUse`] while another service has it, [`ServiceError::OtherJournal`] when it is another
    /// owner's, [`ServiceError::NoJournal`] when it is none, [`ServiceError::Journal`] when it cannot be read or written.
    pub fn open(path: &Path, owner: &Owner) -> Result<Self> {
        let place = path.display().to_string();
        let store = Sqlite::open(path).map_err(|e| failed(&place, e))?;
        Self::of(Box::new(store), Dialect::Sqlite, owner)
    }

    /// Opens the journal on a server, or makes it: a schema for each consumer on each chain.
    ///
    /// # Errors
    /// As [`Self::open`], and [`ServiceError::JournalAway`] when the server cannot be reached.
    pub fn open_on(url: &DatabaseUrl, owner: &Owner) -> Result<Self> {
        let schema = schema(owner);
        let account = format!("account_{}_{:x}", owner.chain_id, owner.sender);
        let alone = |name: &str, holder| Lock { number: lock(name), shared: false, holder };
        // Two that count nonces of one account would replace each other's transactions.
        let locks = vec![
            alone(&schema, SAME_REQUESTS),
            alone(&account, "another service that sends from the same account runs already"),
            Lock {
                number: queue::IN_USE,
                shared: true,
                holder: "its queue is being taken back to an earlier version",
            },
        ];
        let session = Session { schemas: vec![schema.clone(), SCHEMA.to_owned()], locks };
        let mut store = Postgres::open(url, session).map_err(|e| failed(&format!("{url} ({schema})"), e))?;
        let found = once(&store.place(), queue::check, |work| store.read(work))?;
        if found != queue::LATEST {
            return Err(ServiceError::QueueVersion { found, latest: queue::LATEST });
        }
        let made = store.write(&mut |sql| sql.batch(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")));
        made.map_err(|e| failed(&store.place(), e))?;
        Self::of(Box::new(store), Dialect::Postgres, owner)
    }

    fn of(store: Box<dyn Store>, dialect: Dialect, owner: &Owner) -> Result<Self> {
        let place = store.place();
        let mut journal = Self { store: Arc::new(Mutex::new(store)), dialect, place, schema: schema(owner) };
        journal.prepare(owner)?;
        Ok(journal)
    }

    fn prepare(&mut self, owner: &Owner) -> Result<()> {
        let refuse =
            |journal: &Self, why: String| ServiceError::NoJournal { journal: journal.place.clone(), why };
        let latest = latest(self.dialect);
        match self.write(standing)? {
            Standing::Empty => return self.write(|sql| make(sql, owner)),
            Standing::Foreign => {
                return Err(refuse(self, "it is a database of something else: name another file".to_owned()));
            }
            Standing::Version(version) if version == latest => {}
            Standing::Version(version) if (1..latest).contains(&version) => {
                self.write(|sql| migrate(sql, version))?;
            }
            Standing::Version(version) => {
                let why = format!(
                    "its version is {version}, this program reads {latest}: use the program that wrote it until nothing is left, then name another file"
                );
                return Err(refuse(self, why));
            }
        }
        for (what, here) in owner.parts() {
            let row = self.read(|sql| sql.first("SELECT value FROM meta WHERE key = ?1", &values![what]))?;
            let there = row.and_then(|row| row.get::<String>(0).ok()).unwrap_or_else(|| "unknown".to_owned());
            if there != here {
                return Err(ServiceError::OtherJournal { journal: self.place.clone(), what, there, here });
            }
        }
        Ok(())
    }
}

/// State in which a database is found.
enum Standing {
    Empty,
    Foreign,
    Version(i64),
}

fn standing(sql: &mut dyn Sql) -> Result<Standing, StoreError> {
    match sql.dialect() {
        Dialect::Sqlite => {
            let mut number = |query| sql.number(query, &[]).map(u64::cast_signed);
            let (version, application) = (number("PRAGMA user_version")?, number("PRAGMA application_id")?);
            Ok(match (version, application, number("SELECT count(*) FROM sqlite_schema")?) {
                (0, 0, 0) => Standing::Empty,
                (version, APPLICATION, _) => Standing::Version(version),
                _ => Standing::Foreign,
            })
        }
        Dialect::Postgres => {
            let made = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()";
            if sql.number(made, &[])? == 0 {
                return Ok(Standing::Empty);
            }
            if sql.first("SELECT 1 WHERE to_regclass('meta') IS NOT NULL", &[])?.is_none() {
                return Ok(Standing::Foreign);
            }
            let row = sql.first("SELECT value FROM meta WHERE key = 'version'", &[])?;
            let version = row.and_then(|row| row.get::<String>(0).ok()).and_then(|text| text.parse().ok());
            Ok(version.map_or(Standing::Foreign, Standing::Version))
        }
    }
}

/// Makes the tables, and says whose they are.
fn make(sql: &mut dyn Sql, owner: &Owner) -> Result<(), StoreError> {
    sql.batch(&in_dialect(sql.dialect(), include_str!("schema.sql")))?;
    sql.batch(&in_dialect(sql.dialect(), RESULTS))?;
    if sql.dialect() == Dialect::Sqlite {
        sql.batch(TABLES)?;
        sql.batch(KEYS)?;
    }
    for (key, value) in owner.parts() {
        sql.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", &values![key, value])?;
    }
    note_version(sql)
}

fn migrate(sql: &mut dyn Sql, version: i64) -> Result<(), StoreError> {
    if version == 1 {
        sql.batch(FROM_FIRST)?;
        sql.batch(&format!("UPDATE requests SET seen_at = {}", now_ms()))?;
    }
    if version <= 2 {
        sql.batch(FROM_SECOND)?;
    }
    if version <= 3 {
        sql.batch(FROM_THIRD)?;
    }
    if version <= 4 {
        sql.batch(FROM_FOURTH)?;
    }
    // On a server, the queue is everybody's, and made by its own migrations.
    if version <= 5 && sql.dialect() == Dialect::Sqlite {
        sql.batch(TABLES)?;
        sql.batch(RESULTS)?;
    }
    if version <= 6 && sql.dialect() == Dialect::Sqlite {
        sql.batch(KEYS)?;
    }
    note_version(sql)
}

fn latest(dialect: Dialect) -> i64 {
    match dialect {
        Dialect::Sqlite => IN_FILES,
        Dialect::Postgres => ON_SERVERS,
    }
}

fn note_version(sql: &mut dyn Sql) -> Result<(), StoreError> {
    match sql.dialect() {
        Dialect::Sqlite => {
            sql.batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {IN_FILES};"))
        }
        Dialect::Postgres => {
            let query = "INSERT INTO meta (key, value) VALUES ('version', ?1) \
                         ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            sql.execute(query, &values![ON_SERVERS.to_string()]).map(|_| ())
        }
    }
}

/// The schema of an owner's journal. Who pays may change only where the journal is empty, so it is not in its name.
fn schema(owner: &Owner) -> String {
    format!("journal_{}_{:x}", owner.chain_id, owner.consumer)
}

/// The number of the lock that a journal's one owner holds.
fn lock(schema: &str) -> i64 {
    let hash = keccak256([schema.as_bytes()]);
    hash.0.iter().take(8).fold(0, |number: i64, byte| number << 8 | i64::from(*byte))
}
