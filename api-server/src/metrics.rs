//! What the server counts and measures, for Prometheus to read.
//!
//! Names and units follow Prometheus's conventions, and those of requests OpenTelemetry's. Nothing is
//! labelled by what people can make up: no path, no name, no id.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use cloudmeet_store::{Bus, Redis};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::config::Role;
use crate::hub::Hub;
use crate::upstream::Upstream;

/// How often measured values are sorted into their buckets, so that they do not pile up unread.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of durations, in seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Bounds of how many messages share a commit.
const MESSAGES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// One recorder a process, however many servers a test puts together.
static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_messages".to_owned()), &MESSAGES))
        .expect("there are bounds");
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // A recorder that somebody else has set before keeps its place; then this one stays empty.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    handle
});

/// Is whom to ask for what is true at the moment of reading.
#[derive(Clone)]
pub struct Sources {
    /// What this process does.
    pub role: Role,
    /// The bus, where there is one.
    pub bus: Option<Bus>,
    /// Redis, where there is one.
    pub redis: Option<Redis>,
    /// Who knows sockets.
    pub hub: Option<Hub>,
    /// The services that are asked.
    pub upstreams: Vec<Upstream>,
}

/// Starts to record. To be called before anything is counted.
pub fn install() {
    LazyLock::force(&RECORDER);
}

/// Sorts what was measured, as long as it runs.
pub async fn keep() {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        RECORDER.run_upkeep();
    }
}

/// `GET /metrics`, in Prometheus's text format.
pub fn routes(sources: Sources) -> Router {
    let process = Collector::default();
    process.describe();
    Router::new().route("/metrics", get(render)).with_state(Arc::new((sources, process)))
}

async fn render(State(state): State<Arc<(Sources, Collector)>>) -> Response {
    let (sources, process) = &*state;
    process.collect();
    sources.look();
    let text_format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, text_format)], RECORDER.render()).into_response()
}

impl Sources {
    fn look(&self) {
        gauge!("cloudmeet_build_info", "version" => env!("CARGO_PKG_VERSION"), "role" => self.role.as_str()).set(1);
        if let Some(bus) = &self.bus {
            gauge!("cloudmeet_bus_up").set(i32::from(bus.is_up()));
            gauge!("cloudmeet_bus_lag_seconds").set(bus.lag().unwrap_or_default().as_secs_f64());
            counter!("cloudmeet_bus_hints_dropped_total").absolute(bus.dropped());
        }
        if let Some(redis) = &self.redis {
            let requests = redis.requests();
            let outcomes = [("answered", requests.answered), ("failed", requests.failed), ("spared", requests.spared)];
            for (outcome, count) in outcomes {
                counter!("cloudmeet_redis_requests_total", "outcome" => outcome).absolute(count);
            }
        }
        if let Some(hub) = &self.hub {
            let (sockets, rooms) = hub.census();
            gauge!("cloudmeet_sockets").set(count(sockets));
            gauge!("cloudmeet_rooms_followed").set(count(rooms));
        }
        for upstream in &self.upstreams {
            gauge!("cloudmeet_upstream_servers_ready", "upstream" => upstream.name()).set(count(upstream.ready()));
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn describe() {
    describe_histogram!("http_server_request_duration_seconds", "How long requests took until their answer began.");
    describe_gauge!("http_server_active_requests", "How many requests are being answered.");
    describe_gauge!("cloudmeet_build_info", "Is 1; the labels say what runs.");
    describe_gauge!("cloudmeet_sockets", "How many WebSockets are open.");
    describe_gauge!("cloudmeet_rooms_followed", "How many rooms have a follower here.");
    describe_counter!("cloudmeet_presence_leases_ended_total", "People who went because no sign of life came.");
    describe_histogram!("cloudmeet_commit_messages", "How many messages shared a commit.");
    describe_histogram!("cloudmeet_commit_duration_seconds", "How long commits of messages took.");
    describe_counter!("cloudmeet_messages_total", "What became of messages that were sent.");
    describe_counter!("cloudmeet_page_cache_requests_total", "Where pages of messages were found.");
    describe_counter!("cloudmeet_redis_requests_total", "What became of requests to Redis, the bus aside.");
    describe_gauge!("cloudmeet_bus_up", "Whether what this server publishes comes back to it.");
    describe_gauge!("cloudmeet_bus_lag_seconds", "How long the last beat took from this server to itself.");
    describe_counter!("cloudmeet_bus_hints_dropped_total", "Hints that were not published.");
    describe_counter!("cloudmeet_upstream_requests_total", "What became of requests to other services.");
    describe_gauge!("cloudmeet_upstream_servers_ready", "How many servers of a service are ready.");
    describe_counter!("cloudmeet_rate_limited_total", "What was refused because it came too often.");
    // From the first reading on, so that a rate can be taken of what has not happened yet.
    for outcome in ["stored", "repeated", "refused", "failed"] {
        counter!("cloudmeet_messages_total", "outcome" => outcome).absolute(0);
    }
    counter!("cloudmeet_presence_leases_ended_total").absolute(0);
}
