//! Letters from accounts to rooms: read, taken in, and forgotten once they are.

use cloudmeet_store::ConferenceStore;

use crate::accounts::{Accounts, AccountsError};

/// Takes in what accounts tell rooms, until nothing is left. Several servers may at once: a letter that is taken in
/// twice changes nothing.
///
/// # Errors
/// [`AccountsError`]; what is left is taken in by the next call.
pub(crate) async fn take_in(accounts: &Accounts, rooms: &ConferenceStore) -> Result<(), AccountsError> {
    loop {
        let letters = accounts.letters().await?;
        let taken = rooms.take_in(&letters).await?;
        if taken.is_empty() {
            return Ok(());
        }
        accounts.forget_letters(taken).await?;
    }
}
