-- Rooms, the people in them and what they say. {identity} is the only word that SQLite and
-- Postgres spell differently. Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE rooms (
    id {identity},
    name TEXT NOT NULL,
    description TEXT,
    search_text TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    is_active BOOLEAN NOT NULL,
    visibility TEXT NOT NULL,
    password_hash TEXT,
    link_code TEXT,
    capacity BIGINT NOT NULL,
    lobby BOOLEAN NOT NULL,
    slug TEXT UNIQUE,
    opens_at BIGINT,
    closes_at BIGINT,
    managed_by TEXT,
    last_seq BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_activity_at BIGINT NOT NULL
);

-- Membership and presence of a person in a room: one row for good, so that `version` only rises.
CREATE TABLE participants (
    id {identity},
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    user_id BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    is_member BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    alive_until BIGINT,
    closing BOOLEAN NOT NULL,
    call_socket TEXT,
    join_time BIGINT NOT NULL,
    leave_time BIGINT,
    audio BOOLEAN NOT NULL,
    video BOOLEAN NOT NULL,
    screen BOOLEAN NOT NULL,
    hand BOOLEAN NOT NULL,
    muted_by_host BOOLEAN NOT NULL,
    read_seq BIGINT NOT NULL,
    UNIQUE (room_id, user_id)
);

CREATE INDEX participants_by_user ON participants (user_id);
CREATE INDEX participants_present ON participants (room_id) WHERE status <> 'offline';

CREATE TABLE messages (
    id {identity},
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    seq BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    content TEXT NOT NULL,
    client_msg_id TEXT,
    reply_to BIGINT,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT,
    rev BIGINT NOT NULL,
    UNIQUE (room_id, seq),
    UNIQUE (room_id, user_id, client_msg_id)
);

CREATE INDEX messages_changed ON messages (room_id, rev) WHERE rev > 0;

-- A server lives until `ends_at`; a hold says that it has a live socket of a person in a room.
CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    ends_at BIGINT NOT NULL
);

CREATE TABLE holds (
    room_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    server_id TEXT NOT NULL,
    PRIMARY KEY (room_id, user_id, server_id)
);

CREATE TABLE tickets (
    digest TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE conference_changes (
    id {identity},
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX conference_changes_by_time ON conference_changes (at);
