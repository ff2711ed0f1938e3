-- When a room last became private: who knew of it until then is told.
ALTER TABLE rooms ADD COLUMN hidden_at BIGINT;
