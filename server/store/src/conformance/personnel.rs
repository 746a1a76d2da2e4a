//! Who works at a centre, how they prove it, and what they did.

use super::Engine;
use super::fixtures::{House, NOW, refused, staff, two_houses};
use crate::{
    AuditEntry, AuditFilter, Directory, Error, NewProfile, Personnel, Role, StaffEdit, StaffRow, StaffSession,
};
use synaq_core::ids::CentreId;
use synaq_core::time::At;

fn edit(roles: &[Role], disabled: bool) -> StaffEdit {
    StaffEdit {
        name: "Айгүл".into(), mail: Some("a@example.kz".into()), roles: roles.to_vec(), disabled
    }
}

async fn signed_in(store: &impl Directory, of: &StaffRow, hash: [u8; 32]) {
    let session = StaffSession { token_hash: hash, staff: of.id, expires_at: At(NOW.0 + 1_000) };
    store.add_staff_session(session).await.unwrap();
}

async fn added(store: &impl Directory, number: u32, centre: CentreId, roles: &[Role]) -> StaffRow {
    let row = StaffRow { roles: roles.to_vec(), password_hash: Some("x".into()), ..staff(number, centre) };
    store.add_staff(row.clone()).await.unwrap();
    row
}

/// As that person stands now.
async fn standing(store: &impl Directory, of: &StaffRow) -> StaffEdit {
    let StaffRow { name, mail, roles, disabled, .. } = store.staff(of.id).await.unwrap();
    StaffEdit { name, mail, roles, disabled }
}

/// A name changes nothing of that; another role and being disabled do, and the cookies are named.
pub async fn other_roles_and_being_disabled_end_sign_ins(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    added(&store, 900, house.centre, &[Role::Centre]).await;
    let row = added(&store, 901, house.centre, &[Role::Proctor]).await;
    signed_in(&store, &row, [7; 32]).await;
    let (was, same) = (standing(&store, &row).await, edit(&[Role::Proctor], false));
    refused!(store.edit_staff(other.centre, row.id, was.clone(), same.clone()).await, Error::NotFound);
    assert_eq!(
        store.edit_staff(house.centre, row.id, was, same.clone()).await.unwrap(),
        Vec::<[u8; 32]>::new()
    );
    let stored = store.staff_session([7; 32], NOW).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.mail.as_deref()), ("Айгүл", Some("a@example.kz")));
    let more = edit(&[Role::Auditor, Role::Proctor], false);
    assert_eq!(store.edit_staff(house.centre, row.id, same, more.clone()).await.unwrap(), [[7; 32]]);
    assert_eq!(store.staff_session([7; 32], NOW).await.unwrap(), None);
    assert_eq!(store.staff(row.id).await.unwrap().roles, [Role::Proctor, Role::Auditor]);
    signed_in(&store, &row, [8; 32]).await;
    let gone = StaffEdit { disabled: true, ..more.clone() };
    assert_eq!(store.edit_staff(house.centre, row.id, more, gone).await.unwrap(), [[8; 32]]);
    store.add_setup_token([9; 32], row.id, At(NOW.0 + 5)).await.unwrap();
    let members = store.members(house.centre).await.unwrap();
    let member = members.iter().find(|member| member.staff.id == row.id).unwrap();
    assert_eq!((member.staff.disabled, member.link_until), (true, Some(At(NOW.0 + 5))));
    store.end_setup_tokens(row.id).await.unwrap();
    assert_eq!(store.peek_setup_token([9; 32], NOW).await.unwrap(), None);
}

