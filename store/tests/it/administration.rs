//! What administrators do to accounts, and what rooms hear of it.

use cloudmeet_core::account::{AccountPatch, DELETED_NAME, DisplayName, Standing};
use cloudmeet_core::api_key::{KeyName, Scope};
use cloudmeet_core::id::UserId;
use cloudmeet_core::moderation::Moderation;
use cloudmeet_core::permission::Membership;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AccountError, AccountFilter, Doer, Failure, Identity, NewApiKey, People};

use crate::support::{Stores, doer, draft, on_both_stores, register};

on_both_stores! {
    of_two_administrators_who_deactivate_each_other_one_stays
    accounts_of_an_earlier_release_are_found_too
    a_deed_is_told_once_however_often_its_letter_is_read
    who_is_deleted_is_forgotten_by_every_room
    a_reset_code_is_good_once_and_the_newest_alone
    a_key_is_known_while_it_is_good
}

fn identity(id: UserId, name: &str) -> Identity {
    Identity { user_id: id, display_name: name.to_owned(), standing: Standing::Administrator }
}

async fn administrator(stores: &Stores, email: &str) -> Doer {
    doer(&identity(register(stores, email).await.id, "Chief"))
}

async fn take_in(stores: &Stores) -> usize {
    let letters = stores.auth.letters().await.unwrap();
    let taken = stores.conference.take_in(&letters).await.unwrap();
    stores.auth.forget_letters(&taken).await.unwrap();
    taken.len()
}

async fn of_two_administrators_who_deactivate_each_other_one_stays(stores: Stores) {
    let first = administrator(&stores, "a@example.org").await;
    let second = doer(&identity(register(&stores, "b@example.org").await.id, "Second"));
    let granted = AccountPatch { standing: Some(Standing::Administrator), ..AccountPatch::default() };
    stores.auth.change_account(second.who.user_id, &first, &granted, None).await.unwrap();
    let other = stores.again().await;
    let out = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    let (here, there) = tokio::join!(
        stores.auth.change_account(second.who.user_id, &first, &out, None),
        other.auth.change_account(first.who.user_id, &second, &out, None),
    );
    let refused = [here, there].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(refused[..], [Failure::Refused(AccountError::LastAdministrator(_))]), "{refused:?}");
    assert!(stores.auth.has_administrator().await.unwrap());
}

async fn accounts_of_an_earlier_release_are_found_too(stores: Stores) {
    let chief = administrator(&stores, "chief@example.org").await;
    let renamed = DisplayName::parse("Ярослав Мудрый").unwrap();
    stores.auth.rename_account(chief.who.user_id, &renamed).await.unwrap();
    let found = async |stores: &Stores, query: &str| {
        let filter = AccountFilter { skip: 0, limit: 10, query: Some(query.to_owned()) };
        stores.auth.list_accounts(&filter).await.unwrap().len()
    };
    assert_eq!((found(&stores, "мУДР").await, found(&stores, "CHIEF@").await, found(&stores, "bob").await), (1, 1, 0));
    stores.run_accounts("UPDATE accounts SET search_text = ''".to_owned()).await;
    assert_eq!(found(&stores, "мУДР").await, 0);
    assert_eq!(found(&stores.again().await, "мУДР").await, 1);
}

async fn a_deed_is_told_once_however_often_its_letter_is_read(stores: Stores) {
    let chief = administrator(&stores, "chief@example.org").await;
    let bob = register(&stores, "bob@example.org").await.id;
    let out = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    stores.auth.change_account(bob, &chief, &out, None).await.unwrap();
    stores.auth.change_account(bob, &chief, &out, None).await.unwrap();
    let letters = stores.auth.letters().await.unwrap();
    assert_eq!(letters.len(), 1, "what is so already is no deed");
    for _ in 0..2 {
        assert_eq!(stores.conference.take_in(&letters).await.unwrap(), [letters[0].key.clone()]);
    }
    let deeds = stores.conference.deeds(None, None, 10).await.unwrap();
    let [deed] = &deeds[..] else { panic!("{deeds:?}") };
    assert_eq!(
        (deed.action.as_str(), deed.actor_id, deed.target_id),
        ("deactivate_user", Some(chief.who.user_id), Some(bob))
    );
    assert_eq!(take_in(&stores).await, 1);
    assert_eq!(take_in(&stores).await, 0);
}

