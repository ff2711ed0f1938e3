//! Errors on the wire (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Is the body of every error: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemBody {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for a person, in the language that the request asked for.
    pub detail: String,
    /// What is wrong, for a program; never changes.
    pub code: String,
    /// When the room opens; only with the code `not_open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<WireTime>,
    /// Who manages the room; only with the codes `managed_elsewhere` and `adoption_conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// What is wrong with single fields; only with status 422.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// Says what is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldProblem {
    /// The field's name, dotted when it lies deeper.
    pub field: String,
    /// What is wrong, for a person.
    pub message: String,
}
