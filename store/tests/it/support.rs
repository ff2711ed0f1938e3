//! Fresh databases and people for the cases.

use std::sync::atomic::{AtomicU32, Ordering};

use cloudmeet_core::account::{DisplayName, Email, FirstAdministrator, Registration, Standing};
use cloudmeet_core::chat::{ClientMsgId, Content};
use cloudmeet_core::entry::EntryError;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::page::{Cursor, PageLimit, locate};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::room::{Capacity, LinkCode, Room, RoomName, Settings, Visibility};
use cloudmeet_store::data::Databases;
use cloudmeet_store::{
    AuthStore, ConferenceStore, Doer, Draft, Failure, Identity, JoinOutcome, Location, NewAccount, NewRoom, Proof,
    RoomAccess, Tail,
};

/// Runs a case, a function from a [`Stores`], on both engines.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::support::Stores::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(crate::support::Stores::postgres().await).await; })*
        }
    };
}
pub(crate) use on_both_stores;

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Is a pair of fresh databases, opened once; [`again`](Self::again) opens them a second time.
pub(crate) struct Stores {
    pub(crate) auth: AuthStore,
    pub(crate) conference: ConferenceStore,
    locations: (Location, Location),
    _directory: Option<tempfile::TempDir>,
}

impl Stores {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = |name| Location::Sqlite(directory.path().join(name));
        let locations = (location("auth.db"), location("conference.db"));
        Self::open(locations, Some(directory)).await
    }

    /// One database for both, as `DATABASE_URL` does.
    pub(crate) async fn postgres() -> Self {
        let location = Self::postgres_location().await;
        Self::open((location.clone(), location), None).await
    }

    async fn postgres_location() -> Location {
        use sqlx::Connection as _;
        let url = std::env::var("TEST_DATABASE_URL")
            .expect("TEST_DATABASE_URL names a Postgres (tests/harness/with-postgres.sh starts one)");
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloudmeet_it_{}_{number}", std::process::id());
        let mut connection = sqlx::PgConnection::connect(&url).await.expect("Postgres answers");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let (base, _) = url.rsplit_once('/').unwrap();
        Location::Postgres { url: format!("{base}/{name}"), setting: "TEST_DATABASE_URL" }
    }

    async fn open(locations: (Location, Location), directory: Option<tempfile::TempDir>) -> Self {
        let auth = AuthStore::open(&locations.0).await.unwrap();
        let conference = ConferenceStore::open(&locations.1).await.unwrap();
        Self { auth, conference, locations, _directory: directory }
    }

    /// Is where they are.
    pub(crate) fn databases(&self) -> Databases {
        Databases { auth: self.locations.0.clone(), conference: self.locations.1.clone() }
    }

    /// Makes a place of the same engine where there is nothing yet.
    pub(crate) async fn empty_place(&self) -> Place {
        match self.locations.0 {
            Location::Sqlite(_) => Place::sqlite(),
            Location::Postgres { .. } => Place::postgres().await,
        }
    }

    /// Reads one whole number from the database of rooms.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        number_at(&self.locations.1, sql).await
    }

    /// Reads one whole number from the database of accounts.
    pub(crate) async fn number_of_accounts(&self, sql: &str) -> i64 {
        number_at(&self.locations.0, sql).await
    }

    /// Is the same databases as another server has them open.
    pub(crate) async fn again(&self) -> Self {
        Self::open(self.locations.clone(), None).await
    }

    /// Follows what changes in accounts from now on. What was done a little before is told once more, and
    /// is dropped here.
    pub(crate) async fn follow_accounts(&self) -> Tail {
        let mut tail = self.auth.follow();
        self.auth.changes(&mut tail).await.unwrap();
        tail
    }

    /// Follows what changes in rooms from now on. What was done a little before is told once more, and is
    /// dropped here.
    pub(crate) async fn follow_changes(&self) -> Tail {
        let mut tail = self.conference.follow_changes();
        self.conference.changes(&mut tail).await.unwrap();
        tail
    }

    /// Asks what a person is to a room, alone.
    pub(crate) async fn access(&self, room: RoomId, user: UserId) -> Option<RoomAccess> {
        self.conference.accesses().find(&[(room, user)]).await.unwrap().remove(&(room, user))
    }

    pub(crate) async fn room(&self, owner: &Identity) -> Room {
        self.conference.create_room(&doer(owner), owner, &new_room("Weekly planning")).await.unwrap()
    }

    /// Lets the time pass in which somebody gave no sign of life.
    pub(crate) async fn lapse(&self, room: RoomId, user: UserId) {
        self.run(format!("UPDATE participants SET alive_until = 1 WHERE room_id = {room} AND user_id = {user}")).await;
    }

    /// Does what only time does, in the database of rooms.
    pub(crate) async fn run(&self, sql: String) {
        Self::run_at(&self.locations.1, sql).await;
    }

    /// Does what only time does, in the database of accounts.
    pub(crate) async fn run_accounts(&self, sql: String) {
        Self::run_at(&self.locations.0, sql).await;
    }

    pub(crate) async fn run_at(location: &Location, sql: String) {
        use sqlx::Connection as _;
        let sql = sqlx::AssertSqlSafe(sql);
        match location {
            Location::Sqlite(path) => {
                let url = format!("sqlite://{}", path.display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
            Location::Postgres { url, .. } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
        }
    }

    /// Lets somebody come in who has nothing to show.
    pub(crate) async fn join(&self, room: RoomId, who: &Identity) -> Result<JoinOutcome, Failure<EntryError>> {
        self.conference.join(room, who, &Proof::default()).await
    }

    /// Reads a whole history.
    pub(crate) async fn history(&self, room: RoomId) -> Vec<cloudmeet_core::chat::Message> {
        let mut all: Vec<cloudmeet_core::chat::Message> = Vec::new();
        loop {
            let after = all.last().map_or(0, |message| message.seq);
            let page = locate(Cursor::After(after), PageLimit::max(), i64::MAX);
            let messages = self.conference.messages(room, page).await.unwrap();
            if messages.is_empty() {
                return all;
            }
            all.extend(messages);
        }
    }
}

/// Is where an installation may come to be. A directory of its own goes with it.
pub(crate) struct Place {
    pub(crate) databases: Databases,
    directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = |name| Location::Sqlite(directory.path().join(name));
        Self { databases: Databases { auth: location("auth.db"), conference: location("conference.db") }, directory }
    }

    pub(crate) async fn postgres() -> Self {
        let location = Stores::postgres_location().await;
        let databases = Databases { auth: location.clone(), conference: location };
        Self { databases, directory: tempfile::tempdir().unwrap() }
    }

    /// Opens what has come to be there.
    pub(crate) async fn open(&self) -> Stores {
        let Databases { auth, conference } = self.databases.clone();
        Stores::open((auth, conference), None).await
    }

    /// Is what lies in its directory.
    pub(crate) fn files(&self) -> Vec<String> {
        files(self.directory.path())
    }
}

