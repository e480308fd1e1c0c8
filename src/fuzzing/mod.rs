//! What must hold of everything that reads a text from outside, whatever the text: one function for each kind of text, which
//! panics where its properties do not hold.
//!
//! `fuzz/` runs them guided by coverage, for minutes; the tests here run the same functions over the inputs that were kept
//! (`fuzz/corpus/`) and over random changes of them, for a moment, in every `cargo test`. They stand inside the library, so
//! that nothing private must become public for them, and are built for those two alone: cargo-fuzz sets `cfg(fuzzing)`.

#![expect(clippy::expect_used, clippy::panic, reason = "what does not hold ends the run: that is what it is for")]

mod config;
mod cursors;
mod documents;
mod headers;
mod ids;
mod print;
mod requests;
mod server;
#[cfg(test)]
mod smoke;
mod sso;

/// The longest text that a client ever sees of what was wrong, in characters.
const LONGEST_MESSAGE: usize = 200;

/// One kind of text from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target, of its corpus and of its dictionary.
    pub name: &'static str,
    /// Panics where a property does not hold of the input.
    pub holds: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "config", holds: config::holds },
    Target { name: "cursors", holds: cursors::holds },
    Target { name: "documents", holds: documents::holds },
    Target { name: "headers", holds: headers::holds },
    Target { name: "ids", holds: ids::holds },
    Target { name: "requests", holds: requests::holds },
    Target { name: "server", holds: server::holds },
    Target { name: "sso", holds: sso::holds },
];

/// Tells whether the properties of a target hold, by its name.
///
/// # Panics
/// They do not hold, or there is no such target.
pub fn check(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").holds)(input);
}

/// A part of an input up to the separator, and the rest.
fn split_at(input: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == separator) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}

/// What a client is told must be short.
fn is_fit_to_tell(message: &str) {
    assert!(message.chars().count() <= LONGEST_MESSAGE, "a refusal of {} characters: {message}", message.len());
}
