//! `zkml-chain queue`: what a fleet's queue has, and what is done to it.

use super::folder::Folder;
use crate::{
    error::{Error, Result},
    show::Ui,
};
use serde::Serialize;
use std::path::PathBuf;
use zkml_service::{DatabaseUrl, LATEST, drain, migrate, retry, status};
use zkml_workspace::fleet::{Objects, make_identity, publish};

/// Look after the queue of a fleet: the PostgreSQL server of ZKML_DATABASE_URL
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Number of tasks in each state, workers, and what is dead or being proven
    Status,
    /// Put dead tasks back into the queue, and open their requests again
    Retry {
        /// Numbers of tasks, as `queue status` shows them
        #[arg(value_name = "TASK", required_unless_present = "all")]
        tasks: Vec<i64>,
        /// All that are dead
        #[arg(long, conflicts_with = "tasks")]
        all: bool,
    },
    /// Tell workers to take nothing more; what they have, they finish
    Drain {
        /// One worker [default: all]
        #[arg(value_name = "WORKER")]
        worker: Option<String>,
        /// Let them take tasks again
        #[arg(long)]
        undo: bool,
    },
    /// Bring the queue's schema to this program's version, or to another one
    Migrate {
        /// The version; 0 takes an empty queue away
        #[arg(long, value_name = "VERSION", default_value_t = LATEST)]
        to: u32,
    },
    /// Put what proving with a model takes into object storage; `watch` does so by itself
    Publish {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        objects: ObjectsArgs,
    },
    /// Make the fleet's key pair: workers have the secret key, `watch --seal-to` the public one
    Identity {
        /// File of the secret key, which only its owner can read; the public one is beside it, with .pub at its end
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Where artifacts and sealed inputs are.
#[derive(Debug, Clone, clap::Args)]
pub struct ObjectsArgs {
    /// Object storage of the fleet: file:///folder, s3://bucket/prefix or gs://bucket/prefix; its keys come from the environment
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
}

impl ObjectsArgs {
    /// Returns true if it is named.
    pub(super) fn is_given(&self) -> bool {
        self.objects.is_some()
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not named; that it is none.
    pub(super) fn open(&self) -> Result<Objects> {
        let missing = || Error::Usage { message: "a fleet needs object storage: --objects URL".to_owned() };
        Ok(Objects::at(self.objects.as_deref().ok_or_else(missing)?)?)
    }
}

/// Tasks that were put back.
#[derive(Debug, Serialize)]
pub struct Retried {
    /// Their numbers.
    pub tasks: Vec<i64>,
}

/// Workers that take nothing more, or may again.
#[derive(Debug, Serialize)]
pub struct Drained {
    /// Their names.
    pub workers: Vec<String>,
    /// False if they take tasks again.
    pub draining: bool,
}

/// Runs the command.
///
/// # Errors
/// A server that cannot be reached, or whose queue is of another version; a task that is not dead, a worker that nobody has heard of.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    match args.action {
        Action::Status => ui.result(&status(&DatabaseUrl::environment()?)?),
        Action::Retry { tasks, all } => {
            let done = retry(&DatabaseUrl::environment()?, (!all).then_some(tasks.as_slice()))?;
            match tasks.iter().find(|task| !done.contains(task)) {
                Some(task) => Err(Error::Usage { message: format!("task {task} is not dead") }),
                None => ui.result(&Retried { tasks: done }),
            }
        }
        Action::Drain { worker, undo } => {
            let workers = drain(&DatabaseUrl::environment()?, worker.as_deref(), !undo)?;
            match worker {
                Some(worker) if workers.is_empty() => {
                    Err(Error::Usage { message: format!("there is no worker {worker}") })
                }
                _ => ui.result(&Drained { workers, draining: !undo }),
            }
        }
        Action::Migrate { to } => ui.result(&migrate(&DatabaseUrl::environment()?, to)?),
        Action::Publish { folder, objects } => ui.result(&publish(&folder.open()?, &objects.open()?)?),
        Action::Identity { out } => ui.result(&make_identity(&out)?),
    }
}
