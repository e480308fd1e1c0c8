//! Everything from outside: the production router over real databases and a real HTTP upstream.

mod fences;
mod graphql_http;
mod outage;
mod repairs;
mod rest;
mod schema;
mod statements;
mod support;
mod worlds;
