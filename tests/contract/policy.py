"""Who may do what, said once more: the table of rules as the contract has it, not as the server does."""

from __future__ import annotations

EVERYBODY = {"stranger", "member", "moderator", "owner", "administrator", "banned", "waiting"}
MEMBERS = {"member", "moderator", "owner"}
HOSTS = {"moderator", "owner"}
HOSTS_AND_ADMINISTRATORS = HOSTS | {"administrator"}
OWNER_AND_ADMINISTRATORS = {"owner", "administrator"}

# Whether something is done in any room, in one that is not deleted, or only in one that is not past its end either.
EVER, ACTIVE, OPEN = "ever", "active", "open"

RULES: dict[str, tuple[set[str], str]] = {
    "see_room": (EVERYBODY, EVER),
    "join": (EVERYBODY - {"banned"}, OPEN),
    "leave": (MEMBERS | {"waiting"}, EVER),
    "read_messages": (MEMBERS, EVER),
    "send_message": (MEMBERS, OPEN),
    "edit_message": (MEMBERS, OPEN),  # one's own
    "delete_message": (HOSTS, OPEN),  # somebody else's
    "change_room": (HOSTS_AND_ADMINISTRATORS, ACTIVE),
    "delete_room": (OWNER_AND_ADMINISTRATORS, EVER),
    "end_meeting": (HOSTS_AND_ADMINISTRATORS, ACTIVE),
    "hand_on": (OWNER_AND_ADMINISTRATORS, ACTIVE),
    "read_link_code": (HOSTS_AND_ADMINISTRATORS, ACTIVE),
    "renew_link_code": (OWNER_AND_ADMINISTRATORS, ACTIVE),
    "see_members": (MEMBERS, EVER),
    "see_lobby": (HOSTS, ACTIVE),
    "see_bans": (HOSTS, ACTIVE),
    "admit": (HOSTS, ACTIVE),
    "deny": (HOSTS, ACTIVE),
    "admit_all": (HOSTS, ACTIVE),
    "mute": (HOSTS, ACTIVE),
    "kick": (HOSTS, ACTIVE),
    "ban": (HOSTS, ACTIVE),
    "lift_ban": (HOSTS, ACTIVE),
    "promote": (HOSTS, ACTIVE),
    "demote": (HOSTS, ACTIVE),
    "export": (OWNER_AND_ADMINISTRATORS, EVER),
    "read_audit": (OWNER_AND_ADMINISTRATORS, EVER),
}

# Each operation of the description about one room: the action that it is, and how it is asked for. `{…}` are
# filled in by the test: the room, somebody else who is a member, who waits, who was banned, and messages.
OPERATIONS: dict[str, tuple[str, str, str, dict | None]] = {
    "getRoom": ("see_room", "GET", "/api/rooms/{room}", None),
    "updateRoom": ("change_room", "PATCH", "/api/rooms/{room}", {"description": "other"}),
    "deleteRoom": ("delete_room", "DELETE", "/api/rooms/{room}", None),
    "joinRoom": ("join", "POST", "/api/rooms/{room}/join", {}),
    "leaveRoom": ("leave", "POST", "/api/rooms/{room}/leave", {}),
    "markRead": ("read_messages", "POST", "/api/rooms/{room}/read", {"seq": 1}),
    "listMessages": ("read_messages", "GET", "/api/rooms/{room}/messages", None),
    "sendMessage": ("send_message", "POST", "/api/rooms/{room}/messages", {"content": "hi"}),
    "editMessage": ("edit_message", "PATCH", "/api/rooms/{room}/messages/{own}", {"content": "new"}),
    "deleteMessage": ("delete_message", "DELETE", "/api/rooms/{room}/messages/{others}", None),
    "endMeeting": ("end_meeting", "POST", "/api/rooms/{room}/end", {}),
    "handOn": ("hand_on", "POST", "/api/rooms/{room}/owner", {"user_id": "{member}"}),
    "readLinkCode": ("read_link_code", "GET", "/api/rooms/{room}/link-code", None),
    "renewLinkCode": ("renew_link_code", "POST", "/api/rooms/{room}/link-code", {}),
    "canI": ("see_room", "GET", "/api/rooms/{room}/can-i?action=kick", None),
    "listParticipants": ("see_room", "GET", "/api/rooms/{room}/participants", None),
    "listParticipants members": ("see_members", "GET", "/api/rooms/{room}/participants?members=true", None),
    "listParticipants banned": ("see_bans", "GET", "/api/rooms/{room}/participants?banned=true", None),
    "admitParticipant": ("admit", "POST", "/api/rooms/{room}/participants/{waiting}/admit", {}),
    "denyParticipant": ("deny", "POST", "/api/rooms/{room}/participants/{waiting}/deny", {}),
    "admitAll": ("admit_all", "POST", "/api/rooms/{room}/admit-all", {}),
    "muteParticipant": ("mute", "POST", "/api/rooms/{room}/participants/{member}/mute", {}),
    "kickParticipant": ("kick", "POST", "/api/rooms/{room}/participants/{member}/kick", {}),
    "banParticipant": ("ban", "POST", "/api/rooms/{room}/participants/{member}/ban", {}),
    "liftBan": ("lift_ban", "DELETE", "/api/rooms/{room}/participants/{banned}/ban", None),
    "promoteParticipant": ("promote", "POST", "/api/rooms/{room}/participants/{member}/promote", {}),
    "demoteParticipant": ("demote", "POST", "/api/rooms/{room}/participants/{member}/demote", {}),
    "exportHistory": ("export", "GET", "/api/rooms/{room}/export", None),
    "listRoomDeeds": ("read_audit", "GET", "/api/rooms/{room}/audit", None),
}

