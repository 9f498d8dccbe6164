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

use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::Address;

pub(crate) use crate::clock::now_ms;
use crate::{
    access::once,
    error::Result,
    store::{Dialect, Sql, Store, StoreError},
};
pub(crate) use overview::Shown;
pub(crate) use requests::Missing;
pub use requests::{Closing, Counts, Entry};
pub(crate) use results::AtStake;
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

#[cfg(test)]
pub(crate) mod tests;
