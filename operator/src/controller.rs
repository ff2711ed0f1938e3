//! Which resources are looked after, and when: while this operator leads.

use std::collections::HashSet;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt as _, Stream, StreamExt as _, TryStreamExt as _, stream};
use kube::api::Api;
use kube::core::DeserializeGuard;
use kube::runtime::controller::{self, Action, ReconcileRequest};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt as _, applier};
use kube::{Client, Resource as _, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::follow::{Follower, Wake};
use crate::metrics;
use crate::reason::Reason;
use crate::reconcile::{Context, reconcile};
use crate::resource::Room;

/// A resource that may not be what this operator understands: one such must not hide the others.
type Guarded = DeserializeGuard<Room>;

/// How many resources are looked after at once: the API server lets a client have some tens of calls under way.
const CONCURRENCY: u16 = 24;

/// How many wake-ups may wait.
pub(crate) const WAKES: usize = 1024;

/// Says which namespaces are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Cluster,
    /// These.
    Namespaces(Vec<String>),
}

/// Looks after resources until it is to stop, and ends what it has begun.
pub async fn run(
    client: &Client,
    scope: &Scope,
    context: Arc<Context>,
    woken: mpsc::Receiver<Wake>,
    stop: CancellationToken,
) {
    let apis = match scope {
        Scope::Cluster => vec![Api::all(client.clone())],
        Scope::Namespaces(names) => {
            names.iter().map(|name| Api::namespaced(client.clone(), name)).collect::<Vec<Api<Guarded>>>()
        }
    };
    let queue = Queue::default();
    let (domains, runs): (Vec<_>, Vec<_>) = apis.into_iter().map(|api| domain(api, &context, &queue, &stop)).unzip();
    let Context { cloudmeet, mirror, wakes, resync, .. } = &*context;
    let follower = Follower::new(cloudmeet.clone(), mirror.clone(), wakes.clone(), *resync);
    // They end with this, however it ends.
    let mut helpers = JoinSet::new();
    helpers.spawn(follower.run());
    helpers.spawn(wake(woken, domains));
    futures_util::future::join_all(runs).await;
    drop(helpers);
    context.mirror.set_live(false);
    metrics::stream_is_live(false);
}

/// Is where the resources of one watch are kept, and how they are woken.
struct Domain {
    store: Store<Guarded>,
    wakes: mpsc::Sender<ObjectRef<Guarded>>,
}

/// Looks after the resources of one watch.
fn domain(
    api: Api<Guarded>,
    context: &Arc<Context>,
    queue: &Queue,
    stop: &CancellationToken,
) -> (Domain, impl Future<Output = ()> + use<>) {
    let (store, writer) = reflector::store();
    let (wakes, woken) = mpsc::channel(WAKES);
    let forgetting = context.clone();
    let resources = watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .inspect_ok(move |event| {
            if let Event::Delete(room) = event {
                forgetting.forget(&room.uid().unwrap_or_default());
            }
        })
        .inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "resources are not watched"))
        .applied_objects()
        .predicate_filter(|room: &Guarded| Some(matters(room)), kube::runtime::PredicateConfig::default());
    let woken = stream::unfold(woken, |mut woken| async move {
        let room = woken.recv().await?;
        Some((room, woken))
    });
    let woken = woken.map(|obj_ref| Ok(ReconcileRequest::from(obj_ref)));
    let requests = stream::select(controller::trigger_self(resources, ()), woken);
    let requests = queue.clone().counting(requests).take_until(stop.clone().cancelled_owned());
    let (queue, config) = (queue.clone(), controller::Config::default().concurrency(CONCURRENCY));
    let reader = store.clone();
    let runs = applier(
        move |room: Arc<Guarded>, context: Arc<Context>| {
            queue.taken(&ObjectRef::from_obj(&*room));
            async move { Ok::<Action, Infallible>(look_after(room, context).await) }.boxed()
        },
        |_, never: &Infallible, _| match *never {},
        context.clone(),
        store.clone(),
        requests,
        config,
    );
    let reporting = context.clone();
    let runs = runs.for_each(move |_| {
        metrics::rooms(&reporting.memory.phases());
        std::future::ready(())
    });
    (Domain { store: reader, wakes }, runs)
}

async fn look_after(room: Arc<Guarded>, context: Arc<Context>) -> Action {
    match &room.0 {
        Ok(room) => reconcile(room.clone(), context).await,
        Err(invalid) => {
            metrics::failed(Reason::InvalidSpec);
            let (namespace, name) = (room.namespace().unwrap_or_default(), room.name_any());
            tracing::warn!(
                room.namespace = namespace,
                room.name = name,
                error = %invalid,
                "a resource is not understood: it is left alone until it is changed"
            );
            Action::await_change()
        }
    }
}

/// Hashes what of a resource is somebody's word to the operator. Its own statuses are not.
fn matters(room: &Guarded) -> u64 {
    let mut hasher = DefaultHasher::new();
    let meta = room.meta();
    meta.uid.hash(&mut hasher);
    meta.generation.hash(&mut hasher);
    meta.finalizers.hash(&mut hasher);
    meta.deletion_timestamp.is_some().hash(&mut hasher);
    room.annotations().hash(&mut hasher);
    hasher.finish()
}

/// Wakes the resources that the server's word concerns.
async fn wake(mut woken: mpsc::Receiver<Wake>, domains: Vec<Domain>) {
    while let Some(wake) = woken.recv().await {
        for domain in &domains {
            for room in domain.store.state() {
                let is_meant = match &wake {
                    Wake::All => true,
                    Wake::One(uid) => room.meta().uid.as_ref() == Some(uid),
                };
                // The domain is gone: so are its resources.
                if is_meant && domain.wakes.send(ObjectRef::from_obj(&*room)).await.is_err() {
                    break;
                }
            }
        }
    }
}

/// Counts which resources wait to be looked after.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<HashSet<ObjectRef<Guarded>>>>);

impl Queue {
    fn counting<E>(
        self,
        requests: impl Stream<Item = Result<ReconcileRequest<Guarded>, E>>,
    ) -> impl Stream<Item = Result<ReconcileRequest<Guarded>, E>> {
        requests.inspect_ok(move |request| {
            self.change(|waiting| {
                waiting.insert(request.obj_ref.clone());
            });
        })
    }

    fn taken(&self, room: &ObjectRef<Guarded>) {
        self.change(|waiting| {
            waiting.remove(room);
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<ObjectRef<Guarded>>)) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut waiting);
        metrics::queue_depth(waiting.len());
    }
}
