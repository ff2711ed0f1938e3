//! What the operator is compared with: clients that apply statuses to Rooms one after the other, and do nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::load::{Window, gather};

/// How long any answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Says where the Rooms are, and how they are patched.
#[derive(Debug, Clone, Args)]
pub(crate) struct PatchArguments {
    /// The collection of Rooms, as `https://HOST:PORT/apis/…/namespaces/NAME/rooms`.
    rooms: String,
    /// The file with the authority that the API server is known by.
    ca: PathBuf,
    /// The file with a token.
    token: PathBuf,
    /// The Rooms are `room-0` to one less than this.
    count: usize,
    /// How many patch at once.
    #[arg(long, default_value_t = 24)]
    clients: usize,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Patches, and prints how many patches a second were answered.
pub(crate) async fn run(arguments: PatchArguments) -> anyhow::Result<()> {
    let PatchArguments { rooms, ca, token, count, clients, seconds } = arguments;
    let authority =
        Certificate::from_pem(&std::fs::read(&ca).with_context(|| format!("cannot read {}", ca.display()))?)?;
    let token = std::fs::read_to_string(&token).with_context(|| format!("cannot read {}", token.display()))?;
    let authorization = format!("Bearer {}", token.trim());
    ensure!(count > 0 && clients > 0, "there is nothing to patch");
    let span = Duration::from_secs(seconds);
    let window = Window::open(span);
    let mut patching = JoinSet::new();
    for first in 0..clients {
        let client =
            Client::builder().tls_certs_only([authority.clone()]).http1_only().timeout(ANSWER_TIMEOUT).build()?;
        let (rooms, authorization) = (rooms.clone(), authorization.clone());
        patching.spawn(async move {
            let mut latencies = Vec::new();
            let mut turn = first;
            while !window.is_over() {
                let name = format!("room-{}", turn % count);
                let request = client
                    .patch(format!("{rooms}/{name}/status?fieldManager=cloudmeet-bench&force=true"))
                    .header(AUTHORIZATION, &authorization)
                    .header(CONTENT_TYPE, "application/apply-patch+yaml")
                    .body(status(&name, turn).to_string());
                let began = Instant::now();
                let answer = request.send().await?;
                let status = answer.status();
                let body = answer.text().await?;
                ensure!(status.is_success(), "{status}: {body}");
                if window.counts() {
                    latencies.push(began.elapsed());
                }
                turn += clients;
            }
            Ok(latencies)
        });
    }
    println!("{}", json!({ "rate": gather(patching, span).await?.rate() }));
    Ok(())
}

/// Gives a status such as the operator applies; another one each time, for what changes nothing is not written.
fn status(name: &str, turn: usize) -> Value {
    let time = "2026-01-01T00:00:00Z";
    let condition = |kind: &str| {
        json!({
            "type": kind, "status": "True", "observedGeneration": 1, "lastTransitionTime": time, "reason": "Created",
            "message": format!("room {turn} is as described"),
        })
    };
    json!({
        "apiVersion": "cloudmeet.io/v1alpha1",
        "kind": "Room",
        "metadata": { "name": name },
        "status": {
            "observedGeneration": 1, "phase": "Ready", "roomID": turn.to_string(),
            "joinURL": format!("http://127.0.0.1:8000/r/{turn}"),
            "participants": { "current": 0, "observedAt": time },
            "conditions": [condition("Ready"), condition("Synced")],
        },
    })
}
