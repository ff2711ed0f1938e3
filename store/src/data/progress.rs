//! What is being done, for whoever draws it.

use super::Part;

/// Is how far a piece of work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub work: Work,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; `None` while nobody knows. It may be an estimate, which `done` passes.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

/// Says what is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A database is read as it is at this moment.
    Snapshot(Part),
    /// What was read goes into the backup.
    Write(Part),
    /// The backup is read through and compared with its checksums.
    Verify,
    /// A database is filled from the backup.
    Restore(Part),
    /// A database is copied.
    Copy(Part),
    /// Both sides are read once more and compared.
    Compare(Part),
}

/// Says what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Rows of tables.
    Rows,
}

/// Hears how far the work has come, some times a second or more often; it must not block.
pub type Watch<'a> = dyn FnMut(Progress) + Send + 'a;

/// Counts towards one end.
pub(super) struct Meter<'w, 'a> {
    watch: &'w mut Watch<'a>,
    now: Progress,
}

impl<'w, 'a> Meter<'w, 'a> {
    pub(super) fn start(watch: &'w mut Watch<'a>, work: Work, total: Option<u64>, unit: Unit) -> Self {
        let now = Progress { work, done: 0, total, unit };
        watch(now);
        Self { watch, now }
    }

    pub(super) fn add(&mut self, more: u64) {
        self.set(self.now.done + more);
    }

    pub(super) fn set(&mut self, done: u64) {
        self.now.done = done;
        (self.watch)(self.now);
    }
}
