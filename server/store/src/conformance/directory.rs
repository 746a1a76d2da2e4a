//! The directory.

use super::Engine;
use super::fixtures::{
    CENTRE, NOW, OTHER_CENTRE, bank, candidate, centre, programme, refused, session, sitting, staff,
    two_houses, uuid,
};
use crate::{
    AuditEntry, BankRow, CandidateMore, CandidateRow, CandidateStanding, CentreRow, Directory, Ended, Error,
    Role, SessionRow, ShiftNote, SittingRow, StaffSession, TrialRow, Why,
};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SittingId, StaffId};
use synaq_core::session::Care;
use synaq_core::time::{At, Span};

const TOKEN: [u8; 32] = [1; 32];
const OTHER_TOKEN: [u8; 32] = [2; 32];
const LATER: At = At(NOW.0 + 60_000);

fn sign_in(token_hash: [u8; 32], staff: StaffId, expires_at: At) -> StaffSession {
    StaffSession { token_hash, staff, expires_at }
}

/// `Taken("bin")`, and lists by name.
pub async fn centres_are_unique_by_bin_and_sorted_by_name(engine: &impl Engine) {
    let store = engine.fresh().await;
    let second = CentreRow { name_ru: "Б".into(), ..centre(CENTRE) };
    let first = CentreRow { name_ru: "А".into(), ..centre(OTHER_CENTRE) };
    store.add_centre(second.clone()).await.unwrap();
    store.add_centre(first.clone()).await.unwrap();
    let same_bin = CentreRow { id: CentreId(uuid(9)), ..centre(CENTRE) };
    refused!(store.add_centre(same_bin).await, Error::Taken("bin"));
    assert_eq!(store.centres().await.unwrap(), [first, second.clone()]);
    assert_eq!(store.centre(CENTRE).await.unwrap(), second);
    refused!(store.centre(CentreId(uuid(9))).await, Error::NotFound);
}

/// Also across centres, so that a login needs no centre beside it.
pub async fn logins_are_unique_in_the_installation(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let mut person = staff(1, house.centre);
    person.roles = vec![Role::Proctor];
    store.add_staff(person.clone()).await.unwrap();
    let mut clash = staff(2, other.centre);
    clash.login = person.login.clone();
    refused!(store.add_staff(clash).await, Error::Taken("login"));
    refused!(store.staff(StaffId(uuid(2))).await, Error::NotFound);
    refused!(store.add_staff(staff(3, CentreId(uuid(77)))).await, Error::NotFound);

    assert_eq!(store.staff_by_login(&person.login).await.unwrap(), Some(person.clone()));
    assert_eq!(store.staff_by_login("nobody").await.unwrap(), None);
    assert_eq!(store.staff(person.id).await.unwrap(), person);
}

/// Nobody of another centre, and roles as they were given.
pub async fn staff_of_lists_one_centre_by_login(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let mut person = staff(1, house.centre);
    person.roles = vec![];
    store.add_staff(person.clone()).await.unwrap();
    let own = store.staff_of(house.centre).await.unwrap();
    assert_eq!(own, [person, staff(1_001, house.centre)]);
    assert_eq!(store.staff_of(other.centre).await.unwrap(), [staff(2_001, other.centre)]);
}

/// Once, before it expires, and looking does not use it up.
pub async fn a_setup_token_works_once_and_in_time(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    refused!(store.add_setup_token(TOKEN, StaffId(uuid(9)), LATER).await, Error::NotFound);
    store.add_setup_token(TOKEN, house.staff, LATER).await.unwrap();
    assert_eq!(store.peek_setup_token(TOKEN, LATER).await.unwrap(), None);
    assert_eq!(store.take_setup_token(TOKEN, LATER).await.unwrap(), None);
    assert_eq!(store.take_setup_token(OTHER_TOKEN, NOW).await.unwrap(), None);
    let just_in_time = LATER - Span(1);
    assert_eq!(store.peek_setup_token(TOKEN, just_in_time).await.unwrap(), Some(house.staff));
    assert_eq!(store.take_setup_token(TOKEN, just_in_time).await.unwrap(), Some(house.staff));
    assert_eq!(store.take_setup_token(TOKEN, just_in_time).await.unwrap(), None);
    assert_eq!(store.peek_setup_token(TOKEN, NOW).await.unwrap(), None);
}

