//! Progress of long work: a bar with rate and ETA, only on a terminal and only when it takes a while.

use super::{Ui, words};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use zkml_workspace::observer::{Said, Total, Work};

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A running piece of work; ends when dropped.
#[derive(Debug)]
pub(super) struct Progress {
    ui: Ui,
    bar: ProgressBar,
    stop: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins it. A bar of time follows the clock.
    pub(super) fn start(ui: &Ui, what: &str, total: Total) -> Self {
        match total {
            Total::Steps(total) => {
                let bar = bar("{msg:.bold} {bar:30} {percent}% {per_sec}, {elapsed} gone, {eta} to go");
                Self::with(ui, what, bar, total, None)
            }
            Total::Bytes(total) => {
                let bar = bar(
                    "{msg:.bold} {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {elapsed} gone, {eta} to go",
                );
                Self::with(ui, what, bar, total, None)
            }
            Total::Time(estimate) => {
                let bar = bar("{msg:.bold} {bar:30} {elapsed} of about {prefix}");
                bar.set_prefix(format!("{:.0?}", Duration::from_secs(estimate.as_secs().max(1))));
                let total = estimate.as_millis().max(1) as u64;
                Self::with(ui, what, bar, total, Some(total))
            }
        }
    }

    fn with(ui: &Ui, what: &str, bar: ProgressBar, total: u64, clock: Option<u64>) -> Self {
        bar.set_message(what.to_owned());
        bar.set_length(total);
        let started = Instant::now();
        if ui.quiet || ui.json || !std::io::stderr().is_terminal() {
            return Self { ui: *ui, bar, stop: None, watcher: None };
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
        Self { ui: *ui, bar, stop: Some(stop), watcher: Some(watcher) }
    }
}

impl Work for Progress {
    fn advanced(&self, done: u64) {
        self.bar.set_position(done);
    }

    fn renamed(&self, name: &str) {
        self.bar.set_message(name.to_owned());
    }

    fn said(&self, said: &Said) {
        self.bar.suspend(|| self.ui.say(words::said(said)));
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

fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::hidden().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
