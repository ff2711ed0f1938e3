//! What administrators do to accounts, each with its line in the record of deeds.

use cloudmeet_core::account::{Account, AccountDeed, AccountPatch, LastAdministrator, Standing};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_core::token::OpaqueToken;

use super::accounts::{self, EmailTaken, NewAccount, account};
use super::{AuthStore, sessions};
use crate::changes::{self, AccountChange};
use crate::db::{Tx, locking};
use crate::doer::{Doer, Identity};
use crate::error::{Failure, StoreError};
use crate::letter::{self, LETTERS, Letter};
use crate::value::{like_pattern, values};

/// Says which accounts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFilter {
    /// How many to leave out.
    pub skip: i64,
    /// How many to list at most.
    pub limit: i64,
    /// What address or name must hold, without regard to case.
    pub query: Option<String>,
}

/// Says why an account stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is no such account, or it was deleted.
    #[error("there is no such account")]
    NoSuchAccount,
    /// Nobody could administer the installation any more.
    #[error(transparent)]
    LastAdministrator(#[from] LastAdministrator),
}

/// Is an account after a change, and what ended by it.
#[derive(Debug)]
pub struct ChangedAccount {
    /// The account as it is now.
    pub account: Account,
    /// The sessions that ended.
    pub ended: Vec<SessionId>,
}

/// Says that a code for a new password is unknown, used or too old, or its account not active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the code is not valid")]
pub struct InvalidResetCode;

