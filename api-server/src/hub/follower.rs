//! The server's standing tasks: following what other servers did, and keeping leases.

use std::collections::HashSet;
use std::time::Duration;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::page::{Cursor, PageLimit, locate};
use cloudmeet_core::presence::SERVER_RENEWAL;
use cloudmeet_store::{AccountChange, ConferenceStore, Hints, Hold, HoldEnd, RoomChange, StoreError};
use indexmap::IndexSet;
use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Errand, Hub, Present, feed};
use crate::accounts::{Accounts, AccountsError};
use crate::letters;
use crate::sessions::Sessions;
use crate::tasks::Tasks;

/// How often the tables of changes are read.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How often letters are looked for.
const LETTERS_EVERY: Duration = Duration::from_secs(5);

/// How often over leases are ended, and a renewal that failed is tried again.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How often this server's own lease is renewed while it holds sockets, and while it holds none.
const RENEW_EVERY: Duration = Duration::from_secs(SERVER_RENEWAL.as_seconds().unsigned_abs());
const RENEW_IDLE_EVERY: Duration = Duration::from_secs(20);

/// How often holds are compared with sockets, and this server's clock with the store's.
pub(super) const COMPARE_EVERY: Duration = Duration::from_secs(20);

/// How often what nobody needs is deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How many revisions are read in one step.
const REVISIONS: i64 = 500;

/// Is what the standing tasks work with.
#[derive(Clone)]
pub struct Follower {
    /// Whom to tell.
    pub hub: Hub,
    /// Who knows accounts.
    pub accounts: Accounts,
    /// Where rooms are.
    pub conference: ConferenceStore,
    /// Who remembers sessions.
    pub sessions: Sessions,
    /// This server's name in the store.
    pub server_id: String,
}

impl Follower {
    /// Starts the tasks. What comes by the bus is looked at at once, everything in the tables of changes
    /// a second later at most.
    pub fn start(
        self,
        errands: mpsc::Receiver<Errand>,
        (account_hints, room_hints): (Hints<AccountChange>, Hints<RoomChange>),
        tasks: &Tasks,
    ) {
        tasks.until_stopped(feed::run(self.hub.clone(), self.conference.clone()));
        tasks.until_stopped(self.clone().follow_accounts(account_hints));
        tasks.until_stopped(self.clone().follow_rooms(room_hints));
        tasks.until_stopped(self.clone().run_errands(errands));
        tasks.until_stopped(self.clone().keep_leases());
        tasks.until_stopped(self.clone().keep_schedules());
        tasks.until_stopped(self.clone().keep_lobbies());
        tasks.until_stopped(self.clone().keep_letters());
        tasks.until_stopped(self.clone().keep_clock());
        tasks.until_stopped(self.clone().keep_holds());
        tasks.until_stopped(self.prune());
    }

    async fn follow_accounts(self, mut hints: Hints<AccountChange>) {
        let mut tail = self.accounts.follow();
        let mut ticks = ticks(FOLLOW_EVERY);
        // Each but once, so that there are never more than there are subjects.
        let mut waiting = IndexSet::new();
        loop {
            tokio::select! {
                hinted = hints.next() => waiting.extend(hinted),
                _ = ticks.tick() => match self.accounts.changes(&mut tail).await {
                    Ok(changes) => waiting.extend(changes),
                    Err(error) => report(Err(error), "changes of accounts not read"),
                },
            }
            for change in std::mem::take(&mut waiting) {
                let outcome = self.apply_account_change(&change).await;
                if outcome.as_ref().is_err_and(AccountsError::is_passing) {
                    waiting.insert(change);
                }
                report(outcome, "an account's change not applied");
            }
        }
    }

    async fn apply_account_change(&self, change: &AccountChange) -> Result<(), AccountsError> {
        match change {
            AccountChange::SessionEnded(session_id) => {
                self.sessions.forget(session_id).await;
                self.hub.end_session(session_id);
            }
            &AccountChange::Account(user_id) => {
                self.sessions.doubt_all();
                let Some(person) = self.accounts.person(user_id).await? else { return Ok(()) };
                if !person.is_active {
                    for session_id in self.hub.sessions_of(user_id) {
                        self.hub.end_session(&session_id);
                    }
                }
                if let Some(standing) = person.standing {
                    self.hub.standing_changed(user_id, standing);
                }
                // Of an account that was deleted no name is left.
                if !person.display_name.is_empty() {
                    self.conference.rename_person(user_id, &person.display_name).await?;
                }
                letters::take_in(&self.accounts, &self.conference).await?;
            }
        }
        Ok(())
    }

