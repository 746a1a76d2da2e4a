//! Holds and erasures.

use super::Engine;
use super::fixtures::{
    House, NOW, candidate, event, events, lease, refused, session, sitting, summary, two_houses,
};
use crate::{
    Append, Batch, Directory, ERASED, Error, EventLog, Ground, HoldRow, KeptRow, Lifted, Retention, Summary,
};
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::retention::{DataClass, Standing};
use synaq_core::time::At;

const LATER: At = At(NOW.0 + 60_000);
const FAR: At = At(NOW.0 + 1_000 * 86_400_000);
/// As many bytes as three wrapped keys have, each byte telling whose it is.
const KEY: usize = 61;

fn keys() -> Vec<u8> {
    [vec![1; KEY], vec![2; KEY], vec![3; KEY]].concat()
}

fn hold(house: &House, of: SessionId) -> HoldRow {
    HoldRow {
        session: of,
        ground: Ground::Appeal,
        reason: "Өтініш № 7".into(),
        placed_at: NOW,
        placed_by: house.staff,
        lifted: None,
    }
}

fn lifted(house: &House) -> Lifted {
    Lifted { at: LATER, by: house.staff, note: "шешім шықты".into() }
}

async fn with_candidate<E: Engine>(engine: &E) -> (E::Store, House, House, SessionId) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let mut new = candidate(1, "KAZ:1");
    new.wrapped_key = keys();
    let id = new.session;
    store.add_candidates(house.centre, house.sitting, vec![new]).await.unwrap();
    (store, house, other, id)
}

async fn wrapped(store: &impl Directory, of: SessionId) -> Vec<u8> {
    store.session(of).await.unwrap().candidate.candidate.wrapped_key
}

/// One at a time, kept after it was lifted, and of the own centre alone.
pub async fn a_hold_is_placed_once_and_lifted_once(engine: &impl Engine) {
    let (store, house, other, id) = with_candidate(engine).await;
    refused!(store.place_hold(other.centre, hold(&house, id)).await, Error::NotFound);
    refused!(store.place_hold(house.centre, hold(&house, session(99))).await, Error::NotFound);
    refused!(store.lift_hold(house.centre, id, lifted(&house)).await, Error::NotFound);
    store.place_hold(house.centre, hold(&house, id)).await.unwrap();
    refused!(store.place_hold(house.centre, hold(&house, id)).await, Error::Taken("hold"));
    refused!(store.lift_hold(other.centre, id, lifted(&house)).await, Error::NotFound);
    store.lift_hold(house.centre, id, lifted(&house)).await.unwrap();
    refused!(store.lift_hold(house.centre, id, lifted(&house)).await, Error::NotFound);
    let again = HoldRow { ground: Ground::Centre, placed_at: LATER, ..hold(&house, id) };
    store.place_hold(house.centre, again.clone()).await.unwrap();
    let first = HoldRow { lifted: Some(lifted(&house)), ..hold(&house, id) };
    assert_eq!(store.holds(id).await.unwrap(), [first, again]);
    assert_eq!(store.holds(session(99)).await.unwrap(), []);
}

/// And what was begun is taken back, as long as its key is there.
pub async fn nothing_is_erased_under_a_hold(engine: &impl Engine) {
    let (store, house, _, id) = with_candidate(engine).await;
    store.begin_erasure(id, DataClass::Stills, "stills_days=1", NOW).await.unwrap();
    store.begin_erasure(id, DataClass::Photos, "photos_days=1", NOW).await.unwrap();
    store.destroy_key(id, DataClass::Photos, NOW).await.unwrap();
    store.place_hold(house.centre, hold(&house, id)).await.unwrap();
    refused!(
        store.begin_erasure(id, DataClass::Recordings, "recordings_days=1", NOW).await,
        Error::Taken("hold")
    );
    refused!(store.destroy_key(id, DataClass::Stills, NOW).await, Error::NotFound);
    let left: Vec<_> = store.open_erasures().await.unwrap().into_iter().map(|row| row.class).collect();
    assert_eq!(left, [DataClass::Photos]);
    assert_eq!(&wrapped(&store, id).await[..2 * KEY], &keys()[..2 * KEY]);
    store.lift_hold(house.centre, id, lifted(&house)).await.unwrap();
    store.begin_erasure(id, DataClass::Stills, "stills_days=1", LATER).await.unwrap();
}

