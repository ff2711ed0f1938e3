//! What the store's errors are to a client.

use cloudmeet_core::chat::SendError;
use cloudmeet_core::permission::Denied;
use cloudmeet_store::{Failure, PasswordReplaced, StoreError, SubmitError};

use super::{Code, Problem, Rule};

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(error = error as &dyn std::error::Error, "the store is away");
                Code::Unavailable.into()
            }
            StoreError::Full(_) => {
                tracing::error!(error = error as &dyn std::error::Error, "the store is full");
                Code::StorageFull.into()
            }
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl<E: Into<Problem>> From<Failure<E>> for Problem {
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Store(error) => error.into(),
        }
    }
}

impl From<PasswordReplaced> for Problem {
    fn from(_: PasswordReplaced) -> Self {
        Code::WrongCredentials.into()
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NoSuchRoom => Code::RoomNotFound,
            Denied::NotMember => Code::NotMember,
            Denied::RoomClosed => Code::RoomClosed,
            Denied::NotAllowed => Code::Forbidden,
        }
        .into()
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(SendError::Denied(denied)) => denied.into(),
            SubmitError::Refused(SendError::NoSuchRoom) => Code::RoomNotFound.into(),
            SubmitError::Refused(SendError::UnknownReply) => Self::invalid_field("reply_to", Rule::UnknownReference),
            SubmitError::Overloaded => Code::Overloaded.into(),
            SubmitError::Unavailable => Code::Unavailable.into(),
            SubmitError::Full => Code::StorageFull.into(),
            SubmitError::Failed => Code::Internal.into(),
        }
    }
}