    async fn follow_rooms(self, mut hints: Hints<RoomChange>) {
        let mut tail = self.conference.follow_changes();
        let mut ticks = ticks(FOLLOW_EVERY);
        // Each but once, so that there are never more than there are subjects.
        let mut waiting = IndexSet::new();
        loop {
            tokio::select! {
                hinted = hints.next() => waiting.extend(hinted),
                _ = ticks.tick() => match self.conference.changes(&mut tail).await {
                    Ok(changes) => waiting.extend(changes),
                    Err(error) => report(Err(error), "changes of rooms not read"),
                },
            }
            for change in std::mem::take(&mut waiting) {
                let outcome = self.apply_room_change(&change).await;
                if outcome.as_ref().is_err_and(StoreError::is_passing) {
                    waiting.insert(change);
                }
                report(outcome, "a room's change not applied");
            }
        }
    }

    async fn apply_room_change(&self, change: &RoomChange) -> Result<(), StoreError> {
        match *change {
            RoomChange::Messages(room_id) | RoomChange::Revisions(room_id) => {
                self.hub.listing_changed(room_id);
                self.read_again(room_id).await?;
            }
            RoomChange::Person(room_id, user_id) => {
                self.hub.listing_changed(room_id);
                // Whoever waits follows no room, and their sockets may be here.
                if (self.hub.is_followed(room_id) || self.hub.has_sockets_of(user_id))
                    && let Some(participant) = self.conference.participant(room_id, user_id).await?
                {
                    self.hub.publish_participant(participant);
                }
            }
            RoomChange::Typing(room_id, user_id) => self.hub.publish_typing(room_id, user_id),
            RoomChange::Ended(room_id) => {
                if (self.hub.is_followed(room_id) || self.hub.has_waiting(room_id))
                    && let Some(found) = self.conference.audience(room_id).await?
                {
                    self.hub.publish_ended(&found.room);
                }
            }
            RoomChange::Room(room_id) => {
                self.hub.settings_changed(room_id);
                if (self.hub.is_followed(room_id) || self.hub.has_waiting(room_id))
                    && self.conference.audience(room_id).await?.is_some_and(|found| !found.room.is_active)
                {
                    self.hub.publish_closed(room_id);
                }
            }
        }
        Ok(())
    }

    async fn run_errands(self, mut errands: mpsc::Receiver<Errand>) {
        while let Some(errand) = errands.recv().await {
            match errand {
                Errand::ReadAgain(room_id) => report(self.read_again(room_id).await, "a room was not read again"),
                Errand::Release(room_id, user_id) => {
                    report(self.release(room_id, user_id).await, "hold not released");
                }
            }
        }
    }

    /// Sends what a room's tail has not sent yet, as the store has it.
    async fn read_again(&self, room_id: RoomId) -> Result<(), StoreError> {
        while let Some((seq, _)) = self.hub.position(room_id) {
            let page = locate(Cursor::After(seq), PageLimit::max(), i64::MAX);
            let messages = self.conference.messages(room_id, page).await?;
            let is_last = messages.len() < usize::try_from(PageLimit::MAX).unwrap_or(usize::MAX);
            self.hub.publish_messages(messages);
            if is_last {
                break;
            }
        }
        while let Some((_, rev)) = self.hub.position(room_id) {
            let messages = self.conference.changed_messages(room_id, rev, REVISIONS).await?;
            let is_last = i64::try_from(messages.len()).unwrap_or(0) < REVISIONS;
            // Whoever came meanwhile may know less than was read after.
            if self.hub.publish_revisions_read(room_id, rev, messages) && is_last {
                break;
            }
        }
        Ok(())
    }

