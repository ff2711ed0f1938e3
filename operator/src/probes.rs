//! `/metrics`, `/livez` and `/readyz`.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::lease::Election;
use crate::metrics;

/// How long ago the cluster may have answered last.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Answers as long as it is polled.
pub async fn serve(listener: TcpListener, election: Election) {
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(election);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "probes are answered no more");
    }
}

/// Is ready whoever could lead: also while another does.
async fn ready(State(election): State<Election>) -> impl IntoResponse {
    let answered = *election.answered.borrow();
    if answered.is_some_and(|at| at.elapsed() < ANSWERED_WITHIN) {
        let leads = *election.leads.borrow();
        (StatusCode::OK, if leads { "ok: leads\n" } else { "ok: stands by\n" })
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the cluster does not answer\n")
    }
}

async fn render() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::render())
}