# What a socket may ask for about a room, and the answer that obeys.
FRAMES: dict[str, tuple[str, str, dict]] = {
    "subscribe": ("read_messages", "subscribed", {}),
    "send": ("send_message", "sent", {"content": "hi"}),
    "status": ("send_message", "status_set", {"status": "online"}),
    "typing": ("send_message", "typing", {}),
    "unsubscribe": ("read_messages", "unsubscribed", {}),
}

# What keeps people out who might come in otherwise: who enters all the same, and what decides about the others.
DOORS: dict[str, tuple[set[str], str]] = {
    "not_open": ({"owner"}, "opens_at"),
    "password": (MEMBERS | {"waiting"}, "password"),
    "full": (MEMBERS, "capacity"),
}

# What administrators do to accounts of others and to keys for programs, and how it all runs: nobody else does.
ADMINISTRATION: dict[str, tuple[str, str, dict | None]] = {
    "listUsers": ("GET", "/api/users", None),
    "createUser": ("POST", "/api/users", {"email": "{fresh}", "display_name": "Somebody"}),
    "readUser": ("GET", "/api/users/{user}", None),
    "updateUser": ("PATCH", "/api/users/{user}", {"display_name": "Renamed"}),
    "createResetLink": ("POST", "/api/users/{user}/reset-link", {}),
    "deleteUser": ("DELETE", "/api/users/{user}", None),
    "listApiKeys": ("GET", "/api/api-keys", None),
    "createApiKey": ("POST", "/api/api-keys", {"name": "A key", "scopes": ["rooms:manage"]}),
    "revokeApiKey": ("DELETE", "/api/api-keys/{key}", None),
    "readSystem": ("GET", "/api/system", None),
}

# What a key for programs is for, and people are not.
MANAGED: dict[str, tuple[str, str, dict | None]] = {
    "listManagedRooms": ("GET", "/api/managed-rooms/a-cluster", None),
    "keepRoom": ("PUT", "/api/managed-rooms/a-cluster/a-uid", {"name": "Standing", "owner": "nobody@example.org"}),
    "readManagedRoom": ("GET", "/api/managed-rooms/a-cluster/a-uid", None),
    "letRoomGo": ("DELETE", "/api/managed-rooms/a-cluster/a-uid", None),
    "followManagedRooms": ("GET", "/api/managed-rooms/events?manager=a-cluster", None),
}

# What is about no room, or about everybody's own.
ELSEWHERE = {
    "listRooms", "createRoom", "listDeeds", "issueTicket", "openSocket", "health", "livez", "readyz", "register", "login",
    "refresh", "logout", "me", "updateMe", "validate", "jwks", "resetPassword", *ADMINISTRATION,
    *MANAGED,
}
FRAMES_ELSEWHERE = {"watch_rooms", "ping"}


def may(subject: str, action: str, state: str) -> bool:
    """Says whether somebody may do something in a room that is `public`, `private`, `over` or `deleted`."""
    who, when = RULES[action]
    hidden = {"stranger", "banned"} if state == "private" else {"stranger", "banned", "waiting"} if state == "deleted" else set()
    if subject in ("anonymous", "machine") or subject in hidden or subject not in who:
        return False
    if state == "deleted":
        return when == EVER
    return state != "over" or when != OPEN
