//! Backups: what they bring back, what they leave, and what is no backup.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cloudmeet_store::OpenError;
use cloudmeet_store::data::{DataError, Databases, Part, Progress, Work, backup, copy, inspect, restore, status};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::installation::{Counter, assert_restored, chatter, furnish};
use crate::support::{Place, Stores, draft, files, on_both_stores, person};

on_both_stores! {
    a_restored_backup_is_the_installation_at_rest
    a_backup_is_restored_only_where_nothing_is
    a_live_backup_has_every_message_that_was_acknowledged_before
    a_backup_cut_anywhere_is_refused
    a_backup_with_another_byte_anywhere_is_refused
    what_is_no_backup_is_refused
    a_backup_of_a_newer_release_is_refused
    a_backup_of_the_first_release_is_migrated
    an_interrupted_backup_leaves_nothing
    an_interrupted_restore_leaves_nothing
    an_output_that_is_there_stays_as_it_is
}

fn quiet(_: Progress) {}

async fn back_up(stores: &Stores, directory: &Path) -> PathBuf {
    let output = directory.join("backup");
    backup(&stores.databases(), &output, &mut quiet).await.unwrap();
    output
}

async fn is_empty(databases: &Databases) -> bool {
    let mut rows = 0;
    for part in [Part::Auth, Part::Conference] {
        let status = status(part, databases.location(part)).await.unwrap();
        rows += status.rows.iter().filter(|(table, _)| *table != "installation").map(|(_, rows)| rows).sum::<u64>();
    }
    rows == 0
}

async fn a_restored_backup_is_the_installation_at_rest(stores: Stores) {
    let furnished = furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("backup");
    let mut works = Vec::new();
    let mut watch = |progress: Progress| works.push(progress.work);
    let done = backup(&stores.databases(), &output, &mut watch).await.unwrap();
    assert_eq!(files(directory.path()), ["backup"]);
    let metadata = fs::metadata(&output).unwrap();
    assert_eq!(done.bytes, metadata.len());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
    let first = |part| works.iter().position(|work| *work == Work::Write(part)).unwrap();
    assert!(first(Part::Conference) < first(Part::Auth), "every author exists: {works:?}");
    assert_eq!(inspect(&output).await.unwrap(), done.manifest);

    let place = stores.empty_place().await;
    assert_eq!(restore(&output, &place.databases, &mut quiet).await.unwrap(), done.manifest);
    // Its tables are the same, row for row, as those of the installation at rest.
    let same = copy(&stores.databases(), &place.databases, &mut quiet).await.unwrap();
    assert!(format!("{same:?}").matches("AlreadyThere").count() == 2, "{same:?}");
    assert_restored(&place.open().await, &furnished).await;
    for secret in ["sealed secret", "socket-1", "server-1"] {
        let bytes = fs::read(&output).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the backup");
    }
}

async fn a_backup_is_restored_only_where_nothing_is(stores: Stores) {
    let furnished = furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let output = back_up(&stores, directory.path()).await;
    let refused = restore(&output, &stores.databases(), &mut quiet).await;
    assert!(matches!(refused, Err(DataError::NotEmpty { part: Part::Auth, table: "accounts" })), "{refused:?}");
    // Tables without rows are empty.
    let place = stores.empty_place().await;
    place.open().await;
    let opened = place.open().await;
    if let cloudmeet_store::Location::Sqlite(_) = place.databases.auth {
        let refused = restore(&output, &place.databases, &mut quiet).await;
        assert!(matches!(refused, Err(DataError::InUse(_))), "{refused:?}");
    }
    opened.auth.close().await;
    opened.conference.close().await;
    restore(&output, &place.databases, &mut quiet).await.unwrap();
    assert_restored(&place.open().await, &furnished).await;
    // What a crash between the two would leave is refused with a word on what to do.
    let half = stores.empty_place().await;
    restore(&output, &half.databases, &mut quiet).await.unwrap();
    let stores = half.open().await;
    for table in ["messages", "participants", "search_blocks", "deeds", "rooms"] {
        stores.run(format!("DELETE FROM {table}")).await;
    }
    let refused = restore(&output, &half.databases, &mut quiet).await.unwrap_err();
    assert!(refused.to_string().contains("accounts") && refused.to_string().contains("removed"), "{refused}");
}

