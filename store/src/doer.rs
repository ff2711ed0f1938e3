//! Who does something, as the rest of the system vouches for them.

use cloudmeet_core::account::Standing;
use cloudmeet_core::api_key::KeyName;
use cloudmeet_core::id::UserId;
use cloudmeet_core::permission::Actor;

/// Is a person as the rest of the system vouches for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub user_id: UserId,
    /// The name others see.
    pub display_name: String,
    /// Administrator or not.
    pub standing: Standing,
}

impl Identity {
    /// Is whoever works at the machine itself, and may what administrators may.
    #[must_use]
    pub fn console() -> Self {
        Self { user_id: UserId::CONSOLE, display_name: "console".to_owned(), standing: Standing::Administrator }
    }

    /// Is a program that shows a key of this name: it has no account, and may nothing that people may.
    #[must_use]
    pub fn program(name: &KeyName) -> Self {
        Self { user_id: UserId::CONSOLE, display_name: name.as_str().to_owned(), standing: Standing::Ordinary }
    }

    /// Is the person as one who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { user_id: self.user_id, standing: self.standing }
    }
}

/// Is who does something, and from where.
#[derive(Debug, Clone)]
pub struct Doer {
    /// Who.
    pub who: Identity,
    /// The address from which it comes.
    pub address: String,
    /// The request's id.
    pub request_id: String,
}

impl Doer {
    /// Is the person as one who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.who.actor()
    }
}
