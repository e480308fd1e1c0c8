//! Everything from outside: the production router over real databases and a real HTTP upstream.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test that meets the unexpected ends there; its helpers are tests too"
)]
#![expect(clippy::print_stdout, reason = "figures, for those who ask for them with --nocapture")]

mod attackers;
mod authentication;
mod bad_input;
mod caching;
mod compression;
mod connecting;
mod cors;
mod database_faults;
mod described;
mod documents;
mod error_codes;
mod exactly_one;
mod fences;
mod golden;
mod graphql_http;
mod hang_ups;
mod hostile_graphql;
mod ipv6;
mod lenient_http;
mod limits;
mod migrations;
mod nested_json;
mod nodes;
mod odd_values;
mod odd_worlds;
mod openapi;
mod outage;
mod overload;
mod pages;
mod persisted_queries;
mod program;
mod protocols;
mod repairs;
mod rest;
mod scenarios;
mod schema;
mod selection;
mod slow_clients;
mod soak;
mod sso_circuit;
mod sso_faults;
mod sso_process;
mod sso_tls;
mod starting;
mod statements;
mod stopping;
mod store;
mod stored_bytes;
mod stored_json;
mod support;
mod telemetry;
mod trace_export;
mod trail;
mod worlds;
