//! `/graphql`: the pipeline of GraphQL over HTTP, from the parts of a request to an answer.

use std::sync::Arc;

use async_graphql::Request as Executable;
use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;

use crate::api_error::{ApiError, ErrorCode};
use crate::app::App;
use crate::domain::caller::Caller;
use crate::front::authentication::authenticate;
use crate::front::body;
use crate::front::degraded::{Frontend, mark_degraded};
use crate::front::request_id::RequestId;
use crate::front::request_log::RequestFacts;

use super::accept::AnswerType;
use super::answer::Answer;
use super::document::{Documents, InvalidSchema, Limits};
use super::parameters::{NotARequest, Parameters};
use super::persisted::PersistedQueries;
use super::request_state::RequestState;
use super::schema::{ConnectionsSchema, schema, sdl};

/// What answers `/graphql`. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    app: App,
    schema: ConnectionsSchema,
    documents: Arc<Documents>,
    persisted: Arc<PersistedQueries>,
}

impl Endpoint {
    /// Over an application, for requests within these limits.
    ///
    /// # Errors
    /// When the document pipeline cannot read the schema that this program exports, which is a defect.
    pub fn new(app: App, limits: Limits) -> Result<Self, InvalidSchema> {
        let documents = Arc::new(Documents::new(&sdl(), limits, app.settings.introspection)?);
        Ok(Self { app, schema: schema(), documents, persisted: Arc::default() })
    }
}

/// Answers without having looked at the request.
#[must_use]
pub fn refuse(request: &Request<Body>, error: ApiError) -> Response {
    let request_id = RequestId::of(request.extensions());
    answer(request, request_id, AnswerType::negotiate(request.headers())).refused(error.code.facts().status, error)
}

fn answer(request: &Request<Body>, request_id: RequestId, negotiated: Option<AnswerType>) -> Answer {
    let conditions = (request.method() != Method::POST).then(|| request.headers().clone());
    Answer { answer_type: negotiated.unwrap_or(AnswerType::Json), request_id, conditions }
}

/// Answers a GET or a POST.
pub async fn handle(State(endpoint): State<Endpoint>, request_id: RequestId, request: Request<Body>) -> Response {
    let negotiated = AnswerType::negotiate(request.headers());
    let answer = answer(&request, request_id, negotiated);
    let caller = match authenticate(request.headers(), request.extensions(), &endpoint.app).await {
        Ok(caller) => caller,
        Err(error) => return answer.refused(error.code.facts().status, error),
    };
    if negotiated.is_none() {
        let text = "nothing acceptable: answers are application/graphql-response+json or application/json";
        return answer.refused(StatusCode::NOT_ACCEPTABLE, ApiError::bad_input(text));
    }
    let (method, facts) = (request.method().clone(), RequestFacts::of(request.extensions()));
    match parameters(request).await {
        Ok(parameters) => endpoint.execute(&answer, caller, facts, &method, &parameters).await,
        Err(NotARequest { status, error }) => answer.refused(status, error),
    }
}

async fn parameters(request: Request<Body>) -> Result<Parameters, NotARequest> {
    if request.method() != Method::POST {
        return Parameters::of_get(request.uri().query().unwrap_or_default());
    }
    let headers = request.headers().clone();
    let body = body::read(request).await.map_err(|(status, error)| NotARequest { status, error })?;
    Parameters::of_post(&headers, &body)
}

impl Endpoint {
    async fn execute(
        &self,
        answer: &Answer,
        caller: Arc<Caller>,
        facts: RequestFacts,
        method: &Method,
        parameters: &Parameters,
    ) -> Response {
        let Parameters { query, hash, operation_name, variables } = parameters;
        let document = match self.persisted.document(query, hash.as_ref()) {
            Ok(document) => document,
            Err(error) => {
                count_operation("unknown", "refused");
                let status = error.code.facts().status;
                return match error.code {
                    // A well-formed request, whose document is not known.
                    ErrorCode::PersistedQueryNotFound => answer.refused(answer.request_error_status(status), error),
                    _ => answer.refused(status, error),
                };
            }
        };
        let prepared = match self.documents.prepare(&document, operation_name.as_deref(), variables) {
            Ok(prepared) => prepared,
            Err(errors) => {
                count_operation("unknown", "refused");
                return answer.request_errors(errors);
            }
        };
        if let Some(hash) = hash {
            self.persisted.keep(hash, &document);
        }
        if let Some(name) = &prepared.operation_name {
            facts.operation(name);
        }
        let kind = match prepared.operation_type {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        if prepared.operation_type != OperationType::Query && method != Method::POST {
            let error = ApiError::bad_input("a GET serves queries only; send mutations by POST");
            let mut response = answer.refused(StatusCode::METHOD_NOT_ALLOWED, error);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let state = Arc::new(RequestState::new(self.app.clone(), caller, answer.request_id.as_str(), facts));
        // The document holds the one operation, so that there is none to be named.
        let mut executable = Executable::new(String::new()).variables(prepared.variables).data(Arc::clone(&state));
        executable.set_parsed_query(prepared.document);
        let executed = state.batches.drive(self.schema.execute(executable)).await;
        count_operation(kind, if executed.is_ok() { "ok" } else { "errors" });
        let sso = state.sso();
        let is_degraded = sso.failure().is_some();
        let mut response = answer.executed(executed, is_degraded);
        if is_degraded {
            mark_degraded(response.headers_mut(), Frontend::Graphql);
        }
        state.facts.sso(sso.outcome());
        response
    }
}

fn count_operation(kind: &'static str, outcome: &'static str) {
    metrics::counter!("graphql_operations_total", "type" => kind, "outcome" => outcome).increment(1);
}
