//! CloudMeet as it is measured: in one process, twice, or in its parts; and people who use it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::Bench;
use crate::http::{Client, request};
use crate::postgres::fresh_database;
use crate::process::Process;

/// What signs tokens here, so that a reference can check the same ones.
pub(crate) const SECRET: &str = "a-secret-that-only-this-measurement-has";
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// Is a running system.
#[derive(Debug)]
pub(crate) struct System {
    /// The servers that clients speak to.
    pub(crate) entrances: Vec<Process>,
    /// The servers behind gateways.
    pub(crate) inner: Vec<Process>,
    _redis: Option<Process>,
}

/// Is somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) token: String,
}

impl System {
    /// Starts one server on its own files, as without any configuration.
    pub(crate) async fn on_sqlite(bench: &Bench) -> anyhow::Result<Self> {
        let server = Process::announced(&bench.server, &[], &common()).await?;
        Ok(Self::of(server))
    }

    /// Starts so many servers that are everything, on one Postgres and Redis.
    pub(crate) async fn on_postgres(bench: &Bench, servers: usize) -> anyhow::Result<Self> {
        let redis = redis().await?;
        let settings =
            [common(), databases().await?, vec![("REDIS_URL", format!("redis://{}", redis.address))]].concat();
        let mut entrances = Vec::new();
        for _ in 0..servers {
            entrances.push(Process::announced(&bench.server, &[], &settings).await?);
        }
        Ok(Self { entrances, inner: Vec::new(), _redis: Some(redis) })
    }

    /// Starts the services apart, one of each.
    pub(crate) async fn in_parts(bench: &Bench) -> anyhow::Result<Self> {
        let redis = redis().await?;
        let behind = ("TRUSTED_PROXIES", "127.0.0.1".to_owned());
        let stores = [databases().await?, vec![("REDIS_URL", format!("redis://{}", redis.address)), behind]].concat();
        let role = |name: &str| ("ROLE", name.to_owned());
        let start = async |settings: Vec<(&'static str, String)>| {
            Process::announced(&bench.server, &[], &[common(), settings].concat()).await
        };
        let auth = start([stores.clone(), vec![role("auth")]].concat()).await?;
        let auth_url = ("AUTH_SERVICE_URL", format!("http://{}", auth.address));
        let conference = start([stores, vec![role("conference"), auth_url.clone()]].concat()).await?;
        let conference_url = ("CONFERENCE_SERVICE_URL", format!("http://{}", conference.address));
        let gateway = start(vec![role("gateway"), auth_url, conference_url]).await?;
        Ok(Self { entrances: vec![gateway], inner: vec![conference, auth], _redis: Some(redis) })
    }

    /// Is where clients come in.
    pub(crate) fn address(&self) -> SocketAddr {
        self.entrances[0].address
    }

    /// Takes a server that was started otherwise.
    pub(crate) fn of(server: Process) -> Self {
        Self { entrances: vec![server], inner: Vec::new(), _redis: None }
    }

    /// Signs people in, who are made where they are not yet.
    pub(crate) async fn people(&self, count: usize) -> anyhow::Result<Vec<Person>> {
        let mut client = Client::connect(self.address()).await?;
        let mut people = Vec::new();
        for number in 0..count {
            let account = json!({
                "email": format!("user{number}@example.org"), "display_name": "Somebody", "password": PASSWORD
            });
            let answer = client.send(&self.post("/api/auth/register", None, &account)).await.context("register")?;
            ensure!(matches!(answer.status, 201 | 409), "register: {}", answer.status);
            people.push(self.sign_in(number).await?);
        }
        Ok(people)
    }

    /// Signs one of [`people`](Self::people) in once more.
    async fn sign_in(&self, number: usize) -> anyhow::Result<Person> {
        let answer = Client::connect(self.address()).await?.call(&self.login(number)).await.context("login")?;
        Ok(Person { token: answer["access_token"].as_str().context("no token")?.to_owned() })
    }

    /// Is the request by which one of [`people`](Self::people) signs in.
    pub(crate) fn login(&self, number: usize) -> Vec<u8> {
        let body = json!({ "email": format!("user{number}@example.org"), "password": PASSWORD });
        self.post("/api/auth/login", None, &body)
    }

    /// Makes a room of somebody's and gives its id.
    pub(crate) async fn room(&self, owner: &Person) -> anyhow::Result<i64> {
        self.make_room(owner, &json!({ "name": "Weekly planning" })).await
    }

    /// Makes a room of somebody's as described and gives its id.
    pub(crate) async fn make_room(&self, owner: &Person, body: &Value) -> anyhow::Result<i64> {
        let room = self.call("/api/rooms", owner, body).await.context("room")?;
        room["id"].as_i64().context("no id")
    }

    /// Does one request after the other from each of so many clients, until all are done.
    pub(crate) async fn all(&self, requests: Vec<Vec<u8>>, clients: usize) -> anyhow::Result<()> {
        let share = requests.len().div_ceil(clients).max(1);
        let address = self.address();
        let mut working = JoinSet::new();
        for part in requests.chunks(share) {
            let part = part.to_vec();
            working.spawn(async move {
                let mut client = Client::connect(address).await?;
                for request in part {
                    let answer = client.send(&request).await?;
                    ensure!(answer.status < 300, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = working.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Lets somebody join a room.
    pub(crate) async fn join(&self, room: i64, person: &Person) -> anyhow::Result<()> {
        self.call(&format!("/api/rooms/{room}/join"), person, &json!({})).await.context("join").map(drop)
    }

    /// Says something.
    pub(crate) async fn say(&self, room: i64, person: &Person, content: &str) -> anyhow::Result<()> {
        let path = format!("/api/rooms/{room}/messages");
        self.call(&path, person, &json!({ "content": content })).await.context("say").map(drop)
    }

    async fn call(&self, path: &str, person: &Person, body: &Value) -> anyhow::Result<Value> {
        Client::connect(self.address()).await?.call(&self.post(path, Some(person), body)).await
    }

    pub(crate) fn post(&self, path: &str, person: Option<&Person>, body: &Value) -> Vec<u8> {
        request("POST", path, self.address(), person.map(|person| person.token.as_str()), Some(body))
    }
}

fn common() -> Vec<(&'static str, String)> {
    vec![
        ("JWT_SECRET_KEY", SECRET.to_owned()),
        ("RATE_LIMITS", "off".to_owned()),
        ("RUST_LOG", "warn,cloudmeet_api_server=info".to_owned()),
    ]
}

async fn databases() -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(vec![("AUTH_DATABASE_URL", fresh_database().await?), ("CONFERENCE_DATABASE_URL", fresh_database().await?)])
}

async fn redis() -> anyhow::Result<Process> {
    Process::told(|directory: &Path, port| {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]).arg(port.to_string());
        command.arg("--dir").arg(directory);
        Ok(command)
    })
    .await
    .context("redis-server")
}
