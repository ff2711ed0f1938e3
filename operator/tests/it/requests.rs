//! What is said to the cluster, to the letter.

use std::time::Duration;

use cloudmeet_operator::cluster::{Cluster, Trouble, add_finalizer, read_password, remove_finalizer, write_status};
use cloudmeet_operator::events::Events;
use cloudmeet_operator::lease::Leadership;
use cloudmeet_operator::plan::{Note, PasswordState};
use cloudmeet_operator::reason::Reason;
use cloudmeet_operator::resource::{Condition, Phase, Room, RoomStatus, Truth};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower_test::mock::{self, Handle};

const NOW: &str = "2026-11-28T12:00:00Z";

/// Is one request: method, path with its query, media type and body.
type Said = (String, String, String, Value);

type Api = Handle<Request<Body>, Response<Body>>;

fn cluster() -> (Cluster, Api) {
    let (service, api) = mock::pair();
    let leadership = Leadership::default();
    leadership.hold_for(Duration::from_secs(60));
    (Cluster { client: Client::new(service, "default"), leadership }, api)
}

fn resource(finalizers: &[&str]) -> Value {
    json!({
        "apiVersion": "cloudmeet.io/v1alpha1",
        "kind": "Room",
        "metadata": {
            "name": "algebra", "namespace": "school", "uid": "u-1", "resourceVersion": "41", "generation": 1,
            "finalizers": finalizers,
        },
        "spec": { "displayName": "Algebra", "owner": "ann@example.org" },
    })
}

fn room(finalizers: &[&str]) -> Room {
    serde_json::from_value(resource(finalizers)).expect("a room")
}

/// Takes one request, and answers it.
async fn answer(api: &mut Api, status: u16, body: &Value) -> Said {
    let next = timeout(Duration::from_secs(5), api.next_request()).await.expect("a request in time");
    let (request, respond) = next.expect("a request");
    let answer = Response::builder().status(status).body(Body::from(body.to_string().into_bytes()));
    respond.send_response(answer.expect("an answer"));
    let (parts, sent) = request.into_parts();
    let sent = sent.collect().await.expect("a body").to_bytes();
    let media = parts.headers.get(http::header::CONTENT_TYPE).map(|media| media.to_str().expect("text").to_owned());
    (
        parts.method.to_string(),
        parts.uri.to_string(),
        media.unwrap_or_default(),
        serde_json::from_slice(&sent).unwrap_or(Value::Null),
    )
}

fn refusal(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
    })
}

fn status(phase: Phase) -> RoomStatus {
    RoomStatus {
        observed_generation: Some(1),
        phase: Some(phase),
        conditions: vec![Condition {
            kind: "Ready".to_owned(),
            status: Truth::False,
            observed_generation: 1,
            last_transition_time: NOW.parse().expect("a time"),
            reason: "Drifted".to_owned(),
            message: "the room is gone".to_owned(),
        }],
        ..RoomStatus::default()
    }
}

#[tokio::test]
async fn a_finalizer_is_added_to_what_was_seen_and_to_nothing_else() {
    let (cluster, mut api) = cluster();
    let room = room(&["example.org/other"]);
    let both = ["example.org/other", "cloudmeet.io/room"];
    let (written, said) =
        tokio::join!(add_finalizer(&cluster, &room), async { answer(&mut api, 200, &resource(&both)).await });
    let patch = json!({ "metadata": { "finalizers": both, "resourceVersion": "41", "uid": "u-1" } });
    let path = "/apis/cloudmeet.io/v1alpha1/namespaces/school/rooms/algebra?";
    assert_eq!(said, ("PATCH".to_owned(), path.to_owned(), "application/merge-patch+json".to_owned(), patch));
    assert_eq!(written.expect("written").metadata.finalizers.expect("some"), both);
}

#[tokio::test]
async fn a_finalizer_goes_alone_and_what_is_gone_is_let_go() {
    let (cluster, mut api) = cluster();
    let room = room(&["example.org/other", "cloudmeet.io/room"]);
    let (removed, said) = tokio::join!(remove_finalizer(&cluster, &room), async {
        answer(&mut api, 404, &refusal(404, "NotFound", "no")).await
    });
    assert_eq!(removed, Ok(()));
    assert_eq!(said.3["metadata"]["finalizers"], json!(["example.org/other"]));

    let (refused, _) = tokio::join!(remove_finalizer(&cluster, &room), async {
        answer(&mut api, 409, &refusal(409, "Conflict", "no")).await
    });
    assert_eq!(refused, Err(Trouble::Conflict), "somebody else has changed it: it is looked at anew");
}

