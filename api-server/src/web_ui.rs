//! The web UI: pages and assets out of the binary itself.
//!
//! Assets lie under the hash of them all, so that they can be kept for ever; pages are asked for anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::problem::{Code, Problem};

/// The policy of the pages: scripts and styles of our own files only, and no text becomes markup.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' blob: data:; media-src 'self' blob:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'";

/// What stands in the pages for the hash of all assets.
const BUILD_MARK: &str = "__BUILD__";

/// How many characters of the hash name a build.
const BUILD_CHARS: usize = 16;

#[derive(RustEmbed)]
#[folder = "../frontend"]
#[include = "*.html"]
#[include = "static/*"]
struct Files;

/// Is every file of the UI, ready to be sent.
struct Ui {
    build: String,
    pages: BTreeMap<&'static str, Page>,
    assets: BTreeMap<String, Asset>,
}

struct Page {
    text: Bytes,
    etag: HeaderValue,
}

struct Asset {
    bytes: Bytes,
    content_type: HeaderValue,
}

/// The routes of the pages and their assets.
pub fn routes() -> Router {
    let ui = Arc::new(Ui::load());
    let page = |file: &'static str| {
        get(move |State(ui): State<Arc<Ui>>, headers: HeaderMap| async move { ui.page(file, &headers) })
    };
    Router::new()
        .route("/", page("index.html"))
        .route("/index.html", page("index.html"))
        .route("/rooms", page("rooms.html"))
        .route("/rooms.html", page("rooms.html"))
        .route("/room.html", page("room.html"))
        .route("/r/{room}", page("room.html"))
        .route("/admin", page("admin.html"))
        .route("/admin.html", page("admin.html"))
        .route("/admin/{view}", page("admin.html"))
        .route("/favicon.ico", get(|State(ui): State<Arc<Ui>>| async move { ui.asset("", "logo.svg") }))
        .route(
            "/static/{build}/{*path}",
            get(|State(ui): State<Arc<Ui>>, Path((build, path)): Path<(String, String)>| async move {
                ui.asset(&build, &path)
            }),
        )
        .with_state(ui)
}

/// Writes the pages and their assets as they are served here, under the paths at which they are asked
/// for, so that a web server in front can answer for them.
///
/// # Errors
/// When a file cannot be written.
pub fn export(directory: &FilePath) -> anyhow::Result<()> {
    let ui = Ui::load();
    let pages = ui.pages.iter().map(|(name, page)| (directory.join(name), &page.text));
    let assets = directory.join("static").join(&ui.build);
    let assets = ui.assets.iter().map(|(name, asset)| (assets.join(name), &asset.bytes));
    for (path, bytes) in pages.chain(assets) {
        let shown = path.display();
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, bytes).with_context(|| format!("cannot write {shown}"))?;
    }
    Ok(())
}

impl Ui {
    fn load() -> Self {
        let files: BTreeMap<String, Vec<u8>> =
            Files::iter().filter_map(|name| Some((name.to_string(), Files::get(&name)?.data.into_owned()))).collect();
        let mut hash = Sha256::new();
        for (name, bytes) in &files {
            hash.update(name.as_bytes());
            hash.update(bytes);
        }
        let build = URL_SAFE_NO_PAD.encode(hash.finalize())[..BUILD_CHARS].to_owned();
        let mut pages = BTreeMap::new();
        for name in ["index.html", "rooms.html", "room.html", "admin.html"] {
            let text = files.get(name).map(|bytes| String::from_utf8_lossy(bytes).replace(BUILD_MARK, &build));
            let text = text.unwrap_or_default();
            let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()));
            let etag = HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""));
            pages.insert(name, Page { text: text.into(), etag });
        }
        let assets = files
            .into_iter()
            .filter_map(|(name, bytes)| {
                let path = name.strip_prefix("static/")?.to_owned();
                let content_type = HeaderValue::from_static(content_type(&path));
                Some((path, Asset { bytes: bytes.into(), content_type }))
            })
            .collect();
        Self { build, pages, assets }
    }

    fn page(&self, file: &str, headers: &HeaderMap) -> Response {
        let Some(page) = self.pages.get(file) else { return not_found() };
        let is_known = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == page.etag.as_bytes());
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(page.text.clone()));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            response
        };
        let fields = response.headers_mut();
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        fields.insert(header::ETAG, page.etag.clone());
        protect(fields, PAGE_POLICY);
        response
    }

    /// Gives an asset. A page of another release asks under another hash: it gets what there is now,
    /// and is told not to keep it.
    fn asset(&self, build: &str, path: &str) -> Response {
        let Some(asset) = self.assets.get(path) else { return not_found() };
        let kept = if build == self.build { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut response = Response::new(Body::from(asset.bytes.clone()));
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, asset.content_type.clone());
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// Puts the headers in that keep a page to itself.
pub fn protect(headers: &mut HeaderMap, policy: &'static str) {
    let fields = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        ),
    ];
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn not_found() -> Response {
    Problem::from(Code::NotFound).into_response()
}
