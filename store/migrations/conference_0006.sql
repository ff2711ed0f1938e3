-- Which resource of the manager keeps a room, and which version of a password it was given.
ALTER TABLE rooms ADD COLUMN managed_uid TEXT;
ALTER TABLE rooms ADD COLUMN password_version TEXT;

-- Of deleted rooms it may be known whose several were.
CREATE UNIQUE INDEX rooms_managed ON rooms (managed_by, managed_uid) WHERE is_active = TRUE;
