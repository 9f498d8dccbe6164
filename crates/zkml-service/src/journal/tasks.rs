//! Tasks of a fleet, as the journal's owner sees them: in one transaction with requests and transactions.

use zkml_protocol::Word;

use super::{Journal, now_ms, requests::size};
use crate::{
    error::Result,
    prover::Proven,
    queue::{self, NewTask, Queue, Unplaced},
    store::{Dialect, Row, StoreError, values},
};

/// A result that waits to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) task: i64,
    pub(crate) request: Word,
    pub(crate) result: Vec<u8>,
    /// Milliseconds in the queue.
    pub(crate) took_ms: u64,
    /// Number of times that a worker vanished with it.
    pub(crate) lost: u64,
    pub(crate) worker: String,
}

/// Number and age of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Number of tasks in each state.
    pub(crate) states: Vec<(String, u64)>,
    /// Seconds since the oldest that is not done was made.
    pub(crate) oldest_seconds: u64,
    /// Number of workers that were heard of within a minute.
    pub(crate) workers: u64,
    /// Tasks that none of them can take.
    pub(crate) unplaced: Unplaced,
}

impl Backlog {
    /// Number of tasks that are neither done nor dead.
    pub(crate) fn open(&self) -> u64 {
        self.states
            .iter()
            .filter(|(state, _)| state != "done" && state != "dead")
            .map(|(_, count)| count)
            .sum()
    }

    /// So many more wait.
    pub(crate) fn add(&mut self, tasks: u64) {
        match self.states.iter_mut().find(|(state, _)| state == "ready") {
            Some((_, count)) => *count += tasks,
            None => self.states.push(("ready".to_owned(), tasks)),
        }
    }

    /// Number of tasks that workers have.
    pub(crate) fn leased(&self) -> u64 {
        self.states.iter().find(|(state, _)| state == "leased").map_or(0, |(_, count)| *count)
    }
}

/// Tasks of a request, by whatever state.
const OF_REQUEST: &str = "journal = ?1 AND request = ?2";

impl Journal {
    /// The queue that workers see.
    #[must_use]
    pub fn queue(&self) -> Queue {
        Queue::of(self.store.clone())
    }

    /// Puts a request's tasks into the queue and notes that it is begun. What is there already stays as it is.
    pub(crate) fn enqueue(&mut self, tasks: &[NewTask]) -> Result<()> {
        let (journal, now) = (self.schema.clone(), now_ms());
        self.write(|sql| {
            for task in tasks {
                let state = if task.parts > 0 { "waiting" } else { "ready" };
                sql.execute(
                    "INSERT INTO tasks (journal, request, statement, part, program, memory, job, deadline, reward_rank, state, most, sealed_for, made_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, now_ms()) \
                     ON CONFLICT (journal, request, statement, part) DO NOTHING",
                    &values![
                        journal.as_str(),
                        task.request.0,
                        task.statement.0,
                        i64::from(task.part),
                        task.program.as_str(),
                        size(task.memory),
                        &task.job,
                        task.deadline,
                        task.reward_rank,
                        state,
                        i64::from(task.most),
                        task.sealed_for.as_str()
                    ],
                )?;
                let begun = "UPDATE requests SET begun_at = ?2, missing = 0 WHERE id = ?1";
                sql.execute(begun, &values![task.request.0, now])?;
            }
            Ok(())
        })
    }

    /// Takes tasks out of the queue that wait and are sealed for another key than this one: their requests are packed anew.
    pub(crate) fn unseal(&mut self, key: &str) -> Result<usize> {
        let journal = self.schema.clone();
        self.write(|sql| {
            sql.execute(
                "DELETE FROM tasks WHERE journal = ?1 AND state IN ('ready', 'waiting') AND sealed_for <> '' AND sealed_for <> ?2",
                &values![journal, key],
            )
        })
    }

