//! Proofs that others make: a queue of tasks, which workers lease for a while. A lease has a token of its own; what comes with another one, or
//! after its time, does not count.

mod migrations;
mod procedures;
mod status;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand_core::{OsRng, RngCore};
use zkml_deploy::secret::redact;
use zkml_protocol::Word;

pub(crate) use self::migrations::{IN_USE, KEYS, TABLES, check};
use self::procedures::{ARRIVE, BEAT, COMPLETE, FAIL, LEASE, PARTS, Procedure, RELEASE, TIDY};
pub(crate) use self::status::unplaced;
pub use self::{
    migrations::{LATEST, Migrated, migrate},
    status::{QueueStatus, TaskStatus, Unplaced, WorkerStatus, drain, retry, status},
};
use crate::{
    access::{failed, once},
    error::Result,
    prover::ProveFailure,
    store::{DatabaseUrl, Postgres, Row, Session, Store, StoreError, Value, values},
};

/// The schema that all journals of a server share.
pub(crate) const SCHEMA: &str = "zkml";

/// A task to be put into the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// The request.
    pub request: Word,
    /// Digest of the context that the proof is bound to.
    pub statement: Word,
    /// 0 is the whole, or what makes one proof of parts 1, 2 and so on.
    pub part: u32,
    /// Number of parts that have to be done before.
    pub parts: u32,
    /// Digest of the artifacts that it takes, in hexadecimal digits.
    pub program: String,
    /// Number of bytes that proving takes.
    pub memory: u64,
    /// The fleet's public key that its input is sealed for; empty if nothing is.
    pub sealed_for: String,
    /// All that a worker is told.
    pub job: Vec<u8>,
    /// Time until which it is of use, in milliseconds since 1970.
    pub deadline: i64,
    /// The more it pays, the higher.
    pub reward_rank: i64,
    /// Number of times that it may be leased.
    pub most: u32,
}

/// A worker, as the queue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCard {
    /// Its name; no other worker has it.
    pub name: String,
    /// Number of bytes that proofs may take.
    pub memory: u64,
    /// Digests of the programs that are loaded.
    pub warm: Vec<String>,
    /// The fleet's public key whose sealed inputs it opens; empty if it has none.
    pub opens: String,
}

/// A task that a worker has for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its number.
    pub task: i64,
    /// The fencing token.
    pub token: i64,
    /// The request.
    pub request: Word,
    /// Digest of the artifacts that it takes.
    pub program: String,
    /// 0 is the whole, or what makes one proof of parts.
    pub part: u32,
    /// All that a worker is told.
    pub job: Vec<u8>,
    /// Number of times that it was leased, this time included.
    pub attempts: u32,
}

/// A queue, as a worker sees it.
#[derive(Debug, Clone)]
pub struct Queue {
    store: Arc<Mutex<Box<dyn Store>>>,
    place: String,
}

impl Queue {
    /// Connects with a server, as a role that needs no more than to call the queue's functions.
    ///
    /// # Errors
    /// [`ServiceError::JournalAway`](crate::ServiceError::JournalAway), [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn connect(url: &DatabaseUrl) -> Result<Self> {
        let session = Session { schemas: vec![SCHEMA.to_owned()], locks: Vec::new() };
        let store = Postgres::open(url, session).map_err(|e| failed(&format!("queue of {url}"), e))?;
        Ok(Self::of(Arc::new(Mutex::new(Box::new(store)))))
    }

    pub(crate) fn of(store: Arc<Mutex<Box<dyn Store>>>) -> Self {
        let place = store.lock().unwrap_or_else(PoisonError::into_inner).place();
        Self { store, place }
    }

    fn run(&self, procedure: &Procedure, values: &[Value]) -> Result<Vec<Row>> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        once(&self.place, |sql| procedure.run(sql, values), |work| store.write(work))
    }

    fn has(&self, procedure: &Procedure, values: &[Value]) -> Result<bool> {
        Ok(!self.run(procedure, values)?.is_empty())
    }

    fn wrong(&self, error: StoreError) -> crate::ServiceError {
        failed(&self.place, error)
    }

    /// Says that a worker is here. Whether it is to take nothing more.
    ///
    /// # Errors
    /// Those of the database.
    pub fn greet(&self, card: &WorkerCard) -> Result<bool> {
        let memory = i64::try_from(card.memory).unwrap_or(i64::MAX);
        let rows = self
            .run(&ARRIVE, &values![card.name.as_str(), memory, card.warm.join(" "), card.opens.as_str()])?;
        let draining = rows.first().map(|row| row.get::<bool>(0)).transpose();
        Ok(draining.map_err(|e| self.wrong(e))?.unwrap_or(false))
    }

    /// The best task that there is for a worker.
    ///
    /// # Errors
    /// Those of the database.
    pub fn lease(&self, worker: &str, time: Duration) -> Result<Option<Lease>> {
        self.run(&TIDY, &[])?;
        // Nobody guesses another worker's.
        let token = (OsRng.next_u64() >> 1).cast_signed();
        let rows = self.run(&LEASE, &values![worker, milliseconds(time), token])?;
        rows.first().map(lease).transpose().map_err(|e| self.wrong(e))
    }

    /// The lease goes on. False if it has ended: somebody else may have the task.
    ///
    /// # Errors
    /// Those of the database.
    pub fn beat(&self, lease: &Lease, time: Duration) -> Result<bool> {
        self.has(&BEAT, &values![lease.task, lease.token, milliseconds(time)])
    }

    /// Results of the parts that a leased task makes one proof of, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn parts(&self, lease: &Lease) -> Result<Vec<Vec<u8>>> {
        let rows = self.run(&PARTS, &values![lease.task, lease.token])?;
        rows.iter().map(|row| row.get("result")).collect::<Result<_, _>>().map_err(|e| self.wrong(e))
    }

    /// Hands in a result. False if the lease has ended: it does not count.
    ///
    /// # Errors
    /// Those of the database. Whether it was taken is not known when the server went away; it may be handed in again.
    pub fn complete(&self, lease: &Lease, result: &[u8]) -> Result<bool> {
        self.has(&COMPLETE, &values![lease.task, lease.token, result])
    }

    /// Says why there is no result. False if the lease has ended.
    ///
    /// # Errors
    /// Those of the database.
    pub fn fail(&self, lease: &Lease, failure: &ProveFailure) -> Result<bool> {
        let (reason, forever) = match failure {
            ProveFailure::Permanent(reason) => (reason, 1),
            ProveFailure::Later(reason) => (reason, 0),
        };
        self.has(&FAIL, &values![lease.task, lease.token, redact(reason), forever])
    }

    /// Gives a task back as it was. False if the lease has ended.
    ///
    /// # Errors
    /// Those of the database.
    pub fn release(&self, lease: &Lease) -> Result<bool> {
        self.has(&RELEASE, &values![lease.task, lease.token])
    }
}

/// Gives back tasks of vanished workers, within a transaction.
pub(crate) fn tidy(sql: &mut dyn crate::store::Sql) -> Result<(), StoreError> {
    TIDY.run(sql, &[]).map(|_| ())
}

fn lease(row: &Row) -> Result<Lease, StoreError> {
    let small = |number: i64| number.try_into().unwrap_or(u32::MAX);
    Ok(Lease {
        task: row.get("task")?,
        token: row.get("token")?,
        request: row.get("request").map(Word)?,
        program: row.get("program")?,
        part: small(row.get("part")?),
        job: row.get("job")?,
        attempts: small(row.get("attempts")?),
    })
}

/// As databases have them.
fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
