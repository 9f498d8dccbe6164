//! A PostgreSQL server. Its connection lives on a thread of its own, so that whoever waits for an answer may be anywhere; one that breaks is
//! made anew at the next question.

mod url;

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::{
    Client, Config, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

pub use self::url::{BadDatabaseUrl, DatabaseUrl};
use super::{Dialect, Row, Sql, Store, StoreError, StoreErrorKind, Value, Work};

/// Longest wait for an answer: a server that is stopped answers nothing, and says nothing either.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time in which the server finds out that a connection is gone, by [`SESSION`], and somewhat more.
const LINGERING: Duration = Duration::from_secs(40);
/// Time that a connection's end takes which was in good order, or whose process was killed.
const ENDING: Duration = Duration::from_secs(2);
/// Statements that a connection remembers.
const REMEMBERED: usize = 256;
/// Makes the server notice within seconds that nobody is there any more: what a lost owner holds is free for the next one.
const SESSION: &str = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
                       SET tcp_user_timeout = 20000; SET statement_timeout = 25000; SET idle_in_transaction_session_timeout = 25000;";

/// The use of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// Schemas in which names are looked up, in this order.
    pub(crate) schemas: Vec<String>,
    /// Numbers that this connection has while it lasts.
    pub(crate) locks: Vec<Lock>,
}

/// A number that one connection has at a time, or that many share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lock {
    pub(crate) number: i64,
    pub(crate) shared: bool,
    /// The one that has it, for whom it is refused.
    pub(crate) holder: &'static str,
}

/// A server, and what is asked of it.
pub(crate) struct Postgres {
    url: DatabaseUrl,
    session: Session,
    link: Option<Link>,
    /// Time at which the last connection was lost.
    lost: Option<Instant>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("url", &self.url)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects.
    pub(crate) fn open(url: &DatabaseUrl, session: Session) -> Result<Self, StoreError> {
        let mut store = Self { url: url.clone(), session, link: None, lost: None };
        store.link()?;
        Ok(store)
    }

    /// The connection; a new one if that before is gone.
    fn link(&mut self) -> Result<&mut Link, StoreError> {
        if self.link.as_ref().is_some_and(|link| link.client.is_closed()) {
            self.link = None;
            self.lost = Some(Instant::now());
        }
        if self.link.is_none() {
            let mut link = Link::connect(&self.url)?;
            self.prepare(&mut link)?;
            self.link = Some(link);
            self.lost = None;
        }
        self.link.as_mut().ok_or_else(|| StoreError::new(StoreErrorKind::Away, "there is no connection"))
    }

    fn prepare(&self, link: &mut Link) -> Result<(), StoreError> {
        let schemas: Vec<_> = self.session.schemas.iter().map(|schema| format!("\"{schema}\"")).collect();
        link.batch(&format!("{SESSION} SET search_path = {};", schemas.join(", ")))?;
        self.session.locks.iter().try_for_each(|lock| self.take(link, lock))
    }

    fn take(&self, link: &mut Link, lock: &Lock) -> Result<(), StoreError> {
        let end = Instant::now() + ENDING;
        let question = if lock.shared {
            "SELECT pg_try_advisory_lock_shared(?1)"
        } else {
            "SELECT pg_try_advisory_lock(?1)"
        };
        loop {
            let taken = link.first(question, &[lock.number.into()])?;
            if taken.map(|row| row.get(0)).transpose()?.unwrap_or(false) {
                return Ok(());
            }
            if Instant::now() >= end {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        // It may be our own last connection, of whose end the server does not know yet.
        let ours = self.lost.is_some_and(|lost| lost.elapsed() < LINGERING);
        let kind = if ours { StoreErrorKind::Away } else { StoreErrorKind::InUse };
        Err(StoreError::new(kind, lock.holder))
    }

    /// After an error, a transaction may be open.
    fn settle(&mut self, done: Result<(), StoreError>) -> Result<(), StoreError> {
        let Err(error) = &done else { return done };
        let usable = match &mut self.link {
            Some(link) if error.kind() != StoreErrorKind::Away => link.batch("ROLLBACK").is_ok(),
            _ => false,
        };
        if !usable && self.link.take().is_some() {
            self.lost = Some(Instant::now());
        }
        done
    }
}

impl Store for Postgres {
    fn place(&self) -> String {
        let schema = self.session.schemas.first().map_or("", String::as_str);
        format!("{} ({schema})", self.url)
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), StoreError> {
        let done = self.link().and_then(|link| work(link));
        self.settle(done)
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), StoreError> {
        let done = self.link().and_then(|link| {
            link.batch("BEGIN")?;
            work(link)?;
            link.batch("COMMIT")
        });
        self.settle(done)
    }
}

/// A connection.
struct Link {
    client: Arc<Client>,
    handle: Handle,
    statements: HashMap<String, Statement>,
    /// The thread of the connection ends with it.
    _end: tokio::sync::oneshot::Sender<()>,
}

impl Link {
    fn connect(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let (config, tls) = url.parts()?;
        let (made, wait) = mpsc::channel();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(e) => return drop(made.send(Err(StoreError::new(StoreErrorKind::Away, e)))),
            };
            let handle = runtime.handle().clone();
            runtime.block_on(async move {
                match connected(&config, tls).await {
                    Err(error) => drop(made.send(Err(error))),
                    Ok((client, connection)) => {
                        let _ = made.send(Ok((client, handle)));
                        tokio::select! {
                            () = connection => {}
                            _ = ended => {}
                        }
                    }
                }
            });
        };
        let away = |e: std::io::Error| StoreError::new(StoreErrorKind::Away, e);
        thread::Builder::new().name("postgres".to_owned()).spawn(serve).map_err(away)?;
        let gone = |_| StoreError::new(StoreErrorKind::Away, "its thread ended");
        let (client, handle) = wait.recv().map_err(gone)??;
        Ok(Self { client: Arc::new(client), handle, statements: HashMap::new(), _end: end })
    }

