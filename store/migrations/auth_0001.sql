-- Accounts and sessions. {identity} is the only word that SQLite and Postgres spell differently.
-- Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE accounts (
    id {identity},
    email TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_admin BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row: when the first account was made. Who changes it from NULL is the first.
CREATE TABLE installation (
    id BIGINT PRIMARY KEY,
    first_account_at BIGINT
);

INSERT INTO installation (id, first_account_at) VALUES (1, NULL);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES accounts (id),
    rotation_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX sessions_by_user ON sessions (user_id);

-- Spent tokens stay until they expire: a late replay ends the session.
CREATE TABLE refresh_tokens (
    digest TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
);

CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE setup_codes (
    digest TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
);

CREATE TABLE auth_changes (
    id {identity},
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX auth_changes_by_time ON auth_changes (at);
