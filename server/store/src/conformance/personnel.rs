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

/// A name changes nothing of that; another role and being disabled do, and the cookies are named.
pub async fn other_roles_and_being_disabled_end_sign_ins(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    added(&store, 900, house.centre, &[Role::Centre]).await;
    let row = added(&store, 901, house.centre, &[Role::Proctor]).await;
    signed_in(&store, &row, [7; 32]).await;
    let same = edit(&[Role::Proctor], false);
    refused!(store.edit_staff(other.centre, row.id, same.clone()).await, Error::NotFound);
    assert_eq!(store.edit_staff(house.centre, row.id, same).await.unwrap(), Vec::<[u8; 32]>::new());
    let stored = store.staff_session([7; 32], NOW).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.mail.as_deref()), ("Айгүл", Some("a@example.kz")));
    let more = edit(&[Role::Auditor, Role::Proctor], false);
    assert_eq!(store.edit_staff(house.centre, row.id, more.clone()).await.unwrap(), [[7; 32]]);
    assert_eq!(store.staff_session([7; 32], NOW).await.unwrap(), None);
    assert_eq!(store.staff(row.id).await.unwrap().roles, [Role::Proctor, Role::Auditor]);
    signed_in(&store, &row, [8; 32]).await;
    let gone = StaffEdit { disabled: true, ..more };
    assert_eq!(store.edit_staff(house.centre, row.id, gone).await.unwrap(), [[8; 32]]);
    store.add_setup_token([9; 32], row.id, At(NOW.0 + 5)).await.unwrap();
    let members = store.members(house.centre).await.unwrap();
    let member = members.iter().find(|member| member.staff.id == row.id).unwrap();
    assert_eq!((member.staff.disabled, member.link_until), (true, Some(At(NOW.0 + 5))));
    store.end_setup_tokens(row.id).await.unwrap();
    assert_eq!(store.peek_setup_token([9; 32], NOW).await.unwrap(), None);
}

/// Whoever has no password yet, or is disabled, manages nothing.
pub async fn nobody_takes_the_last_head_away(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let head = added(&store, 900, house.centre, &[Role::Centre]).await;
    let invited = StaffRow { roles: vec![Role::Centre], ..staff(901, house.centre) };
    store.add_staff(invited.clone()).await.unwrap();
    for wrong in [edit(&[Role::Proctor], false), edit(&[Role::Centre], true)] {
        refused!(store.edit_staff(house.centre, head.id, wrong).await, Error::Taken("last head"));
    }
    assert_eq!(store.staff(head.id).await.unwrap(), head);
    store.edit_staff(house.centre, head.id, edit(&[Role::Centre, Role::Author], false)).await.unwrap();
    store.set_password(invited.id, "y".into()).await.unwrap();
    store.edit_staff(house.centre, head.id, edit(&[Role::Centre], true)).await.unwrap();
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
    store.set_factor_rule(house.centre, vec![Role::Auditor, Role::Proctor]).await.unwrap();
    assert!(store.factor_due(row.id).await.unwrap());
    store.offer_factor(row.id, vec![1]).await.unwrap();
    assert!(store.factor_due(row.id).await.unwrap());
    store.confirm_factor(row.id, 1, NOW, vec![]).await.unwrap();
    assert!(!store.factor_due(row.id).await.unwrap());
    store.set_factor_rule(house.centre, vec![Role::Auditor, Role::Centre]).await.unwrap();
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
