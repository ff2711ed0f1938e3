//! What the rest of this process hears at once of accounts and sessions.

use cloudmeet_core::account::Account;
use cloudmeet_core::id::SessionId;
use cloudmeet_store::{ChangedAccount, ConferenceStore};

use crate::accounts::Accounts;
use crate::hub::Hub;
use crate::letters;
use crate::sessions::Sessions;

/// Hears of ends of sessions and of new names at once; others read them in the table of changes.
#[derive(Clone)]
pub struct AccountListener {
    /// Who remembers sessions.
    pub sessions: Sessions,
    /// The rooms that the same process serves, if it does.
    pub rooms: Option<Rooms>,
}

/// Is what of rooms hears of accounts.
#[derive(Clone)]
pub struct Rooms {
    /// Who closes sockets.
    pub hub: Hub,
    /// Where people's names stand.
    pub store: ConferenceStore,
    /// Where letters come from.
    pub accounts: Accounts,
}

impl AccountListener {
    /// Makes the end of a session bite on this server at once.
    pub(super) async fn ended(&self, session_id: &SessionId) {
        self.sessions.forget(session_id).await;
        if let Some(rooms) = &self.rooms {
            rooms.hub.end_session(session_id);
        }
    }

    /// Shows on this server at once what became of an account, and what ended by it.
    pub(super) async fn changed(&self, changed: &ChangedAccount) {
        for session_id in &changed.ended {
            self.ended(session_id).await;
        }
        if let Some(rooms) = &self.rooms {
            rooms.hub.standing_changed(changed.account.id, changed.account.standing);
        }
        self.renamed(&changed.account).await;
        self.told().await;
    }

    /// Lets rooms of this process take in what accounts tell them. If that fails, they try again by themselves.
    pub(super) async fn told(&self) {
        let Some(rooms) = &self.rooms else { return };
        if let Err(error) = letters::take_in(&rooms.accounts, &rooms.store).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "letters not taken in yet");
        }
    }

    /// Shows a new name on this server at once. If that fails, the table of changes brings it later.
    pub(super) async fn renamed(&self, account: &Account) {
        self.sessions.doubt_all();
        let Some(rooms) = &self.rooms else { return };
        let renamed = rooms.store.rename_person(account.id, account.display_name.as_str()).await;
        if let Err(error) = renamed {
            tracing::warn!(error = &error as &dyn std::error::Error, "new name not shown yet");
        }
    }
}
