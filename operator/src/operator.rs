//! Runs the operator: prepares, stands by, leads, and stops.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cloudmeet::CloudMeet;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::events::Events;
use crate::fence::fenced;
use crate::jitter::jittered;
use crate::lease::{Election, Elector, Leadership, LeaseConfig};
use crate::limiter::Limiter;
use crate::memory::Memory;
use crate::mirror::Mirror;
use crate::reconcile::Context;
use crate::{controller, metrics, probes};

/// How long the cluster may take to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what has begun may take to end.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to give the lease back.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(7);

/// How often the cluster is asked for its name.
const NAME_ASKED_EVERY: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When something is configured that cannot be, or the address is taken.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    metrics::install();
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone())?);
    let mut cluster = kube::Config::infer().await.context("no cluster: neither KUBECONFIG nor a service account")?;
    cluster.connect_timeout = Some(CONNECT_TIMEOUT);
    // What comes to nothing is done again by the plan, with a pause of its own.
    cluster.default_retry = false;
    let leadership = Leadership::default();
    let plain = Client::try_from(cluster.clone()).context("cannot prepare connections to the cluster")?;

    let lease_namespace = config.lease_namespace().unwrap_or(&cluster.default_namespace).to_owned();
    let identity = config.pod_name().map_or_else(random_name, str::to_owned);
    let lease = LeaseConfig {
        name: config.lease_name.clone(),
        identity: identity.clone(),
        duration: Duration::from_secs(config.lease_duration_seconds),
    };
    let leases = Api::namespaced(plain.clone(), &lease_namespace);
    let (elector, election) = Elector::new(leases, lease, leadership.clone());

    let address = config.metrics_addr;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "listening");
    // Probes and the lease outlive what they are about.
    let ends = CancellationToken::new();
    let mut helpers = JoinSet::new();
    helpers.spawn(metrics::keep());
    helpers.spawn(probes::serve(listener, election.clone()));
    let electing = tokio::spawn(elector.run(ends.clone()));

    let worked = work(config, (plain, cluster), (leadership, election), &identity, &stop).await;
    ends.cancel();
    if timeout(GIVEN_BACK_WITHIN, electing).await.is_err() {
        tracing::warn!("the lease was not given back in time");
    }
    tracing::info!("stopped");
    worked
}

/// Stands by and leads, until it is to stop.
async fn work(
    config: &Config,
    (plain, cluster): (Client, kube::Config),
    (leadership, election): (Leadership, Election),
    identity: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(manager) = name_of_cluster(config, &plain, stop).await else { return Ok(()) };
    let (url, key_file) = (config.cloudmeet_url.clone(), config.cloudmeet_api_key_file.clone());
    let cloudmeet = CloudMeet::new(url, config.authorities(), key_file, manager.clone(), leadership.clone())?;
    let client = fenced(cluster, leadership.clone()).context("cannot prepare connections to the cluster")?;
    tracing::info!(manager, identity, server = %config.cloudmeet_url, "stands by");
    lead(config, &Cluster { client, leadership }, &cloudmeet, election, identity, stop).await;
    Ok(())
}

/// Looks after resources whenever this operator leads, until it is to stop.
async fn lead(
    config: &Config,
    cluster: &Cluster,
    cloudmeet: &CloudMeet,
    mut election: Election,
    identity: &str,
    stop: &CancellationToken,
) {
    let scope = config.scope();
    loop {
        let leads = async { election.leads.wait_for(|leads| *leads).await.is_ok() };
        let leads = tokio::select! {
            leads = leads => leads,
            () = stop.cancelled() => false,
        };
        if !leads {
            return;
        }
        tracing::info!("leads");
        metrics::leads(true);
        // Nothing is remembered of an earlier time: another operator has written meanwhile.
        let (wakes, woken) = mpsc::channel(controller::WAKES);
        let context = Arc::new(Context {
            cluster: cluster.clone(),
            cloudmeet: cloudmeet.clone(),
            mirror: Mirror::default(),
            events: Events::new(cluster.client.clone(), identity),
            wakes,
            memory: Memory::default(),
            participants: Limiter::new(),
            places: Semaphore::new(controller::AT_ONCE),
            resync: config.resync(),
        });
        let session = controller::run(&cluster.client, &scope, context, woken, stop.clone());
        let lost = async { election.leads.wait_for(|leads| !*leads).await.map(drop) };
        let ended = async {
            stop.cancelled().await;
            sleep(STOPPED_WITHIN).await;
        };
        tokio::select! {
            () = session => {}
            _ = lost => tracing::warn!("leads no more"),
            () = ended => tracing::warn!("what had begun did not end in time"),
        }
        metrics::stands_by();
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Asks the cluster for its name until it answers; `None` when it is to stop before.
async fn name_of_cluster(config: &Config, client: &Client, stop: &CancellationToken) -> Option<String> {
    if let Some(manager) = config.manager() {
        return Some(manager.to_owned());
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    loop {
        match timeout(CONNECT_TIMEOUT, namespaces.get("kube-system")).await {
            Ok(Ok(namespace)) => return namespace.uid(),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the cluster's name was not read: let the operator get the namespace kube-system, or set MANAGER"
                );
            }
            Err(_) => tracing::warn!("the cluster does not answer in time"),
        }
        tokio::select! {
            () = sleep(jittered(NAME_ASKED_EVERY)) => {}
            () = stop.cancelled() => return None,
        }
    }
}

fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    })
}

fn random_name() -> String {
    let mut bytes = [0; 8];
    // A name that another one has, too, would be found by the lease: both would think that it is theirs.
    getrandom::fill(&mut bytes).expect("a kernel has random numbers");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{:016x}", host.trim(), u64::from_le_bytes(bytes))
}
