//! Where log lines and traces go.

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};
use url::Url;

use crate::config::{Config, LogFormat, Role};

/// Libraries that write down what passes through them, contents and passwords, when much is to be logged.
const NOT_TOLD: [&str; 2] = ["tungstenite=info", "sqlx_postgres::options=error"];

/// How long the collector of traces may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Is set once traces go somewhere; for the whole process, as is where they go.
static TRACING: OnceLock<()> = OnceLock::new();

/// Says whether traces go anywhere.
pub(crate) fn is_tracing() -> bool {
    TRACING.get().is_some()
}

/// Sends the last traces when it is dropped.
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Starts to log and, where a collector is configured, to trace. Not to be called from within a runtime:
/// what sends traces has threads of its own.
///
/// # Errors
/// When the filter or the collector's address is malformed.
pub fn start(config: &Config) -> anyhow::Result<Telemetry> {
    let mut filter = EnvFilter::try_new(&config.log_filter)
        .with_context(|| format!("RUST_LOG {} is not a log filter", config.log_filter))?;
    for directive in NOT_TOLD {
        filter = filter.add_directive(directive.parse().context("a constant")?);
    }
    let log = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let log = match config.log_format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let Some(endpoint) = &config.otlp_endpoint else {
        tracing_subscriber::registry().with(log).with(filter).init();
        return Ok(Telemetry(None));
    };
    let provider = tracer(endpoint, config.role)?;
    // Our own spans only: what libraries do stands in none of them. Judged anew each time, since a library
    // that asks whether it would be heard, and then says nothing, leaves an answer behind that is not ours.
    let ours = dynamic_filter_fn(|metadata, _| metadata.is_span() && metadata.target().starts_with("cloudmeet"));
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("cloudmeet"));
    tracing_subscriber::registry().with(log.with_filter(filter)).with(traces.with_filter(ours)).init();
    // Set before or not, it says the same.
    let _ = TRACING.set(());
    Ok(Telemetry(Some(provider)))
}

fn tracer(endpoint: &Url, role: Role) -> anyhow::Result<SdkTracerProvider> {
    let traces = endpoint.as_str().trim_end_matches('/').to_owned() + "/v1/traces";
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(traces)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let resource = Resource::builder()
        .with_service_name(format!("cloudmeet-{}", role.as_str()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(EXPORT_TIMEOUT)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last traces were not sent");
        }
    }
}
