//! Errors as RFC 9457 problem details, in English and Russian.
//!
//! A handler answers with a [`Problem`]; it renders itself in English and stays in the response's
//! extensions, so that [`localise`] can render it again in the language that the request asked for.

mod code;
mod field;
mod from_store;
mod language;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::problem::{FieldProblem, ProblemBody};
use cloudmeet_core::time::Timestamp;

pub use code::Code;
pub use field::{FieldError, Rule};
pub use language::Language;

/// Seconds after which a refused request may be tried again, where nothing better is known.
const DEFAULT_RETRY_S: u64 = 2;

/// Stands for a manager that nobody has named.
const UNNAMED_MANAGER: &str = "Kubernetes";

/// Is one error as a client gets it.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    retry_after_s: Option<u64>,
    fields: Vec<FieldError>,
    allow: Option<HeaderValue>,
    opens_at: Option<Timestamp>,
    manager: Option<Box<str>>,
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, retry_after_s: None, fields: Vec::new(), allow: None, opens_at: None, manager: None }
    }
}

impl Problem {
    /// Refuses a request whose fields break rules.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Code::Invalid.into() }
    }

    /// Refuses a request because of one field.
    #[must_use]
    pub fn invalid_field(field: &str, rule: impl Into<Rule>) -> Self {
        Self::invalid(vec![FieldError::new(field, rule)])
    }

    /// Refuses a request that came too often, for some seconds.
    #[must_use]
    pub fn rate_limited(retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Code::RateLimited.into() }
    }

    /// Refuses somebody until a room opens.
    #[must_use]
    pub fn not_open(opens_at: Timestamp) -> Self {
        Self { opens_at: Some(opens_at), ..Code::NotOpen.into() }
    }

    /// Refuses what only a room's manager decides about.
    #[must_use]
    pub fn managed(code: Code, manager: &str) -> Self {
        Self { manager: Some(manager.into()), ..code.into() }
    }

    /// Names the manager of the room, where it was refused because there is one.
    #[must_use]
    pub fn naming(self, manager: Option<&str>) -> Self {
        match manager {
            Some(manager) if self.code == Code::ManagedElsewhere => Self::managed(self.code, manager),
            _ => self,
        }
    }

    /// Hides a fault that is not the client's: it is logged here, once, and the client learns nothing of it.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "request failed");
        Code::Internal.into()
    }

    /// Names the methods that a path knows.
    #[must_use]
    pub fn method_not_allowed(allow: Option<HeaderValue>) -> Self {
        Self { allow, ..Code::MethodNotAllowed.into() }
    }

    /// Is what the problem is, for programs.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Is what the problem is, for a person.
    #[must_use]
    pub fn detail(&self, language: Language) -> String {
        let text = self.code.text(language);
        match (self.code, self.fields.as_slice()) {
            (Code::Invalid, [only]) => format!("{}: {}", only.field, only.rule.text(language)),
            (Code::ManagedElsewhere | Code::AdoptionConflict, _) => {
                text.replace("{manager}", self.manager.as_deref().unwrap_or(UNNAMED_MANAGER))
            }
            _ => text.replace("{seconds}", &self.retry_after().unwrap_or(DEFAULT_RETRY_S).to_string()),
        }
    }

    /// Says what is wrong with single fields.
    #[must_use]
    pub fn fields(&self, language: Language) -> Vec<FieldProblem> {
        self.fields
            .iter()
            .map(|error| FieldProblem { field: error.field.clone(), message: error.rule.text(language) })
            .collect()
    }

    /// Is after how many seconds to try again; `None` when trying again is not the remedy.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self.code.status() {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Some(self.retry_after_s.unwrap_or(DEFAULT_RETRY_S)),
            _ => None,
        }
    }

    fn body(&self, language: Language) -> Body {
        let status = self.code.status();
        let body = ProblemBody {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.detail(language),
            code: self.code.as_str().to_owned(),
            opens_at: self.opens_at.map(WireTime),
            managed_by: self.manager.as_deref().map(str::to_owned),
            errors: self.fields(language),
        };
        // Strings and numbers: nothing that could fail to become JSON.
        Body::from(serde_json::to_vec(&body).unwrap_or_default())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body(Language::English));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allow) = self.allow.clone() {
            headers.insert(header::ALLOW, allow);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Renders a problem in the language that the request asked for.
pub fn localise(response: &mut Response, language: Language) {
    if language != Language::English
        && let Some(problem) = response.extensions_mut().remove::<Problem>()
    {
        *response.body_mut() = problem.body(language);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_says_when_to_come_back() {
        let problem = Problem::rate_limited(42);
        assert!(problem.detail(Language::English).contains("42"));
        assert!(problem.detail(Language::Russian).contains("42"));
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "42");
    }

    #[test]
    fn a_single_field_stands_in_the_detail_too() {
        let problem = Problem::invalid_field("name", Rule::Required);
        assert!(problem.detail(Language::English).starts_with("name: "));
        assert_eq!(problem.fields(Language::Russian).len(), 1);
    }

    #[test]
    fn an_unauthorised_answer_names_the_scheme() {
        let response = Problem::from(Code::InvalidToken).into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
