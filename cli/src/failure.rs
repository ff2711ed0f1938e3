//! Why something was not done, and what the exit code says of it.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use axum::http::StatusCode;
use cloudmeet_api_types::problem::ProblemBody;

use crate::text::plain;

/// Says why something was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked for wrongly.
    Usage(String),
    /// The server, or its rules in this process, said no.
    Refused(Box<ProblemBody>),
    /// Nobody answered, or the answer broke off.
    Unreachable(anyhow::Error),
    /// It did not work.
    Failed(anyhow::Error),
    /// It was answered, and the answer is no.
    No,
    /// Whoever reads has gone: no failure of ours.
    ClosedPipe,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Failure {
    /// Is what is to be said of it, in plain signs; `None` where nothing is.
    pub(crate) fn message(&self) -> Option<String> {
        Some(match self {
            Self::Usage(message) => plain(message),
            Self::Refused(problem) => plain(&refusal(problem)),
            Self::Unreachable(error) | Self::Failed(error) => plain(&format!("{error:#}")),
            Self::No | Self::ClosedPipe | Self::Interrupted => return None,
        })
    }

    /// Is the exit code: 1 refused or failed, 2 asked for wrongly, 130 interrupted (as shells have it).
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Refused(_) | Self::Unreachable(_) | Self::Failed(_) | Self::No => 1,
            Self::ClosedPipe => 0,
            Self::Interrupted => 130,
        }
    }

    /// Says whether trying again may help: nobody was reached, or the server says that it cannot now.
    pub(crate) fn may_pass(&self) -> bool {
        const FOR_NOW: [StatusCode; 4] = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ];
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(problem) => FOR_NOW.iter().any(|status| problem.status == status.as_u16()),
            Self::Usage(_) | Self::Failed(_) | Self::No | Self::ClosedPipe | Self::Interrupted => false,
        }
    }
}

/// Says something on standard error. Where nobody can hear it, nothing is said.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(anstream::stderr(), "cloudmeet: {}", plain(message));
}

/// Is a refusal's detail, and its fields where there are several.
fn refusal(problem: &ProblemBody) -> String {
    let mut message = problem.detail.clone();
    if problem.errors.len() > 1 {
        for error in &problem.errors {
            // Writing to a text cannot fail.
            let _ = write!(message, "\n  {}: {}", error.field, error.message);
        }
    }
    message
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Failed(error.into()),
        }
    }
}
