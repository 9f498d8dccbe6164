//! Questions of people about a queue, and orders.

use std::fmt;

use serde::Serialize;
use zkml_protocol::Word;

use super::{SCHEMA, migrations};
use crate::{
    access::{failed, once},
    error::{Result, ServiceError},
    store::{DatabaseUrl, Postgres, Row, Session, Sql, Store, StoreError, values},
};

/// Tasks of each state that are listed.
const LISTED: i64 = 20;

/// A queue, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueStatus {
    /// The schema's version.
    pub version: u32,
    /// Number of tasks in each state, and seconds since the oldest of them was made.
    pub states: Vec<StateStatus>,
    /// Workers, by name.
    pub workers: Vec<WorkerStatus>,
    /// Workers that come later are to take nothing, too.
    pub draining: bool,
    /// Tasks that no worker can take.
    pub unplaced: Unplaced,
    /// Tasks that are dead, the newest first, and then those that are leased; not all of many.
    pub tasks: Vec<TaskStatus>,
}

/// Tasks of one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateStatus {
    /// Its name: `waiting`, `ready`, `leased`, `done` or `dead`.
    pub state: String,
    /// Number of tasks.
    pub tasks: u64,
    /// Number of seconds since the oldest was made.
    pub oldest_seconds: u64,
}

/// Tasks that none of the workers can take that were heard of within a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unplaced {
    /// Number of tasks for which no worker has both the memory and the key.
    pub tasks: u64,
    /// Number of tasks that take more memory than any worker has.
    pub too_large: u64,
    /// Number of bytes that the largest of these takes.
    pub memory: u64,
    /// Number of tasks whose inputs are sealed for a key that no worker has.
    pub sealed: u64,
}

impl fmt::Display for Unplaced {
    /// The way out; nothing if every task has a worker.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, too_large, memory, sealed } = self;
        if *tasks > 0 && too_large + sealed == 0 {
            return write!(
                f,
                "{tasks} tasks are for workers that have the memory and the key, and those are different ones"
            );
        }
        if *too_large > 0 {
            write!(
                f,
                "{too_large} tasks take more memory than any worker has, up to {memory} bytes: start a worker with that much `--memory`"
            )?;
        }
        let between = if *too_large > 0 && *sealed > 0 { "; " } else { "" };
        if *sealed > 0 {
            write!(
                f,
                "{between}{sealed} tasks are sealed for a key that no worker has: start workers with its `--identity`, or `watch` with a new key, which seals anew"
            )?;
        }
        Ok(())
    }
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Number of bytes that proofs may take there.
    pub memory: u64,
    /// Number of programs that are loaded.
    pub warm: usize,
    /// Number of seconds since it was heard of.
    pub seen_seconds: u64,
    /// It takes nothing more.
    pub draining: bool,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskStatus {
    /// Its number.
    pub task: i64,
    /// Its request.
    pub request: String,
    /// 0 is the whole, or what makes one proof of parts.
    pub part: i64,
    /// Its state.
    pub state: String,
    /// Number of bytes that proving takes.
    pub memory: u64,
    /// Number of times that it was leased.
    pub attempts: u64,
    /// The worker that has it, or had it last.
    pub worker: Option<String>,
    /// Why it is dead, or why its last attempt failed.
    pub reason: Option<String>,
}

/// Looks at the queue of a server.
///
/// # Errors
/// [`ServiceError::QueueVersion`] before it is made, or when it is of another version; those of the database.
pub fn status(url: &DatabaseUrl) -> Result<QueueStatus> {
    on(url, |sql| {
        let count = |number: i64| number.max(0).unsigned_abs();
        let version = migrations::check(sql)?;
        let states = sql.query(
            "SELECT state, count(*), (max(now_ms() - made_at)) / 1000 FROM tasks GROUP BY state ORDER BY state",
            &[],
        )?;
        let state = |row: &Row| {
            Ok(StateStatus {
                state: row.get(0)?,
                tasks: count(row.get(1)?),
                oldest_seconds: count(row.get(2)?),
            })
        };
        let workers = sql.query(
            "SELECT name, memory, warm, (now_ms() - seen_at) / 1000, draining FROM workers ORDER BY name",
            &[],
        )?;
        let worker = |row: &Row| {
            Ok(WorkerStatus {
                name: row.get(0)?,
                memory: count(row.get(1)?),
                warm: row.get::<String>(2)?.split_whitespace().count(),
                seen_seconds: count(row.get(3)?),
                draining: row.get(4)?,
            })
        };
        let tasks = sql.query(
            "SELECT task, request, part, state, attempts, worker, reason, memory FROM tasks WHERE state IN ('dead', 'leased') \
             ORDER BY state, task DESC LIMIT ?1",
            &values![LISTED],
        )?;
        let task = |row: &Row| {
            Ok(TaskStatus {
                task: row.get(0)?,
                request: row.get(1).map(Word)?.to_string(),
                part: row.get(2)?,
                state: row.get(3)?,
                memory: count(row.get(7)?),
                attempts: count(row.get(4)?),
                worker: row.get(5)?,
                reason: row.get(6)?,
            })
        };
        let draining = sql.number("SELECT max(draining) FROM orders", &[])? > 0;
        Ok(QueueStatus {
            version,
            draining,
            unplaced: unplaced(sql, None)?,
            states: states.iter().map(state).collect::<Result<_, StoreError>>()?,
            workers: workers.iter().map(worker).collect::<Result<_, StoreError>>()?,
            tasks: tasks.iter().map(task).collect::<Result<_, StoreError>>()?,
        })
    })
}