/// Two people with the same form open: the second one is told, and nothing of theirs is written.
pub async fn a_member_of_staff_is_edited_by_whoever_saw_the_newest(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let row = added(&store, 901, house.centre, &[Role::Proctor, Role::Author]).await;
    signed_in(&store, &row, [7; 32]).await;
    let seen = standing(&store, &row).await;
    let turned = StaffEdit { roles: seen.roles.iter().rev().copied().collect(), ..seen.clone() };
    let theirs = StaffEdit { name: "Айгүл".into(), ..seen.clone() };
    store.edit_staff(house.centre, row.id, turned, theirs.clone()).await.unwrap();
    let stale = [
        seen,
        StaffEdit { mail: Some("b@example.kz".into()), ..theirs.clone() },
        StaffEdit { roles: vec![Role::Author], ..theirs.clone() },
        StaffEdit { disabled: true, ..theirs.clone() },
    ];
    for was in stale {
        let disabled = edit(&[Role::Proctor], true);
        refused!(store.edit_staff(house.centre, row.id, was, disabled).await, Error::Changed);
    }
    assert_eq!(standing(&store, &row).await, theirs);
    assert!(store.staff_session([7; 32], NOW).await.unwrap().is_some());
}

/// Whoever has no password yet, or is disabled, manages nothing.
pub async fn nobody_takes_the_last_head_away(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let head = added(&store, 900, house.centre, &[Role::Centre]).await;
    let invited = StaffRow { roles: vec![Role::Centre], ..staff(901, house.centre) };
    store.add_staff(invited.clone()).await.unwrap();
    for wrong in [edit(&[Role::Proctor], false), edit(&[Role::Centre], true)] {
        let was = standing(&store, &head).await;
        refused!(store.edit_staff(house.centre, head.id, was, wrong).await, Error::Taken("last head"));
    }
    assert_eq!(store.staff(head.id).await.unwrap(), head);
    let (was, more) = (standing(&store, &head).await, edit(&[Role::Centre, Role::Author], false));
    store.edit_staff(house.centre, head.id, was, more.clone()).await.unwrap();
    store.set_password(invited.id, "y".into()).await.unwrap();
    store.edit_staff(house.centre, head.id, more, edit(&[Role::Centre], true)).await.unwrap();
}

fn profile(house: &House, after: u64, name: &str) -> NewProfile {
    let body = "{\"phone\":\"+7\"}".to_owned();
    NewProfile { after, name_kk: name.into(), name_ru: name.into(), body, at: NOW, by: house.staff }
}

/// Two people with the same page open: the second one is told.
pub async fn a_profile_is_saved_once_by_whoever_saw_the_newest(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    assert_eq!(store.profile(house.centre).await.unwrap(), None);
    refused!(store.save_profile(house.centre, profile(&house, 1, "A")).await, Error::Taken("profile"));
    assert_eq!(store.save_profile(house.centre, profile(&house, 0, "A")).await.unwrap(), 1);
    refused!(store.save_profile(house.centre, profile(&house, 0, "B")).await, Error::Taken("profile"));
    assert_eq!(store.save_profile(house.centre, profile(&house, 1, "C")).await.unwrap(), 2);
    let stored = store.profile(house.centre).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.saved_by, stored.saved_at), (2, house.staff, NOW));
    assert_eq!(store.centre(house.centre).await.unwrap().name_kk, "C");
    assert_eq!(store.profile(other.centre).await.unwrap(), None);
}