/// Begun, without its key, done; each step again changes nothing.
pub async fn an_erasure_goes_step_by_step_and_each_step_once(engine: &impl Engine) {
    let (store, house, _, id) = with_candidate(engine).await;
    let class = DataClass::Recordings;
    refused!(store.destroy_key(id, class, NOW).await, Error::NotFound);
    refused!(store.begin_erasure(session(99), class, "x", NOW).await, Error::NotFound);
    store.begin_erasure(id, class, "recordings_days=120", NOW).await.unwrap();
    store.begin_erasure(id, class, "another rule", LATER).await.unwrap();
    refused!(store.end_erasure(id, class, NOW, None).await, Error::NotFound);
    assert_eq!(store.destroy_key(id, class, NOW).await.unwrap(), Some(vec![1; KEY]));
    assert_eq!(store.destroy_key(id, class, LATER).await.unwrap(), None);
    let expected = [vec![0; KEY], vec![2; KEY], vec![3; KEY]].concat();
    assert_eq!(wrapped(&store, id).await, expected);
    store.forget(&[vec![1; KEY]]).await.unwrap();
    store.forget(&[]).await.unwrap();
    let statement = Some("{\"jws\":1}".to_owned());
    store.end_erasure(id, class, LATER, statement.clone()).await.unwrap();
    store.end_erasure(id, class, FAR, None).await.unwrap();

    let store = engine.reopen(store).await;
    let rows = store.erasures(id).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].class, rows[0].rule.as_str()), (class, "recordings_days=120"));
    assert_eq!((rows[0].begun_at, rows[0].destroyed_at, rows[0].done_at), (NOW, Some(NOW), Some(LATER)));
    assert_eq!(rows[0].statement, statement);
    assert_eq!(store.open_erasures().await.unwrap(), []);
    let audit = store.audit_of(house.centre, 10).await.unwrap();
    let erased: Vec<_> = audit.iter().filter(|entry| entry.action == ERASED).collect();
    assert_eq!(erased.len(), 1);
    assert_eq!((&erased[0].object, erased[0].staff), (&format!("{id}/recordings"), None));
}

/// With what their periods depend on, by id, a page at a time, until every class is gone.
pub async fn sessions_are_listed_until_everything_of_them_is_erased(engine: &impl Engine) {
    let (store, house, _, id) = with_candidate(engine).await;
    let more = (2..6).map(|number| candidate(number, &format!("KAZ:{number}"))).collect();
    store.add_candidates(house.centre, house.sitting, more).await.unwrap();
    let lease = lease(&store).await;
    let approved = Append { kind: "record_approved".into(), at: LATER, ..event(id, 2) };
    let state = |state: &str, at| Summary { state: state.into(), finished_at: at, ..summary(id, false) };
    let batch = Batch { summaries: vec![state("approved", Some(NOW))], ..events([event(id, 1), approved]) };
    store.append(lease, Arc::new(batch)).await.unwrap();

    let closes_at = sitting(1_004, house.centre, house.programme).closes_at;
    let first = store.kept(None, FAR, 1).await.unwrap();
    let standing =
        Standing { held: false, started: true, closes_at, finished_at: Some(NOW), decided_at: Some(LATER) };
    assert_eq!(first, [KeptRow { session: id, centre: house.centre, standing }]);
    let rest = store.kept(Some(id), FAR, 10).await.unwrap();
    let unopened = Standing { started: false, finished_at: None, decided_at: None, ..standing };
    assert_eq!(rest.len(), 4);
    assert!(rest.is_sorted_by_key(|row| row.session) && rest.iter().all(|row| row.standing == unopened));
    assert_eq!(store.kept(None, closes_at, 10).await.unwrap(), []);

    store.place_hold(house.centre, hold(&house, id)).await.unwrap();
    assert!(store.kept(None, FAR, 1).await.unwrap()[0].standing.held);
    store.lift_hold(house.centre, id, lifted(&house)).await.unwrap();
    for class in DataClass::ALL {
        assert_eq!(store.kept(None, FAR, 1).await.unwrap()[0].session, id);
        store.begin_erasure(id, class, "x", NOW).await.unwrap();
        store.destroy_key(id, class, NOW).await.unwrap();
        store.end_erasure(id, class, NOW, None).await.unwrap();
    }
    assert!(wrapped(&store, id).await.iter().all(|byte| *byte == 0));
    assert_eq!(store.kept(None, FAR, 10).await.unwrap(), rest);
}
