-- Rooms with rules: who waits, who was banned, what became of people at the door; how often a meeting was
-- ended; texts to search in; and the record of deeds.

ALTER TABLE rooms ADD COLUMN ends BIGINT NOT NULL DEFAULT 0;

ALTER TABLE participants ADD COLUMN waiting_since BIGINT;
ALTER TABLE participants ADD COLUMN is_banned BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE participants ADD COLUMN last_turn TEXT;

CREATE INDEX participants_waiting ON participants (room_id, waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX rooms_listed ON rooms (id) WHERE is_active = TRUE AND visibility <> 'private';
CREATE INDEX rooms_closing ON rooms (closes_at) WHERE closes_at IS NOT NULL;

-- The texts of so many messages in a row, for a search: made of what stands in `messages`, and made anew when it
-- is not there.
CREATE TABLE search_blocks (
    room_id BIGINT NOT NULL,
    block BIGINT NOT NULL,
    texts TEXT NOT NULL,
    PRIMARY KEY (room_id, block)
);

CREATE TABLE deeds (
    id {identity},
    at BIGINT NOT NULL,
    room_id BIGINT,
    action TEXT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT,
    target_id BIGINT,
    detail TEXT,
    result TEXT NOT NULL,
    address TEXT,
    request_id TEXT
);

CREATE INDEX deeds_by_room ON deeds (room_id, id);
CREATE INDEX deeds_by_time ON deeds (at);