    async fn keep_leases(self) {
        let mut renewed_at: Option<Instant> = None;
        let mut ticks = ticks(SWEEP_EVERY);
        loop {
            ticks.tick().await;
            let renew_every = if self.hub.has_sockets() { RENEW_EVERY } else { RENEW_IDLE_EVERY };
            if renewed_at.is_none_or(|at| at.elapsed() >= renew_every) {
                let began = Instant::now();
                let renewed = self.conference.renew_server(&self.server_id).await;
                // Nobody's lease is judged while this server's own is in doubt: its people are alive.
                if renewed.is_err() {
                    report(renewed, "this server's lease was not renewed");
                    continue;
                }
                renewed_at = Some(began);
            }
            match self.conference.end_expired_presences().await {
                Ok(ended) => {
                    let count = u64::try_from(ended.len()).unwrap_or(u64::MAX);
                    counter!("cloudmeet_presence_leases_ended_total").increment(count);
                    for participant in ended {
                        self.hub.publish_participant(participant);
                    }
                }
                Err(error) => report(Err(error), "over leases not ended"),
            }
        }
    }

    /// Takes in what accounts tell rooms, whatever became of the word that there is something.
    async fn keep_letters(self) {
        let mut ticks = ticks(LETTERS_EVERY);
        loop {
            ticks.tick().await;
            report(letters::take_in(&self.accounts, &self.conference).await, "letters of accounts not taken in");
        }
    }

    async fn keep_clock(self) {
        let mut ticks = ticks(COMPARE_EVERY);
        loop {
            ticks.tick().await;
            report(self.conference.check().await, "the clock of rooms was not read");
        }
    }

    /// Brings the store's holds and this server's sockets together again: a release may have failed,
    /// and other servers give up one that seemed dead.
    async fn keep_holds(self) {
        let mut ticks = ticks(COMPARE_EVERY);
        let mut unheld = HashSet::new();
        loop {
            ticks.tick().await;
            // The sockets first: one that has its answer was noted in the store before.
            let people = self.hub.people();
            match self.conference.holds(&self.server_id).await {
                Ok(held) => unheld = self.compare_holds(people, held.into_iter().collect(), &unheld).await,
                Err(error) => report(Err(error), "holds not read"),
            }
        }
    }

    /// Gives the holds that have no socket. Only one that had none at the last look either is released:
    /// whoever closed the socket may be about to say how it ended.
    async fn compare_holds(
        &self,
        people: Vec<(RoomId, Present)>,
        held: HashSet<(RoomId, UserId)>,
        unheld_before: &HashSet<(RoomId, UserId)>,
    ) -> HashSet<(RoomId, UserId)> {
        for (room_id, present) in people {
            if !held.contains(&(room_id, present.user_id)) {
                report(self.hold_again(room_id, &present).await, "a hold not taken again");
            }
        }
        let unheld: HashSet<_> = held.into_iter().filter(|&(room, user)| !self.hub.has_person(room, user)).collect();
        for &(room_id, user_id) in unheld.intersection(unheld_before) {
            report(self.release(room_id, user_id).await, "hold not released");
        }
        unheld
    }

    async fn release(&self, room_id: RoomId, user_id: UserId) -> Result<(), StoreError> {
        self.hub.release(&self.conference, &self.server_id, (room_id, user_id), HoldEnd::Closed).await
    }

    async fn hold_again(&self, room_id: RoomId, present: &Present) -> Result<(), StoreError> {
        let hold = Hold { server_id: &self.server_id, socket_id: &present.socket_key };
        let is_wanted = || self.hub.has_person(room_id, present.user_id);
        let held = self.conference.hold_again(room_id, present.user_id, hold, present.status, is_wanted).await?;
        if let Some(participant) = held {
            self.hub.publish_participant(participant);
        }
        Ok(())
    }

    async fn prune(self) {
        let mut ticks = ticks(PRUNE_EVERY);
        loop {
            ticks.tick().await;
            report(self.end_sessions_over().await, "sessions not checked");
            report(self.conference.prune().await, "old rows of rooms not deleted");
            // What changed while the queue of requests was full is read at the latest now.
            for room_id in self.hub.followed_rooms() {
                report(self.read_again(room_id).await, "a room was not read again");
            }
        }
    }

    /// Closes the sockets of sessions that are over: their ends may have come and gone in the table of
    /// changes while the store was away.
    async fn end_sessions_over(&self) -> Result<(), AccountsError> {
        for session_id in self.accounts.sessions_over(self.hub.sessions()).await? {
            self.sessions.forget(&session_id).await;
            self.hub.end_session(&session_id);
        }
        Ok(())
    }
}

pub(super) fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

pub(super) fn report<E: std::error::Error + 'static>(outcome: Result<(), E>, message: &'static str) {
    if let Err(error) = outcome {
        tracing::warn!(error = &error as &dyn std::error::Error, "{message}");
    }
}
