//! What can go wrong between a decision and the disk.

use cloudmeet_core::text::TextError;

/// Says why the store could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or does not answer in time; whether a commit under way
    /// happened is unknown.
    #[error("the database does not answer")]
    Unavailable(#[source] sqlx::Error),
    /// The disk is full.
    #[error("the database has no space left")]
    Full(#[source] sqlx::Error),
    /// The database refused a statement: a fault of this program or of the database.
    #[error("the database refused a statement")]
    Refused(#[source] sqlx::Error),
    /// A stored value that this program never writes.
    #[error("the database holds an impossible value: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(inner) => inner.code().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        match (&error, code.as_deref()) {
            // SQLITE_FULL; Postgres 53100 disk_full.
            (_, Some("13" | "53100")) => Self::Full(error),
            // SQLITE_BUSY and its kin; Postgres classes 08 (connection), 57P (shutting down, starting),
            // 53 (out of resources), 40 (rolled back: deadlock, serialisation), and what a timeout of
            // ours broke off: 57014 (statement), 55P03 (lock), 25P03 (idle in a transaction).
            (_, Some(code))
                if matches!(code, "5" | "261" | "517" | "57014" | "55P03" | "25P03")
                    || code.len() == 5 && ["08", "57P", "53", "40"].iter().any(|class| code.starts_with(class)) =>
            {
                Self::Unavailable(error)
            }
            (
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed,
                _,
            ) => Self::Unavailable(error),
            _ => Self::Refused(error),
        }
    }
}

impl StoreError {
    /// Says whether trying again later may succeed.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }

    /// Says that nothing was heard for too long.
    pub fn no_answer() -> Self {
        Self::Unavailable(crate::db::no_answer())
    }

    /// Says whether a value stands already where it may stand but once.
    pub(crate) fn is_duplicate(&self) -> bool {
        match self {
            Self::Refused(sqlx::Error::Database(error)) => error.is_unique_violation(),
            _ => false,
        }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<TextError> for StoreError {
    fn from(error: TextError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Tells a refusal by a rule from a fault of the store.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// A rule says no; nothing was stored.
    #[error(transparent)]
    Refused(E),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> Failure<E> {
    /// Makes the refusal one among others.
    pub(crate) fn widen<W: From<E>>(self) -> Failure<W> {
        match self {
            Self::Refused(refusal) => Failure::Refused(refusal.into()),
            Self::Store(error) => Failure::Store(error),
        }
    }
}
