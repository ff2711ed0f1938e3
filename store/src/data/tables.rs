//! What becomes of every table and column when an installation is backed up, restored or copied: said once, here.
//!
//! A test compares this with what the migrations make, so that whoever adds a table or a column decides.

use super::Part;

/// Says what becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are what the installation is.
    Kept,
    /// They are what it was just doing, or bound to the place where it ran: they stay behind.
    Left,
}

/// Says what a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Text,
    Truth,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) fate: Fate,
    /// The migration that made it.
    since: i64,
    /// Whether its ids are given by the database, none of them twice.
    pub(crate) gives_ids: bool,
    /// Its primary key, by which rows are read in one order on both engines.
    key: &'static str,
    /// Which of its rows a database without any history has.
    pub(crate) born_with: Option<&'static str>,
    columns: &'static [Column],
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The migration that added it.
    since: i64,
    /// What takes its place, from which migration on: nothing else may change when it is taken twice.
    at_rest: &'static [(i64, &'static str)],
}

const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer, since: 1, at_rest: &[] }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, since: 1, at_rest: &[] }
}

const fn truth(name: &'static str) -> Column {
    Column { name, kind: Kind::Truth, since: 1, at_rest: &[] }
}

impl Column {
    const fn since(self, since: i64) -> Self {
        Self { since, ..self }
    }

    const fn at_rest(self, at_rest: &'static [(i64, &'static str)]) -> Self {
        Self { at_rest, ..self }
    }

    /// Is what is read of it in a database of a version.
    pub(crate) fn expression(&self, version: i64) -> &'static str {
        let newest = self.at_rest.iter().rev().find(|(since, _)| *since <= version);
        newest.map_or(self.name, |(_, expression)| expression)
    }

    /// Says whether it may be read as something else than what stands in it.
    fn has_rest(&self) -> bool {
        !self.at_rest.is_empty()
    }
}

const fn kept(name: &'static str, key: &'static str, columns: &'static [Column]) -> Table {
    Table { name, fate: Fate::Kept, since: 1, gives_ids: false, key, born_with: None, columns }
}

const fn left(name: &'static str) -> Table {
    Table { name, fate: Fate::Left, since: 1, gives_ids: false, key: "", born_with: None, columns: &[] }
}

impl Table {
    const fn since_version(self, since: i64) -> Self {
        Self { since, ..self }
    }

    const fn giving_ids(self) -> Self {
        Self { gives_ids: true, ..self }
    }

    const fn born_with(self, rows: &'static str) -> Self {
        Self { born_with: Some(rows), ..self }
    }

    /// Is its columns in a database of a version.
    pub(crate) fn columns(&self, version: i64) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(move |column| column.since <= version)
    }

    /// Is their names, separated by commas.
    pub(crate) fn names(&self, version: i64) -> String {
        self.columns(version).map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Reads its rows at rest.
    pub(crate) fn select(&self, version: i64) -> String {
        let list: Vec<&str> = self.columns(version).map(|column| column.expression(version)).collect();
        format!("SELECT {} FROM {}", list.join(", "), self.name)
    }

    /// Reads its rows at rest, in the order of its key: that of bytes, where a text is one.
    pub(crate) fn select_in_order(&self, version: i64, engine: super::Engine) -> String {
        let key = self.key.split(", ").map(|name| {
            let is_text = self.columns.iter().any(|column| column.name == name && column.kind == Kind::Text);
            if is_text && engine == super::Engine::Postgres { format!("{name} COLLATE \"C\"") } else { name.to_owned() }
        });
        format!("{} ORDER BY {}", self.select(version), key.collect::<Vec<_>>().join(", "))
    }

    /// Puts its rows to rest where they stand, on SQLite. `None` when nothing in it moves.
    pub(crate) fn put_to_rest(&self, version: i64) -> Option<String> {
        let moving: Vec<_> = self.columns(version).filter(|column| column.has_rest()).collect();
        let list = |word: &str, between: &str| {
            let parts = moving.iter().map(|column| format!("{} {word} ({})", column.name, column.expression(version)));
            parts.collect::<Vec<_>>().join(between)
        };
        let name = self.name;
        (!moving.is_empty()).then(|| format!("UPDATE {name} SET {} WHERE {}", list("=", ", "), list("IS NOT", " OR ")))
    }
}

