#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access;
mod clock;
mod engine;
mod error;
mod event;
mod guests;
mod health;
mod http;
mod journal;
mod metrics;
mod prover;
mod queue;
mod results;
mod seen;
mod serving;
mod status;
mod store;
mod worker;

pub use engine::{Budget, OpenResults, Options, Service, Summary};
pub use error::{Result, ServiceError};
pub use event::{Event, Observer, Payment};
pub use health::Health;
pub use http::serve;
pub use journal::{Closing, Counts, Duty, DutyKind, Entry, Journal, NonceSlot, Offer, Owner};
pub use metrics::Metrics;
pub use prover::{Fleet, Job, Part, ProveFailure, Proven, Prover, ResultJob};
pub use queue::{
    LATEST, Lease, Migrated, NewTask, Queue, QueueStatus, TaskStatus, Unplaced, WorkerCard, WorkerStatus,
    drain, migrate, retry, status,
};
pub use results::Results;
pub use serving::{Least, Rewards, Serving};
pub use status::Status;
pub use store::{BadDatabaseUrl, DatabaseUrl, StoreError, StoreErrorKind};
pub use tokio_util::sync::CancellationToken;
pub use worker::{Hands, Worker, WorkerEvent, WorkerMetrics, WorkerObserver, WorkerSummary, serve_worker};
