//! What the operator reads and writes in the cluster about one resource.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmeet_core::secret::Secret as SecretText;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::desired::VersionedPassword;
use crate::lease::Leadership;
use crate::plan::PasswordState;
use crate::resource::{FINALIZER, Room, RoomStatus, SecretKeyRef};

/// Under which name the operator writes statuses: whoever else wrote them gives way.
const FIELD_MANAGER: &str = "cloudmeet-operator";

/// What the cluster says of a resource that was written by a version of its kind that is gone.
const VERSION_GONE: &str = "invalid group/version";

/// How long one call may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Says why the cluster did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else has changed the resource.
    Conflict,
    /// It is not there any more.
    Gone,
    /// Anything else.
    Cluster,
}

/// Is the cluster, for who leads.
#[derive(Clone)]
pub struct Cluster {
    /// Refuses to write while somebody else leads.
    pub client: Client,
    /// How long a write may take: as long as nobody else may lead.
    pub leadership: Leadership,
}

/// Keeps a resource until its room is let go; gives it as it is then.
///
/// # Errors
/// What [`Trouble`] says.
pub async fn add_finalizer(cluster: &Cluster, room: &Room) -> Result<Room, Trouble> {
    let finalizers: Vec<&str> = room.finalizers().iter().map(String::as_str).chain([FINALIZER]).collect();
    write_finalizers(cluster, room, &finalizers).await
}

/// Lets a resource go.
///
/// # Errors
/// What [`Trouble`] says; that it is gone already is none.
pub async fn remove_finalizer(cluster: &Cluster, room: &Room) -> Result<(), Trouble> {
    let others = room.finalizers().iter().map(String::as_str).filter(|finalizer| *finalizer != FINALIZER);
    match write_finalizers(cluster, room, &others.collect::<Vec<_>>()).await {
        Ok(_) | Err(Trouble::Gone) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Writes the list of finalizers over the one that was seen, and no other.
async fn write_finalizers(cluster: &Cluster, room: &Room, finalizers: &[&str]) -> Result<Room, Trouble> {
    let patch = Patch::Merge(json!({ "metadata": {
        "finalizers": finalizers,
        "resourceVersion": room.resource_version(),
        "uid": room.uid(),
    }}));
    call(cluster, room, "finalizers", rooms(cluster, room).patch(&room.name_any(), &PatchParams::default(), &patch))
        .await
}

/// Writes a status over the resource that was seen, and no other; gives the resource as it is then. The version says which
/// one it was: of the uid of a status nobody takes notice, though another resource have the name by now.
///
/// # Errors
/// What [`Trouble`] says.
pub async fn write_status(cluster: &Cluster, room: &Room, status: &RoomStatus) -> Result<Room, Trouble> {
    let (name, rooms) = (room.name_any(), rooms(cluster, room));
    let apply = Patch::Apply(json!({
        "apiVersion": "cloudmeet.io/v1alpha1",
        "kind": "Room",
        "metadata": { "name": name, "resourceVersion": room.resource_version() },
        "status": status,
    }));
    let as_ours = PatchParams::apply(FIELD_MANAGER).force();
    let write = async {
        match rooms.patch_status(&name, &as_ours, &apply).await {
            // Somebody wrote by a version of the kind that is served no longer: the cluster cannot say now who owns
            // which field, so that nothing can be applied to the resource any more.
            Err(kube::Error::Api(answer)) if answer.code == 500 && answer.message.contains(VERSION_GONE) => {
                tracing::debug!(room.name = name, answer.message, "the status is merged, for it cannot be applied");
                let merge = Patch::Merge(json!({
                    "metadata": { "resourceVersion": room.resource_version() },
                    "status": overwriting(status),
                }));
                rooms.patch_status(&name, &PatchParams::default(), &merge).await
            }
            answer => answer,
        }
    };
    call(cluster, room, "status", write).await
}

/// Gives a status as one that is merged with another and leaves nothing of it.
fn overwriting(status: &RoomStatus) -> Value {
    let nothing = json!({ "roomID": null, "joinURL": null, "phase": null, "participants": null, "conditions": [] });
    let layers = [nothing, json!(status)].into_iter().filter_map(|layer| layer.as_object().cloned());
    layers.flatten().collect::<Map<_, _>>().into()
}

/// Reads the password of a room.
pub async fn read_password(cluster: &Cluster, room: &Room) -> PasswordState {
    let Some(SecretKeyRef { name, key }) = &room.spec.password_secret_ref else {
        return PasswordState::Missing("passwordSecretRef is not set".to_owned());
    };
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &room.namespace().unwrap_or_default());
    let secret = match timeout(CALL_TIMEOUT, secrets.get_opt(name)).await {
        Ok(Ok(Some(secret))) => secret,
        Ok(Ok(None)) => return PasswordState::Missing(format!("there is no Secret {name}")),
        Ok(Err(error)) => return PasswordState::Unknown(format!("Secret {name} was not read: {error}")),
        Err(_) => return PasswordState::Unknown(format!("Secret {name} was not read in time")),
    };
    let Some(text) = secret.data.as_ref().and_then(|data| data.get(key)) else {
        return PasswordState::Missing(format!("Secret {name} has no key {key}"));
    };
    let Ok(text) = String::from_utf8(text.0.clone()) else {
        return PasswordState::Missing(format!("{key} of Secret {name} is not text"));
    };
    let text = SecretText::new(text);
    // Files end with a line feed; a password does not.
    let password = text.reveal().trim_end_matches(['\r', '\n']);
    // Not of the password itself: a version is shown to whoever may list rooms.
    let version = [secret.uid().unwrap_or_default(), secret.resource_version().unwrap_or_default(), key.clone()];
    PasswordState::Found(VersionedPassword {
        password: SecretText::new(password.to_owned()),
        version: URL_SAFE_NO_PAD.encode(Sha256::digest(version.join("\0"))),
    })
}

fn rooms(cluster: &Cluster, room: &Room) -> Api<Room> {
    Api::namespaced(cluster.client.clone(), &room.namespace().unwrap_or_default())
}

/// Waits for the cluster, and says what became of the call.
async fn call<T>(
    cluster: &Cluster,
    room: &Room,
    what: &str,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, Trouble> {
    match timeout(CALL_TIMEOUT.min(cluster.leadership.remaining()), call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) if status.code == 409 => Err(Trouble::Conflict),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Err(Trouble::Gone),
        Ok(Err(error)) => {
            let name = room.name_any();
            tracing::warn!(error = &error as &dyn std::error::Error, room.name = name, "{what} not written");
            Err(Trouble::Cluster)
        }
        Err(_) => {
            tracing::warn!(room.name = room.name_any(), "{what} not written in time");
            Err(Trouble::Cluster)
        }
    }
}
