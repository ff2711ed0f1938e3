//! The resource: what a `Room` says, and what is said of it.
//!
//! The descriptions are what `kubectl explain` shows.

// The derive repeats what it describes where nobody reaches it.
#![allow(unreachable_pub)]
// Two columns may be of one type.
#![allow(clippy::duplicated_attributes)]

use jiff::Timestamp;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The annotation by which a resource takes a room over even from another resource.
pub const FORCE_ADOPT: &str = "cloudmeet.io/force-adopt";

/// The mark that keeps a resource until its room is let go.
pub const FINALIZER: &str = "cloudmeet.io/room";

/// A meeting room that stays: whose it is, who may enter, and when.
#[derive(CustomResource, KubeSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "cloudmeet.io",
    version = "v1alpha1",
    kind = "Room",
    namespaced,
    shortname = "mroom",
    category = "cloudmeet",
    status = "RoomStatus",
    derive = "PartialEq",
    doc = "A meeting room of CloudMeet that stays: whose it is, who may enter it, and when.",
    printcolumn(
        name = "Title",
        type_ = "string",
        json_path = ".spec.displayName",
        description = "What people call the room."
    ),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "How it stands, in one word."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether people can meet in the room as it is described."
    ),
    printcolumn(
        name = "People",
        type_ = "integer",
        json_path = ".status.participants.current",
        description = "How many people were there when somebody looked last."
    ),
    printcolumn(
        name = "Max",
        type_ = "integer",
        json_path = ".spec.capacity",
        description = "How many people the room takes."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "URL",
        type_ = "string",
        json_path = ".status.joinURL",
        priority = 1,
        description = "Where people enter the room."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Synced\")].reason",
        priority = 1,
        description = "Why it stands as it does."
    )
)]
#[x_kube(
    validation = Rule::new("self.visibility != 'Password' || has(self.passwordSecretRef)")
        .message("a room with visibility Password needs passwordSecretRef: the name of a Secret, and the key in it")
        .field_path(".passwordSecretRef"),
    validation = Rule::new("has(self.externalRoomID) == has(oldSelf.externalRoomID) && (!has(self.externalRoomID) || self.externalRoomID == oldSelf.externalRoomID)")
        .message("externalRoomID is immutable: it is set when the resource is created, or never")
        .field_path(".externalRoomID")
)]
#[serde(rename_all = "camelCase")]
pub struct RoomSpec {
    /// What people call the room; 1 to 255 characters, not all of them blank.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.trim().size() > 0").message("displayName must not be blank"))]
    pub display_name: String,

    /// What the room is for; at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub description: Option<String>,

    /// Whose room it is: the e-mail address of an account of the CloudMeet server. Immutable.
    #[schemars(length(min = 3, max = 254))]
    #[x_kube(
        validation = Rule::new("self == oldSelf").message("owner is immutable: create another Room for another owner"),
        validation = Rule::new("self.matches('^[^@ ]+@[^@ ]+$')").message("owner must be an e-mail address")
    )]
    pub owner: String,

    /// Who runs the room beside its owner: e-mail addresses of accounts, at most 100. Who has no account yet becomes
    /// a moderator when they have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 3, max = 254)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(address, address.matches('^[^@ ]+@[^@ ]+$'))").message("each of the moderators must be an e-mail address")
    )]
    pub moderators: Vec<String>,

    /// How many people the room takes, its owner included; 2 to 1,000.
    #[serde(default = "default_capacity")]
    #[schemars(range(min = 2, max = 1000))]
    pub capacity: i64,

    /// Who may see and enter the room. Public: everybody who is signed in. Private: its people, and who has its link.
    /// Password: who knows the password that `passwordSecretRef` names.
    #[serde(default)]
    pub visibility: Visibility,

    /// Where the password stands: a key of a Secret in the namespace of the resource; 8 to 128 characters. Needed when
    /// `visibility` is Password. A changed Secret is noticed within a minute; whoever is inside stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,

    /// When people may be in the room. Without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,

    /// Whether people wait until somebody who runs the room admits them.
    #[serde(default)]
    pub lobby: bool,

    /// The room's name in links, /r/SLUG; 3 to 63 of a to z, 0 to 9 and -. Without it the room keeps the one that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 63))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && !self.matches('^[0-9]+$')")
            .message("slug must be of a to z, 0 to 9 and -, with - at neither end, and not of digits only")
    )]
    pub slug: Option<String>,

    /// What becomes of the room when the resource is deleted. Delete: it is closed for good, its history stays with its
    /// members. Retain: it stays, and people may change it again.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// What happens when the room is not as described, without the description having changed. Correct: it is made so
    /// again. Report: the condition Synced says what differs, and nothing is changed.
    #[serde(default)]
    pub drift_policy: DriftPolicy,

    /// The id of a room that exists already, to be taken over instead of making one. It must have no manager, or the
    /// annotation cloudmeet.io/force-adopt must be "true". Set at creation only.
    #[serde(default, rename = "externalRoomID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 19))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]*$')").message("externalRoomID must be the id of a room, in digits"))]
    pub external_room_id: Option<String>,

    /// Leave the room alone, however it is: nothing is made, changed or corrected while this is true. A deleted resource
    /// is still cleaned up.
    #[serde(default)]
    pub suspend: bool,
}

