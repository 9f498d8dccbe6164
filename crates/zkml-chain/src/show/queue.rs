//! A fleet's queue.

use super::{
    DIM, Report, YELLOW,
    table::{self, Align},
};
use crate::cmd::queue::{Drained, Retried};
use std::io::{self, Write};
use zkml_service::{Migrated, QueueStatus};
use zkml_workspace::fleet::{IdentityReport, Published};

impl Report for QueueStatus {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let states = self.states.iter().map(|state| {
            vec![
                state.state.clone(),
                table::thousands(state.tasks),
                format!("{} s", table::thousands(state.oldest_seconds)),
            ]
        });
        let states: Vec<_> = states.collect();
        if states.is_empty() {
            writeln!(out, "no tasks")?;
        } else {
            table::print(out, &[Align::Left, Align::Right, Align::Right], &states)?;
        }
        let workers = self.workers.iter().map(|worker| {
            let state = if worker.draining { "draining" } else { "" };
            let memory = format!("{} MB", table::thousands(worker.memory / 1_000_000));
            let seen = format!("seen {} s ago", table::thousands(worker.seen_seconds));
            vec![
                format!("worker {}", worker.name),
                memory,
                format!("{} models", worker.warm),
                seen,
                state.to_owned(),
            ]
        });
        let right = Align::Right;
        table::print(out, &[Align::Left, right, right, right, Align::Left], &workers.collect::<Vec<_>>())?;
        if self.draining {
            writeln!(out, "workers that come now take nothing: `queue drain --undo` ends that")?;
        }
        let unplaced = self.unplaced.to_string();
        if !unplaced.is_empty() {
            writeln!(out, "{YELLOW}{unplaced}{YELLOW:#}")?;
        }
        for task in &self.tasks {
            let worker = task.worker.as_deref().unwrap_or("nobody");
            let reason = task.reason.as_deref().unwrap_or_default();
            writeln!(
                out,
                "task {} {} {DIM}by {worker}, attempt {}, {} MB, request {}{DIM:#} {reason}",
                task.task,
                task.state,
                task.attempts,
                table::thousands(task.memory.div_ceil(1_000_000)),
                task.request
            )?;
        }
        Ok(())
    }
}

impl Report for Retried {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} tasks are in the queue again", self.tasks.len())
    }
}

impl Report for Drained {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let what = if self.draining { "take nothing more" } else { "take tasks again" };
        writeln!(out, "{} workers {what}: {}", self.workers.len(), self.workers.join(", "))
    }
}

impl Report for Migrated {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "the queue's schema was of version {}, and is of version {}", self.from, self.to)
    }
}

impl Report for Published {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let number = |bytes: u64| table::thousands(bytes);
        writeln!(out, "{} in {}", self.program, self.objects)?;
        writeln!(
            out,
            "{DIM}{}: {} bytes, {} of them new; proving takes {} bytes{DIM:#}",
            self.model,
            number(self.bytes),
            number(self.sent),
            number(self.memory)
        )
    }
}

impl Report for IdentityReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "secret key, for workers   {}", self.identity.display())?;
        writeln!(out, "public key, for watch     {}", self.public.display())
    }
}
