//! The description of the REST interface, made from the handlers' own types.

use aide::axum::ApiRouter;
use aide::openapi::{
    Components, Info, MediaType, OpenApi, ReferenceOr, Response, SchemaObject, SecurityScheme, StatusCode as DocStatus,
};
use aide::transform::TransformOperation;
use aide::{OperationInput, OperationOutput};
use axum::Router;
use cloudmeet_api_types::problem::ProblemBody;
use indexmap::IndexMap;
use schemars::json_schema;

use crate::problem::{Language, Problem};
use crate::sessions::{Acting, Administrator, Caller, RoomKeeper};

/// The name of the scheme by which callers show who they are.
const BEARER: &str = "bearer";

/// Adds the problems that an operation answers with, by their statuses, and with a 401 the need for
/// a token.
pub fn problems<'t>(mut operation: TransformOperation<'t>, statuses: &[u16]) -> TransformOperation<'t> {
    let inner = operation.inner_mut();
    let responses = inner.responses.get_or_insert_with(Default::default);
    for &status in statuses {
        let mut response = Response {
            description: axum::http::StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or_default()
                .to_owned(),
            ..Response::default()
        };
        let media = MediaType {
            schema: Some(schema(json_schema!({ "$ref": "#/components/schemas/ProblemBody" }))),
            ..Default::default()
        };
        response.content.insert("application/problem+json".to_owned(), media);
        responses.responses.insert(DocStatus::Code(status), ReferenceOr::Item(response));
    }
    // Signing in, renewing and the socket answer 401 to another secret than a bearer token.
    let has_own_secret =
        matches!(operation.inner_mut().operation_id.as_deref(), Some("login" | "refresh" | "openSocket"));
    let needs_token = statuses.contains(&401) && !has_own_secret;
    if needs_token { operation.security_requirement(BEARER) } else { operation }
}

// Who calls and in which language shows in headers, which `problems` describes.
impl OperationInput for Caller {}
impl OperationInput for Acting {}
impl OperationInput for Administrator {}
impl OperationInput for RoomKeeper {}
impl OperationInput for Language {}

// Each operation names its problems itself, by `problems`.
impl OperationOutput for Problem {
    type Inner = ProblemBody;
}

/// Collects the description of several routers.
#[derive(Debug)]
pub struct Description(OpenApi);

impl Default for Description {
    fn default() -> Self {
        Self::new()
    }
}

impl Description {
    /// Begins with what stands over everything.
    #[must_use]
    pub fn new() -> Self {
        aide::generate::extract_schemas(true);
        let info = Info {
            title: "CloudMeet".to_owned(),
            summary: Some("Rooms that stay, and a chat that never loses a line.".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        };
        // Named here once, so that it stands among the components to which `problems` refers.
        aide::generate::in_context(|context| context.schema.subschema_for::<ProblemBody>());
        Self(OpenApi { info, ..OpenApi::default() })
    }

    /// Takes the description out of a router.
    pub fn add<S: Clone + Send + Sync + 'static>(&mut self, router: ApiRouter<S>) -> Router<S> {
        router.finish_api(&mut self.0)
    }

    /// Gives the whole as indented JSON.
    ///
    /// # Panics
    /// Never: a description is made of strings, numbers and lists.
    #[must_use]
    pub fn finish(mut self) -> String {
        let scheme = SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: Some("JWT".to_owned()),
            description: Some("The access token of `POST /api/auth/login`.".to_owned()),
            extensions: IndexMap::default(),
        };
        let components = self.0.components.get_or_insert_with(Components::default);
        components.security_schemes.insert(BEARER.to_owned(), ReferenceOr::Item(scheme));
        serde_json::to_string_pretty(&self.0).expect("a description is made of strings, numbers and lists")
    }
}

fn schema(json_schema: schemars::Schema) -> SchemaObject {
    SchemaObject { json_schema, external_docs: None, example: None }
}