/// Of that person, in every browser, and of nobody else.
pub async fn a_new_password_ends_every_sign_in(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    store.add_staff_session(sign_in(TOKEN, house.staff, LATER)).await.unwrap();
    store.add_staff_session(sign_in([3; 32], house.staff, LATER)).await.unwrap();
    store.add_staff_session(sign_in(OTHER_TOKEN, other.staff, LATER)).await.unwrap();
    store.set_password(house.staff, "$argon2id$x".into()).await.unwrap();
    assert_eq!(store.staff(house.staff).await.unwrap().password_hash.as_deref(), Some("$argon2id$x"));
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap(), None);
    assert_eq!(store.staff_session([3; 32], NOW).await.unwrap(), None);
    assert_eq!(store.staff_session(OTHER_TOKEN, NOW).await.unwrap().unwrap().id, other.staff);
    refused!(store.set_password(StaffId(uuid(9)), "x".into()).await, Error::NotFound);
}

/// The three ways out.
pub async fn a_sign_in_ends_by_time_by_sign_out_and_for_the_disabled(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let mut disabled = staff(1, house.centre);
    disabled.disabled = true;
    store.add_staff(disabled.clone()).await.unwrap();
    store.add_staff_session(sign_in(OTHER_TOKEN, disabled.id, LATER)).await.unwrap();
    assert_eq!(store.staff_session(OTHER_TOKEN, NOW).await.unwrap(), None);

    store.add_staff_session(sign_in(TOKEN, house.staff, LATER)).await.unwrap();
    let signed_in = store.staff_session(TOKEN, LATER - Span(1)).await.unwrap();
    assert_eq!(signed_in, Some(staff(1_001, house.centre)));
    assert_eq!(store.staff_session(TOKEN, LATER).await.unwrap(), None);
    store.end_staff_session(TOKEN).await.unwrap();
    store.end_staff_session(TOKEN).await.unwrap();
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap(), None);
    refused!(store.add_staff_session(sign_in(TOKEN, StaffId(uuid(9)), LATER)).await, Error::NotFound);
}

/// The same cookie of the same person with a later end; never of another person.
pub async fn a_sign_in_is_renewed_by_keeping_it_again(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    store.add_staff_session(sign_in(TOKEN, house.staff, NOW)).await.unwrap();
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap(), None);
    store.add_staff_session(sign_in(TOKEN, house.staff, LATER)).await.unwrap();
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap().unwrap().id, house.staff);
    let stolen = store.add_staff_session(sign_in(TOKEN, other.staff, LATER)).await;
    refused!(stolen, Error::Taken("session token"));
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap().unwrap().id, house.staff);
}

/// Nothing that is still good goes, and nothing that is over stays.
pub async fn what_is_over_is_purged(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    store.add_staff_session(sign_in(TOKEN, house.staff, NOW)).await.unwrap();
    store.add_staff_session(sign_in(OTHER_TOKEN, house.staff, LATER)).await.unwrap();
    store.add_setup_token(TOKEN, house.staff, NOW).await.unwrap();
    store.add_setup_token(OTHER_TOKEN, house.staff, LATER).await.unwrap();
    assert_eq!(store.purge_expired(NOW - Span(1)).await.unwrap(), 0);
    assert_eq!(store.purge_expired(NOW).await.unwrap(), 2);
    assert_eq!(store.purge_expired(NOW).await.unwrap(), 0);
    assert!(store.staff_session(OTHER_TOKEN, NOW).await.unwrap().is_some());
    assert_eq!(store.peek_setup_token(OTHER_TOKEN, NOW).await.unwrap(), Some(house.staff));
}

/// The same file is the same row; another file needs another version; other centres have their own slugs.
pub async fn a_bank_version_is_immutable(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let existing = bank(1_002, house.centre, 1);
    let same_file = BankRow { id: BankId(uuid(1)), imported_at: LATER, ..existing.clone() };
    assert_eq!(store.add_bank(same_file).await.unwrap(), existing);
    refused!(store.add_bank(bank(1, house.centre, 1)).await, Error::Taken("bank version"));
    let newer = bank(1, house.centre, 2);
    assert_eq!(store.add_bank(newer.clone()).await.unwrap(), newer);
    assert_eq!(store.banks(house.centre).await.unwrap(), [newer, existing]);
    assert_eq!(store.banks(other.centre).await.unwrap(), [bank(2_002, other.centre, 1)]);
    refused!(store.add_bank(bank(5, CentreId(uuid(77)), 1)).await, Error::NotFound);
}

