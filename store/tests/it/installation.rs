//! An installation in the middle of its work, for backups and copies.

use std::sync::atomic::{AtomicUsize, Ordering};

use cloudmeet_core::account::Standing;
use cloudmeet_core::api_key::{KeyName, Scope};
use cloudmeet_core::chat::Content;
use cloudmeet_core::id::{RoomId, SessionId, UserId};
use cloudmeet_core::moderation::Moderation;
use cloudmeet_core::presence::Status;
use cloudmeet_core::room::{Role, Visibility};
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::data::Progress;
use cloudmeet_store::{Hold, Identity, NewApiKey, NewRoom, NewSession, SealedKey, TicketHolder};
use tokio::sync::Notify;

use crate::support::{Stores, doer, draft, new_room, password_hash, register};

const HERE: Hold<'_> = Hold { server_id: "server-1", socket_id: "socket-1" };

/// Texts that a careless copy would not bring back.
pub(crate) const TEXTS: [&str; 7] =
    ["plain", "tab\tline\nreturn\r", "\\N", "\\\\ \\t \\.", "два слова 😀", "\"'{},", "\u{202E}x\u{feff}"];

/// Is what was put into an installation.
pub(crate) struct Furnished {
    pub(crate) chief: Identity,
    pub(crate) bob: Identity,
    pub(crate) room: RoomId,
    pub(crate) key: OpaqueToken,
}

fn identity(id: UserId, name: &str) -> Identity {
    Identity { user_id: id, display_name: name.to_owned(), standing: Standing::Administrator }
}

/// Fills every table.
pub(crate) async fn furnish(stores: &Stores) -> Furnished {
    let chief = identity(register(stores, "chief@example.org").await.id, "Chief");
    let bob = identity(register(stores, "bob@example.org").await.id, "Bob");
    let eve = identity(register(stores, "eve@example.org").await.id, "Eve");
    let gone = register(stores, "gone@example.org").await.id;
    let (auth, conference) = (&stores.auth, &stores.conference);
    auth.delete_account(gone, &doer(&chief)).await.unwrap();
    let key = OpaqueToken::from_random([7; 32]);
    let new =
        NewApiKey { name: KeyName::parse("operator").unwrap(), scopes: vec![Scope::ManageRooms], expires_at: None };
    auth.add_api_key(&doer(&chief), new, &key).await.unwrap();
    conference.take_in(&auth.letters().await.unwrap()).await.unwrap();

    let room = make_room(stores, &chief, |_| {}).await;
    let lobby = make_room(stores, &chief, |new| {
        (new.settings.lobby, new.settings.visibility) = (true, Visibility::Private);
    })
    .await;
    stores.join(room, &bob).await.unwrap();
    stores.join(room, &eve).await.unwrap();
    conference.moderate(room, &doer(&chief), bob.user_id, Moderation::Promote).await.unwrap();
    conference.moderate(room, &doer(&chief), eve.user_id, Moderation::Ban).await.unwrap();
    let waiting = cloudmeet_store::Proof {
        password: None,
        code: Some(cloudmeet_core::room::LinkCode::new("first code".to_owned())),
    };
    conference.join(lobby, &bob, &waiting).await.unwrap();

    let batch: Vec<_> =
        TEXTS.iter().enumerate().map(|(n, text)| draft(room, &bob, text, Some(&format!("id-{n}")))).collect();
    conference.batches().store(&batch).await.unwrap();
    let sent: Vec<_> = stores.history(room).await;
    let edited = Content::parse("edited".to_owned()).unwrap();
    conference.edit_message(room, sent[0].id, bob.actor(), &edited).await.unwrap();
    conference.delete_message(room, sent[5].id, &doer(&bob)).await.unwrap();
    stores.run("INSERT INTO search_blocks (room_id, block, texts) VALUES (1, 7, 'a\u{1}b')".to_owned()).await;
    doing(stores, &chief, room).await;
    Furnished { chief, bob, room, key }
}