    /// Tasks in the queue, of this journal.
    pub(crate) fn backlog(&self) -> Result<Backlog> {
        self.read(|sql| {
            let rows = sql.query(
                "SELECT state, count(*), max(now_ms() - made_at) FROM tasks WHERE journal = ?1 GROUP BY state ORDER BY state",
                &values![self.schema.as_str()],
            )?;
            let mut backlog = Backlog::default();
            for row in rows {
                let (state, age) = (row.get::<String>(0)?, row.get::<i64>(2)?);
                if state != "done" && state != "dead" {
                    backlog.oldest_seconds = backlog.oldest_seconds.max(age.max(0).unsigned_abs() / 1000);
                }
                backlog.states.push((state, row.get::<i64>(1)?.unsigned_abs()));
            }
            backlog.workers = sql.number("SELECT count(*) FROM workers WHERE seen_at > now_ms() - 60000", &[])?;
            backlog.unplaced = queue::unplaced(sql, Some(&self.schema))?;
            Ok(backlog)
        })
    }

    /// Gives back tasks of vanished workers, and returns results that wait to be looked at, the oldest first.
    pub(crate) fn made(&mut self, limit: usize) -> Result<Vec<Made>> {
        let journal = self.schema.clone();
        self.write(|sql| {
            queue::tidy(sql)?;
            let rows = sql.query(
                "SELECT task, request, result, done_at - made_at AS took, lost, worker FROM tasks \
                 WHERE journal = ?1 AND state = 'done' AND part = 0 ORDER BY done_at LIMIT ?2",
                &values![journal, size(limit)],
            )?;
            rows.iter().map(made).collect()
        })
    }

    /// Keeps a proof that a worker made; its tasks are over, all in one step.
    pub(crate) fn take(&mut self, made: &Made, proven: &Proven) -> Result<()> {
        let journal = self.schema.clone();
        self.write(|sql| {
            super::requests::keep(sql, &made.request, proven)?;
            sql.execute(&format!("DELETE FROM tasks WHERE {OF_REQUEST}"), &values![journal, made.request.0])
                .map(|_| ())
        })
    }

    /// A result that is no proof: the task goes back, or is dead.
    pub(crate) fn reject(&mut self, made: &Made, reason: &str) -> Result<()> {
        self.write(|sql| {
            let query = "UPDATE tasks SET state = CASE WHEN attempts >= most THEN 'dead' ELSE 'ready' END, token = NULL, \
                         result = NULL, reason = ?2 WHERE task = ?1 AND state = 'done'";
            sql.execute(query, &values![made.task, zkml_deploy::secret::redact(reason)]).map(|_| ())
        })
    }

    /// Gives up requests whose tasks are dead, and returns them with the reasons; those that were given up before are not among them. Whoever
    /// tries a task again at the same time comes before or after all of this.
    pub(crate) fn give_up_dead(&mut self) -> Result<Vec<(Word, String)>> {
        let (journal, dialect) = (self.schema.clone(), self.dialect);
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE OF tasks" } else { "" };
        let query = format!(
            "SELECT request, tasks.reason FROM tasks JOIN requests ON requests.id = tasks.request \
             WHERE journal = ?1 AND state = 'dead' AND requests.status = 'open' ORDER BY task{lock}"
        );
        self.write(|sql| {
            let mut all = Vec::new();
            for row in sql.query(&query, &values![journal])? {
                let (id, reason) = (row.get(0).map(Word)?, row.get::<Option<String>>(1)?.unwrap_or_default());
                super::requests::refuse(sql, &id, &reason)?;
                all.push((id, reason));
            }
            Ok(all)
        })
    }

    /// Takes tasks out of the queue whose requests want no proof any more. Dead ones stay while their requests could be taken up again.
    pub(crate) fn cancel_tasks(&mut self) -> Result<usize> {
        let journal = self.schema.clone();
        self.write(|sql| {
            sql.execute(
                "DELETE FROM tasks WHERE journal = ?1 AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.id = tasks.request \
                 AND requests.closed_block IS NULL AND (requests.status = 'open' OR (requests.status = 'refused' \
                 AND tasks.state = 'dead')))",
                &values![journal],
            )
        })
    }
}

fn made(row: &Row) -> Result<Made, StoreError> {
    let count = |number: i64| number.max(0).unsigned_abs();
    Ok(Made {
        task: row.get("task")?,
        request: row.get("request").map(Word)?,
        result: row.get("result")?,
        took_ms: count(row.get("took")?),
        lost: count(row.get("lost")?),
        worker: row.get::<Option<String>>("worker")?.unwrap_or_default(),
    })
}
