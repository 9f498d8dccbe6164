//! What the service knows, in one database: whatever it means to do is written here first, so that it can be killed at
//! any time and goes on where it was.

mod blocks;
mod open;
mod overview;
mod requests;
mod results;
mod rewards;
mod slots;
mod subjects;
mod tasks;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use alloy::primitives::Address;

use crate::{
    error::{Result, ServiceError},
    store::{Dialect, Sql, Store, StoreError, StoreErrorKind},
};
pub(crate) use open::{in_dialect, is_schema};
pub(crate) use overview::Shown;
pub(crate) use requests::Missing;
pub use requests::{Closing, Counts, Entry};
pub use results::{Duty, DutyKind};
pub(crate) use rewards::UNPAID;
pub use slots::{NonceSlot, Offer};
pub(crate) use tasks::{Backlog, Made};

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
    store: Arc<Mutex<Box<dyn Store>>>,
    dialect: Dialect,
    place: String,
    /// Its name among the journals of a server.
    schema: String,
}

impl Journal {
    /// Its place, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn read<T>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>) -> Result<T> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = &mut *store;
        once(&self.place, work, |work| store.read(work))
    }

    /// All or nothing, and kept when it returns.
    fn write<T>(&mut self, work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>) -> Result<T> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = &mut *store;
        once(&self.place, work, |work| store.write(work))
    }
}

/// Hands a database work whose answer is wanted.
pub(crate) fn once<T>(
    place: &str,
    work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    run: impl FnOnce(crate::store::Work<'_>) -> Result<(), StoreError>,
) -> Result<T> {
    let (mut work, mut answer) = (Some(work), None);
    let done = run(&mut |sql| {
        answer = work.take().map(|work| work(sql)).transpose()?;
        Ok(())
    });
    let answer = done.and_then(|()| answer.ok_or_else(|| StoreError::damaged("nothing was asked")));
    answer.map_err(|e| failed(place, e))
}

/// A database's trouble, as the service tells it.
pub(crate) fn failed(place: &str, source: StoreError) -> ServiceError {
    let journal = place.to_owned();
    match source.kind() {
        StoreErrorKind::InUse => ServiceError::JournalInUse { journal },
        StoreErrorKind::Away => ServiceError::JournalAway { journal, source },
        StoreErrorKind::Other => ServiceError::Journal { journal, source },
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
