//! Accounts, sessions and keys.

use cloudmeet_core::account::{
    AccountPatch, DisplayName, FirstAdministrator, Registration, RegistrationError, Standing,
};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::signing_key::NOTICE;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{
    AccountChange, Failure, Identity, NewSession, PasswordReplaced, RegisterError, RenewError, SealedKey,
};

use crate::support::{Stores, doer, new_account, on_both_stores, password_hash, register};

on_both_stores! {
    the_first_account_administers_and_an_address_is_taken_once
    of_many_first_accounts_at_once_one_administers
    a_setup_code_makes_one_administrator
    a_refresh_token_rotates_and_its_replay_yields_the_same_successor
    of_many_tabs_with_one_token_all_get_the_same_successor
    an_ended_session_is_dead_and_others_read_of_it
    a_new_password_ends_the_other_sessions
    sessions_of_the_deactivated_do_not_come_back
    a_replaced_password_opens_no_session
    sessions_that_are_over_are_told_from_those_that_live
    a_new_name_is_stored_and_told
    servers_that_start_together_agree_on_one_signing_key
    a_next_key_takes_over_after_its_notice_without_a_gap
}

async fn the_first_account_administers_and_an_address_is_taken_once(stores: Stores) {
    assert_eq!(register(&stores, "ann@example.org").await.standing, Standing::Administrator);
    assert_eq!(register(&stores, "bob@example.org").await.standing, Standing::Ordinary);
    let again = new_account("ANN@example.org");
    let taken = stores.auth.register(&again, Registration::Open, FirstAdministrator::FirstAccount).await;
    assert!(matches!(taken, Err(Failure::Refused(RegisterError::EmailTaken(_)))), "{taken:?}");
    let (found, hash) = stores.auth.account_by_email(&again.email).await.unwrap().unwrap();
    assert_eq!((found.email.as_str(), hash.as_str()), ("ann@example.org", "hash"));
    assert!(stores.auth.has_administrator().await.unwrap());
}

async fn of_many_first_accounts_at_once_one_administers(stores: Stores) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let auth = stores.auth.clone();
        tasks.spawn(async move {
            let account = new_account(&format!("user{number}@example.org"));
            auth.register(&account, Registration::Open, FirstAdministrator::FirstAccount).await.unwrap().standing
        });
    }
    let standings = tasks.join_all().await;
    assert_eq!(standings.iter().filter(|standing| **standing == Standing::Administrator).count(), 1);
}

async fn a_setup_code_makes_one_administrator(stores: Stores) {
    let (code, other) = (OpaqueToken::from_random([1; 32]), OpaqueToken::from_random([2; 32]));
    let old = OpaqueToken::from_random([3; 32]);
    stores.auth.add_setup_code(&code, Span::days(1)).await.unwrap();
    stores.auth.add_setup_code(&other, Span::days(1)).await.unwrap();
    stores.auth.add_setup_code(&old, Span::seconds(0)).await.unwrap();
    let attempt = async |email: &str, code: Option<&OpaqueToken>| {
        let account = cloudmeet_store::NewAccount { setup_code: code.cloned(), ..new_account(email) };
        stores.auth.register(&account, Registration::Closed, FirstAdministrator::SetupCode).await
    };
    let closed = Failure::Refused(RegisterError::Rule(RegistrationError::Closed));
    assert_eq!(attempt("a@x.org", None).await.unwrap_err().to_string(), closed.to_string());
    assert!(attempt("a@x.org", Some(&old)).await.is_err());
    assert_eq!(attempt("a@x.org", Some(&code)).await.unwrap().standing, Standing::Administrator);
    assert!(attempt("b@x.org", Some(&code)).await.is_err(), "spent");
    assert!(attempt("b@x.org", Some(&other)).await.is_err(), "there is an administrator");
}

async fn session(stores: &Stores, number: u8, email: &str) -> (SessionId, OpaqueToken) {
    let account = register(stores, email).await;
    open(stores, number, account.id).await
}