#[tokio::test]
async fn a_status_is_applied_by_one_field_manager_to_the_resource_that_it_is_about() {
    let (cluster, mut api) = cluster();
    let (room, status) = (room(&["cloudmeet.io/room"]), status(Phase::Drifted));
    let (written, said) =
        tokio::join!(write_status(&cluster, &room, &status), async { answer(&mut api, 200, &resource(&[])).await });
    assert!(written.is_ok());
    let applied = json!({
        "apiVersion": "cloudmeet.io/v1alpha1",
        "kind": "Room",
        "metadata": { "name": "algebra", "resourceVersion": "41" },
        "status": {
            "observedGeneration": 1,
            "phase": "Drifted",
            "conditions": [{
                "type": "Ready", "status": "False", "observedGeneration": 1, "lastTransitionTime": NOW,
                "reason": "Drifted", "message": "the room is gone",
            }],
        },
    });
    let path = "/apis/cloudmeet.io/v1alpha1/namespaces/school/rooms/algebra/status?&force=true&fieldManager=cloudmeet-operator";
    assert_eq!(said, ("PATCH".to_owned(), path.to_owned(), "application/apply-patch+yaml".to_owned(), applied));
}

#[tokio::test]
async fn where_nothing_can_be_applied_a_status_is_merged_and_leaves_nothing_of_the_old_one() {
    let (cluster, mut api) = cluster();
    let (room, status) = (room(&["cloudmeet.io/room"]), status(Phase::Drifted));
    let (written, (first, second)) = tokio::join!(write_status(&cluster, &room, &status), async {
        let gone = "request to convert CR to an invalid group/version: cloudmeet.io/v1alpha0";
        (answer(&mut api, 500, &refusal(500, "", gone)).await, answer(&mut api, 200, &resource(&[])).await)
    });
    assert!(written.is_ok());
    assert_eq!((first.2.as_str(), second.2.as_str()), ("application/apply-patch+yaml", "application/merge-patch+json"));
    assert_eq!(second.3["metadata"], json!({ "resourceVersion": "41" }));
    let merged = second.3["status"].as_object().expect("a status");
    let nulls: Vec<&str> = merged.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.as_str()).collect();
    assert_eq!(nulls, ["joinURL", "participants", "roomID"]);
    assert_eq!((&merged["phase"], merged["conditions"].as_array().map(Vec::len)), (&json!("Drifted"), Some(1)));

    // A cluster in trouble is left in peace.
    let (written, said) = tokio::join!(write_status(&cluster, &room, &status), async {
        answer(&mut api, 500, &refusal(500, "", "etcdserver: request timed out")).await
    });
    assert_eq!((written.err(), said.2.as_str()), (Some(Trouble::Cluster), "application/apply-patch+yaml"));
    drop(cluster);
    assert!(api.next_request().await.is_none(), "it is asked nothing more");
}

#[tokio::test]
async fn a_password_is_read_by_name_from_the_resources_own_namespace() {
    let (cluster, mut api) = cluster();
    let mut described = resource(&[]);
    described["spec"]["visibility"] = json!("Password");
    described["spec"]["passwordSecretRef"] = json!({ "name": "door", "key": "word" });
    let room: Room = serde_json::from_value(described).expect("a room");
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "door", "uid": "u-2", "resourceVersion": "7" },
        "data": { "word": "b3BlbiBzZXNhbWUK" },
    });
    let (found, said) = tokio::join!(read_password(&cluster, &room), async { answer(&mut api, 200, &secret).await });
    assert_eq!((said.0.as_str(), said.1.as_str()), ("GET", "/api/v1/namespaces/school/secrets/door"));
    let PasswordState::Found(password) = &found else { panic!("{found:?}") };
    assert_eq!(password.password.reveal(), "open sesame");
    assert!(!format!("{found:?}").contains("sesame") && !password.version.contains("open"), "{found:?}");

    let (missing, _) = tokio::join!(read_password(&cluster, &room), async {
        answer(&mut api, 404, &refusal(404, "NotFound", "no")).await
    });
    assert_eq!(missing, PasswordState::Missing("there is no Secret door".to_owned()));
    let (unknown, _) = tokio::join!(read_password(&cluster, &room), async {
        answer(&mut api, 403, &refusal(403, "Forbidden", "no")).await
    });
    assert!(matches!(unknown, PasswordState::Unknown(_)), "{unknown:?}");
}

#[tokio::test]
async fn an_event_is_told_of_the_resource_in_its_namespace() {
    let (cluster, mut api) = cluster();
    let events = Events::new(cluster.client.clone(), "operator-0");
    let regarding = ObjectReference {
        name: Some("algebra".to_owned()),
        namespace: Some("school".to_owned()),
        uid: Some("u-1".to_owned()),
        ..ObjectReference::default()
    };
    let note = Note { reason: Reason::Drifted, message: "ä".repeat(600) };
    let ((), said) = tokio::join!(events.tell(regarding, &note), async { answer(&mut api, 201, &json!({})).await });
    let (method, path, _, event) = said;
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/apis/events.k8s.io/v1/namespaces/school/events?"));
    assert!(event["metadata"]["name"].as_str().expect("a name").starts_with("algebra."), "{event}");
    assert_eq!(event["note"].as_str().map(str::len), Some(1024), "no longer than the cluster takes it");
    let told = ["type", "reason", "action", "reportingController", "reportingInstance"].map(|key| event[key].clone());
    assert_eq!(told, ["Warning", "Drifted", "Reconcile", "cloudmeet.io/operator", "operator-0"].map(Value::from));
    assert_eq!((&event["regarding"]["uid"], event["eventTime"].is_string()), (&json!("u-1"), true));
}