/// Does what is bound to the moment and the place.
async fn doing(stores: &Stores, who: &Identity, room: RoomId) {
    let (auth, conference) = (&stores.auth, &stores.conference);
    let token = |n: u8| OpaqueToken::from_random([n; 32]);
    let session = NewSession {
        id: SessionId::new("session".to_owned()),
        user_id: who.user_id,
        rotation_key: token(1),
        refresh_token: token(2),
    };
    auth.open_session(&session, &password_hash()).await.unwrap();
    let sealed = SealedKey { kid: "k".into(), public_key: "p".into(), sealed_private_key: "sealed secret".into() };
    auth.add_first_signing_key(&sealed).await.unwrap();
    auth.add_setup_code(&token(3), Span::days(1)).await.unwrap();
    auth.add_reset_code(who.user_id, &doer(who), &token(4), Span::days(1)).await.unwrap();
    let holder = TicketHolder { session_id: SessionId::new("session".into()), user_id: who.user_id };
    conference.add_ticket(&token(5), &holder, Span::seconds(30)).await.unwrap();
    conference.renew_server(HERE.server_id).await.unwrap();
    conference.follow_room(room, who.actor(), HERE, Some(Status::InCall)).await.unwrap();
}

async fn make_room(stores: &Stores, owner: &Identity, change: impl FnOnce(&mut NewRoom)) -> RoomId {
    let mut new = new_room("Weekly planning");
    change(&mut new);
    stores.conference.create_room(&doer(owner), owner, &new).await.unwrap().id
}

/// Says a lot in a room.
pub(crate) async fn chatter(stores: &Stores, room: RoomId, who: &Identity, messages: usize) {
    let batch: Vec<_> = (0..messages).map(|n| draft(room, who, &format!("line {n}"), None)).collect();
    for some in batch.chunks(256) {
        stores.conference.batches().store(some).await.unwrap();
    }
}

/// Sees that an installation is the one that was furnished, at rest.
pub(crate) async fn assert_restored(stores: &Stores, furnished: &Furnished) {
    let Furnished { chief, bob, room, key } = furnished;
    let texts: Vec<_> = stores.history(*room).await.into_iter().map(|message| message.content).collect();
    let mut said: Vec<_> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    (said[0], said[5]) = ("edited".to_owned(), String::new());
    assert_eq!(texts, said);
    let email = cloudmeet_core::account::Email::parse("chief@example.org").unwrap();
    let (account, hash) = stores.auth.account_by_email(&email).await.unwrap().unwrap();
    assert_eq!((account.id, account.standing, hash.as_str()), (chief.user_id, Standing::Administrator, "hash"));
    assert_eq!(stores.auth.use_api_key(key).await.unwrap().unwrap().name.as_str(), "operator");
    let access = stores.access(*room, bob.user_id).await.unwrap();
    assert_eq!(access.participant.unwrap().membership, cloudmeet_core::permission::Membership::Member(Role::Moderator));
    // What was being done is over.
    assert!(stores.conference.present(*room).await.unwrap().is_empty());
    assert!(stores.conference.all_waiting().await.unwrap().is_empty());
    assert!(stores.auth.signing_keys().await.unwrap().is_empty());
    for table in ["servers", "holds", "tickets", "conference_changes"] {
        assert_eq!(stores.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    for table in ["sessions", "refresh_tokens", "signing_keys", "setup_codes", "reset_codes", "auth_changes"] {
        assert_eq!(stores.number_of_accounts(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    let row = stores.conference.participant(*room, chief.user_id).await.unwrap().unwrap();
    assert_eq!((row.presence.until, row.call_socket.clone(), row.presence.closing), (None, None, false));
    assert!(row.presence.ended_at.is_some() && row.presence.version > 1, "{row:?}");
    // Ids go on, also above those that are gone.
    let (account, name) = (register(stores, "new@example.org").await.id, "New");
    assert_eq!(account.get(), 5, "{account}");
    assert_eq!(make_room(stores, &identity(account, name), |_| {}).await.get(), 3);
}

/// Counts how often something is told, and says when it was told so often.
pub(crate) struct Counter {
    told: AtomicUsize,
    at: usize,
    reached: Notify,
}

impl Counter {
    pub(crate) fn until(at: usize) -> Self {
        Self { told: AtomicUsize::new(0), at, reached: Notify::new() }
    }

    pub(crate) fn hear(&self, _: Progress) {
        if self.told.fetch_add(1, Ordering::Relaxed) == self.at {
            self.reached.notify_one();
        }
    }

    /// Does something until it has told so often, and drops it then. Gives its outcome if it was faster.
    pub(crate) async fn interrupt<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached.notified() => None,
            outcome = work => Some(outcome),
        }
    }
}
