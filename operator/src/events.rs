//! Events of Kubernetes: what people see with `kubectl describe`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::timeout;

use crate::cluster::CALL_TIMEOUT;
use crate::plan::Note;

const CONTROLLER: &str = "cloudmeet.io/operator";

/// How long the parts of an event may be (events.k8s.io/v1).
const MAX_NOTE_BYTES: usize = 1024;
const MAX_INSTANCE_BYTES: usize = 128;
/// How much of the resource's name fits before what makes the event's own name: names have 253 characters at most.
const MAX_NAME_BYTES: usize = 230;

/// Tells events.
///
/// kube's own recorder gives an event a name that is longer than the resource's, so that of a resource with a long name
/// nothing is ever told.
#[derive(Clone)]
pub struct Events {
    client: Client,
    instance: String,
}

impl Events {
    /// Tells events under the name of this operator.
    #[must_use]
    pub fn new(client: Client, instance: &str) -> Self {
        Self { client, instance: truncated(instance, MAX_INSTANCE_BYTES).to_owned() }
    }

    /// Tells of a resource. That it could not be told is no reason to do anything else differently.
    pub async fn tell(&self, regarding: ObjectReference, note: &Note) {
        let namespace = regarding.namespace.clone().unwrap_or_default();
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let event = self.event(regarding, note);
        match timeout(CALL_TIMEOUT, events.create(&PostParams::default(), &event)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(error = &error as &dyn std::error::Error, "an event was not told"),
            Err(_) => tracing::info!("an event was not told in time"),
        }
    }

    fn event(&self, regarding: ObjectReference, note: &Note) -> Event {
        let now = Timestamp::now();
        let name = regarding.name.as_deref().unwrap_or_default();
        let name = truncated(name, MAX_NAME_BYTES).trim_end_matches(['.', '-']);
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{:x}", now.as_nanosecond())),
                namespace: regarding.namespace.clone(),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if note.reason.is_complaint() { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(note.reason.as_str().to_owned()),
            action: Some("Reconcile".to_owned()),
            note: Some(truncated(&note.message, MAX_NOTE_BYTES).to_owned()),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            regarding: Some(regarding),
            ..Event::default()
        }
    }
}

fn truncated(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
