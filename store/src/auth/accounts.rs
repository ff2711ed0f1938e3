//! Accounts: making, finding and changing them, and the first administrator.

use cloudmeet_core::account::{
    self, Account, DisplayName, Email, FirstAdministrator, Registration, RegistrationError, SetupProof, Standing,
};
use cloudmeet_core::id::UserId;
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::text::fold_case;
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_core::token::OpaqueToken;
use serde_json::json;

use super::AuthStore;
use crate::changes::{self, AccountChange};
use crate::db::{Database, Tx};
use crate::error::{Failure, StoreError};
use crate::value::{Row, object, values};

/// Is an account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its address.
    pub email: Email,
    /// The name others see.
    pub display_name: DisplayName,
    /// Its password's hash.
    pub password_hash: PasswordHash,
    /// The code of the setup link, if the person came by one.
    pub setup_code: Option<OpaqueToken>,
}

/// Says that somebody has an address already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the e-mail address is taken")]
pub struct EmailTaken;

/// Says why no account was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A rule says no.
    #[error(transparent)]
    Rule(#[from] RegistrationError),
    /// Somebody has this address.
    #[error(transparent)]
    EmailTaken(#[from] EmailTaken),
}

impl AuthStore {
    /// Makes an account for whoever asks for one, and its holder administrator where the rules say so or by the
    /// code of a setup link.
    ///
    /// # Errors
    /// [`RegisterError`], or the store's.
    pub async fn register(
        &self,
        new: &NewAccount,
        registration: Registration,
        first: FirstAdministrator,
    ) -> Result<Account, Failure<RegisterError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let proof = match &new.setup_code {
            Some(code) => spend_setup_code(&mut tx, code, now).await?,
            None => SetupProof::Absent,
        };
        // Whoever changes the row is the first; everybody else waits here and finds it changed.
        let is_empty = tx
            .execute(
                "UPDATE installation SET first_account_at = $1 WHERE id = 1 AND first_account_at IS NULL",
                values![now.as_millis()],
            )
            .await?
            == 1;
        let standing = account::admit(registration, first, proof, is_empty)
            .map_err(|error| Failure::Refused(RegisterError::Rule(error)))?;
        let account = insert(&mut tx, new, standing, now).await?.ok_or(Failure::Refused(EmailTaken.into()))?;
        tx.commit().await?;
        Ok(account)
    }

    /// Finds an account by its address, with its password's hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_by_email(&self, email: &Email) -> Result<Option<(Account, PasswordHash)>, StoreError> {
        let row = self
            .database
            .read_one(
                "SELECT id, email, display_name, password_hash, is_active, is_admin, created_at \
                 FROM accounts WHERE email = $1",
                values![email.as_str()],
            )
            .await?;
        row.map(|row| Ok((account(&row)?, PasswordHash::from_stored(row.get("password_hash")?)))).transpose()
    }

    /// Finds an account by its id, with its password's hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, id: UserId) -> Result<Option<(Account, PasswordHash)>, StoreError> {
        let row = self
            .database
            .read_one(
                "SELECT id, email, display_name, password_hash, is_active, is_admin, created_at \
                 FROM accounts WHERE id = $1",
                values![id.get()],
            )
            .await?;
        row.map(|row| Ok((account(&row)?, PasswordHash::from_stored(row.get("password_hash")?)))).transpose()
    }

    /// Finds an account that was not deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn administered_account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT id, email, display_name, is_active, is_admin, created_at FROM accounts \
                   WHERE id = $1 AND deleted_at IS NULL";
        let row = self.database.read_one(sql, values![id.get()]).await?;
        row.map(|row| account(&row)).transpose()
    }

    /// Finds those of some accounts that were not deleted, by their ids or addresses.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_among(&self, ids: &[UserId], emails: &[Email]) -> Result<Vec<Account>, StoreError> {
        let named = object(ids.iter().map(|id| json!({ "id": id.get() })));
        let addressed = object(emails.iter().map(|email| json!({ "email": email.as_str() })));
        // By one condition for both no index would be of use.
        let sql = "SELECT id, email, display_name, is_active, is_admin, created_at FROM accounts WHERE deleted_at IS NULL \
                   AND id IN (SELECT CAST(i.value ->> 'id' AS BIGINT) FROM json_each($1) AS i) \
                   UNION SELECT id, email, display_name, is_active, is_admin, created_at FROM accounts \
                   WHERE deleted_at IS NULL AND email IN (SELECT i.value ->> 'email' FROM json_each($2) AS i) ORDER BY id";
        self.database.read(sql, vec![named, addressed]).await?.iter().map(account).collect()
    }

    /// Gives an account another name. `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rename_account(&self, id: UserId, name: &DisplayName) -> Result<Option<Account>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let row = tx
            .fetch_one(
                "UPDATE accounts SET display_name = $2 WHERE id = $1 \
                 RETURNING id, email, display_name, is_active, is_admin, created_at",
                values![id.get(), name.as_str()],
            )
            .await?;
        let renamed = row.map(|row| account(&row)).transpose()?;
        if let Some(account) = &renamed {
            save_search_text(&mut tx, account).await?;
        }
        changes::note(&mut tx, &AccountChange::Account(id), now).await?;
        tx.commit().await?;
        Ok(renamed)
    }

    /// Says whether anybody administers this installation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        let row = self
            .database
            .read_one("SELECT id FROM accounts WHERE is_admin = TRUE AND is_active = TRUE LIMIT 1", vec![])
            .await?;
        Ok(row.is_some())
    }

    /// Keeps a setup code, good for `life` and for one registration.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_setup_code(&self, code: &OpaqueToken, life: Span) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute(
            "INSERT INTO setup_codes (digest, expires_at) VALUES ($1, $2)",
            values![code.digest(), self.now().plus(life).as_millis()],
        )
        .await?;
        tx.commit().await
    }
}

