//! The side of a server: over HTTP, as whoever is logged in.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::http::{HeaderName, StatusCode, header};
use cloudmeet_api_server::secret::Secret;
use cloudmeet_api_types::auth::Tokens;
use reqwest::Client;
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use url::Url;

use super::{Answer, Call, boxed, parse};
use crate::failure::Failure;
use crate::profile::{Login, Profile};
use crate::target::is_here;

/// How long a server may take to be reached, and to say the next thing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Is a server, and the login by which it is asked.
pub(crate) struct Server {
    http: Http,
    profile: Profile,
}

/// Asks a server over HTTP, with or without a login.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    base: Url,
}

impl Http {
    /// Knows a server.
    pub(crate) fn new(base: Url) -> anyhow::Result<Self> {
        let builder = Client::builder()
            .user_agent(concat!("cloudmeet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // An interface is where it is said to be; a login page that one is sent to is not it.
            .redirect(reqwest::redirect::Policy::none());
        // Reading the system's certificates takes longer than most answers.
        let builder = if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
        // What is on this machine is reached without anybody between.
        let builder = if is_here(&base) { builder.no_proxy() } else { builder };
        let client = builder.build().context("cannot prepare the connection")?;
        Ok(Self { client, base })
    }

    /// Is the server's address.
    pub(crate) const fn base(&self) -> &Url {
        &self.base
    }

    /// Calls, with a token or without.
    pub(crate) async fn send(&self, call: &Call, token: Option<&Secret>) -> Result<Answer, Failure> {
        let url = self.base.join(&call.path).context("the address cannot be put together")?;
        let mut request = self.client.request(call.method.clone(), url).header(header::ACCEPT_LANGUAGE, "en");
        if let Some(token) = token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        Ok(Answer { status: response.status(), body: boxed(response.bytes_stream()) })
    }

    /// Calls for a header of the answer.
    pub(crate) async fn header(&self, call: &Call, name: &HeaderName) -> Result<Option<String>, Failure> {
        let url = self.base.join(&call.path).context("the address cannot be put together")?;
        let response = self.client.request(call.method.clone(), url).send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        Ok(response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
    }

    /// Asks for a WebSocket by a ticket (RFC 6455, 4.1).
    pub(crate) async fn upgrade(&self, path: &str, ticket: &str) -> Result<reqwest::Response, Failure> {
        let url = self.base.join(path).context("the address cannot be put together")?;
        let request = self
            .client
            .get(url)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, generate_key())
            .header(header::SEC_WEBSOCKET_PROTOCOL, format!("cloudmeet.v1, ticket.{ticket}"));
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    /// Says why a server was not reached: the deepest cause is the one that people know.
    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_timeout() {
            return Failure::Unreachable(anyhow::anyhow!("{base} does not answer in time"));
        }
        if error.is_builder() {
            return anyhow::anyhow!("this cannot be asked of {base}: {cause}").into();
        }
        Failure::Unreachable(anyhow::anyhow!("cannot reach {base}: {cause}"))
    }
}

impl Server {
    /// Asks a server by the login of a profile.
    pub(crate) fn new(http: Http, profile: Profile) -> Self {
        Self { http, profile }
    }

    /// Is the server's address.
    pub(crate) const fn base(&self) -> &Url {
        self.http.base()
    }

    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let login = self.login()?;
        let token = if login.is_fresh() { login.access_token.clone() } else { self.renew(&login).await? };
        let answer = self.http.send(call, Some(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        // The token may have ended early, by new keys for one; a session that is over says so to the renewal.
        let token = self.renew(&login).await?;
        self.http.send(call, Some(&token)).await
    }

    /// Is the login as it stands now; never one that was made at another server meanwhile.
    fn login(&self) -> anyhow::Result<Login> {
        let login = self.profile.read()?.context("nobody is logged in: run `cloudmeet login`")?;
        ensure!(login.server == *self.base(), "the login was changed meanwhile to another server, {}", login.server);
        Ok(login)
    }

    /// Gets the next access token. Of several processes at once one asks, and the others take what it got.
    async fn renew(&self, known: &Login) -> Result<Secret, Failure> {
        let _turn = self.profile.lock().await?;
        let login = self.login()?;
        if login.access_token != known.access_token && login.is_fresh() {
            return Ok(login.access_token);
        }
        let body = json!({ "refresh_token": login.refresh_token.reveal() });
        let call = Call { body: Some(body), ..Call::post("/api/auth/refresh?refresh=body") };
        let answer = self.http.send(&call, None).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(anyhow::anyhow!("the login has expired: run `cloudmeet login`").into());
            }
            status => {
                let error = anyhow::anyhow!("the login could not be renewed: the answer is {status}");
                return Err(if status.is_server_error() { Failure::Unreachable(error) } else { error.into() });
            }
        }
        let tokens: Tokens = parse(answer).await?.value;
        let login = login.renewed(tokens)?;
        self.profile.write(&login)?;
        Ok(login.access_token)
    }
}