    /// Waits for an answer, wherever it is called from: the connection's own thread does the work.
    fn wait<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answered, answer) = mpsc::channel();
        self.handle.spawn(async move {
            let _ = answered.send(timeout(PATIENCE, question).await);
        });
        match answer.recv() {
            Ok(Ok(answer)) => answer.map_err(StoreError::from),
            Ok(Err(_)) => {
                let why = format!("it has not answered for {} seconds", PATIENCE.as_secs());
                Err(StoreError::new(StoreErrorKind::Away, why))
            }
            Err(_) => Err(StoreError::new(StoreErrorKind::Away, "the connection is closed")),
        }
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let (client, text) = (Arc::clone(&self.client), translated(sql));
        let statement = self.wait(async move { client.prepare(&text).await })?;
        if self.statements.len() >= REMEMBERED {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The statement, and as many values as it takes.
    fn bound(&mut self, sql: &str, values: &[Value]) -> Result<(Statement, Vec<Value>), StoreError> {
        let statement = self.statement(sql)?;
        let values = values.iter().take(statement.params().len()).cloned().collect();
        Ok((statement, values))
    }
}

impl Sql for Link {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let (statement, values) = self.bound(sql, values)?;
        let columns: Arc<[String]> =
            statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let client = Arc::clone(&self.client);
        let rows = self.wait(async move { client.query(&statement, &parameters(&values)).await })?;
        rows.iter().map(|row| Ok(Row { columns: Arc::clone(&columns), values: read(row)? })).collect()
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let (statement, values) = self.bound(sql, values)?;
        let client = Arc::clone(&self.client);
        let changed = self.wait(async move { client.execute(&statement, &parameters(&values)).await })?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        self.wait(async move { client.batch_execute(&sql).await })
    }
}

type Connection = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn connected(
    config: &Config,
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
) -> Result<(Client, Connection), StoreError> {
    let late = |_| StoreError::new(StoreErrorKind::Away, "it does not answer");
    let Some(tls) = tls else {
        let (client, connection) =
            timeout(PATIENCE, config.connect(tokio_postgres::NoTls)).await.map_err(late)??;
        return Ok((client, Box::pin(async move { drop(connection.await) })));
    };
    let (client, connection) = timeout(PATIENCE, config.connect(tls)).await.map_err(late)??;
    Ok((client, Box::pin(async move { drop(connection.await) })))
}

/// Parameters as PostgreSQL writes them. No statement of ours has a question mark in a text.
pub(crate) fn translated(sql: &str) -> String {
    sql.replace('?', "$")
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Vec<Value>, StoreError> {
    let value = |(place, column): (usize, &tokio_postgres::Column)| {
        let kind = column.type_().clone();
        Ok(match kind {
            Type::INT8 => row.try_get::<_, Option<i64>>(place)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(place)?.map(i64::from).into(),
            Type::BOOL => row.try_get::<_, Option<bool>>(place)?.into(),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(place)?.into(),
            Type::TEXT | Type::VARCHAR | Type::NAME => row.try_get::<_, Option<String>>(place)?.into(),
            Type::VOID => Value::Null,
            other => return Err(StoreError::damaged(format!("column {} is a {other}", column.name()))),
        })
    };
    row.columns().iter().enumerate().map(value).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Integer(number), &Type::BOOL) => (*number != 0).to_sql(kind, out),
            (Self::Integer(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => text.to_sql(kind, out),
            _ => Err(format!("a parameter is a {kind}, not {self:?}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        // Classes 08, 53, 57: no connection, no room, an administrator has stopped it; 40: another transaction was in the way.
        let passing = |code: &str| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
        let kind = match error.code() {
            Some(code) if passing(code.code()) => StoreErrorKind::Away,
            None if error.is_closed() || lost(&error) => StoreErrorKind::Away,
            _ => StoreErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Returns true if the connection broke, or could not be made.
fn lost(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}
