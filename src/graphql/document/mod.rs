//! stub
use async_graphql::{
    Pos, Variables,
    parser::types::{ExecutableDocument, OperationType},
};
pub struct Documents;
pub struct Prepared {
    pub operation_type: OperationType,
    pub operation_name: Option<String>,
    pub document: ExecutableDocument,
    pub variables: Variables,
}
pub struct RequestError {
    pub kind: RequestErrorKind,
    pub message: String,
    pub locations: Vec<Pos>,
}
pub enum RequestErrorKind {
    ParseFailed,
    ValidationFailed,
    LimitExceeded,
    BadUserInput,
}
#[derive(Default)]
pub struct Limits;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct InvalidSchema;
impl Documents {
    pub fn new(_s: &str, _l: Limits) -> Result<Self, InvalidSchema> {
        todo!()
    }
    pub fn prepare(
        &self,
        _q: &str,
        _o: Option<&str>,
        _v: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Prepared, Vec<RequestError>> {
        todo!()
    }
}
