//! What the operator counts and measures, for Prometheus to read.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::reason::Reason;
use crate::resource::Phase;

/// Bounds of durations, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// How often measured values are sorted into their buckets.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static RECORDER: LazyLock<(PrometheusHandle, Collector)> = LazyLock::new(|| {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .expect("there are bounds")
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    (handle, Collector::default())
});

fn describe() {
    describe_counter!("cloudmeet_operator_reconciles_total", "Resources looked at, by how it ended.");
    describe_histogram!("cloudmeet_operator_reconcile_duration_seconds", "How long it took to look at a resource.");
    describe_counter!("cloudmeet_operator_errors_total", "Resources that were found not in order, by the reason.");
    describe_counter!("cloudmeet_operator_drift_corrections_total", "Rooms that were made again as described.");
    describe_counter!("cloudmeet_operator_status_writes_total", "Statuses written.");
    describe_gauge!("cloudmeet_operator_queue_depth", "Resources that wait to be looked at.");
    describe_gauge!("cloudmeet_operator_rooms", "Resources, by phase.");
    describe_gauge!("cloudmeet_operator_leader", "Whether this operator is the one that acts.");
    describe_gauge!("cloudmeet_operator_stream_live", "Whether the server tells of changes.");
}

/// Starts to record, and sorts what was measured as long as it runs.
pub async fn keep() {
    let (handle, process) = &*RECORDER;
    process.describe();
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// Starts to record. To be called before anything is counted.
pub fn install() {
    LazyLock::force(&RECORDER);
    stands_by();
}

/// This operator does not act, and says nothing of resources.
pub fn stands_by() {
    leads(false);
    stream_is_live(false);
    queue_depth(0);
    rooms(&[0; Phase::ALL.len()]);
}

/// Gives everything in Prometheus's text format.
#[must_use]
pub fn render() -> String {
    let (handle, process) = &*RECORDER;
    process.collect();
    handle.render()
}

/// A resource was looked at.
pub fn reconciled(outcome: &'static str, took: Duration) {
    counter!("cloudmeet_operator_reconciles_total", "outcome" => outcome).increment(1);
    histogram!("cloudmeet_operator_reconcile_duration_seconds").record(took);
}

/// A resource was found not in order.
pub fn failed(reason: Reason) {
    counter!("cloudmeet_operator_errors_total", "reason" => reason.as_str()).increment(1);
}

/// A room was made again as described.
pub fn drift_corrected() {
    counter!("cloudmeet_operator_drift_corrections_total").increment(1);
}

/// A status was written.
pub fn status_written() {
    counter!("cloudmeet_operator_status_writes_total").increment(1);
}

/// So many resources wait.
pub fn queue_depth(depth: usize) {
    gauge!("cloudmeet_operator_queue_depth").set(u32::try_from(depth).unwrap_or(u32::MAX));
}

/// So many resources there are, in the order of [`Phase::ALL`].
pub fn rooms(counts: &[u32; Phase::ALL.len()]) {
    for (phase, count) in Phase::ALL.iter().zip(counts) {
        gauge!("cloudmeet_operator_rooms", "phase" => phase.as_str()).set(*count);
    }
}

/// This operator acts, or does not.
pub fn leads(leads: bool) {
    gauge!("cloudmeet_operator_leader").set(u8::from(leads));
}

/// The server tells of changes, or does not.
pub fn stream_is_live(is_live: bool) {
    gauge!("cloudmeet_operator_stream_live").set(u8::from(is_live));
}
