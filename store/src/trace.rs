//! Traces across the bus (W3C Trace Context), as far as the process takes part in any.

use std::collections::HashMap;

use opentelemetry::global::get_text_map_propagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Is what another process needs to go on with a trace; empty without one.
pub(crate) type Carrier = HashMap<String, String>;

/// Says what the current span belongs to.
pub(crate) fn current() -> Carrier {
    let mut carrier = Carrier::new();
    get_text_map_propagator(|propagator| propagator.inject_context(&Span::current().context(), &mut carrier));
    carrier
}

/// Makes a span go on with another process's trace.
pub(crate) fn go_on(span: &Span, carrier: &Carrier) {
    // Without a tracer there is nothing to go on with.
    let _ = span.set_parent(get_text_map_propagator(|propagator| propagator.extract(carrier)));
}
