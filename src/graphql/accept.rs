//! Which media type an answer has, negotiated by the weights of `Accept`.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::front::weight::thousandths;

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

    /// What the client likes best; `None`: nothing that we have. No `Accept`, and `*/*`, mean `application/json`.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let ranges: Vec<Range> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        if ranges.is_empty() && !headers.contains_key(header::ACCEPT) {
            return Some(Self::Json);
        }
        let weight = |subtype: &str| {
            let matching = ranges.iter().filter(|range| range.matches(subtype));
            matching.max_by_key(|range| range.specificity()).map_or(0, |range| range.weight)
        };
        let candidates = [(Self::Json, weight("json")), (Self::GraphqlResponse, weight("graphql-response+json"))];
        let best = candidates.iter().map(|(_, weight)| *weight).max().filter(|weight| *weight > 0)?;
        // Equally liked: the one that the client named first, else the legacy one.
        let named = ranges.iter().filter(|range| range.weight == best).find_map(Range::names);
        let tied: Vec<Self> = candidates.iter().filter(|(_, weight)| *weight == best).map(|(kind, _)| *kind).collect();
        named.filter(|kind| tied.contains(kind)).or_else(|| tied.first().copied())
    }
}

/// One range of an `Accept` header. The weight is in thousandths.
struct Range {
    kind: String,
    subtype: String,
    weight: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut weight = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                weight = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
                return None;
            }
        }
        Some(Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase(), weight })
    }

    fn matches(&self, subtype: &str) -> bool {
        match (&*self.kind, &*self.subtype) {
            ("*" | "application", "*") => true,
            ("application", own) => own == subtype,
            _ => false,
        }
    }

    fn specificity(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }

    fn names(&self) -> Option<AnswerType> {
        match (&*self.kind, &*self.subtype) {
            ("application", "json") => Some(AnswerType::Json),
            ("application", "graphql-response+json") => Some(AnswerType::GraphqlResponse),
            _ => None,
        }
    }
}

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
            (Some("nonsense"), None),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept:?}");
        }
    }
}
