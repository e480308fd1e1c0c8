//! What ends a command early, in one line for people, and the exit code that goes with it.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use metrics_exporter_prometheus::BuildError;

use super::output;
use crate::config::ConfigError;
use crate::domain::repair::RepairRefusal;
use crate::graphql::document::InvalidSchema;
use crate::sso::SsoSetupError;
use crate::store::StoreError;
use crate::telemetry::{LogSetupError, chain};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// A setting will not do.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// What was asked for cannot be done as things stand; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// A repair was refused.
    #[error("{}", .0.explanation())]
    Repair(RepairRefusal),
    /// The process cannot be set up.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// The log cannot be set up.
    #[error("cannot set up the log")]
    Log(#[from] LogSetupError),
    /// The metrics cannot be set up.
    #[error("cannot set up the metrics")]
    Metrics(#[from] BuildError),
    /// The SSO client cannot be set up.
    #[error("cannot use SSO_URL and SSO_TOKEN")]
    Sso(#[from] SsoSetupError),
    /// The exported schema cannot be read back: a defect of ours.
    #[error("cannot set up GraphQL")]
    Graphql(#[from] InvalidSchema),
    /// The database did not do its part.
    #[error("cannot {doing}")]
    Store {
        /// What was being done, as an infinitive.
        doing: &'static str,
        /// Why that failed.
        source: StoreError,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address} (set {setting} to another)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that holds it.
        setting: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Its path.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A listener broke.
    #[error("cannot go on serving")]
    Serve(#[source] io::Error),
    /// Nobody can read the result.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}

impl Failure {
    /// For `map_err`: the database did not do this.
    pub fn store(doing: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { doing, source }
    }

    /// 2 where the arguments or the configuration must change, a refused repair's own, 1 for the rest.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Configuration(_) | Self::Store { source: StoreError::Url { .. }, .. } => 2,
            Self::Repair(RepairRefusal::AlreadyExists) => 3,
            Self::Repair(RepairRefusal::SsoConnectionNotFound) => 4,
            Self::Repair(RepairRefusal::SsoUnavailable) => 5,
            Self::Repair(RepairRefusal::AccountNotFound) => 6,
            Self::Refused(_)
            | Self::Start(_)
            | Self::Log(_)
            | Self::Metrics(_)
            | Self::Sso(_)
            | Self::Graphql(_)
            | Self::Store { .. }
            | Self::Listen { .. }
            | Self::File { .. }
            | Self::Serve(_)
            | Self::Output(_) => 1,
        }
    }
}

/// The failure and all its causes, in one line.
fn line(failure: &Failure) -> String {
    format!("error: {}", chain(failure))
}

/// Tells the failure on standard error, and gives its exit code.
#[must_use]
pub fn report(failure: &Failure) -> ExitCode {
    output::note(&line(failure));
    ExitCode::from(failure.exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_its_causes_in_one_line() {
        let source = io::Error::other("in\nuse");
        let failure = Failure::Listen { address: "127.0.0.1:1".parse().unwrap(), setting: "LISTEN", source };
        assert_eq!(line(&failure), "error: cannot listen on 127.0.0.1:1 (set LISTEN to another): in use");
    }

    #[test]
    fn a_cause_that_is_told_already_is_not_told_again() {
        let source = io::Error::other(TellsItsCause(io::Error::other("no file")));
        assert_eq!(line(&Failure::Serve(source)), "error: cannot go on serving: not opened: no file");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("not opened: {0}")]
    struct TellsItsCause(#[source] io::Error);

    #[test]
    fn what_the_user_must_change_is_told_apart_by_exit_code() {
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
        assert_eq!(Failure::Configuration(ConfigError(String::new())).exit_code(), 2);
        assert_eq!(Failure::Refused(String::new()).exit_code(), 1);
    }
}
