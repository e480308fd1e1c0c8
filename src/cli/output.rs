//! The one place that writes to standard output and standard error, logs apart.

use std::io::{self, Write};

/// A line of a command's result.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn result(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

/// A line beside the result, for whoever sits before the terminal. If nobody can read it, nothing is lost.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
