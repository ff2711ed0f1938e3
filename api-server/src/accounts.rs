//! What rooms know of accounts: from the store in the same process, or from the auth service.

use cloudmeet_api_types::system::ServerState;
use cloudmeet_core::account::{Account, Email, Standing};
use cloudmeet_core::api_key::{KeyName, Scope};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::time::Timestamp;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AccountChange, AuthStore, Identity, Letter, StoreError, Tail};

use crate::auth_service::{AuthService, ServiceError};
use crate::problem::{Code, Problem};

/// Is where accounts are asked for. Cheap to clone.
#[derive(Clone)]
pub enum Accounts {
    /// In this process's own store.
    Here(AuthStore),
    /// At another service.
    There(AuthService),
}

/// Says why nothing is known of an account or session.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The auth service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Is what rooms know of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name others see.
    pub display_name: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Administrator or not; `None` where an earlier release does not say.
    pub standing: Option<Standing>,
}

/// Is an account as it is known by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its address.
    pub email: Email,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whose it is.
    pub identity: Identity,
}

/// Is a program that has shown a good key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The name under which people know it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

impl Accounts {
    /// Is the time by which sessions and tokens are judged.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Here(store) => store.now(),
            Self::There(service) => service.now(),
        }
    }

    /// Finds who holds a session that lives and whose account is active. `None` for any other.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn holder(&self, session_id: &SessionId) -> Result<Option<Identity>, AccountsError> {
        Ok(match self {
            Self::Here(store) => store.session(session_id).await?.map(|session| Identity {
                user_id: session.account.id,
                display_name: session.account.display_name.as_str().to_owned(),
                standing: session.account.standing,
            }),
            Self::There(service) => service.holder(session_id).await?,
        })
    }

    /// Gives those of some sessions that are over, or whose account is not active.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn sessions_over(&self, ids: Vec<SessionId>) -> Result<Vec<SessionId>, AccountsError> {
        Ok(match self {
            Self::Here(store) => store.sessions_over(ids).await?,
            Self::There(service) if ids.is_empty() => ids,
            Self::There(service) => service.sessions_over(ids).await?,
        })
    }

    /// Finds an account. `None` if there is none.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn person(&self, id: UserId) -> Result<Option<Person>, AccountsError> {
        Ok(match self {
            Self::Here(store) => store.account(id).await?.map(|(account, _)| Person {
                display_name: account.display_name.as_str().to_owned(),
                is_active: account.is_active,
                standing: Some(account.standing),
            }),
            Self::There(service) => service.person(id).await?.map(|person| Person {
                display_name: person.display_name,
                is_active: person.is_active,
                standing: person.is_admin.map(Standing::from_flag),
            }),
        })
    }

    /// Finds those of some accounts that were not deleted, by their ids or addresses.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn among(&self, ids: &[UserId], emails: &[Email]) -> Result<Vec<Known>, AccountsError> {
        if ids.is_empty() && emails.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Here(store) => {
                let accounts = store.accounts_among(ids, emails).await?;
                let known = |account: Account| Known {
                    email: account.email,
                    is_active: account.is_active,
                    identity: Identity {
                        user_id: account.id,
                        display_name: account.display_name.as_str().to_owned(),
                        standing: account.standing,
                    },
                };
                accounts.into_iter().map(known).collect()
            }
            Self::There(service) => service.among(ids, emails).await?,
        })
    }

    /// Finds the program that shows a key, while the key is good.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn machine(&self, key: &OpaqueToken) -> Result<Option<Machine>, AccountsError> {
        Ok(match self {
            Self::Here(store) => {
                store.use_api_key(key).await?.map(|known| Machine { name: known.name, scopes: known.scopes })
            }
            Self::There(service) => service.machine(key).await?.map(|known| Machine {
                name: KeyName::from_stored(known.name),
                scopes: known.scopes.iter().filter_map(|word| Scope::parse(word)).collect(),
            }),
        })
    }

    /// Reads letters for rooms that nobody has taken in yet, the oldest first.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn letters(&self) -> Result<Vec<Letter>, AccountsError> {
        Ok(match self {
            Self::Here(store) => store.letters().await?,
            Self::There(service) => service.letters().await?,
        })
    }

    /// Forgets letters that rooms have taken in.
    ///
    /// # Errors
    /// [`AccountsError`]; those that are left are taken in once more, which changes nothing.
    pub async fn forget_letters(&self, keys: Vec<String>) -> Result<(), AccountsError> {
        match self {
            Self::Here(store) => store.forget_letters(&keys).await?,
            Self::There(service) => service.forget_letters(keys).await?,
        }
        Ok(())
    }

    /// Is how the server that has the accounts does; `None` where that is this process.
    pub async fn server(&self) -> Option<ServerState> {
        match self {
            Self::Here(_) => None,
            Self::There(service) => Some(service.server().await),
        }
    }

    /// Starts to follow the changes that happen from now on.
    #[must_use]
    pub fn follow(&self) -> Option<Tail> {
        match self {
            Self::Here(store) => Some(store.follow()),
            // It begins when the service first says its time.
            Self::There(_) => None,
        }
    }

    /// Reads the changes since the last call.
    ///
    /// # Errors
    /// [`AccountsError`]; the next call begins where this one did.
    pub async fn changes(&self, tail: &mut Option<Tail>) -> Result<Vec<AccountChange>, AccountsError> {
        Ok(match self {
            Self::Here(store) => store.changes(tail.get_or_insert_with(|| store.follow())).await?,
            Self::There(service) => service.changes(tail).await?,
        })
    }
}

impl AccountsError {
    /// Says whether trying again later may succeed.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Service(_) => true,
        }
    }
}

impl From<&AccountsError> for Problem {
    fn from(error: &AccountsError) -> Self {
        match error {
            AccountsError::Store(error) => error.into(),
            AccountsError::Service(error) => {
                tracing::warn!(error = error as &dyn std::error::Error, "the auth service is away");
                Code::ServiceUnavailable.into()
            }
        }
    }
}
