//! A worker's figures, and whether it is well.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio_util::sync::CancellationToken;

use crate::{error::Result, http::listen};

/// Bounds of the histogram of proof times, in seconds.
const SECONDS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0];
/// A worker that has not spoken with the queue for so long is not ready.
const READY: Duration = Duration::from_secs(60);
/// One that has not done so for so long is not well: it is to be started again.
const WELL: Duration = Duration::from_secs(600);

/// A worker's figures; clones share them.
#[derive(Clone)]
pub struct WorkerMetrics {
    registry: Arc<Registry>,
    seen: Arc<Mutex<Option<Instant>>>,
    started: Instant,
    pub(super) proofs: Counter,
    pub(super) failures: Counter,
    pub(super) lost: Counter,
    pub(super) seconds: Histogram,
    pub(super) busy: Gauge,
    pub(super) warm: Gauge,
}

impl std::fmt::Debug for WorkerMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerMetrics").finish_non_exhaustive()
    }
}

impl WorkerMetrics {
    /// Of a worker with so many bytes.
    #[must_use]
    pub fn new(memory: u64) -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            seen: Arc::default(),
            started: Instant::now(),
            proofs: Counter::default(),
            failures: Counter::default(),
            lost: Counter::default(),
            seconds: Histogram::new(SECONDS),
            busy: Gauge::default(),
            warm: Gauge::default(),
        };
        let room: Gauge = Gauge::default();
        room.set(crate::metrics::signed(memory));
        let mut registry = Registry::with_prefix("zkml_worker");
        registry.register("proofs", "Results handed in", metrics.proofs.clone());
        registry.register("failures", "Tasks that gave no result", metrics.failures.clone());
        registry.register(
            "lost_leases",
            "Leases that ended before the result was there",
            metrics.lost.clone(),
        );
        registry.register("proof_seconds", "Time from a lease to its result", metrics.seconds.clone());
        registry.register("busy", "Whether it works", metrics.busy.clone());
        registry.register("memory_bytes", "Bytes that proofs may take", room);
        registry.register("warm_keys", "Programs that are loaded", metrics.warm.clone());
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// The queue has answered.
    pub(super) fn seen(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Returns true if the queue has answered within this time. For liveness, the time before the first answer counts from the start.
    fn answered(&self, within: Duration, from_start: bool) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.or(from_start.then_some(self.started)).is_some_and(|seen| seen.elapsed() < within)
    }

    /// All of them, in the text format of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Serves `/metrics`, `/healthz` (not well: start it again) and `/readyz` (not ready: the queue does not answer) until the end; returns the address,
/// whose port was chosen if none was named.
///
/// # Errors
/// [`ServiceError::Listen`](crate::ServiceError::Listen).
pub async fn serve_worker(
    address: SocketAddr,
    metrics: WorkerMetrics,
    end: CancellationToken,
) -> Result<SocketAddr> {
    let routes = Router::new()
        .route("/metrics", get(show))
        .route(
            "/healthz",
            get(|State(metrics): State<WorkerMetrics>| async move { state(metrics.answered(WELL, true)) }),
        )
        .route(
            "/readyz",
            get(|State(metrics): State<WorkerMetrics>| async move { state(metrics.answered(READY, false)) }),
        )
        .with_state(metrics);
    listen(address, routes, end).await
}

async fn show(State(metrics): State<WorkerMetrics>) -> Response {
    ([(CONTENT_TYPE, crate::http::OPEN_METRICS)], metrics.text()).into_response()
}

fn state(good: bool) -> Response {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, if good { "yes\n" } else { "no: the queue does not answer\n" }).into_response()
}