/// As banks; the bank version it draws from is part of it.
pub async fn a_programme_version_is_immutable(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let existing = programme(1_003, house.centre, house.bank, 1);
    let mut again = existing.clone();
    again.id = ProgrammeId(uuid(1));
    again.created_at = LATER;
    assert_eq!(store.add_programme(again.clone()).await.unwrap(), existing);
    let newer_bank = bank(2, house.centre, 2);
    store.add_bank(newer_bank.clone()).await.unwrap();
    again.bank = newer_bank.id;
    refused!(store.add_programme(again.clone()).await, Error::Taken("programme version"));
    again.bank = house.bank;
    again.source.push(' ');
    refused!(store.add_programme(again).await, Error::Taken("programme version"));
    let newer = programme(1, house.centre, newer_bank.id, 2);
    assert_eq!(store.add_programme(newer.clone()).await.unwrap(), newer);
    assert_eq!(store.programmes(house.centre).await.unwrap(), [newer, existing]);
}

/// Every method that takes a centre, with every kind of row of the other one.
pub async fn another_centres_rows_are_not_found(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let of_other = vec![candidate(1, "KAZ:1")];
    store.add_candidates(other.centre, other.sitting, of_other.clone()).await.unwrap();

    refused!(store.bank(house.centre, other.bank).await, Error::NotFound);
    refused!(store.programme(house.centre, other.programme).await, Error::NotFound);
    refused!(store.sitting(house.centre, other.sitting).await, Error::NotFound);
    refused!(store.candidates(house.centre, other.sitting).await, Error::NotFound);
    refused!(store.add_candidates(house.centre, other.sitting, vec![]).await, Error::NotFound);
    let added = store.add_candidates(house.centre, other.sitting, vec![candidate(2, "KAZ:2")]).await;
    refused!(added, Error::NotFound);
    let over_foreign_bank = programme(1, house.centre, other.bank, 7);
    refused!(store.add_programme(over_foreign_bank).await, Error::NotFound);
    let of_foreign_programme = sitting(1, house.centre, other.programme);
    refused!(store.add_sitting(of_foreign_programme).await, Error::NotFound);

    assert_eq!(store.bank(other.centre, other.bank).await.unwrap(), bank(2_002, other.centre, 1));
    assert_eq!(store.candidates(other.centre, other.sitting).await.unwrap().len(), 1);
    assert_eq!(store.programmes(house.centre).await.unwrap().len(), 1);
    refused!(store.bank(house.centre, BankId(uuid(9))).await, Error::NotFound);
    refused!(store.sitting(house.centre, SittingId(uuid(9))).await, Error::NotFound);
}

/// Lists never mix centres.
pub async fn lists_hold_the_own_centre_newest_first(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let newer = sitting(1_500, house.centre, house.programme);
    let older = sitting(1_004, house.centre, house.programme);
    store.add_sitting(newer.clone()).await.unwrap();
    for (house, number) in [(house, 10), (other, 20)] {
        let two = vec![candidate(number, "KAZ:1"), candidate(number + 1, "KAZ:2")];
        store.add_candidates(house.centre, house.sitting, two).await.unwrap();
    }
    store.add_candidates(house.centre, newer.id, vec![candidate(30, "KAZ:1")]).await.unwrap();

    let sittings = store.sittings(house.centre).await.unwrap();
    assert_eq!(sittings, [(newer.clone(), 1), (older.clone(), 2)]);
    assert_eq!(store.sitting(house.centre, newer.id).await.unwrap(), newer);
    assert_eq!(store.sittings(CentreId(uuid(9))).await.unwrap(), []);
}

/// A second upload of a longer list adds the new ones behind the old ones.
pub async fn candidates_keep_their_places_and_come_once(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let row = |number, identity, place| CandidateRow {
        candidate: candidate(number, identity),
        centre: house.centre,
        sitting: house.sitting,
        place,
        standing: CandidateStanding::default(),
    };
    let first = vec![candidate(1, "KAZ:1"), candidate(2, "KAZ:2"), candidate(3, "KAZ:1")];
    let added = store.add_candidates(house.centre, house.sitting, first).await.unwrap();
    assert_eq!(added, [row(1, "KAZ:1", 0), row(2, "KAZ:2", 1)]);
    let second = vec![candidate(4, "KAZ:2"), candidate(5, "KAZ:0")];
    let added = store.add_candidates(house.centre, house.sitting, second).await.unwrap();
    assert_eq!(added, [row(5, "KAZ:0", 2)]);
    let all = store.candidates(house.centre, house.sitting).await.unwrap();
    assert_eq!(all, [row(1, "KAZ:1", 0), row(2, "KAZ:2", 1), row(5, "KAZ:0", 2)]);
}