/// Is what lies in a directory, in order.
pub(crate) fn files(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn number_at(location: &Location, sql: &str) -> i64 {
    use sqlx::Connection as _;
    match location {
        Location::Sqlite(path) => {
            let url = format!("sqlite://{}", path.display());
            let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()));
            query.fetch_one(&mut sqlx::SqliteConnection::connect(&url).await.unwrap()).await.unwrap()
        }
        Location::Postgres { url, .. } => {
            let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()));
            query.fetch_one(&mut sqlx::PgConnection::connect(url).await.unwrap()).await.unwrap()
        }
    }
}

pub(crate) fn person(id: i64, name: &str) -> Identity {
    Identity { user_id: UserId::new(id).unwrap(), display_name: name.to_owned(), standing: Standing::Ordinary }
}

/// Is somebody as one who does something.
pub(crate) fn doer(who: &Identity) -> Doer {
    Doer { who: who.clone(), address: "192.0.2.1".to_owned(), request_id: "r".to_owned() }
}

/// Is an open public room.
pub(crate) fn new_room(name: &str) -> NewRoom {
    let settings = Settings {
        name: RoomName::parse(name).unwrap(),
        description: None,
        visibility: Visibility::Public,
        capacity: Capacity::default(),
        lobby: false,
        slug: None,
        opens_at: None,
        closes_at: None,
    };
    NewRoom { settings, password: None, link_code: LinkCode::new("first code".to_owned()) }
}

pub(crate) fn draft(room: RoomId, who: &Identity, content: &str, client_msg_id: Option<&str>) -> Draft {
    Draft {
        room_id: room,
        user_id: who.user_id,
        content: Content::parse(content.to_owned()).unwrap(),
        client_msg_id: client_msg_id.map(|id| ClientMsgId::parse(id.to_owned()).unwrap()),
        reply_to: None,
    }
}

pub(crate) fn new_account(email: &str) -> NewAccount {
    NewAccount {
        email: Email::parse(email).unwrap(),
        display_name: DisplayName::parse("Ann").unwrap(),
        password_hash: password_hash(),
        setup_code: None,
    }
}

/// Is the hash that every new account here has.
pub(crate) fn password_hash() -> PasswordHash {
    PasswordHash::from_stored("hash".to_owned())
}

pub(crate) async fn register(stores: &Stores, email: &str) -> cloudmeet_core::account::Account {
    stores.auth.register(&new_account(email), Registration::Open, FirstAdministrator::FirstAccount).await.unwrap()
}
