//! Threads: workers of the page that share the module's memory, each of which becomes one thread of rayon's pool.
//!
//! Memory does not grow threads by itself. The page starts workers, has each load the module over the same memory and call [`join`],
//! and then has the prover's own worker call [`gather`].

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    Outcome,
    fault::{Code, Fault},
};

/// Threads that wait for a worker.
static SEATS: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
/// Told of each seat.
static FREE: Condvar = Condvar::new();

/// Makes the pool: the worker that calls is one thread, and as many others as called [`join`] are the rest.
///
/// # Errors
/// `defect` when there is a pool already.
#[wasm_bindgen]
pub fn gather(threads: usize) -> Outcome<()> {
    let seat = |thread| {
        SEATS.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        FREE.notify_one();
        Ok(())
    };
    let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().spawn_handler(seat);
    pool.build_global().map_err(|e| Fault::new(Code::Defect, &e))
}

/// Gives this worker to the pool, for good: it does not return before the pool ends, which it never does.
#[wasm_bindgen]
pub fn join() {
    let mut seats = SEATS.lock().unwrap_or_else(PoisonError::into_inner);
    let seat = loop {
        if let Some(seat) = seats.pop() {
            break seat;
        }
        seats = FREE.wait(seats).unwrap_or_else(PoisonError::into_inner);
    };
    drop(seats);
    seat.run();
}
