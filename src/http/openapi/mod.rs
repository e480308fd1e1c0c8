//! `openapi.json`: the description of all REST routes, put together from what stands beside their handlers.

mod ambiguous;
mod finish;
mod nullable;
mod version_3_0;

use utoipa::OpenApi;
use utoipa::openapi::Ref;

use super::{health, metrics};
use crate::rest::dto::{Created, ListedConnection, SingleConnection};
use crate::rest::error::ErrorBody;
use crate::rest::examples::{SAMPLES, Sample};
use crate::rest::{connections, responses};
use finish::Finish;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "LeadConduit Connections",
        description = include_str!("description.md"),
        contact(name = "LeadConduit Connections"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    // Absolute, since an importer that is given the text alone knows no address to complete a relative one by.
    servers((
        url = "http://127.0.0.1:8080",
        description = "The address by default, of `serve` and of `demo`. In its place, give clients your server's own.",
    )),
    paths(connections::list, connections::repair, connections::get, health::live, health::ready, metrics::show),
    components(
        schemas(Created, ErrorBody<'static>, ListedConnection<'static>, SingleConnection<'static>),
        responses(
            responses::AlreadyExists,
            responses::Internal,
            responses::InvalidId,
            responses::InvalidParameter,
            responses::InvalidRepair,
            responses::NoKey,
            responses::NoSuperuser,
            responses::NotFound,
            responses::NotModified,
            responses::NotPlainJson,
            responses::OneConnection,
            responses::ReconciledList,
            responses::RepairUnavailable,
            responses::Repaired,
            responses::TooLarge,
            responses::TooSlow,
            responses::TooManyRequests,
            responses::Unavailable,
            responses::UnknownToSso,
        ),
    ),
    tags(
        (name = "Connections", description = "An account's connections with other LeadConduit accounts."),
        (name = "Operations", description = "For those who run the server. No key is asked for."),
    ),
    security(("basic" = []), ("bearer" = [])),
    modifiers(&Finish),
)]
struct Description;

/// A version of the `OpenAPI` specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1.0, by JSON Schema.
    V3_1,
    /// 3.0.3, for the many tools that do not read 3.1.
    V3_0,
}

/// The description as JSON: the text of `openapi.json`, or of `openapi-3.0.json`.
#[must_use]
pub fn json(version: Version) -> String {
    let mut document = Description::openapi();
    if version == Version::V3_0 {
        version_3_0::rewrite(&mut document);
    }
    // What was derived can be written, so the fallback is never taken.
    let mut document = document.to_pretty_json().unwrap_or_default();
    if version == Version::V3_0 {
        // utoipa cannot name a version before 3.1.
        document = document.replacen("\"openapi\": \"3.1.0\"", "\"openapi\": \"3.0.3\"", 1);
    }
    SAMPLES.iter().fold(document, |document, sample| set_in(&document, *sample))
}

/// The name of the component that is referred to.
fn component(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}

/// Puts a sample where its mark stands, as deep as that.
fn set_in(document: &str, Sample { mark, text }: Sample) -> String {
    let mark = format!("\"{mark}\"");
    let lines = document.lines().map(|line| {
        let depth = line.len() - line.trim_start().len();
        line.replace(&mark, &text.trim_end().replace('\n', &format!("\n{}", " ".repeat(depth))))
    });
    lines.collect::<Vec<_>>().join("\n")
}
