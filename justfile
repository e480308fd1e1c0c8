# Short names for what this repository does. `.ci/run` and `tests/run` are the plain entry points; they need no `just`.

# Lists the recipes.
default:
    @just --list

# Starts the server with sample data and a simulated SSO.
demo *arguments:
    cargo run -- demo {{arguments}}

# Runs all tests, as `.ci/run` does.
test *arguments:
    tests/run {{arguments}}

# Runs the tests of the crates under `crates/`, each alone.
test-crates:
    cargo test --locked --package http-server

# Checks formatting and lints.
lint:
    cargo fmt --all --check
    cargo fmt --check --manifest-path fuzz/Cargo.toml
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --locked --no-default-features -- -D warnings

# Writes the GraphQL schema that the code exports.
schema:
    cargo run --quiet -- schema > schema.graphql

# Writes the description of the REST routes that the code exports.
openapi:
    cargo run --quiet -- openapi > openapi.json

# Fuzzes one target, for example `just fuzz documents`; see fuzz/README.md.
fuzz target *arguments:
    cargo fuzz run --sanitizer none {{target}} -- -max_total_time=300 -timeout=5 -max_len=4096 {{arguments}}

# Compares the server's speed with a hand-written server; see bench/README.md.
bench:
    bench/run

# Runs what CI runs.
ci:
    .ci/run