impl AuthStore {
    /// Lists accounts, the oldest first, without those that were deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_accounts(&self, filter: &AccountFilter) -> Result<Vec<Account>, StoreError> {
        let pattern = filter.query.as_deref().map(like_pattern);
        let rows = self
            .database
            .read(
                "SELECT id, email, display_name, is_active, is_admin, created_at FROM accounts \
                 WHERE deleted_at IS NULL AND (CAST($1 AS TEXT) IS NULL OR search_text LIKE $1 ESCAPE '\\') \
                 ORDER BY id LIMIT $2 OFFSET $3",
                values![pattern.as_deref(), filter.limit, filter.skip],
            )
            .await?;
        rows.iter().map(account).collect()
    }

    /// Makes an account for somebody.
    ///
    /// # Errors
    /// [`EmailTaken`], or the store's.
    pub async fn create_account(
        &self,
        doer: &Doer,
        new: &NewAccount,
        standing: Standing,
    ) -> Result<Account, Failure<EmailTaken>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        // From now on nobody administers by being first.
        tx.execute(
            "UPDATE installation SET first_account_at = COALESCE(first_account_at, $1) WHERE id = 1",
            values![now.as_millis()],
        )
        .await?;
        let account = accounts::insert(&mut tx, new, standing, now).await?.ok_or(Failure::Refused(EmailTaken))?;
        letter::tell_deed(&mut tx, doer, AccountDeed::Create.as_str(), Some(account.id), None, now).await?;
        changes::note(&mut tx, &AccountChange::Account(account.id), now).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Changes an account as an administrator may. One that is deactivated or gets another password loses its
    /// sessions, but for `keep`.
    ///
    /// # Errors
    /// [`AccountError`], or the store's.
    pub async fn change_account(
        &self,
        id: UserId,
        doer: &Doer,
        patch: &AccountPatch,
        keep: Option<&SessionId>,
    ) -> Result<ChangedAccount, Failure<AccountError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let (before, others) = lock_account(&mut tx, id).await?;
        let after = before.apply(patch, others).map_err(|error| Failure::Refused(error.into()))?;
        let deeds = patch.deeds(&before);
        if deeds.is_empty() {
            return Ok(ChangedAccount { account: before, ended: Vec::new() });
        }
        tx.execute(
            "UPDATE accounts SET display_name = $2, is_active = $3, is_admin = $4, \
             password_hash = COALESCE($5, password_hash), search_text = $6 WHERE id = $1",
            values![
                id.get(),
                after.display_name.as_str(),
                after.is_active,
                after.standing == Standing::Administrator,
                patch.password_hash.as_ref().map(PasswordHash::as_str),
                accounts::search_text(&after.email, &after.display_name),
            ],
        )
        .await?;
        let ends = !after.is_active || patch.password_hash.is_some();
        let ended = if ends { sessions::end_all(&mut tx, id, keep, now).await? } else { Vec::new() };
        for deed in deeds {
            letter::tell_deed(&mut tx, doer, deed.as_str(), Some(id), None, now).await?;
        }
        changes::note(&mut tx, &AccountChange::Account(id), now).await?;
        tx.commit().await?;
        Ok(ChangedAccount { account: after, ended })
    }

    /// Deletes an account: its row stays, without anything of the person, so that its id is never given again.
    /// Rooms hear of it by letter. Gives the sessions that ended.
    ///
    /// # Errors
    /// [`AccountError`], or the store's.
    pub async fn delete_account(&self, id: UserId, doer: &Doer) -> Result<Vec<SessionId>, Failure<AccountError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let (account, others) = lock_account(&mut tx, id).await?;
        account.check_delete(others).map_err(|error| Failure::Refused(error.into()))?;
        tx.execute(
            "UPDATE accounts SET email = $2, display_name = '', search_text = '', password_hash = '', \
             is_active = FALSE, is_admin = FALSE, deleted_at = $3 WHERE id = $1",
            // No address that anybody could register: it has no domain.
            values![id.get(), format!("deleted-{id}"), now.as_millis()],
        )
        .await?;
        tx.execute("DELETE FROM reset_codes WHERE user_id = $1", values![id.get()]).await?;
        let ended = sessions::end_all(&mut tx, id, None, now).await?;
        letter::tell_deed(&mut tx, doer, AccountDeed::Delete.as_str(), Some(id), None, now).await?;
        letter::tell_erasure(&mut tx, id, now).await?;
        changes::note(&mut tx, &AccountChange::Account(id), now).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Keeps a code by which the holder of an account sets a new password, once, within `life`. Codes before it
    /// are good for nothing any more. Gives when it ends.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`], or the store's.
    pub async fn add_reset_code(
        &self,
        id: UserId,
        doer: &Doer,
        code: &OpaqueToken,
        life: Span,
    ) -> Result<Timestamp, Failure<AccountError>> {
        let now = self.now();
        let expires_at = now.plus(life);
        let mut tx = self.database.begin().await?;
        lock_account(&mut tx, id).await?;
        tx.execute("DELETE FROM reset_codes WHERE user_id = $1", values![id.get()]).await?;
        tx.execute(
            "INSERT INTO reset_codes (digest, user_id, expires_at) VALUES ($1, $2, $3)",
            values![code.digest(), id.get(), expires_at.as_millis()],
        )
        .await?;
        letter::tell_deed(&mut tx, doer, AccountDeed::IssueResetCode.as_str(), Some(id), None, now).await?;
        tx.commit().await?;
        Ok(expires_at)
    }

    /// Finds whose code for a new password this is, while it is good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder_of_reset_code(&self, code: &OpaqueToken) -> Result<Option<Account>, StoreError> {
        let row = self
            .database
            .read_one(
                "SELECT a.id, a.email, a.display_name, a.is_active, a.is_admin, a.created_at \
                 FROM reset_codes c JOIN accounts a ON a.id = c.user_id AND a.is_active = TRUE \
                 WHERE c.digest = $1 AND c.expires_at > $2",
                values![code.digest(), self.now().as_millis()],
            )
            .await?;
        row.map(|row| account(&row)).transpose()
    }

    /// Sets a new password by a code, which is used up, and ends all sessions of its account.
    ///
    /// # Errors
    /// [`InvalidResetCode`], or the store's.
    pub async fn reset_password(
        &self,
        code: &OpaqueToken,
        hash: &PasswordHash,
        (address, request_id): (String, String),
    ) -> Result<ChangedAccount, Failure<InvalidResetCode>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let row = tx
            .fetch_one(
                "DELETE FROM reset_codes WHERE digest = $1 AND expires_at > $2 RETURNING user_id",
                values![code.digest(), now.as_millis()],
            )
            .await?
            .ok_or(Failure::Refused(InvalidResetCode))?;
        let id = accounts::user_id(&row, "user_id")?;
        let row = tx
            .fetch_one(
                "UPDATE accounts SET password_hash = $2 WHERE id = $1 AND is_active = TRUE \
                 RETURNING id, email, display_name, is_active, is_admin, created_at",
                values![id.get(), hash.as_str()],
            )
            .await?
            .ok_or(Failure::Refused(InvalidResetCode))?;
        let account = account(&row)?;
        let ended = sessions::end_all(&mut tx, id, None, now).await?;
        let display_name = account.display_name.as_str().to_owned();
        let who = Identity { user_id: id, display_name, standing: account.standing };
        let doer = Doer { who, address, request_id };
        letter::tell_deed(&mut tx, &doer, AccountDeed::ResetPassword.as_str(), Some(id), None, now).await?;
        changes::note(&mut tx, &AccountChange::Account(id), now).await?;
        tx.commit().await?;
        Ok(ChangedAccount { account, ended })
    }

    /// Reads letters for rooms that nobody has taken in yet, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn letters(&self) -> Result<Vec<Letter>, StoreError> {
        let oldest = "SELECT key, kind, payload FROM outbox ORDER BY at, key LIMIT $1";
        let rows = self.database.read(oldest, values![LETTERS]).await?;
        rows.iter().map(Letter::from_row).collect()
    }

    /// Forgets letters that rooms have taken in.
    ///
    /// # Errors
    /// [`StoreError`]; those that are left are taken in once more, which changes nothing.
    pub async fn forget_letters(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        for key in keys {
            tx.execute("DELETE FROM outbox WHERE key = $1", values![key.as_str()]).await?;
        }
        tx.commit().await
    }
}

/// Locks an account, and counts who else can administer. The lock on the installation comes first: of two
/// administrators who deactivate each other, one is too late.
async fn lock_account(tx: &mut Tx<'_>, id: UserId) -> Result<(Account, i64), Failure<AccountError>> {
    tx.fetch_one(locking!("i", "SELECT i.id FROM installation i WHERE i.id = 1"), vec![]).await?;
    let row = tx
        .fetch_one(
            locking!(
                "a",
                "SELECT a.id, a.email, a.display_name, a.is_active, a.is_admin, a.created_at FROM accounts a \
                 WHERE a.id = $1 AND a.deleted_at IS NULL"
            ),
            values![id.get()],
        )
        .await?
        .ok_or(Failure::Refused(AccountError::NoSuchAccount))?;
    let others = tx
        .fetch_one(
            "SELECT COUNT(*) AS others FROM accounts WHERE is_admin = TRUE AND is_active = TRUE AND id <> $1",
            values![id.get()],
        )
        .await?
        .map_or(Ok(0), |row| row.get("others"))?;
    Ok((account(&row)?, others))
}
