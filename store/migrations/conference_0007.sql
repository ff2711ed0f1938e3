-- Resources that keep rooms, and which of them are gone for good: what is asked for one of these came too late. Who asks
-- and who lets go take turns by their row.
CREATE TABLE managed_resources (
    manager TEXT NOT NULL,
    uid TEXT NOT NULL,
    gone_at BIGINT,
    PRIMARY KEY (manager, uid)
);
