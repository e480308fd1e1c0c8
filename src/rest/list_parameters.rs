//! The query parameters of `GET /connections`.

use url::form_urlencoded;

use crate::api_error::ApiError;
use crate::domain::connection::RelationshipType;

/// What the list was asked for. Parameters that nobody knows are ignored, as the old service did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListParameters {
    /// Only connections of this type.
    pub relationship_type: Option<RelationshipType>,
    /// Wrap the array as `{"degraded", "connections"}`.
    pub envelope: bool,
}

impl ListParameters {
    /// From a URL's query.
    ///
    /// # Errors
    /// A known parameter with a value that it does not have, or one given twice with different values.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut relationship_type = None;
        let mut envelope = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "relationship_type" => {
                    let parsed = RelationshipType::parse(&value).ok_or_else(invalid_relationship_type)?;
                    set_once(&mut relationship_type, parsed, "relationship_type")?;
                }
                "envelope" => {
                    let parsed = match &*value {
                        "true" => true,
                        "false" => false,
                        _ => return Err(invalid_envelope()),
                    };
                    set_once(&mut envelope, parsed, "envelope")?;
                }
                _ => {}
            }
        }
        Ok(Self { relationship_type, envelope: envelope.unwrap_or_default() })
    }
}

fn set_once<T: PartialEq>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), ApiError> {
    if slot.as_ref().is_some_and(|given| *given != value) {
        return Err(given_twice(name));
    }
    *slot = Some(value);
    Ok(())
}

pub(super) fn invalid_relationship_type() -> ApiError {
    ApiError::bad_input("invalid relationship_type: it is \"seller\" or \"buyer\"")
}

pub(super) fn invalid_envelope() -> ApiError {
    ApiError::bad_input("invalid envelope: it is \"true\" or \"false\"")
}

pub(super) fn given_twice(name: &str) -> ApiError {
    ApiError::bad_input(format!("invalid {name}: it is given twice, with different values"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_are_understood_and_unknown_parameters_ignored() {
        let parse = |query| ListParameters::parse(query).unwrap();
        assert_eq!(parse(""), ListParameters::default());
        assert_eq!(parse("page=2&x"), ListParameters::default());
        assert_eq!(parse("relationship_type=buyer").relationship_type, Some(RelationshipType::Buyer));
        assert_eq!(parse("relationship%5Ftype=s%65ller").relationship_type, Some(RelationshipType::Seller));
        assert!(parse("envelope=true&relationship_type=seller&relationship_type=seller").envelope);
    }

    #[test]
    fn other_values_are_refused() {
        for query in [
            "relationship_type=",
            "relationship_type",
            "relationship_type=Seller",
            "relationship_type=both",
            "relationship_type=seller&relationship_type=buyer",
            "envelope=yes",
        ] {
            assert!(ListParameters::parse(query).is_err(), "{query}");
        }
    }
}
