//! The language of texts for people.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// Is a language that the server speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// The one without a wish.
    #[default]
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// Gives the language's tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// Finds the best language for `Accept-Language` (RFC 9110, 12.5.4); of equals the first named.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let mut best = (0.0_f32, Self::default());
        let wishes = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        for wish in wishes.flat_map(|value| value.split(',')) {
            let mut parts = wish.trim().split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let quality = parts
                .find_map(|parameter| parameter.trim().strip_prefix("q="))
                .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            let primary = tag.split('-').next().unwrap_or_default();
            let language = if primary.eq_ignore_ascii_case("ru") {
                Self::Russian
            } else if primary.eq_ignore_ascii_case("en") || tag == "*" {
                Self::English
            } else {
                continue;
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::negotiate(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(wish: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, wish.parse().expect("a header value"));
        Language::negotiate(&headers)
    }

    #[test]
    fn the_best_known_wish_wins_and_english_without_one() {
        assert_eq!(negotiated("ru"), Language::Russian);
        assert_eq!(negotiated("ru-RU,ru;q=0.9,en;q=0.8"), Language::Russian);
        assert_eq!(negotiated("en;q=0.5, ru;q=0.7"), Language::Russian);
        assert_eq!(negotiated("de, en;q=0.5, ru;q=0.1"), Language::English);
        assert_eq!(negotiated("de"), Language::English);
        assert_eq!(negotiated("ru;q=0"), Language::English);
        assert_eq!(negotiated("ru;q=nonsense"), Language::English);
    }
}
