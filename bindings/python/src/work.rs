//! A step at work: on threads of its own, while the thread that called it looks for signals and shows progress.

use crate::failure;
use pyo3::{exceptions::PyOSError, prelude::*};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};
use zkml_chain::show::words;
use zkml_workspace::{
    Error,
    observer::{Observer, Said, Total, Warning, Work},
};

/// Longest time between two looks for a signal.
const PATIENCE: Duration = Duration::from_millis(50);
/// Stack of the threads that work, in bytes: as much as the command line's has.
const STACK: usize = 8 << 20;

/// Something that a step tells.
#[derive(Debug)]
enum Event {
    Begun { id: u64, name: String, total: f64, unit: &'static str },
    Advanced { id: u64, done: u64 },
    Renamed { id: u64, name: String },
    Ended { id: u64 },
    Warned(String),
}

/// The end of a step: its result, or what it panicked with.
type End<T> = thread::Result<Result<T, Error>>;

/// Runs a step. What it tells goes to `told(kind, id, text, amount, unit)`, on the calling thread.
///
/// An exception there, or a signal, ends the call at once. The step then ends at the next place where it asks whether to go on, which it
/// does before it writes: what it made so far is dropped.
///
/// Threads are made for each call, so that a process may fork between two.
pub(crate) fn run<T: Send + 'static>(
    told: &Bound<'_, PyAny>,
    step: impl FnOnce(&dyn Observer) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    let py = told.py();
    let (tell, told_by) = mpsc::channel();
    let (end, ended) = mpsc::channel::<End<T>>();
    let cancelled = Arc::new(AtomicBool::new(false));
    let _ended_with_the_call = Cancel(Arc::clone(&cancelled));
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK)
        .thread_name(|n| format!("zkml-{n}"))
        .build()
        .map_err(|e| PyOSError::new_err(format!("threads cannot be made: {e}")))?;
    let watcher = Watcher { tell, cancelled, ids: AtomicU64::new(0) };
    let work = move || {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.install(|| step(&watcher))));
        // Nobody may listen any more.
        let _ = end.send(done);
    };
    thread::Builder::new().name("zkml".into()).spawn(work)?;
    let told_by = Mutex::new(told_by);
    let ended = Mutex::new(ended);
    while let Some(event) = next(py, &told_by, told)? {
        show(told, event)?;
        py.check_signals()?;
    }
    match py.detach(|| ended.lock().unwrap_or_else(PoisonError::into_inner).recv()) {
        Ok(Ok(Ok(made))) => Ok(made),
        Ok(Ok(Err(error))) => Err(failure::exception(py, error)),
        Ok(Err(panic)) => Err(failure::defect(py, panic.as_ref())),
        Err(_) => Err(failure::defect(py, &"a thread is gone")),
    }
}

/// Waits for the next event; none when the step has ended.
fn next(py: Python<'_>, events: &Mutex<Receiver<Event>>, told: &Bound<'_, PyAny>) -> PyResult<Option<Event>> {
    loop {
        let receive = || events.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE);
        match py.detach(receive) {
            Ok(event) => return Ok(Some(event)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                told.call1(("tick", 0, "", 0.0, ""))?;
                py.check_signals()?;
            }
        }
    }
}

fn show(told: &Bound<'_, PyAny>, event: Event) -> PyResult<()> {
    match event {
        Event::Begun { id, name, total, unit } => told.call1(("begin", id, name, total, unit)),
        Event::Advanced { id, done } => told.call1(("advance", id, "", done as f64, "")),
        Event::Renamed { id, name } => told.call1(("rename", id, name, 0.0, "")),
        Event::Ended { id } => told.call1(("end", id, "", 0.0, "")),
        Event::Warned(text) => told.call1(("warn", 0, text, 0.0, "")),
    }?;
    Ok(())
}

/// Tells the step to end when the call does.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Watcher {
    tell: Sender<Event>,
    cancelled: Arc<AtomicBool>,
    ids: AtomicU64,
}

impl Observer for Watcher {
    fn said(&self, _: &Said) {}

    fn warned(&self, warning: &Warning) {
        let text = match warning {
            Warning::RandomSamples { count } => format!(
                "no samples: calibrating with {count} random ones between -1 and 1. Ranges and errors mean little; real inputs \
                 outside these ranges will be refused"
            ),
            Warning::Inaccurate(inaccurate) => inaccurate.to_string(),
            other => words::warning(other),
        };
        let _ = self.tell.send(Event::Warned(text));
    }

    fn begun(&self, name: &str, total: Total) -> Box<dyn Work + '_> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let (total, unit) = match total {
            Total::Steps(steps) => (steps as f64, "it"),
            Total::Bytes(bytes) => (bytes as f64, "B"),
            Total::Time(time) => (time.as_secs_f64(), "s"),
        };
        let _ = self.tell.send(Event::Begun { id, name: name.to_owned(), total, unit });
        Box::new(Piece { id, tell: self.tell.clone() })
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// A piece of work that goes on.
#[derive(Debug)]
struct Piece {
    id: u64,
    tell: Sender<Event>,
}

impl Work for Piece {
    fn advanced(&self, done: u64) {
        let _ = self.tell.send(Event::Advanced { id: self.id, done });
    }

    fn renamed(&self, name: &str) {
        let _ = self.tell.send(Event::Renamed { id: self.id, name: name.to_owned() });
    }

    fn said(&self, _: &Said) {}
}

impl Drop for Piece {
    fn drop(&mut self) {
        let _ = self.tell.send(Event::Ended { id: self.id });
    }
}
