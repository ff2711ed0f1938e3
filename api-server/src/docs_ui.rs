//! `/docs` and `/redoc`: pages that show the description of the REST interface, with nothing from
//! elsewhere. The bundles are other projects' builds, kept compressed as they are sent.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;

use crate::problem::{Code, Problem};
use crate::web_ui;

/// The policy of these two pages: their bundles set styles and start workers.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src blob:; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

const SWAGGER_PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>CloudMeet: REST interface</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="/favicon.ico" />
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/assets/swagger-start.js"></script>
  </body>
</html>
"#;

const REDOC_PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>CloudMeet: REST interface</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="/favicon.ico" />
  </head>
  <body>
    <div id="redoc"></div>
    <script src="/docs/assets/redoc.standalone.js"></script>
    <script src="/docs/assets/redoc-start.js"></script>
  </body>
</html>
"#;

const SWAGGER_START: &str = r##"SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"##;

const REDOC_START: &str = r#"Redoc.init("/openapi.json", { disableSearch: false, hideDownloadButton: false }, document.getElementById("redoc"));
"#;

static SWAGGER_BUNDLE: &[u8] = include_bytes!("../assets/swagger-ui-bundle.js.gz");
static SWAGGER_STYLE: &[u8] = include_bytes!("../assets/swagger-ui.css.gz");
static REDOC_BUNDLE: &[u8] = include_bytes!("../assets/redoc.standalone.js.gz");

/// The routes of the two pages and of the description itself, as JSON.
pub fn routes(openapi: Arc<str>) -> Router {
    Router::new()
        .route("/openapi.json", get(description))
        .route("/docs", get(|| async { page(SWAGGER_PAGE) }))
        .route("/redoc", get(|| async { page(REDOC_PAGE) }))
        .route("/docs/assets/{name}", get(|Path(name): Path<String>| async move { asset(&name) }))
        .with_state(openapi)
}

async fn description(State(openapi): State<Arc<str>>) -> Response {
    let mut response = Response::new(Body::from(openapi.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn page(text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    web_ui::protect(headers, DOCS_POLICY);
    response
}

fn asset(name: &str) -> Response {
    let script = "text/javascript; charset=utf-8";
    let (bytes, content_type, is_compressed): (&'static [u8], _, _) = match name {
        "swagger-ui-bundle.js" => (SWAGGER_BUNDLE, script, true),
        "swagger-ui.css" => (SWAGGER_STYLE, "text/css; charset=utf-8", true),
        "redoc.standalone.js" => (REDOC_BUNDLE, script, true),
        "swagger-start.js" => (SWAGGER_START.as_bytes(), script, false),
        "redoc-start.js" => (REDOC_START.as_bytes(), script, false),
        _ => return Problem::from(Code::NotFound).into_response(),
    };
    let mut response = Response::new(Body::from(Bytes::from_static(bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_compressed {
        // Every browser of the last twenty years takes gzip, and only browsers come here.
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
