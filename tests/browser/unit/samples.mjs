/** A message with everything that a test does not care about. */
export function message(more) {
  return {
    id: more.seq,
    room_id: 1,
    user_id: 1,
    user_display_name: "Ada",
    is_owner: false,
    content: `line ${more.seq}`,
    created_at: "2026-01-01T10:00:00.000Z",
    client_msg_id: null,
    reply_to: null,
    edited_at: null,
    deleted_at: null,
    ...more,
  };
}

/** A participant with everything that a test does not care about. */
export function participant(more) {
  return {
    id: more.user_id,
    user_display_name: `Person ${more.user_id}`,
    status: "in_call",
    is_owner: false,
    role: "participant",
    version: 1,
    ...more,
  };
}
