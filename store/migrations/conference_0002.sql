-- Counts the changes of names among a room's people: with last_seq, rev and owner_id it says whether a
-- page of its history still reads as it did.
ALTER TABLE rooms ADD COLUMN renamings BIGINT NOT NULL DEFAULT 0;