async fn who_is_deleted_is_forgotten_by_every_room(stores: Stores) {
    let chief = administrator(&stores, "chief@example.org").await;
    let bob = identity(register(&stores, "bob@example.org").await.id, "Bob the Builder");
    let eve = identity(register(&stores, "eve@example.org").await.id, "Eve");
    let (kept, lonely) = (stores.room(&bob).await.id, stores.room(&bob).await.id);
    let others = stores.room(&chief.who).await.id;
    stores.join(kept, &eve).await.unwrap();
    stores.join(others, &bob).await.unwrap();
    stores.conference.moderate(kept, &doer(&bob), eve.user_id, Moderation::Promote).await.unwrap();
    let said = stores.conference.batches().store(&[draft(others, &bob, "I was here", None)]).await.unwrap();
    assert!(said[0].is_ok());
    stores.auth.delete_account(bob.user_id, &chief).await.unwrap();
    assert!(matches!(
        stores.auth.delete_account(bob.user_id, &chief).await,
        Err(Failure::Refused(AccountError::NoSuchAccount))
    ));
    assert_eq!(take_in(&stores).await, 2);
    let room = async |id| stores.access(id, eve.user_id).await.unwrap().room;
    assert_eq!(room(kept).await.owner_id, eve.user_id);
    assert!(!room(lonely).await.is_active);
    let left = stores.conference.participant(others, bob.user_id).await.unwrap().unwrap();
    assert_eq!((left.display_name.as_str(), left.membership), (DELETED_NAME, Membership::Stranger));
    assert!(
        stores.conference.people(others, People::Members).await.unwrap().iter().all(|one| one.user_id != bob.user_id)
    );
    let message = stores.history(others).await.remove(0);
    assert_eq!((message.content.as_str(), message.user_display_name.as_str()), ("I was here", DELETED_NAME));
    let deeds = stores.conference.deeds(None, None, 50).await.unwrap();
    assert!(deeds.iter().all(|deed| deed.actor_name.as_deref() != Some("Bob the Builder")));
    assert!(register(&stores, "bob@example.org").await.id != bob.user_id, "the address is free, the id is not");
}

async fn a_reset_code_is_good_once_and_the_newest_alone(stores: Stores) {
    let chief = administrator(&stores, "chief@example.org").await;
    let bob = register(&stores, "bob@example.org").await.id;
    let [old, new, late] = [1, 2, 3].map(|number| OpaqueToken::from_random([number; 32]));
    stores.auth.add_reset_code(bob, &chief, &old, Span::days(1)).await.unwrap();
    stores.auth.add_reset_code(bob, &chief, &new, Span::days(1)).await.unwrap();
    let reset = async |code: &OpaqueToken| {
        let hash = cloudmeet_core::password::PasswordHash::from_stored("other".into());
        stores.auth.reset_password(code, &hash, ("192.0.2.1".into(), "r".into())).await.is_ok()
    };
    assert!(stores.auth.holder_of_reset_code(&old).await.unwrap().is_none());
    assert!(!reset(&old).await && reset(&new).await && !reset(&new).await);
    stores.auth.add_reset_code(bob, &chief, &late, Span::seconds(0)).await.unwrap();
    assert!(!reset(&late).await);
}

async fn a_key_is_known_while_it_is_good(stores: Stores) {
    let chief = administrator(&stores, "chief@example.org").await;
    let new = |expires_at| NewApiKey {
        name: KeyName::parse("Operator").unwrap(),
        scopes: vec![Scope::ManageRooms],
        expires_at,
    };
    let [lasting, past] = [1, 2].map(|number| OpaqueToken::from_random([number; 32]));
    let key = stores.auth.add_api_key(&chief, new(None), &lasting).await.unwrap();
    stores.auth.add_api_key(&chief, new(Some(stores.auth.now())), &past).await.unwrap();
    assert_eq!(stores.auth.use_api_key(&past).await.unwrap(), None);
    assert_eq!(stores.auth.use_api_key(&lasting).await.unwrap(), Some(key.clone()));
    let used = stores.auth.api_keys().await.unwrap().into_iter().find(|one| one.id == key.id).unwrap();
    assert!(used.last_used_at.is_some());
    stores.auth.revoke_api_key(&chief, key.id).await.unwrap();
    assert_eq!(stores.auth.use_api_key(&lasting).await.unwrap(), None);
    assert!(stores.auth.revoke_api_key(&chief, key.id).await.is_err());
}
