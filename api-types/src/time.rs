//! Times on the wire.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use cloudmeet_core::time::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Is an instant as it crosses the wire: RFC 3339, UTC, milliseconds (`2026-01-31T09:30:00.250Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireTime(pub Timestamp);

impl From<Timestamp> for WireTime {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0.as_millis()).unwrap_or_default();
        write!(formatter, "{time:.3}")
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Says that a text is no time as the wire has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotATime(String);

impl FromStr for WireTime {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| NotATime(error.to_string()))?;
        Ok(Self(Timestamp::from_millis(time.as_millisecond())))
    }
}

impl JsonSchema for WireTime {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339, UTC, milliseconds",
            "examples": ["2026-01-31T09:30:00.250Z"]
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_milliseconds_even_when_they_are_zero() {
        let text = serde_json::to_string(&WireTime(Timestamp::from_millis(1_700_000_000_000))).expect("serialises");
        assert_eq!(text, "\"2023-11-14T22:13:20.000Z\"");
        let back: WireTime = serde_json::from_str("\"2023-11-14T23:13:20.25+01:00\"").expect("parses");
        assert_eq!(back.0.as_millis(), 1_700_000_000_250);
    }
}
