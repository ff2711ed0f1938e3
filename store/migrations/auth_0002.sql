-- Administering accounts: finding and deleting them, codes for new passwords, keys for programs, and what the
-- store of rooms must hear of.

-- The folded texts that a search looks through; empty in rows of an earlier release until they are filled.
ALTER TABLE accounts ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
-- A deleted account keeps its row, so that its id is never given again; what it said of a person is gone.
ALTER TABLE accounts ADD COLUMN deleted_at BIGINT;

CREATE TABLE reset_codes (
    digest TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES accounts (id),
    expires_at BIGINT NOT NULL
);

CREATE INDEX reset_codes_by_user ON reset_codes (user_id);

CREATE TABLE api_keys (
    id {identity},
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);

-- What rooms must hear of, until they have said that they did. The key is a UUID: it stays the same when this
-- database is restored, and none is given twice.
CREATE TABLE outbox (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX outbox_by_time ON outbox (at);
