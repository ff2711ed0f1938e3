//! Which resources a watch asks to look at.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kube::core::DeserializeGuard;
use kube::runtime::controller::ReconcileRequest;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::{Resource as _, ResourceExt as _};

use crate::resource::{FINALIZER, Room};

/// A resource that may not be what this operator understands: one such must not hide the others.
pub type Guarded = DeserializeGuard<Room>;

/// Turns what a watch says into requests.
///
/// kube's own filter hands on the resources of a new list one by one, before the list is whole and anybody can look them
/// up; and a list of resources that are the same says nothing to it of those that are not there any more.
#[derive(Default)]
pub struct Triggers {
    /// What each resource said last to the operator.
    words: HashMap<ObjectRef<Guarded>, Word>,
    listed: HashMap<ObjectRef<Guarded>, Word>,
    uids: HashMap<ObjectRef<Guarded>, String>,
}

/// Is what an event asks for.
#[derive(Default)]
pub struct Asked {
    /// To look at these.
    pub requests: Vec<ReconcileRequest<Guarded>>,
    /// To forget these, by their uids.
    pub gone: Vec<String>,
}

impl Triggers {
    /// Takes an event, after it was put where resources are looked up.
    pub fn take(&mut self, event: &Event<Guarded>) -> Asked {
        match event {
            Event::Init => {
                self.listed.clear();
                Asked::default()
            }
            Event::InitApply(room) => {
                self.note(room);
                self.listed.insert(ObjectRef::from_obj(room), Word::of(room));
                Asked::default()
            }
            Event::InitDone => {
                self.words = std::mem::take(&mut self.listed);
                let (kept, gone): (HashMap<_, _>, HashMap<_, _>) =
                    self.uids.drain().partition(|(room, _)| self.words.contains_key(room));
                self.uids = kept;
                Asked {
                    requests: self.words.keys().cloned().map(ReconcileRequest::from).collect(),
                    gone: gone.into_values().collect(),
                }
            }
            Event::Apply(room) => {
                let name = ObjectRef::from_obj(room);
                let gone = self.note(room);
                let word = Word::of(room);
                let before = self.words.insert(name.clone(), word);
                let is_new = before.is_none_or(|before| word.is_news_after(before));
                Asked { requests: is_new.then(|| ReconcileRequest::from(name)).into_iter().collect(), gone }
            }
            Event::Delete(room) => {
                let name = ObjectRef::from_obj(room);
                self.words.remove(&name);
                Asked { requests: Vec::new(), gone: self.uids.remove(&name).into_iter().collect() }
            }
        }
    }

    /// Notes the uid under a name; gives the one before, if that was another.
    fn note(&mut self, room: &Guarded) -> Vec<String> {
        let uid = room.uid().unwrap_or_default();
        let before = self.uids.insert(ObjectRef::from_obj(room), uid.clone());
        before.filter(|before| *before != uid).into_iter().collect()
    }
}

/// Is what of a resource is somebody's word to the operator. Its own statuses are not.
#[derive(Debug, Clone, Copy)]
struct Word {
    hash: u64,
    /// Whether the resource has the operator's finalizer.
    is_kept: bool,
}

impl Word {
    fn of(room: &Guarded) -> Self {
        let mut hasher = DefaultHasher::new();
        let meta = room.meta();
        meta.uid.hash(&mut hasher);
        meta.generation.hash(&mut hasher);
        meta.deletion_timestamp.is_some().hash(&mut hasher);
        room.annotations().hash(&mut hasher);
        let (ours, others): (Vec<_>, Vec<_>) = room.finalizers().iter().partition(|finalizer| *finalizer == FINALIZER);
        others.hash(&mut hasher);
        Self { hash: hasher.finish(), is_kept: !ours.is_empty() }
    }

    /// Says whether it is another one. That the operator keeps the resource by now is its own doing; that it does no
    /// longer is somebody else's.
    const fn is_news_after(self, before: Self) -> bool {
        self.hash != before.hash || (before.is_kept && !self.is_kept)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn room(name: &str, generation: i64, status: &str) -> Guarded {
        kept_room(name, generation, status, &[FINALIZER])
    }

    fn kept_room(name: &str, generation: i64, status: &str, finalizers: &[&str]) -> Guarded {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "cloudmeet.io/v1alpha1",
            "kind": "Room",
            "metadata": {
                "name": name, "namespace": "n", "uid": format!("uid-{name}"), "generation": generation,
                "finalizers": finalizers, "resourceVersion": format!("{generation}{status}"),
            },
            "spec": { "displayName": "Class", "owner": "ann@example.org" },
            "status": { "roomID": status },
        }))
        .expect("a room")
    }

    fn names(asked: &Asked) -> HashSet<String> {
        asked.requests.iter().map(|request| request.obj_ref.name.clone()).collect()
    }

    #[test]
    fn own_statuses_ask_for_nothing_and_descriptions_do() {
        let mut triggers = Triggers::default();
        assert_eq!(names(&triggers.take(&Event::Apply(room("a", 1, "")))), HashSet::from(["a".to_owned()]));
        assert!(names(&triggers.take(&Event::Apply(room("a", 1, "7")))).is_empty());
        assert_eq!(names(&triggers.take(&Event::Apply(room("a", 2, "7")))), HashSet::from(["a".to_owned()]));
    }

    #[test]
    fn the_own_finalizer_asks_for_nothing_unless_somebody_takes_it_away() {
        let mut triggers = Triggers::default();
        let mut asks =
            |finalizers: &[&str]| !triggers.take(&Event::Apply(kept_room("a", 1, "", finalizers))).requests.is_empty();
        assert!(asks(&[]));
        assert!(!asks(&[FINALIZER]));
        assert!(asks(&[FINALIZER, "example.org/other"]));
        assert!(asks(&["example.org/other"]));
    }

    #[test]
    fn a_list_asks_for_all_of_it_once_it_is_whole_and_forgets_the_others() {
        let mut triggers = Triggers::default();
        triggers.take(&Event::Apply(room("a", 1, "")));
        triggers.take(&Event::Apply(room("b", 1, "")));
        assert!(names(&triggers.take(&Event::Init)).is_empty());
        assert!(names(&triggers.take(&Event::InitApply(room("a", 1, "")))).is_empty());
        let done = triggers.take(&Event::InitDone);
        assert_eq!((names(&done), done.gone), (HashSet::from(["a".to_owned()]), vec!["uid-b".to_owned()]));
        assert_eq!(triggers.take(&Event::Delete(room("a", 1, ""))).gone, vec!["uid-a".to_owned()]);
    }
}