/// A secret counts after its first code; a step and a recovery code work once.
pub async fn a_second_factor_is_confirmed_once_and_each_code_used_once(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let id = house.staff;
    refused!(store.confirm_factor(id, 5, NOW, vec![]).await, Error::NotFound);
    store.offer_factor(id, vec![1]).await.unwrap();
    store.offer_factor(id, vec![2]).await.unwrap();
    assert!(!store.use_step(id, 6).await.unwrap(), "not confirmed yet");
    store.confirm_factor(id, 5, NOW, vec![[1; 32], [2; 32]]).await.unwrap();
    refused!(store.confirm_factor(id, 6, NOW, vec![]).await, Error::NotFound);
    refused!(store.offer_factor(id, vec![3]).await, Error::Taken("second factor"));
    assert!(!store.use_step(id, 5).await.unwrap(), "the confirming code was used");
    assert!(store.use_step(id, 6).await.unwrap());
    assert!(!store.use_step(id, 6).await.unwrap());
    assert!(store.use_recovery_code(id, [1; 32], NOW).await.unwrap());
    assert!(!store.use_recovery_code(id, [1; 32], NOW).await.unwrap());
    assert!(!store.use_recovery_code(id, [9; 32], NOW).await.unwrap());
    let row = store.factor(id).await.unwrap().unwrap();
    assert_eq!((row.sealed, row.confirmed_at, row.codes_left), (vec![2], Some(NOW), 1));
    store.remove_factor(id).await.unwrap();
    store.remove_factor(id).await.unwrap();
    assert_eq!(store.factor(id).await.unwrap(), None);
}

/// Until it is set up.
pub async fn a_rule_asks_for_a_second_factor_by_role(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let row = added(&store, 900, house.centre, &[Role::Proctor]).await;
    assert_eq!(store.factor_rule(house.centre).await.unwrap(), []);
    assert!(!store.factor_due(row.id).await.unwrap());
    for role in [Role::Auditor, Role::Proctor, Role::Proctor] {
        store.set_factor_rule(house.centre, role, true).await.unwrap();
    }
    assert!(store.factor_due(row.id).await.unwrap());
    store.offer_factor(row.id, vec![1]).await.unwrap();
    assert!(store.factor_due(row.id).await.unwrap());
    store.confirm_factor(row.id, 1, NOW, vec![]).await.unwrap();
    assert!(!store.factor_due(row.id).await.unwrap());
    for (role, needed) in [(Role::Proctor, false), (Role::Author, false), (Role::Centre, true)] {
        store.set_factor_rule(house.centre, role, needed).await.unwrap();
    }
    assert_eq!(store.factor_rule(house.centre).await.unwrap(), [Role::Centre, Role::Auditor]);
}

/// Newest first, by person, action, object and time.
pub async fn the_audit_log_is_read_page_by_page_and_by_what_is_asked_for(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    for (number, action, object) in [(1, "a", "x"), (2, "b", "x/1"), (3, "a", "y"), (4, "c", "x")] {
        let at = At(NOW.0 + number);
        let staff = (number != 3).then_some(house.staff);
        let entry =
            AuditEntry { at, centre: house.centre, staff, action: action.into(), object: object.into() };
        store.audit(entry).await.unwrap();
    }
    let page = async |filter: AuditFilter, before, limit| {
        let rows = store.audit_page(house.centre, &filter, before, limit).await.unwrap();
        rows.into_iter().map(|(number, entry)| (number, entry.at.0 - NOW.0)).collect::<Vec<_>>()
    };
    let all = || AuditFilter::default();
    let times = |rows: Vec<(i64, i64)>| rows.into_iter().map(|(_, at)| at).collect::<Vec<_>>();
    let first = page(all(), None, 3).await;
    assert_eq!(times(first.clone()), [4, 3, 2]);
    assert_eq!(times(page(all(), Some(first[2].0), 3).await), [1]);
    assert_eq!(times(page(AuditFilter { staff: Some(house.staff), ..all() }, None, 9).await), [4, 2, 1]);
    let actions = vec!["a".into(), "b".into()];
    assert_eq!(times(page(AuditFilter { actions, ..all() }, None, 9).await), [3, 2, 1]);
    assert_eq!(times(page(AuditFilter { object: Some("x".into()), ..all() }, None, 9).await), [4, 2, 1]);
    let (from, to) = (Some(At(NOW.0 + 2)), Some(At(NOW.0 + 4)));
    assert_eq!(times(page(AuditFilter { from, to, ..all() }, None, 9).await), [3, 2]);
    assert_eq!(store.audit_page(other.centre, &all(), None, 9).await.unwrap(), []);
}
