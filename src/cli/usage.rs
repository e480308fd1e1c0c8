//! clap's refusals, which are many lines of advice, in one.

use clap::Error;
use clap::error::ErrorKind;

/// Whether this is no refusal, but `--help` or `--version`, to be printed as it comes.
pub(super) fn is_information(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// What was wrong, in one line without the usage that clap adds.
pub(super) fn in_one_line(error: &Error) -> String {
    if matches!(error.kind(), ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return "no command: `lc-connections --help` lists them".to_owned();
    }
    let rendered = error.render().to_string();
    let wrong: Vec<_> = rendered.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let wrong = wrong.join(" ");
    format!("{}; see --help", wrong.strip_prefix("error: ").unwrap_or(&wrong))
}

/// For clap: a text that says something.
pub(super) fn not_blank(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it must not be blank") } else { Ok(text.trim().to_owned()) }
}
