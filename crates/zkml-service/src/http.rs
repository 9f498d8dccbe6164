//! The status page, `/metrics` and `/healthz`. None holds a secret; all are for the machine itself unless told otherwise.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::State,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Result, ServiceError},
    guests::Guests,
    health::Health,
    metrics::Metrics,
    status::Status,
};

/// Serves them until the end; returns the address, whose port was chosen if none was named.
///
/// # Errors
/// [`ServiceError::Listen`].
pub async fn serve(
    address: SocketAddr,
    metrics: Metrics,
    health: Health,
    status: Status,
    end: CancellationToken,
) -> Result<SocketAddr> {
    let routes = Router::new()
        .route("/metrics", get(show_metrics))
        .with_state(metrics)
        .merge(Router::new().route("/healthz", get(show_health)).with_state(health.clone()))
        .merge(Router::new().route("/", get(show_status)).with_state((status, health)));
    listen(address, routes, end).await
}

/// Serves something until the end; returns the address.
pub(crate) async fn listen(
    address: SocketAddr,
    routes: Router,
    end: CancellationToken,
) -> Result<SocketAddr> {
    let refuse = |source: std::io::Error| ServiceError::Listen { address: address.to_string(), source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let chosen = listener.local_addr().map_err(refuse)?;
    tokio::spawn(async move {
        tokio::select! {
            () = end.cancelled() => {}
            served = axum::serve(Guests::new(listener), routes).into_future() => {
                if let Err(error) = served {
                    tracing::warn!("metrics are not served any more: {error}");
                }
            }
        }
    });
    Ok(chosen)
}

/// Type of Prometheus' text format.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn show_metrics(State(metrics): State<Metrics>) -> Response {
    ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text()).into_response()
}

async fn show_health(State(health): State<Health>) -> Response {
    let (well, report) = health.report();
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json")], report.to_string()).into_response()
}

async fn show_status(State((status, health)): State<(Status, Health)>) -> Response {
    // Nothing in the page runs, and nothing is loaded from anywhere.
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, status.page(&health)).into_response()
}
