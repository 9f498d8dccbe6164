#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod engine;
mod error;
mod event;
mod guests;
mod health;
mod http;
mod journal;
mod metrics;
mod prover;
mod results;
mod seen;
mod serving;
mod status;

pub use engine::{Budget, Options, Service, Summary};
pub use error::{Result, ServiceError};
pub use event::{Event, Observer, Payment};
pub use health::Health;
pub use http::serve;
pub use journal::{Closing, Counts, Duty, DutyKind, Entry, Journal, NonceSlot, Offer, Owner};
pub use metrics::Metrics;
pub use prover::{Job, ProveFailure, Proven, Prover, ResultJob};
pub use results::Results;
pub use serving::{Least, Rewards, Serving};
pub use status::Status;
pub use tokio_util::sync::CancellationToken;