impl Part {
    /// Is the database's tables as they are at a version, none before those that it refers to.
    pub(crate) fn tables(self, version: i64) -> impl DoubleEndedIterator<Item = &'static Table> + use<> {
        let tables = match self {
            Self::Auth => AUTH,
            Self::Conference => CONFERENCE,
        };
        tables.iter().filter(move |table| table.since <= version)
    }

    /// Is those whose rows are kept.
    pub(crate) fn kept_tables(self, version: i64) -> impl Iterator<Item = &'static Table> + use<> {
        self.tables(version).filter(|table| table.fate == Fate::Kept)
    }
}

/// Signing keys are sealed with a secret of the place; a server makes new ones. Sessions and codes were handed to
/// people by the installation that is left.
const AUTH: &[Table] = &[
    kept(
        "accounts",
        "id",
        &[
            integer("id"),
            text("email"),
            text("display_name"),
            text("password_hash"),
            truth("is_active"),
            truth("is_admin"),
            integer("created_at"),
            text("search_text").since(2),
            integer("deleted_at").since(2),
        ],
    )
    .giving_ids(),
    kept("installation", "id", &[integer("id"), integer("first_account_at")]).born_with("first_account_at IS NULL"),
    left("sessions"),
    left("refresh_tokens"),
    left("signing_keys"),
    left("setup_codes"),
    left("auth_changes").giving_ids(),
    left("reset_codes").since_version(2),
    kept(
        "api_keys",
        "id",
        &[
            integer("id").since(2),
            text("name").since(2),
            text("digest").since(2),
            text("scopes").since(2),
            integer("created_by").since(2),
            integer("created_at").since(2),
            integer("expires_at").since(2),
            integer("last_used_at").since(2),
            integer("revoked_at").since(2),
        ],
    )
    .since_version(2)
    .giving_ids(),
    kept(
        "outbox",
        "key",
        &[text("key").since(2), text("kind").since(2), text("payload").since(2), integer("at").since(2)],
    )
    .since_version(2),
];

