//! thin
use async_graphql::{
    Pos, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType},
};
#[derive(Debug)]
pub struct Documents;
pub struct Prepared {
    pub operation_type: OperationType,
    pub operation_name: Option<String>,
    pub document: ExecutableDocument,
    pub variables: Variables,
}
#[derive(Debug)]
pub struct RequestError {
    pub kind: RequestErrorKind,
    pub message: String,
    pub locations: Vec<Pos>,
}
#[derive(Debug)]
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
        Ok(Self)
    }
    pub fn prepare(
        &self,
        q: &str,
        o: Option<&str>,
        v: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Prepared, Vec<RequestError>> {
        let document = async_graphql::parser::parse_query(q).map_err(|e| {
            vec![RequestError { kind: RequestErrorKind::ParseFailed, message: e.to_string(), locations: vec![] }]
        })?;
        let operation_type = match &document.operations {
            DocumentOperations::Single(s) => s.node.ty,
            DocumentOperations::Multiple(m) => {
                o.and_then(|o| m.get(o)).map(|x| x.node.ty).unwrap_or(OperationType::Query)
            }
        };
        Ok(Prepared {
            operation_type,
            operation_name: o.map(str::to_owned),
            document,
            variables: Variables::from_json(serde_json::Value::Object(v.clone())),
        })
    }
}
