use proptest::prelude::*;

use super::*;
use crate::room::tests::{room, user};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn standings() -> impl Strategy<Value = Standing> {
    prop_oneof![Just(Standing::Ordinary), Just(Standing::Administrator)]
}

fn memberships() -> impl Strategy<Value = Membership> {
    prop_oneof![
        Just(Membership::Stranger),
        Just(Membership::Invited),
        Just(Membership::Waiting),
        Just(Membership::Banned),
        Just(Membership::Member(Role::Participant)),
        Just(Membership::Member(Role::Moderator)),
    ]
}

fn rooms() -> impl Strategy<Value = Room> {
    let visibility = prop_oneof![Just(Visibility::Public), Just(Visibility::Private), Just(Visibility::Password)];
    let closes_at =
        prop_oneof![Just(None), Just(Some(Timestamp::from_millis(500))), Just(Some(Timestamp::from_millis(5_000)))];
    (1..4i64, any::<bool>(), visibility, closes_at).prop_map(|(owner, is_active, visibility, closes_at)| Room {
        is_active,
        visibility,
        closes_at,
        ..room(owner)
    })
}

/// Somebody and what they are to a room.
fn people() -> impl Strategy<Value = (Actor, Membership)> {
    (1..4i64, standings(), memberships())
        .prop_map(|(id, standing, membership)| (Actor { user_id: user(id), standing }, membership))
}

fn all_actions(towards: UserId) -> impl Iterator<Item = Action> {
    RULES.iter().filter_map(move |rule| action(rule.action, towards))
}

proptest! {
    #[test]
    fn for_whom_a_room_does_not_exist_nothing_in_it_does(room in rooms(), (who, membership) in people(), other in 1..4i64) {
        if !sees(who, &room, membership) {
            for action in all_actions(user(other)) {
                prop_assert_eq!(permit(action, who, &room, membership, NOW), Err(Denied::NoSuchRoom));
            }
        }
    }

    #[test]
    fn a_private_room_exists_for_its_people_its_guests_and_administrators(room in rooms(), (who, membership) in people()) {
        let belongs = room.owner_id == who.user_id || membership.is_member();
        let is_let_know = matches!(membership, Membership::Invited | Membership::Waiting);
        let open_to_all = room.is_active && room.visibility != Visibility::Private;
        let expected = who.standing == Standing::Administrator || belongs || open_to_all || room.is_active && is_let_know;
        prop_assert_eq!(sees(who, &room, membership), expected);
    }

    #[test]
    fn what_a_resource_elsewhere_says_of_a_room_is_changed_there_by_whoever_might_here(
        room in rooms(), (who, membership) in people(), other in 1..4i64,
    ) {
        let kept = Room { managed_by: Some("a cluster".to_owned()), ..room.clone() };
        for action in all_actions(user(other)) {
            let here = permit(action, who, &room, membership, NOW);
            let kept_elsewhere = ["change_room", "delete_room", "hand_on", "promote", "demote"];
            let is_kept = kept_elsewhere.contains(&action.rule().action);
            let expected = if is_kept && room.is_active { here.and(Err(Denied::Managed)) } else { here };
            prop_assert_eq!(permit(action, who, &kept, membership, NOW), expected);
        }
    }

    #[test]
    fn nobody_does_anything_to_the_owner(room in rooms(), (who, membership) in people()) {
        let owner = room.owner_id;
        for action in [
            Action::Admit(owner), Action::Deny(owner), Action::Mute(owner), Action::Kick(owner),
            Action::Ban(owner), Action::LiftBan(owner), Action::Promote(owner), Action::Demote(owner),
        ] {
            prop_assert!(permit(action, who, &room, membership, NOW).is_err());
        }
    }

    #[test]
    fn nothing_but_reading_leaving_and_deleting_is_done_in_a_deleted_room(
        room in rooms(), (who, membership) in people(), other in 1..4i64,
    ) {
        let room = Room { is_active: false, ..room };
        let still = ["see_room", "leave", "read_messages", "see_members", "delete_room", "export", "read_audit"];
        for action in all_actions(user(other)).filter(|action| !still.contains(&action.rule().action)) {
            prop_assert!(permit(action, who, &room, membership, NOW).is_err(), "{:?}", action);
        }
    }

    #[test]
    fn who_is_no_member_neither_reads_nor_speaks_not_even_an_administrator(
        room in rooms(), (who, membership) in people(),
    ) {
        let is_open = room.is_active && room.closes_at.is_none_or(|closes_at| closes_at > NOW);
        let reads = permit(Action::ReadMessages, who, &room, membership, NOW).is_ok();
        let speaks = permit(Action::Speak, who, &room, membership, NOW).is_ok();
        prop_assert_eq!(reads, membership.is_member());
        prop_assert_eq!(speaks, membership.is_member() && is_open);
    }

    #[test]
    fn what_hosts_do_is_for_hosts(room in rooms(), (who, membership) in people()) {
        let is_host = room.owner_id == who.user_id || membership == Membership::Member(Role::Moderator);
        let somebody = user(9);
        for action in [
            Action::SeeLobby, Action::SeeBans, Action::AdmitAll, Action::Admit(somebody), Action::Deny(somebody), Action::Mute(somebody),
            Action::Kick(somebody), Action::Ban(somebody), Action::LiftBan(somebody), Action::Promote(somebody),
            Action::Demote(somebody),
        ] {
            let may = permit(action, who, &room, membership, NOW).is_ok();
            prop_assert_eq!(may, is_host && room.is_active, "{:?}", action);
        }
    }

    #[test]
    fn what_is_the_owners_is_the_owners_and_administrators(room in rooms(), (who, membership) in people()) {
        let entitled = room.owner_id == who.user_id || who.standing == Standing::Administrator;
        for action in [Action::DeleteRoom, Action::Export, Action::ReadAudit] {
            prop_assert_eq!(permit(action, who, &room, membership, NOW).is_ok(), entitled, "{:?}", action);
        }
        for action in [Action::HandOn, Action::RenewLinkCode] {
            let may = permit(action, who, &room, membership, NOW).is_ok();
            prop_assert_eq!(may, entitled && room.is_active, "{:?}", action);
        }
        let runs = entitled || membership == Membership::Member(Role::Moderator);
        for action in [Action::ChangeRoom, Action::EndMeeting, Action::ReadLinkCode] {
            prop_assert_eq!(permit(action, who, &room, membership, NOW).is_ok(), runs && room.is_active, "{:?}", action);
        }
    }
}

