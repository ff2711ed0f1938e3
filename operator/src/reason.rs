//! Why a resource stands as it does, in one word for programs.

/// Is the reason of a condition or an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The room was made.
    Created,
    /// The room was there, and was taken over.
    Adopted,
    /// The room was changed as its description was.
    Updated,
    /// The room was not as described, and was made so again.
    DriftCorrected,
    /// The room is not as described, and is left so.
    Drifted,
    /// The room to take over is not there, or another's.
    AdoptionConflict,
    /// Nobody has the owner's address.
    OwnerNotFound,
    /// The password is not where the description says.
    SecretNotFound,
    /// The server refuses the description.
    InvalidSpec,
    /// The server does not accept the operator's key.
    Unauthorized,
    /// The server does not answer, or is not able to.
    ServerUnreachable,
    /// The cluster does not say what is needed.
    ClusterUnreachable,
    /// The room is left alone because the resource says so.
    Suspended,
}

impl Reason {
    const ALL: [Self; 13] = [
        Self::Created,
        Self::Adopted,
        Self::Updated,
        Self::DriftCorrected,
        Self::Drifted,
        Self::AdoptionConflict,
        Self::OwnerNotFound,
        Self::SecretNotFound,
        Self::InvalidSpec,
        Self::Unauthorized,
        Self::ServerUnreachable,
        Self::ClusterUnreachable,
        Self::Suspended,
    ];

    /// Gives the word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Adopted => "Adopted",
            Self::Updated => "Updated",
            Self::DriftCorrected => "DriftCorrected",
            Self::Drifted => "Drifted",
            Self::AdoptionConflict => "AdoptionConflict",
            Self::OwnerNotFound => "OwnerNotFound",
            Self::SecretNotFound => "SecretNotFound",
            Self::InvalidSpec => "InvalidSpec",
            Self::Unauthorized => "Unauthorized",
            Self::ServerUnreachable => "ServerUnreachable",
            Self::ClusterUnreachable => "ClusterUnreachable",
            Self::Suspended => "Suspended",
        }
    }

    /// Reads the word; `None` when it is none of ours.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// Says whether a room with this reason is as described.
    #[must_use]
    pub const fn is_in_order(self) -> bool {
        matches!(self, Self::Created | Self::Adopted | Self::Updated | Self::DriftCorrected)
    }

    /// Says whether it ends by itself, and shows in different words meanwhile.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::ServerUnreachable | Self::ClusterUnreachable)
    }

    /// Says whether somebody should have a look.
    #[must_use]
    pub const fn is_complaint(self) -> bool {
        !self.is_in_order() && !matches!(self, Self::Suspended)
    }
}
