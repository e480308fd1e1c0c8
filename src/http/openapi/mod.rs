//! `openapi.json`: the description of all REST routes, put together from what stands beside their handlers.

mod finish;

use utoipa::OpenApi;

use super::{health, metrics};
use crate::rest::dto::{Created, List, SingleConnection};
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
    servers((url = "/", description = "This server")),
    paths(connections::list, connections::repair, connections::get, health::live, health::ready, metrics::show),
    components(
        schemas(Created, ErrorBody<'static>, List<'static>, SingleConnection<'static>),
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

/// The text of `openapi.json`.
#[must_use]
pub fn json() -> String {
    // What was derived can be written, so the fallback is never taken.
    let document = Description::openapi().to_pretty_json().unwrap_or_default();
    SAMPLES.iter().fold(document, |document, sample| set_in(&document, *sample))
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
