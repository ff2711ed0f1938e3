//! The cookie that carries the refresh token.

use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::CookieJar;
use cloudmeet_core::session::REFRESH_LIFE;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;

/// Is the cookie as this server sets it.
#[derive(Clone, Copy)]
pub struct RefreshCookie {
    /// Whether browsers come by https: then the name's prefix binds it to that, to the host and to no domain.
    pub is_secure: bool,
}

impl RefreshCookie {
    const fn name(self) -> &'static str {
        if self.is_secure { "__Host-cm_refresh" } else { "cm_refresh" }
    }

    /// Finds the refresh token.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<OpaqueToken> {
        let jar = CookieJar::from_headers(headers);
        jar.get(self.name()).map(|cookie| OpaqueToken::presented(cookie.value().to_owned()))
    }

    /// Makes the header that puts the refresh token in: out of reach of scripts and of other sites' requests.
    pub(super) fn set(self, token: &OpaqueToken) -> HeaderMap {
        self.header(token.reveal(), REFRESH_LIFE)
    }

    /// Makes the header that takes the refresh token away.
    pub(super) fn clear(self) -> HeaderMap {
        self.header("", Span::seconds(0))
    }

    fn header(self, value: &str, life: Span) -> HeaderMap {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}",
            self.name(),
            life.as_seconds()
        );
        let mut headers = HeaderMap::new();
        // Base64url and numbers: always a header value.
        if let Ok(mut value) = HeaderValue::try_from(cookie) {
            value.set_sensitive(true);
            headers.insert(header::SET_COOKIE, value);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_and_bound_to_the_host_on_https() {
        let token = OpaqueToken::from_random([1; 32]);
        let [https, http] = [true, false].map(|is_secure| RefreshCookie { is_secure });
        let text = |headers: HeaderMap| headers[header::SET_COOKIE].to_str().expect("text").to_owned();
        let value = text(https.set(&token));
        assert!(value.starts_with("__Host-cm_refresh="));
        for attribute in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=2592000"] {
            assert!(value.contains(attribute), "{attribute}");
        }
        assert!(!text(http.set(&token)).contains("Secure"));
        assert!(text(https.clear()).contains("Max-Age=0"));
    }
}
