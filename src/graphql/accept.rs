//! Negotiates which of the two media types a response has.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::front::negotiate::{MediaRanges, combined};

/// The two media types of GraphQL over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerType {
    /// `application/graphql-response+json`: request errors have a 4xx status.
    GraphqlResponse,
    /// `application/json`: the legacy form, in which a well-formed request always has status 200.
    Json,
}

impl AnswerType {
    /// The header's value.
    #[must_use]
    pub const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }

    /// Returns the media type that the client prefers, or `None` if it accepts neither. Without a well-formed member,
    /// and for `*/*`, this is `application/json`.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let accept = combined(headers, &header::ACCEPT).unwrap_or_default();
        let ranges = MediaRanges::parse(&accept);
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let best = ranges.best(&[JSON, GRAPHQL_RESPONSE])?;
        Some(if best == GRAPHQL_RESPONSE { Self::GraphqlResponse } else { Self::Json })
    }
}

const JSON: &str = "application/json";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: Option<&str>) -> Option<AnswerType> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        AnswerType::negotiate(&headers)
    }

    #[test]
    fn weights_decide() {
        use AnswerType::{GraphqlResponse, Json};
        for (accept, expected) in [
            (None, Some(Json)),
            (Some("*/*"), Some(Json)),
            (Some("application/*"), Some(Json)),
            (Some("application/json"), Some(Json)),
            (Some("application/graphql-response+json"), Some(GraphqlResponse)),
            (Some("application/graphql-response+json, application/json"), Some(GraphqlResponse)),
            (Some("application/json, application/graphql-response+json"), Some(Json)),
            (Some("application/json;q=0.9, application/graphql-response+json"), Some(GraphqlResponse)),
            (Some("application/graphql-response+json;q=0.5, */*;q=0.9"), Some(Json)),
            (Some("application/json;q=0, */*"), Some(GraphqlResponse)),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
                Some(GraphqlResponse),
            ),
            (Some("text/html, */*;q=0.8"), Some(Json)),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
            (Some("application/json; charset=latin1"), None),
            (Some("*/*;q=0"), None),
            // The default of Java's HttpURLConnection before Java 19.
            (Some("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), Some(Json)),
            (Some("text/html, nonsense"), None),
            (Some("nonsense, application/graphql-response+json, ;q=1"), Some(GraphqlResponse)),
            // No well-formed member is the same as no header.
            (Some("nonsense"), Some(Json)),
            (Some("application/graphql-response+json;q=high"), Some(Json)),
            (Some(" , "), Some(Json)),
            (Some(""), Some(Json)),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept:?}");
        }
    }
}
