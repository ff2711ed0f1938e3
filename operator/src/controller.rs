//! Which resources are looked after, and when: while this operator leads.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt as _, Stream, StreamExt as _, TryStreamExt as _, stream};
use kube::api::Api;
use kube::runtime::controller::{self, Action, ReconcileRequest};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{WatchStreamExt as _, applier};
use kube::{Client, Resource as _, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::follow::{Follower, Wake};
use crate::metrics;
use crate::plan::Note;
use crate::reason::Reason;
use crate::reconcile::{Context, reconcile};
use crate::triggers::{Asked, Guarded, Triggers};

/// How many resources are looked after at once: the API server lets a client have some tens of calls under way.
pub(crate) const AT_ONCE: usize = 24;

/// How many of a namespace wait for a place at once.
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
    let (forgetting, mut triggers) = (context.clone(), Triggers::default());
    let resources = watcher(api, watcher::Config::default())
        .default_backoff()
        // Who wrote which field takes more room than all that they wrote.
        .modify(|room| room.meta_mut().managed_fields = None)
        .reflect(writer)
        .inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "resources are not watched"))
        .map_ok(move |event| {
            let Asked { requests, gone } = triggers.take(&event);
            for uid in gone {
                forgetting.forget(&uid);
            }
            stream::iter(requests.into_iter().map(Ok::<_, watcher::Error>))
        })
        .try_flatten();
    let woken = stream::unfold(woken, |mut woken| async move {
        let room = woken.recv().await?;
        Some((room, woken))
    });
    let woken = woken.map(|room| Ok(ReconcileRequest::from(room)));
    let requests = queue.clone().counting(stream::select(resources, woken));
    let requests = requests.take_until(stop.clone().cancelled_owned());
    let taking = queue.clone();
    let runs = applier(
        move |room: Arc<Guarded>, context: Arc<Context>| {
            taking.taken(&ObjectRef::from_obj(&*room));
            async move { Ok::<Action, Infallible>(look_after(room, context).await) }.boxed()
        },
        |_, never: &Infallible, _| match *never {},
        context.clone(),
        store.clone(),
        requests,
        controller::Config::default().concurrency(CONCURRENCY),
    );
    let (reporting, counting, known) = (context.clone(), queue.clone(), store.clone());
    let runs = runs.for_each(move |looked_at| {
        if looked_at.is_err() {
            // It was asked for, and is not there.
            counting.change(|waiting| waiting.retain(|room| known.get(room).is_some()));
        }
        metrics::rooms(&reporting.memory.phases());
        std::future::ready(())
    });
    let (ready, stop) = (store.clone(), stop.clone());
    let runs = async move {
        tokio::select! {
            () = runs => {}
            // kube ends what has begun, and waits for ever where nothing could begin.
            () = async {
                stop.cancelled().await;
                if ready.wait_until_ready().now_or_never().is_some() {
                    std::future::pending::<()>().await;
                }
            } => {}
        }
    };
    (Domain { store, wakes }, runs)
}

async fn look_after(room: Arc<Guarded>, context: Arc<Context>) -> Action {
    // Nobody closes them.
    let Ok(_place) = context.places.acquire().await else { return Action::await_change() };
    match &room.0 {
        Ok(known) => reconcile(known.clone(), context.clone()).await,
        Err(invalid) => {
            metrics::failed(Reason::InvalidSpec);
            let message = format!("this operator does not understand the resource, and leaves it alone: {invalid}");
            let (namespace, name) = (room.namespace().unwrap_or_default(), room.name_any());
            tracing::warn!(room.namespace = namespace, room.name = name, "{message}");
            let note = Note { reason: Reason::InvalidSpec, message };
            context.events.tell(room.object_ref(&()), &note).await;
            Action::await_change()
        }
    }
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
