//! See `src/fuzzing/headers.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| lc_connections::fuzzing::check("headers", input));