/// One session id that is taken, and nobody of the list is added.
pub async fn candidates_come_all_or_none(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let taken = vec![candidate(1, "KAZ:1")];
    store.add_candidates(other.centre, other.sitting, taken).await.unwrap();
    let list = vec![candidate(2, "KAZ:2"), candidate(1, "KAZ:3")];
    let added = store.add_candidates(house.centre, house.sitting, list).await;
    refused!(added, Error::Taken("session"));
    assert_eq!(store.candidates(house.centre, house.sitting).await.unwrap(), []);
    refused!(store.session(session(2)).await, Error::NotFound);
}

/// Lists of many statements are one transaction with dense places.
pub async fn many_candidates_come_at_once(engine: &impl Engine) {
    const MANY: u32 = 1_337;
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let list = (0..MANY).map(|number| candidate(10_000 + number, &format!("KAZ:{number}"))).collect();
    store.add_candidates(house.centre, house.sitting, list).await.unwrap();
    let all = store.candidates(house.centre, house.sitting).await.unwrap();
    assert_eq!(all.iter().map(|row| row.place).collect::<Vec<_>>(), (0..MANY).collect::<Vec<_>>());
    assert_eq!(store.sittings(house.centre).await.unwrap()[0].1, MANY);
}

/// Opening a session takes one call.
pub async fn a_session_row_holds_everything(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let list = vec![candidate(1, "KAZ:1")];
    let candidate = store.add_candidates(house.centre, house.sitting, list).await.unwrap().remove(0);
    let expected = SessionRow {
        candidate,
        sitting: sitting(1_004, house.centre, house.programme),
        programme: programme(1_003, house.centre, house.bank, 1).into(),
        bank: bank(1_002, house.centre, 1).into(),
        centre: centre(house.centre),
    };
    for _ in 0..2 {
        assert_eq!(store.session(session(1)).await.unwrap(), expected);
    }
    refused!(store.session(session(2)).await, Error::NotFound);
}

/// A note per session, and only of a session that is there.
pub async fn the_newest_trial_run_of_a_session_stands(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let list = vec![candidate(1, "KAZ:1"), candidate(2, "KAZ:2")];
    store.add_candidates(house.centre, house.sitting, list).await.unwrap();
    let note = |number, at, report: &str| TrialRow { session: session(number), at, report: report.into() };
    assert_eq!(store.trial(session(1)).await.unwrap(), None);
    store.put_trial(note(1, NOW, "{\"camera\":false}")).await.unwrap();
    store.put_trial(note(1, LATER, "{\"camera\":true}")).await.unwrap();
    refused!(store.put_trial(note(3, NOW, "{}")).await, Error::NotFound);
    let store = engine.reopen(store).await;
    assert_eq!(store.trial(session(1)).await.unwrap(), Some(note(1, LATER, "{\"camera\":true}")));
    assert_eq!(store.trial(session(2)).await.unwrap(), None);
}

/// The newest lines, of one centre.
pub async fn the_audit_log_lists_one_centre_newest_first(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let entry = |centre, staff, object: &str| AuditEntry {
        at: NOW,
        centre,
        staff,
        action: "evidence_viewed".into(),
        object: object.into(),
    };
    let own: Vec<_> = ["1", "2", "3"].map(|o| entry(house.centre, Some(house.staff), o)).into();
    let foreign = entry(other.centre, None, "4");
    for line in own.iter().chain([&foreign]) {
        store.audit(line.clone()).await.unwrap();
    }
    refused!(store.audit(entry(CentreId(uuid(9)), None, "5")).await, Error::NotFound);
    assert_eq!(store.audit_of(house.centre, 2).await.unwrap(), [own[2].clone(), own[1].clone()]);
    assert_eq!(store.audit_of(house.centre, 100).await.unwrap().len(), own.len());
    assert_eq!(store.audit_of(other.centre, 100).await.unwrap(), [foreign]);
}

/// The newest notes, of one sitting, also after a restart.
pub async fn notes_of_a_shift_are_listed_newest_first(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let note = |centre, sitting, text: &str| ShiftNote {
        centre,
        sitting,
        staff: house.staff,
        at: NOW,
        text: text.into(),
    };
    let own: Vec<_> = ["1", "2", "3"].map(|text| note(house.centre, house.sitting, text)).into();
    for line in &own {
        store.add_shift_note(line.clone()).await.unwrap();
    }
    refused!(store.add_shift_note(note(other.centre, house.sitting, "4")).await, Error::NotFound);
    let store = engine.reopen(store).await;
    assert_eq!(
        store.shift_notes(house.centre, house.sitting, 2).await.unwrap(),
        [own[2].clone(), own[1].clone()]
    );
    assert_eq!(store.shift_notes(other.centre, house.sitting, 9).await.unwrap(), []);
}

