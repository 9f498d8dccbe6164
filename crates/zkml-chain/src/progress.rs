//! Progress of long work: a bar with rate and ETA, only on a terminal and only when it takes a while.

use crate::output::Ui;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A running piece of work; ends when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    stop: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl Progress {
    /// Work of `total` steps; the caller reports them with [`Progress::at`].
    pub fn steps(ui: &Ui, what: &str, total: u64) -> Self {
        let style = ProgressStyle::with_template(
            "{msg:.bold} {bar:30} {percent}% {per_sec}, {elapsed} gone, {eta} to go",
        );
        Self::start(ui, what, ProgressBar::hidden().with_style(style.unwrap_or_else(|_| bare())), total, None)
    }

    /// Reading or writing `total` bytes; the caller reports them with [`Progress::at`].
    pub fn bytes(ui: &Ui, what: &str, total: u64) -> Self {
        let style = ProgressStyle::with_template(
            "{msg:.bold} {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {elapsed} gone, {eta} to go",
        );
        Self::start(ui, what, ProgressBar::hidden().with_style(style.unwrap_or_else(|_| bare())), total, None)
    }

    /// Work whose steps cannot be counted but whose time is estimated: the bar follows the clock.
    pub fn timed(ui: &Ui, what: &str, estimate: Duration) -> Self {
        let style = ProgressStyle::with_template("{msg:.bold} {bar:30} {elapsed} of about {prefix}");
        let bar = ProgressBar::hidden().with_style(style.unwrap_or_else(|_| bare()));
        bar.set_prefix(format!("{:.0?}", Duration::from_secs(estimate.as_secs().max(1))));
        let total = estimate.as_millis().max(1) as u64;
        Self::start(ui, what, bar, total, Some(total))
    }

    fn start(ui: &Ui, what: &str, bar: ProgressBar, total: u64, clock: Option<u64>) -> Self {
        bar.set_message(what.to_owned());
        bar.set_length(total);
        let started = Instant::now();
        if ui.quiet || ui.json || !std::io::stderr().is_terminal() {
            return Self { bar, started, stop: None, watcher: None };
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let shown = bar.clone();
        let watcher = thread::spawn(move || {
            let mut wait = PATIENCE;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(wait) {
                if wait == PATIENCE {
                    shown.set_draw_target(ProgressDrawTarget::stderr());
                    wait = Duration::from_millis(100);
                }
                if let Some(total) = clock {
                    // Never claim to be done before it is.
                    shown.set_position(
                        (started.elapsed().as_millis() as u64).min(total.saturating_sub(total / 50)),
                    );
                }
                shown.tick();
            }
        });
        Self { bar, started, stop: Some(stop), watcher: Some(watcher) }
    }

    /// `done` of the steps are done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// Says something above the bar.
    pub fn say(&self, ui: &Ui, words: impl std::fmt::Display) {
        self.bar.suspend(|| ui.say(words));
    }

    /// Names what is being done now.
    pub fn message(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Ends it and says how long it took.
    pub fn finish(self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
        self.bar.finish_and_clear();
    }
}

fn bare() -> ProgressStyle {
    ProgressStyle::default_bar()
}
