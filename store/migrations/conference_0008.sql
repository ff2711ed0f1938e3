-- An index by senders that has every message is, to a plan for a room of which statistics know nothing, as good as the
-- one by numbers, and reads the whole room for each message. SQLite plans without statistics, and keeps it.
{postgres}ALTER TABLE messages DROP CONSTRAINT messages_room_id_user_id_client_msg_id_key;
{postgres}CREATE UNIQUE INDEX messages_sent ON messages (room_id, user_id, client_msg_id) WHERE client_msg_id IS NOT NULL;