async fn open(stores: &Stores, number: u8, user_id: UserId) -> (SessionId, OpaqueToken) {
    let session = new_session(number, user_id);
    stores.auth.open_session(&session, &password_hash()).await.unwrap();
    (session.id, session.refresh_token)
}

fn new_session(number: u8, user_id: UserId) -> NewSession {
    NewSession {
        id: SessionId::new(format!("session-{number}")),
        user_id,
        rotation_key: OpaqueToken::from_random([number; 32]),
        refresh_token: OpaqueToken::from_random([number + 100; 32]),
    }
}

async fn a_refresh_token_rotates_and_its_replay_yields_the_same_successor(stores: Stores) {
    let (id, first) = session(&stores, 1, "ann@example.org").await;
    let second = stores.auth.renew(&first).await.unwrap();
    assert_eq!(second.session_id, id);
    let replayed = stores.auth.renew(&first).await.unwrap();
    assert_eq!(replayed.refresh_token.reveal(), second.refresh_token.reveal());
    let third = stores.auth.renew(&second.refresh_token).await.unwrap();
    assert_ne!(third.refresh_token.reveal(), second.refresh_token.reveal());
    let unknown = stores.auth.renew(&OpaqueToken::from_random([9; 32])).await;
    assert!(matches!(unknown, Err(Failure::Refused(RenewError::Unknown))), "{unknown:?}");
}

async fn of_many_tabs_with_one_token_all_get_the_same_successor(stores: Stores) {
    let (_, token) = session(&stores, 1, "ann@example.org").await;
    let mut tabs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (auth, token) = (stores.auth.clone(), token.clone());
        tabs.spawn(async move { auth.renew(&token).await.unwrap().refresh_token.reveal().to_owned() });
    }
    let mut successors = tabs.join_all().await;
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

async fn an_ended_session_is_dead_and_others_read_of_it(stores: Stores) {
    let (id, token) = session(&stores, 1, "ann@example.org").await;
    let other = stores.again().await;
    let mut tail = other.follow_accounts().await;
    assert!(other.auth.session(&id).await.unwrap().is_some());
    stores.auth.end_session(&id).await.unwrap();
    stores.auth.end_session(&id).await.unwrap();
    assert!(other.auth.session(&id).await.unwrap().is_none());
    assert!(other.auth.renew(&token).await.is_err());
    let changes = other.auth.changes(&mut tail).await.unwrap();
    assert_eq!(changes, [AccountChange::SessionEnded(id)]);
    assert_eq!(other.auth.changes(&mut tail).await.unwrap(), []);
}

async fn a_new_password_ends_the_other_sessions(stores: Stores) {
    let account = register(&stores, "ann@example.org").await;
    let (kept, _) = open(&stores, 1, account.id).await;
    let (ended, _) = open(&stores, 2, account.id).await;
    let hash = PasswordHash::from_stored("new".to_owned());
    assert_eq!(stores.auth.change_password(account.id, &hash, &kept).await.unwrap(), std::slice::from_ref(&ended));
    assert!(stores.auth.session(&kept).await.unwrap().is_some());
    assert!(stores.auth.session(&ended).await.unwrap().is_none());
    assert_eq!(stores.auth.account(account.id).await.unwrap().unwrap().1.as_str(), "new");
}

async fn sessions_of_the_deactivated_do_not_come_back(stores: Stores) {
    let chief = register(&stores, "chief@example.org").await;
    let chief = Identity { user_id: chief.id, display_name: "Chief".to_owned(), standing: Standing::Administrator };
    let ann = register(&stores, "ann@example.org").await.id;
    let (first, token) = open(&stores, 1, ann).await;
    let (second, _) = open(&stores, 2, ann).await;
    let turn = async |is_active| {
        let patch = AccountPatch { is_active: Some(is_active), ..AccountPatch::default() };
        stores.auth.change_account(ann, &doer(&chief), &patch, None).await.unwrap().ended
    };
    let mut ended = turn(false).await;
    ended.sort();
    assert_eq!(ended, [first.clone(), second]);
    assert_eq!(turn(true).await, []);
    assert!(stores.auth.session(&first).await.unwrap().is_none());
    assert!(stores.auth.renew(&token).await.is_err());
}