#[test]
fn an_author_edits_and_deletes_and_hosts_delete() {
    let open = room(1);
    let member = Membership::Member(Role::Participant);
    let who = |id| Actor { user_id: user(id), standing: Standing::Ordinary };
    let permitted = |action, id, membership| permit(action, who(id), &open, membership, NOW);
    assert_eq!(permitted(Action::EditMessage(user(2)), 2, member), Ok(()));
    assert_eq!(permitted(Action::EditMessage(user(2)), 1, member), Err(Denied::NotAllowed));
    assert_eq!(permitted(Action::DeleteMessage(user(2)), 1, member), Ok(()));
    assert_eq!(permitted(Action::DeleteMessage(user(2)), 3, Membership::Member(Role::Moderator)), Ok(()));
    assert_eq!(permitted(Action::DeleteMessage(user(2)), 3, member), Err(Denied::NotAllowed));
    assert_eq!(permitted(Action::DeleteMessage(user(2)), 2, Membership::Stranger), Err(Denied::NotMember));
}

#[test]
fn what_is_allowed_is_told_for_ones_own_messages_and_towards_others() {
    let who = |id| Actor { user_id: user(id), standing: Standing::Ordinary };
    let member = allowed(who(2), &room(1), Membership::Member(Role::Participant), NOW);
    for word in ["edit_message", "send_message", "leave"] {
        assert!(member.contains(&word), "{word}");
    }
    assert!(!member.contains(&"delete_message") && !member.contains(&"kick"));
    let owner = allowed(who(1), &room(1), Membership::Member(Role::Owner), NOW);
    assert_eq!(owner.len(), RULES.len());
}

#[test]
fn who_was_banned_sees_a_public_room_and_no_private_one() {
    let who = Actor { user_id: user(2), standing: Standing::Ordinary };
    assert!(sees(who, &room(1), Membership::Banned));
    let hidden = Room { visibility: Visibility::Private, ..room(1) };
    assert!(!sees(who, &hidden, Membership::Banned));
}

#[test]
fn names_inside_a_password_room_are_for_its_people() {
    let guarded = Room { visibility: Visibility::Password, ..room(1) };
    let who = Actor { user_id: user(2), standing: Standing::Ordinary };
    assert!(!sees_people(who, &guarded, Membership::Stranger));
    assert!(!sees_people(who, &guarded, Membership::Waiting));
    assert!(sees_people(who, &guarded, Membership::Member(Role::Participant)));
    assert!(sees_people(who, &room(1), Membership::Stranger));
}

#[test]
fn every_action_has_a_word_of_its_own_that_leads_back_to_its_rule() {
    let mut words: Vec<&str> = RULES.iter().map(|rule| rule.action).collect();
    for rule in RULES {
        let found = action(rule.action, user(1)).map(Action::rule);
        assert_eq!(found, Some(*rule));
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), RULES.len());
    assert_eq!(action("nothing", user(1)), None);
}

#[test]
fn the_table_is_as_the_contract_has_it() {
    let table: Vec<String> =
        RULES.iter().map(|rule| format!("{} {} {}", rule.action, rule.who.as_str(), rule.when.as_str())).collect();
    let contract = [
        "see_room anybody ever",
        "join anybody open",
        "leave member_or_waiting ever",
        "read_messages member ever",
        "send_message member open",
        "edit_message author open",
        "delete_message author_or_host open",
        "change_room host_or_administrator active",
        "delete_room owner_or_administrator ever",
        "end_meeting host_or_administrator active",
        "hand_on owner_or_administrator active",
        "read_link_code host_or_administrator active",
        "renew_link_code owner_or_administrator active",
        "see_members member ever",
        "see_lobby host active",
        "see_bans host active",
        "admit host_towards_others active",
        "deny host_towards_others active",
        "admit_all host active",
        "mute host_towards_others active",
        "kick host_towards_others active",
        "ban host_towards_others active",
        "lift_ban host_towards_others active",
        "promote host_towards_others active",
        "demote host_towards_others active",
        "export owner_or_administrator ever",
        "read_audit owner_or_administrator ever",
    ];
    assert_eq!(table, contract);
}
