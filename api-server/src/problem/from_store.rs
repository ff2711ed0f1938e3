//! What the store's errors are to a client.

use cloudmeet_core::chat::{EditError, SendError};
use cloudmeet_core::entry::EntryError;
use cloudmeet_core::moderation::ModerationError;
use cloudmeet_core::permission::Denied;
use cloudmeet_core::room::SettingsError;
use cloudmeet_store::{
    Failure, HandOnError, KeepError, LeaveError, LinkCodeError, MessageError, ModerateError, PasswordReplaced,
    RoomError, StoreError, SubmitError,
};

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
            Denied::AgainstOwner => Code::AgainstOwner,
            Denied::Managed => Code::ManagedElsewhere,
        }
        .into()
    }
}

impl From<EntryError> for Problem {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Denied(denied) => denied.into(),
            EntryError::Banned => Code::Banned.into(),
            EntryError::NotOpen { opens_at } => Self::not_open(opens_at),
            EntryError::PasswordRequired => Code::PasswordRequired.into(),
            EntryError::WrongPassword => Code::WrongPassword.into(),
            EntryError::RoomFull => Code::RoomFull.into(),
        }
    }
}

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Denied(denied) => denied.into(),
            RoomError::Settings(error @ SettingsError::EndsBeforeOpening) => Self::invalid_field("closes_at", error),
            RoomError::Settings(error) => Self::invalid_field("password", error),
            RoomError::SlugTaken => Code::SlugTaken.into(),
        }
    }
}

impl From<KeepError> for Problem {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Room(error) => error.into(),
            KeepError::ResourceGone => Code::ResourceGone.into(),
            KeepError::NoSuchRoom => Code::RoomNotFound.into(),
            KeepError::KeptElsewhere(manager) => Self::managed(Code::AdoptionConflict, &manager),
        }
    }
}

impl From<ModerationError> for Problem {
    fn from(error: ModerationError) -> Self {
        match error {
            ModerationError::NotWaiting => Code::NotWaiting,
            ModerationError::NotInRoom => Code::PersonNotInRoom,
        }
        .into()
    }
}

impl From<ModerateError> for Problem {
    fn from(error: ModerateError) -> Self {
        match error {
            ModerateError::Denied(denied) => denied.into(),
            ModerateError::Moderation(error) => error.into(),
            ModerateError::RoomFull => Code::RoomFull.into(),
        }
    }
}

impl From<HandOnError> for Problem {
    fn from(error: HandOnError) -> Self {
        match error {
            HandOnError::Denied(denied) => denied.into(),
            HandOnError::NotInRoom(error) => error.into(),
        }
    }
}

impl From<LinkCodeError> for Problem {
    fn from(error: LinkCodeError) -> Self {
        match error {
            LinkCodeError::Denied(denied) => denied.into(),
            LinkCodeError::NotPrivate => Code::NotPrivate.into(),
        }
    }
}

impl From<LeaveError> for Problem {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::NoSuchRoom => Code::RoomNotFound,
            LeaveError::NotInRoom => Code::NotInRoom,
        }
        .into()
    }
}

impl From<MessageError> for Problem {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Denied(denied) => denied.into(),
            MessageError::NoSuchMessage => Code::MessageNotFound.into(),
            MessageError::Edit(EditError::Deleted) => Code::MessageDeleted.into(),
        }
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