/// Inserts an account. `None` when somebody has its address.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    new: &NewAccount,
    standing: Standing,
    now: Timestamp,
) -> Result<Option<Account>, StoreError> {
    let NewAccount { email, display_name, password_hash, .. } = new;
    let row = tx
        .fetch_one(
            "INSERT INTO accounts (email, display_name, password_hash, search_text, is_active, is_admin, created_at) \
             VALUES ($1, $2, $3, $4, TRUE, $5, $6) ON CONFLICT (email) DO NOTHING \
             RETURNING id, email, display_name, is_active, is_admin, created_at",
            values![
                email.as_str(),
                display_name.as_str(),
                password_hash.as_str(),
                search_text(email, display_name),
                standing == Standing::Administrator,
                now.as_millis(),
            ],
        )
        .await?;
    row.map(|row| account(&row)).transpose()
}

/// Is what a search looks through.
pub(super) fn search_text(email: &Email, name: &DisplayName) -> String {
    fold_case(&format!("{}\n{}", name.as_str(), email.as_str()))
}

async fn save_search_text(tx: &mut Tx<'_>, account: &Account) -> Result<(), StoreError> {
    let text = search_text(&account.email, &account.display_name);
    tx.execute("UPDATE accounts SET search_text = $2 WHERE id = $1", values![account.id.get(), text]).await.map(drop)
}

/// Writes what a search looks through for accounts that an earlier release made.
pub(super) async fn fill_search_texts(database: &Database) -> Result<(), StoreError> {
    let sql = "SELECT id, email, display_name, is_active, is_admin, created_at FROM accounts \
               WHERE search_text = '' AND deleted_at IS NULL LIMIT 1000";
    loop {
        let rows = database.read(sql, vec![]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = database.begin().await?;
        for row in &rows {
            save_search_text(&mut tx, &account(row)?).await?;
        }
        tx.commit().await?;
    }
}

/// A code is good while there is no administrator: the others that were printed lose their power
/// with the first that is used.
async fn spend_setup_code(tx: &mut Tx<'_>, code: &OpaqueToken, now: Timestamp) -> Result<SetupProof, StoreError> {
    let spent = tx
        .execute(
            "UPDATE setup_codes SET spent_at = $2 WHERE digest = $1 AND spent_at IS NULL AND expires_at > $2 \
             AND NOT EXISTS (SELECT 1 FROM accounts WHERE is_admin = TRUE AND is_active = TRUE)",
            values![code.digest(), now.as_millis()],
        )
        .await?;
    Ok(if spent == 1 { SetupProof::Valid } else { SetupProof::Invalid })
}

/// Reads an account from its row.
pub(super) fn account(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: user_id(row, "id")?,
        email: Email::from_stored(row.get("email")?),
        display_name: DisplayName::from_stored(row.get("display_name")?),
        is_active: row.get("is_active")?,
        standing: Standing::from_flag(row.get("is_admin")?),
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// Reads a person's id from a column.
pub(super) fn user_id(row: &Row, column: &str) -> Result<UserId, StoreError> {
    UserId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a user id that is not positive"))
}