/// A presence at rest is one whose lease has ended (`Presence::end`), somebody who waits one who did so no longer
/// (`Turn::Withdrew`). When that was is taken from the room, so that two readings agree.
const CONFERENCE: &[Table] = &[
    kept(
        "rooms",
        "id",
        &[
            integer("id"),
            text("name"),
            text("description"),
            text("search_text"),
            integer("owner_id"),
            truth("is_active"),
            text("visibility"),
            text("password_hash"),
            text("link_code"),
            integer("capacity"),
            truth("lobby"),
            text("slug"),
            integer("opens_at"),
            integer("closes_at"),
            text("managed_by"),
            integer("last_seq"),
            integer("rev"),
            integer("created_at"),
            integer("last_activity_at"),
            integer("renamings").since(2),
            integer("ends").since(3),
            integer("hidden_at").since(4),
            text("managed_uid").since(6),
            text("password_version").since(6),
        ],
    )
    .giving_ids(),
    kept(
        "participants",
        "id",
        &[
            integer("id"),
            integer("room_id"),
            integer("user_id"),
            text("display_name"),
            text("role"),
            truth("is_member"),
            text("status").at_rest(&[(1, "'offline'")]),
            integer("version").at_rest(&[
                (1, "CASE WHEN status = 'offline' THEN version ELSE version + 1 END"),
                (3, "CASE WHEN status = 'offline' AND waiting_since IS NULL THEN version ELSE version + 1 END"),
            ]),
            integer("alive_until").at_rest(&[(1, "CAST(NULL AS BIGINT)")]),
            truth("closing").at_rest(&[(1, "FALSE")]),
            text("call_socket").at_rest(&[(1, "CAST(NULL AS TEXT)")]),
            integer("join_time"),
            integer("leave_time").at_rest(&[(
                1,
                "CASE WHEN status = 'offline' THEN leave_time ELSE (SELECT CASE WHEN r.last_activity_at > \
                 participants.join_time THEN r.last_activity_at ELSE participants.join_time END \
                 FROM rooms r WHERE r.id = participants.room_id) END",
            )]),
            truth("audio"),
            truth("video"),
            truth("screen"),
            truth("hand"),
            truth("muted_by_host"),
            integer("read_seq"),
            integer("waiting_since").since(3).at_rest(&[(3, "CAST(NULL AS BIGINT)")]),
            truth("is_banned").since(3),
            text("last_turn").since(3).at_rest(&[(
                3,
                "CASE WHEN waiting_since IS NOT NULL AND is_member = FALSE THEN 'withdrew' \
                 WHEN status <> 'offline' AND last_turn = 'admitted' THEN NULL ELSE last_turn END",
            )]),
        ],
    )
    .giving_ids(),
    kept(
        "messages",
        "id",
        &[
            integer("id"),
            integer("room_id"),
            integer("seq"),
            integer("user_id"),
            text("content"),
            text("client_msg_id"),
            integer("reply_to"),
            integer("created_at"),
            integer("edited_at"),
            integer("deleted_at"),
            integer("rev"),
        ],
    )
    .giving_ids(),
    left("servers"),
    left("holds"),
    left("tickets"),
    left("conference_changes").giving_ids(),
    left("managed_resources").since_version(7),
    kept(
        "search_blocks",
        "room_id, block",
        &[integer("room_id").since(3), integer("block").since(3), text("texts").since(3)],
    )
    .since_version(3),
    kept(
        "deeds",
        "id",
        &[
            integer("id").since(3),
            integer("at").since(3),
            integer("room_id").since(3),
            text("action").since(3),
            integer("actor_id").since(3),
            text("actor_name").since(3),
            integer("target_id").since(3),
            text("detail").since(3),
            text("result").since(3),
            text("address").since(3),
            text("request_id").since(3),
            text("told_as").since(5),
        ],
    )
    .since_version(3)
    .giving_ids(),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::{Connection as _, Row as _, SqliteConnection};

    use super::*;
    use crate::migrate;

    async fn schema(part: Part, version: i64) -> BTreeMap<String, Vec<(String, String)>> {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate::run_to(&mut connection, part.migrations().for_sqlite(), version).await.unwrap();
        let columns = sqlx::query(
            "SELECT m.name AS tab, c.name AS col, c.type AS kind FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%_migrations'",
        );
        let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in columns.fetch_all(&mut connection).await.unwrap() {
            tables.entry(row.get("tab")).or_default().push((row.get("col"), row.get("kind")));
        }
        tables
    }

    #[tokio::test]
    async fn every_table_and_column_of_every_version_has_its_fate() {
        for part in [Part::Auth, Part::Conference] {
            for version in 1..=part.migrations().latest() {
                let mut made = schema(part, version).await;
                for table in part.tables(version) {
                    let mut columns = made.remove(table.name).unwrap_or_else(|| panic!("there is no {}", table.name));
                    if table.fate == Fate::Left {
                        continue;
                    }
                    let word = |kind| match kind {
                        Kind::Integer => "BIGINT",
                        Kind::Text => "TEXT",
                        Kind::Truth => "BOOLEAN",
                    };
                    let mut known: Vec<_> = table
                        .columns(version)
                        .map(|column| match (table.gives_ids, column.name) {
                            (true, "id") => ("id".to_owned(), "INTEGER".to_owned()),
                            _ => (column.name.to_owned(), word(column.kind).to_owned()),
                        })
                        .collect();
                    columns.sort();
                    known.sort();
                    assert_eq!(known, columns, "{} at {version}", table.name);
                }
                assert!(made.is_empty(), "nobody decided what becomes of {made:?}");
            }
        }
    }

    #[tokio::test]
    async fn every_table_that_gives_ids_is_known_to() {
        for part in [Part::Auth, Part::Conference] {
            let latest = part.migrations().latest();
            for (name, columns) in schema(part, latest).await {
                let table = part.tables(latest).find(|table| table.name == name).unwrap();
                assert_eq!(columns.contains(&("id".to_owned(), "INTEGER".to_owned())), table.gives_ids, "{name}");
            }
        }
    }
}