/// Opens requests again whose tasks are dead: those of these numbers, or all; their service packs them anew. Returns the numbers.
///
/// # Errors
/// As [`status`].
pub fn retry(url: &DatabaseUrl, tasks: Option<&[i64]>) -> Result<Vec<i64>> {
    on(url, |sql| {
        let mut done = Vec::new();
        for row in
            sql.query("SELECT task, journal, request FROM tasks WHERE state = 'dead' ORDER BY task", &[])?
        {
            let (task, journal) = (row.get::<i64>(0)?, row.get::<String>(1)?);
            if tasks.is_some_and(|tasks| !tasks.contains(&task)) {
                continue;
            }
            // Names of schemas are ours, whatever somebody wrote into the table; and a journal may be gone.
            let table = format!("\"{journal}\".requests");
            if !is_schema(&journal)
                || sql
                    .first("SELECT 1 WHERE to_regclass(?1) IS NOT NULL", &values![table.as_str()])?
                    .is_none()
            {
                continue;
            }
            let request = row.get::<[u8; 32]>(2)?;
            // All of it is packed anew: what was sealed, or for whom, may have been the reason. First, so that its service does not refuse it meanwhile.
            sql.execute("DELETE FROM tasks WHERE journal = ?1 AND request = ?2", &values![journal, request])?;
            let open = format!(
                "UPDATE {table} SET status = 'open', reason = NULL, failures = 0, next_try = 0 WHERE id = ?1 AND status = 'refused'"
            );
            sql.execute(&open, &values![request])?;
            done.push(task);
        }
        Ok(done)
    })
}

/// Tells a worker to take nothing more, or all of them, those too that come later; or that they may again. Returns their names.
///
/// # Errors
/// As [`status`].
pub fn drain(url: &DatabaseUrl, worker: Option<&str>, draining: bool) -> Result<Vec<String>> {
    on(url, |sql| {
        let change = "UPDATE workers SET draining = ?1";
        let rows = match worker {
            Some(name) => {
                sql.query(&format!("{change} WHERE name = ?2 RETURNING name"), &values![draining, name])?
            }
            None => {
                sql.execute("UPDATE orders SET draining = ?1", &values![draining])?;
                sql.query(&format!("{change} RETURNING name"), &values![draining])?
            }
        };
        rows.iter().map(|row| row.get(0)).collect()
    })
}

fn on<T>(url: &DatabaseUrl, work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>) -> Result<T> {
    let place = format!("queue of {url}");
    let session = Session { schemas: vec![SCHEMA.to_owned()], locks: Vec::new() };
    let mut store = Postgres::open(url, session).map_err(|e| failed(&place, e))?;
    let found = once(&place, migrations::check, |work| store.read(work))?;
    if found != super::LATEST {
        return Err(ServiceError::QueueVersion { found, latest: super::LATEST });
    }
    once(&place, work, |work| store.write(work))
}

/// Tasks that no worker can take, of a journal or of all; none while there are no workers at all, which is another trouble.
pub(crate) fn unplaced(sql: &mut dyn Sql, journal: Option<&str>) -> Result<Unplaced, StoreError> {
    const HERE: &str = "SELECT 1 FROM workers WHERE seen_at > now_ms() - 60000";
    let mut of = |lacks: &str| {
        let query = format!(
            "SELECT count(*), COALESCE(max(memory), 0) FROM tasks WHERE state = 'ready' AND (?1 = '' OR journal = ?1) \
             AND EXISTS ({HERE}) AND NOT EXISTS ({HERE} AND {lacks})"
        );
        let row = sql.first(&query, &values![journal.unwrap_or_default()])?;
        let number = |place| row.as_ref().map_or(Ok(0), |row| row.get::<i64>(place));
        Ok::<_, StoreError>((number(0)?.unsigned_abs(), number(1)?.unsigned_abs()))
    };
    let (too_large, memory) = of("workers.memory >= tasks.memory")?;
    let opens = "(tasks.sealed_for = '' OR workers.opens = tasks.sealed_for)";
    let (sealed, _) = of(opens)?;
    let (tasks, _) = of(&format!("workers.memory >= tasks.memory AND {opens}"))?;
    Ok(Unplaced { tasks, too_large, memory, sealed })
}

/// Returns true for the name of a journal's schema.
fn is_schema(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with("journal_") && name.bytes().all(plain)
}
