//! Wire types: what crosses REST and the WebSocket, written once for server, CLI and operator.
//!
//! Members of requests are raw: the rules of `cloudmeet-core` judge them. Members of answers are
//! always present, null when empty. Times are RFC 3339 UTC with milliseconds.

pub mod audit;
pub mod auth;
pub mod chat;
pub mod internal;
pub mod managed;
pub mod problem;
pub mod room;
pub mod socket;
pub mod system;
mod time;
pub mod users;

pub use time::WireTime;

/// Requires every member in a schema and in each of its variants: answers have all of them, null
/// when empty.
fn all_required(schema: &mut schemars::Schema) {
    if let Some(variants) = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut) {
        for variant in variants {
            if let Ok(variant) = variant.try_into() {
                all_required(variant);
            }
        }
    }
    let names: Option<Vec<serde_json::Value>> = schema
        .get("properties")
        .and_then(serde_json::Value::as_object)
        .map(|properties| properties.keys().cloned().map(serde_json::Value::from).collect());
    if let Some(names) = names {
        schema.insert("required".to_owned(), names.into());
    }
}
