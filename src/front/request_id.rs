//! stub
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
/// x
#[derive(Debug, Clone)]
pub struct RequestId(String);
impl RequestId {
    /// x
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(String::new()))
    }
}