/// Rows, sign-ins and tokens are durable as events are.
pub async fn the_directory_survives_a_restart(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    store.add_candidates(house.centre, house.sitting, vec![candidate(1, "KAZ:1")]).await.unwrap();
    store.add_staff_session(sign_in(TOKEN, house.staff, LATER)).await.unwrap();
    store.add_setup_token(OTHER_TOKEN, house.staff, LATER).await.unwrap();
    let before = store.session(session(1)).await.unwrap();
    let store = engine.reopen(store).await;
    assert_eq!(store.session(session(1)).await.unwrap(), before);
    assert_eq!(store.staff_session(TOKEN, NOW).await.unwrap().unwrap().id, house.staff);
    assert_eq!(store.take_setup_token(OTHER_TOKEN, NOW).await.unwrap(), Some(house.staff));
}

fn why(house: &super::fixtures::House, reason: &str) -> Why {
    Why { at: LATER, by: house.staff, reason: reason.to_owned() }
}

/// Moved, cancelled, with a capacity: each difference with who and why; the second of two editors is told.
pub async fn a_sitting_is_changed_by_version_and_every_change_is_kept(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let read = store.sitting(house.centre, house.sitting).await.unwrap();
    let mut moved = read.clone();
    moved.opens_at = At(read.opens_at.0 + 5);
    moved.standing.capacity = Some(2);
    let stored = store.change_sitting(moved.clone(), why(&house, "Электр")).await.unwrap();
    assert_eq!(stored.standing.version, 2);
    moved.standing.version = 2;
    assert_eq!(stored, moved);
    assert_eq!(store.sitting(house.centre, house.sitting).await.unwrap(), stored);
    refused!(store.change_sitting(read.clone(), why(&house, "late")).await, Error::Changed);

    let mut cancelled = stored;
    cancelled.standing.cancelled = Some(Ended { at: LATER, reason: "Карантин".to_owned() });
    let cancelled = store.change_sitting(cancelled, why(&house, "Карантин")).await.unwrap();
    assert_eq!(store.sitting(house.centre, house.sitting).await.unwrap(), cancelled);
    let changes = store.changes_of(house.centre, house.sitting.0).await.unwrap();
    let said: Vec<_> = changes.iter().map(|change| (change.field.as_str(), change.reason.as_str())).collect();
    assert_eq!(said, [("opens_at", "Электр"), ("capacity", "Электр"), ("cancelled", "Карантин")]);
    assert_eq!(changes[0].old, read.opens_at.0.to_string());
    assert_eq!((changes[1].old.as_str(), changes[1].new.as_str()), ("", "2"));
    assert_eq!((changes[0].at, changes[0].staff), (LATER, house.staff));

    let mut foreign = cancelled;
    foreign.centre = other.centre;
    refused!(store.change_sitting(foreign, why(&other, "x")).await, Error::NotFound);
    assert_eq!(store.changes_of(other.centre, house.sitting.0).await.unwrap(), []);
}

/// A session that is opened after its sitting was moved gets the new times: nothing keeps the old ones.
pub async fn a_moved_sitting_is_what_its_sessions_are_opened_with(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    store.add_candidates(house.centre, house.sitting, vec![candidate(1, "KAZ:1")]).await.unwrap();
    let before = store.session(session(1)).await.unwrap().sitting;
    let mut moved = before.clone();
    moved.closes_at = At(before.closes_at.0 + 60_000);
    store.change_sitting(moved.clone(), why(&house, "later")).await.unwrap();
    assert_eq!(store.session(session(1)).await.unwrap().sitting.closes_at, moved.closes_at);
}