async fn a_replaced_password_opens_no_session(stores: Stores) {
    let account = register(&stores, "ann@example.org").await;
    let (kept, _) = open(&stores, 1, account.id).await;
    // Somebody's login has just found the old password right.
    let new = PasswordHash::from_stored("new".to_owned());
    stores.auth.change_password(account.id, &new, &kept).await.unwrap();
    let late = new_session(2, account.id);
    let refused = stores.auth.open_session(&late, &password_hash()).await;
    assert!(matches!(refused, Err(Failure::Refused(PasswordReplaced))), "{refused:?}");
    assert!(stores.auth.session(&late.id).await.unwrap().is_none());
    stores.auth.open_session(&late, &new).await.unwrap();
    assert!(stores.auth.session(&late.id).await.unwrap().is_some());
}

async fn sessions_that_are_over_are_told_from_those_that_live(stores: Stores) {
    let account = register(&stores, "ann@example.org").await;
    let (alive, _) = open(&stores, 1, account.id).await;
    let (ended, _) = open(&stores, 2, account.id).await;
    stores.auth.end_session(&ended).await.unwrap();
    let unknown = SessionId::new("unknown".into());
    let over = stores.auth.sessions_over(vec![alive, ended.clone(), unknown.clone()]).await.unwrap();
    assert_eq!(over, [ended, unknown]);
    assert_eq!(stores.auth.sessions_over(Vec::new()).await.unwrap(), []);
}

async fn a_new_name_is_stored_and_told(stores: Stores) {
    let account = register(&stores, "ann@example.org").await;
    let mut tail = stores.follow_accounts().await;
    let name = DisplayName::parse("Анна").unwrap();
    let renamed = stores.auth.rename_account(account.id, &name).await.unwrap().unwrap();
    assert_eq!(renamed.display_name.as_str(), "Анна");
    assert_eq!(stores.auth.changes(&mut tail).await.unwrap(), [AccountChange::Account(account.id)]);
}

async fn servers_that_start_together_agree_on_one_signing_key(stores: Stores) {
    let mut servers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let other = stores.again().await;
        servers.spawn(async move {
            other.auth.add_first_signing_key(&signing_key(&format!("key-{number}"))).await.unwrap();
            other.auth.signing_keys().await.unwrap()
        });
    }
    let mut keys = servers.join_all().await;
    keys.dedup();
    assert_eq!(keys.len(), 1);
    let [(_, term)] = keys[0][..] else { panic!("{keys:?}") };
    assert!(term.from <= stores.auth.now() && term.until.is_none());
}

async fn a_next_key_takes_over_after_its_notice_without_a_gap(stores: Stores) {
    stores.auth.add_first_signing_key(&signing_key("first")).await.unwrap();
    let before = stores.auth.now();
    let from = stores.auth.add_next_signing_key(&signing_key("second")).await.unwrap();
    assert!(from >= before.plus(NOTICE));
    let [(first, old), (second, new)] = &stores.auth.signing_keys().await.unwrap()[..] else { panic!("two keys") };
    assert_eq!((first.kid.as_str(), second.kid.as_str()), ("first", "second"));
    assert_eq!((old.until, new.from, new.until), (Some(from), from, None));
    assert!(!old.is_over_at(stores.auth.now()) && !first.sealed_private_key.is_empty());
    // A first key of others changes nothing any more.
    stores.auth.add_first_signing_key(&signing_key("late")).await.unwrap();
    // Another rotation before the last one took effect: nobody signs between the two.
    let later = stores.auth.add_next_signing_key(&signing_key("third")).await.unwrap();
    let keys = stores.auth.signing_keys().await.unwrap();
    let terms: Vec<_> = keys.iter().map(|(_, term)| (term.from, term.until)).collect();
    assert_eq!(terms[1..], [(from, Some(later)), (later, None)]);
}

fn signing_key(kid: &str) -> SealedKey {
    SealedKey { kid: kid.to_owned(), public_key: "public".to_owned(), sealed_private_key: "sealed".to_owned() }
}