async fn a_live_backup_has_every_message_that_was_acknowledged_before(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let (acknowledged, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn({
        let (store, ann) = (stores.again().await.conference, ann.clone());
        let (acknowledged, is_over) = (acknowledged.clone(), is_over.clone());
        async move {
            while !is_over.load(Ordering::Relaxed) {
                let batch: Vec<_> = (0..5).map(|_| draft(room, &ann, &"word ".repeat(50), None)).collect();
                let stored = store.batches().store(&batch).await.unwrap();
                acknowledged.fetch_add(stored.len(), Ordering::SeqCst);
            }
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let mut latest = 0;
    for number in 0..4 {
        while acknowledged.load(Ordering::SeqCst) < latest + 50 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let output = directory.path().join(number.to_string());
        backup(&stores.databases(), &output, &mut quiet).await.unwrap();
        let place = stores.empty_place().await;
        restore(&output, &place.databases, &mut quiet).await.unwrap();
        let seqs: Vec<_> = place.open().await.history(room).await.into_iter().map(|message| message.seq).collect();
        assert!(seqs.len() >= before, "{before} were acknowledged, {} restored", seqs.len());
        assert_eq!(seqs, (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
        latest = before;
    }
    is_over.store(true, Ordering::Relaxed);
    writing.await.unwrap();
}

async fn a_backup_cut_anywhere_is_refused(stores: Stores) {
    furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let bytes = fs::read(back_up(&stores, directory.path()).await).unwrap();
    let (cut, place) = (directory.path().join("cut"), stores.empty_place().await);
    let edges = [0, 1, 511, 512, 513, 1024, 1536].into_iter().chain((1..=1030).step_by(103).map(|n| bytes.len() - n));
    for length in edges.chain((0..bytes.len()).step_by(bytes.len() / 30)) {
        fs::write(&cut, &bytes[..length]).unwrap();
        let refused = restore(&cut, &place.databases, &mut quiet).await;
        assert!(
            matches!(refused, Err(DataError::Truncated | DataError::NotABackup(_) | DataError::Damaged(_))),
            "{length} of {}: {refused:?}",
            bytes.len()
        );
    }
    assert!(is_empty(&place.databases).await && place.files().is_empty());
}

async fn a_backup_with_another_byte_anywhere_is_refused(stores: Stores) {
    furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let bytes = fs::read(back_up(&stores, directory.path()).await).unwrap();
    let (flipped, place) = (directory.path().join("flipped"), stores.empty_place().await);
    let everywhere = (0..bytes.len()).step_by(bytes.len() / 120 + 1);
    let edges = (0..700).step_by(13).chain((bytes.len() - 3000..bytes.len()).step_by(101));
    for position in everywhere.chain(edges) {
        let mut bytes = bytes.clone();
        bytes[position] ^= 0x20;
        fs::write(&flipped, &bytes).unwrap();
        let refused = restore(&flipped, &place.databases, &mut quiet).await;
        assert!(
            matches!(
                refused,
                Err(DataError::Damaged(_)
                    | DataError::NotABackup(_)
                    | DataError::Truncated
                    | DataError::NewerFormat(_)
                    | DataError::OtherEngine { .. }
                    | DataError::NewerSchema { .. })
            ),
            "{position} of {}: {refused:?}",
            bytes.len()
        );
    }
    assert!(is_empty(&place.databases).await && place.files().is_empty());
}

async fn what_is_no_backup_is_refused(stores: Stores) {
    let directory = tempfile::tempdir().unwrap();
    let place = stores.empty_place().await;
    let foreign = directory.path().join("foreign");
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    archive.append_data(&mut header, "manifest.json", &b"{}"[..]).unwrap();
    let other_tar = archive.into_inner().unwrap();
    let texts = [b"PGDMP".repeat(1000), b"SQLite format 3\0".repeat(500), vec![0; 10_000], other_tar];
    for bytes in texts {
        fs::write(&foreign, bytes).unwrap();
        let refused = restore(&foreign, &place.databases, &mut quiet).await;
        assert!(matches!(refused, Err(DataError::NotABackup(_))), "{refused:?}");
    }
    let refused = restore(directory.path(), &place.databases, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::NotABackup(_))), "{refused:?}");
    let refused = restore(&directory.path().join("absent"), &place.databases, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::File { .. })), "{refused:?}");
    // Of the other kind.
    furnish(&stores).await;
    let output = back_up(&stores, directory.path()).await;
    let other = match place.databases.auth {
        cloudmeet_store::Location::Sqlite(_) => Place::postgres().await,
        cloudmeet_store::Location::Postgres { .. } => Place::sqlite(),
    };
    let refused = restore(&output, &other.databases, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::OtherEngine { .. })), "{refused:?}");
}