const fn default_capacity() -> i64 {
    50
}

/// Who may see and enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Visibility {
    #[default]
    #[allow(missing_docs)]
    Public,
    #[allow(missing_docs)]
    Private,
    #[allow(missing_docs)]
    Password,
}

/// Names a key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Says when people may be in a room.
#[derive(KubeSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.start) || !has(self.end) || self.end > self.start")
        .message("schedule.end must be later than schedule.start")
        .field_path(".end")
)]
pub struct Schedule {
    /// Before this nobody but the owner enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub start: Option<Timestamp>,
    /// At this the meeting ends; five minutes before, people are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub end: Option<Timestamp>,
}

/// Says what becomes of a room whose resource is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    #[default]
    #[allow(missing_docs)]
    Delete,
    #[allow(missing_docs)]
    Retain,
}

/// Says what happens to a room that is not as described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum DriftPolicy {
    #[default]
    #[allow(missing_docs)]
    Correct,
    #[allow(missing_docs)]
    Report,
}

/// How the room stood when somebody looked last.
#[derive(KubeSchema, Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomStatus {
    /// The generation of the resource that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The id of the room on the CloudMeet server.
    #[serde(default, rename = "roomID", skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,

    /// Where people enter the room.
    #[serde(default, rename = "joinURL", skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,

    /// How it stands, in one word, for people to read: Pending, Ready, Drifted, Stalled, Suspended or Terminating.
    /// Programs read the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub phase: Option<Phase>,

    /// How many people were in the room; written at most every 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Participants>,

    /// Ready and Synced always; Reconciling and Stalled only while they are true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// Reads a word; one that another release has written counts as none.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Phase>, D::Error> {
    let word = serde_json::Value::deserialize(deserializer)?;
    Ok(Phase::deserialize(word).ok())
}

/// Says how a resource stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum Phase {
    Pending,
    Ready,
    Drifted,
    Stalled,
    Suspended,
    Terminating,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Ready, Self::Drifted, Self::Stalled, Self::Suspended, Self::Terminating];

    /// Gives the word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Ready => "Ready",
            Self::Drifted => "Drifted",
            Self::Stalled => "Stalled",
            Self::Suspended => "Suspended",
            Self::Terminating => "Terminating",
        }
    }
}

/// Says how many people were in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Participants {
    /// How many.
    pub current: i64,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub observed_at: Timestamp,
}

/// Says one thing about a resource, and since when it has been so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    #[schemars(length(max = 316))]
    pub kind: String,
    /// True, False or Unknown.
    pub status: Truth,
    /// The generation of the resource that it is about.
    pub observed_generation: i64,
    /// When the status became another one.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Timestamp,
    /// Why, in one word for programs.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// Why, in a sentence for people.
    #[schemars(length(max = 32768))]
    pub message: String,
}

/// Says whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum Truth {
    True,
    False,
    Unknown,
}
