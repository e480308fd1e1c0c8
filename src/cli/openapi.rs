//! `openapi`: the description of the REST routes, for `openapi.json`, `openapi-3.0.json` and for clients' tools.

use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches, Command, ValueEnum};

use super::{Failure, output, required};
use crate::http::openapi::{Version, json};

const VERSION: &str = "openapi-version";

pub(super) fn command() -> Command {
    let version = Arg::new(VERSION).long(VERSION).value_name("VERSION").value_parser(clap::value_parser!(Version));
    Command::new("openapi").about("Print the description of the REST routes, OpenAPI 3.1 or 3.0").arg(
        version
            .default_value("3.1")
            .help("The version of the OpenAPI specification; 3.0 is for tools that cannot read 3.1"),
    )
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    output::result(&json(required(matches, VERSION)?)).map_err(Failure::Output)
}

impl ValueEnum for Version {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::V3_1, Self::V3_0]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::V3_1 => PossibleValue::new("3.1").alias("3.1.0"),
            Self::V3_0 => PossibleValue::new("3.0").alias("3.0.3"),
        })
    }
}