/// Writes a backup anew with another manifest, and right checksums.
fn rewrite(backup: &Path, change: impl FnOnce(&mut Json)) -> PathBuf {
    use std::io::Read as _;
    let mut archive = tar::Archive::new(fs::File::open(backup).unwrap());
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        members.push((entry.path().unwrap().to_str().unwrap().to_owned(), bytes));
    }
    let mut manifest: Json = serde_json::from_slice(&members[0].1).unwrap();
    change(&mut manifest);
    members[0].1 = manifest.to_string().into_bytes();
    let sums = |(name, bytes): &(String, Vec<u8>)| {
        let hex: String = Sha256::digest(bytes)
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|half| char::from_digit(u32::from(half), 16).unwrap())
            .collect();
        json!({ "name": name, "size": bytes.len(), "sha256": hex })
    };
    let last = members.len() - 1;
    members[last].1 = Json::from(members[..last].iter().map(sums).collect::<Vec<_>>()).to_string().into_bytes();
    let path = backup.with_extension("changed");
    let mut archive = tar::Builder::new(fs::File::create(&path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.finish().unwrap();
    path
}

async fn a_backup_of_a_newer_release_is_refused(stores: Stores) {
    furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let output = back_up(&stores, directory.path()).await;
    let place = stores.empty_place().await;
    let changed = rewrite(&output, |manifest| manifest["release"] = json!("0.0.9"));
    restore(&changed, &place.databases, &mut quiet).await.unwrap();
    let place = stores.empty_place().await;
    let changed = rewrite(&output, |manifest| manifest["conference"]["schema"] = json!(999));
    let refused = restore(&changed, &place.databases, &mut quiet).await;
    let newer = matches!(refused, Err(DataError::NewerSchema { part: Part::Conference, version: 999 }));
    assert!(newer, "{refused:?}");
    let changed = rewrite(&output, |manifest| manifest["version"] = json!(2));
    let refused = restore(&changed, &place.databases, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::NewerFormat(2))), "{refused:?}");
    assert!(is_empty(&place.databases).await && place.files().is_empty());
    // Nor is a database backed up that this release does not know.
    stores.run("UPDATE conference_migrations SET version = 999 WHERE version = 5".to_owned()).await;
    let refused = backup(&stores.databases(), &directory.path().join("other"), &mut quiet).await;
    let newer = matches!(refused, Err(DataError::Open(Part::Conference, OpenError::Newer(999))));
    assert!(newer, "{refused:?}");
}

async fn a_backup_of_the_first_release_is_migrated(stores: Stores) {
    let old = stores.empty_place().await;
    crate::opening::migrate_to(&old.databases, 1).await;
    crate::opening::furnish_first_release(&old.databases).await;
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("backup");
    let done = backup(&old.databases, &output, &mut quiet).await.unwrap();
    assert_eq!((done.manifest.auth.schema, done.manifest.conference.schema), (1, 1));
    // Also where the tables of this release are already, without a row.
    let migrated = stores.empty_place().await;
    let opened = migrated.open().await;
    opened.auth.close().await;
    opened.conference.close().await;
    for place in [stores.empty_place().await, migrated] {
        restore(&output, &place.databases, &mut quiet).await.unwrap();
        crate::opening::assert_first_release(&place.open().await).await;
    }
}

async fn an_interrupted_backup_leaves_nothing(stores: Stores) {
    let furnished = furnish(&stores).await;
    chatter(&stores, furnished.room, &furnished.chief, 2000).await;
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("backup");
    for number in 0.. {
        let counter = Counter::until(number);
        let mut watch = |progress| counter.hear(progress);
        let databases = stores.databases();
        if counter.interrupt(backup(&databases, &output, &mut watch)).await.is_some() {
            assert!(number > 2, "it was interrupted {number} times");
            break;
        }
        assert_eq!(files(directory.path()), Vec::<String>::new(), "after {number} steps");
    }
    let place = stores.empty_place().await;
    restore(&output, &place.databases, &mut quiet).await.unwrap();
    assert_eq!(files(directory.path()), ["backup"]);
}

async fn an_interrupted_restore_leaves_nothing(stores: Stores) {
    let furnished = furnish(&stores).await;
    let directory = tempfile::tempdir().unwrap();
    let output = back_up(&stores, directory.path()).await;
    let place = stores.empty_place().await;
    for number in 0.. {
        let counter = Counter::until(number);
        let mut watch = |progress| counter.hear(progress);
        if let Some(outcome) = counter.interrupt(restore(&output, &place.databases, &mut watch)).await {
            outcome.unwrap();
            assert!(number > 4, "it was interrupted {number} times");
            break;
        }
        assert!(place.files().is_empty(), "after {number} steps: {:?}", place.files());
        assert!(is_empty(&place.databases).await, "after {number} steps");
    }
    assert_restored(&place.open().await, &furnished).await;
}

async fn an_output_that_is_there_stays_as_it_is(stores: Stores) {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("backup");
    fs::write(&output, "something dear").unwrap();
    let refused = backup(&stores.databases(), &output, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::OutputExists(_))), "{refused:?}");
    assert_eq!(fs::read(&output).unwrap(), b"something dear");
    let nowhere = directory.path().join("absent/backup");
    let refused = backup(&stores.databases(), &nowhere, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::File { .. })), "{refused:?}");
}
