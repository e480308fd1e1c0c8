//! Who calls: reads the `Authorization` header, the same way for both front ends, and has the service find the key's
//! holder. Each front end answers a refusal in its own words.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::api_error::ApiError;
use crate::app::App;
use crate::domain::caller::Caller;
use crate::service::rate_limits::TooOften;

use super::client_address::client_address;
use super::request_log::RequestFacts;

/// The caller by its `Authorization` header, held to its limit and noted for the log.
///
/// # Errors
/// Unauthenticated, too often, or what keeps us from knowing.
pub async fn authenticate(headers: &HeaderMap, extensions: &Extensions, app: &App) -> Result<Arc<Caller>, ApiError> {
    let caller = match api_key(headers) {
        Some(key) => app.authentication.caller(&key).await?,
        None => None,
    };
    if let Some(caller) = caller {
        RequestFacts::of(extensions).account(caller.account.id);
        app.rate_limits.request(caller.key).map_err(key_too_often)?;
        return Ok(caller);
    }
    // Who presents nothing guesses nothing.
    if headers.contains_key(header::AUTHORIZATION) {
        let address = client_address(headers, extensions, &app.settings.trusted_proxies);
        app.rate_limits.failed_attempt(address).map_err(address_too_often)?;
    }
    Err(ApiError::unauthenticated())
}

/// A key over its own limit.
#[must_use]
pub fn key_too_often(too_often: TooOften) -> ApiError {
    ApiError::too_often("this key asks too often; wait as long as Retry-After says", too_often)
}

/// An address whose keys are none, once too often.
#[must_use]
pub fn address_too_often(too_often: TooOften) -> ApiError {
    ApiError::too_often("too many failed attempts from this address; wait as long as Retry-After says", too_often)
}

/// Refuses whoever is no superuser, before anything that is for superusers alone is looked at.
///
/// # Errors
/// Not authorized.
pub fn require_superuser(caller: &Caller) -> Result<(), ApiError> {
    caller.superuser().map(|_| ()).ok_or_else(ApiError::not_authorized)
}

/// The API key: Basic's password (the user name is ignored), or the Bearer token. Two `Authorization` headers are none.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<String> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(authorization), None) = (given.next(), given.next()) else { return None };
    let (scheme, credentials) = authorization.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim_matches(' ');
    let key = if scheme.eq_ignore_ascii_case("basic") {
        // The user name is ignored, whatever its bytes.
        let decoded = STANDARD.decode(credentials).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        std::str::from_utf8(&decoded[colon + 1..]).ok()?.to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") {
        credentials.to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn key_of(authorization: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        api_key(&headers)
    }

    #[test]
    fn basic_and_bearer_carry_a_key_in_any_case_of_their_scheme() {
        let basic = |text: &str| key_of(&format!("bAsic {}", STANDARD.encode(text)));
        assert_eq!(basic("ignored:secret").as_deref(), Some("secret"));
        assert_eq!(basic(":with:colons").as_deref(), Some("with:colons"));
        let latin_1 = STANDARD.encode(b"us\xe9r:secret");
        assert_eq!(key_of(&format!("Basic {latin_1}")).as_deref(), Some("secret"));
        assert_eq!(key_of("BEARER secret").as_deref(), Some("secret"));
    }

    #[test]
    fn malformed_credentials_carry_none() {
        for authorization in
            ["", "Basic", "Basic ", "Basic !!!", "Basic c2VjcmV0", "Basic dXNlcjo=", "Bearer", "Bearer ", "Digest x"]
        {
            assert_eq!(key_of(authorization), None, "{authorization}");
        }
    }

    #[test]
    fn two_authorization_headers_are_none() {
        let mut headers = HeaderMap::new();
        for key in ["Bearer one", "Bearer two"] {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(key));
        }
        assert_eq!(api_key(&headers), None);
    }
}
