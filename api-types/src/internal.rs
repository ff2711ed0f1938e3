//! What the services say to each other, under `/internal` and `INTERNAL_TOKEN`. Servers of one
//! release and of the one before understand each other.

use serde::{Deserialize, Serialize};

/// Is who holds a session that lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionHolder {
    /// The person.
    pub user_id: i64,
    /// The name others see.
    pub display_name: String,
    /// Administrator or not.
    pub is_admin: bool,
}

/// Is what rooms know of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// The name others see.
    pub display_name: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Administrator or not; absent in answers of an earlier release.
    #[serde(default)]
    pub is_admin: Option<bool>,
}

/// Asks for accounts, by their ids or addresses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FindPeople {
    /// Ids.
    #[serde(default)]
    pub ids: Vec<i64>,
    /// Addresses, as they are stored.
    #[serde(default)]
    pub emails: Vec<String>,
}

/// Is those of the accounts that are there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoundPeople {
    /// The accounts.
    pub people: Vec<FoundPerson>,
}

/// Is an account that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoundPerson {
    /// Its id.
    pub id: i64,
    /// Its address.
    pub email: String,
    /// The name others see.
    pub display_name: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Administrator or not.
    pub is_admin: bool,
}

/// Is something that rooms must hear of accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Its name, given once in the world.
    pub key: String,
    /// What kind of letter it is.
    pub kind: String,
    /// What it says: JSON, as its kind has it.
    pub payload: String,
}

/// Is what rooms must hear, the oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letters {
    /// The letters.
    pub letters: Vec<Letter>,
}

/// Names letters that rooms have taken in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TakenLetters {
    /// Their names.
    pub keys: Vec<String>,
}

/// Asks whose a key for programs is.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShownKey {
    /// The secret.
    pub key: String,
}

/// Is a program that has shown a good key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// The key's id.
    pub id: i64,
    /// The name under which people know it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
}

/// Names sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionIds {
    /// The sessions.
    pub session_ids: Vec<String>,
}

/// Asks for a step of the table of changes of accounts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ChangesQuery {
    /// Only rows with greater ids.
    pub after: i64,
    /// Only rows that are not older, in milliseconds UTC by the auth store's clock; without it none.
    pub since: Option<i64>,
}

/// Is a step of the table of changes, in the order of ids.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changes {
    /// The auth store's time, in milliseconds UTC.
    pub now: i64,
    /// The rows.
    pub rows: Vec<Change>,
}

/// Is a row of the table of changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Its place: rising, but given before its commit.
    pub id: i64,
    /// What kind of change it is.
    pub kind: String,
    /// Whom or what it is about.
    pub subject: String,
}