/// The whole list or nobody; who is withdrawn frees a seat.
pub async fn a_sitting_takes_no_more_than_it_has_room_for(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let mut small = store.sitting(house.centre, house.sitting).await.unwrap();
    small.standing.capacity = Some(2);
    store.change_sitting(small, why(&house, "room")).await.unwrap();
    let three = (1..=3).map(|number| candidate(number, &format!("KAZ:{number}"))).collect();
    refused!(store.add_candidates(house.centre, house.sitting, three).await, Error::Full { capacity: 2 });
    assert_eq!(store.candidates(house.centre, house.sitting).await.unwrap(), []);
    let two = (1..=2).map(|number| candidate(number, &format!("KAZ:{number}"))).collect();
    let added: Vec<CandidateRow> = store.add_candidates(house.centre, house.sitting, two).await.unwrap();
    // Somebody who is there already needs no seat.
    let again = store.add_candidates(house.centre, house.sitting, vec![candidate(9, "KAZ:1")]).await.unwrap();
    assert_eq!(again, []);
    let late = || vec![candidate(3, "KAZ:3")];
    refused!(store.add_candidates(house.centre, house.sitting, late()).await, Error::Full { capacity: 2 });
    let mut gone = added[0].clone();
    gone.standing.withdrawn = Some(Ended { at: LATER, reason: "ill".to_owned() });
    store.change_candidate(gone, why(&house, "ill")).await.unwrap();
    let late = store.add_candidates(house.centre, house.sitting, late()).await.unwrap();
    assert_eq!(late[0].place, 2, "places stay where they are");
    let count = |rows: Vec<(SittingRow, u32)>| rows[0].1;
    assert_eq!(count(store.sittings(house.centre).await.unwrap()), 2);
}

/// Name, accommodation, address: what it said before stays readable, with who changed it and why.
pub async fn a_candidate_is_changed_by_version_and_every_change_is_kept(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let mut new = candidate(1, "KAZ:1");
    new.more = CandidateMore {
        email: Some("a@example.kz".to_owned()),
        extra_pct: Some(25),
        care: Care { breaks: true, hearing_aid: true, note: Some("Сурдоаудармашы".to_owned()) },
        replaces: None,
    };
    let plain = candidate(2, "KAZ:2");
    let added = store.add_candidates(house.centre, house.sitting, vec![new, plain]).await.unwrap();
    assert_eq!(store.candidates(house.centre, house.sitting).await.unwrap(), added);
    assert_eq!(store.candidate(house.centre, session(1)).await.unwrap(), added[0]);
    refused!(store.candidate(other.centre, session(1)).await, Error::NotFound);

    let mut right = added[0].clone();
    right.candidate.name = "Әлия".to_owned();
    right.candidate.more.care.breaks = false;
    right.candidate.more.email = None;
    let stored = store.change_candidate(right.clone(), why(&house, "Құжат бойынша")).await.unwrap();
    assert_eq!((stored.standing.version, stored.candidate.name.as_str()), (2, "Әлия"));
    assert_eq!(store.session(session(1)).await.unwrap().candidate, stored);
    refused!(store.change_candidate(added[0].clone(), why(&house, "late")).await, Error::Changed);
    let fields: Vec<_> = store.changes_of(house.centre, session(1).0).await.unwrap();
    let fields: Vec<_> = fields.iter().map(|change| (change.field.as_str(), change.new.as_str())).collect();
    assert_eq!(fields, [("name", "Әлия"), ("email", ""), ("breaks", "false")]);
    let mut foreign = stored;
    foreign.centre = other.centre;
    refused!(store.change_candidate(foreign, why(&other, "x")).await, Error::NotFound);
}

/// The old attempt stays, the new one is the same person's second in the sitting, and there is no third of the first.
pub async fn a_voided_attempt_is_replaced_once(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let added = store.add_candidates(house.centre, house.sitting, vec![candidate(1, "KAZ:1")]).await.unwrap();
    let mut voided = added[0].clone();
    voided.standing.voided = Some(("technical".to_owned(), Ended { at: LATER, reason: "Сервер".to_owned() }));
    let voided = store.change_candidate(voided, why(&house, "Сервер")).await.unwrap();
    let next = |number| {
        let mut next = candidate(number, "KAZ:1");
        next.more.replaces = Some(session(1));
        vec![next]
    };
    assert_eq!(store.replacement(house.centre, session(1)).await.unwrap(), None);
    let second = store.add_candidates(house.centre, house.sitting, next(2)).await.unwrap();
    assert_eq!((second[0].standing.attempt, second[0].place), (2, 1));
    refused!(store.add_candidates(house.centre, house.sitting, next(3)).await, Error::Taken("attempt"));
    assert_eq!(store.replacement(house.centre, session(1)).await.unwrap(), Some(session(2)));
    let rows = store.candidates(house.centre, house.sitting).await.unwrap();
    assert_eq!(rows, [voided, second[0].clone()]);
}
