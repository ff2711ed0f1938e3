-- Deeds that the store of accounts has told, each but once.
ALTER TABLE deeds ADD COLUMN told_as TEXT;

CREATE UNIQUE INDEX deeds_told ON deeds (told_as);
