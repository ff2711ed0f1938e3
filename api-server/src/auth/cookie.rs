//! The cookie that carries the refresh token.

use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::CookieJar;
use cloudmeet_core::session::REFRESH_LIFE;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;

/// Gives the cookie's name: the prefix binds it to https, to the whole host and to no domain.
const fn name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-cm_refresh" } else { "cm_refresh" }
}

/// Finds the refresh token.
pub(super) fn read(headers: &HeaderMap, is_secure: bool) -> Option<OpaqueToken> {
    let jar = CookieJar::from_headers(headers);
    jar.get(name(is_secure)).map(|cookie| OpaqueToken::presented(cookie.value().to_owned()))
}

/// Makes the header that puts the refresh token in: out of reach of scripts and of other sites' requests.
pub(super) fn set(token: &OpaqueToken, is_secure: bool) -> HeaderMap {
    header(token.reveal(), REFRESH_LIFE, is_secure)
}

/// Makes the header that takes the refresh token away.
pub(super) fn clear(is_secure: bool) -> HeaderMap {
    header("", Span::seconds(0), is_secure)
}

fn header(value: &str, life: Span, is_secure: bool) -> HeaderMap {
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}",
        name(is_secure),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_and_bound_to_the_host_on_https() {
        let token = OpaqueToken::from_random([1; 32]);
        let header = set(&token, true);
        let value = header[header::SET_COOKIE].to_str().expect("text");
        assert!(value.starts_with("__Host-cm_refresh="));
        for attribute in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=2592000"] {
            assert!(value.contains(attribute), "{attribute}");
        }
        assert!(!set(&token, false)[header::SET_COOKIE].to_str().expect("text").contains("Secure"));
        assert!(clear(false)[header::SET_COOKIE].to_str().expect("text").contains("Max-Age=0"));
    }
}
