//! Databases that an earlier version left.

use crate::support::{STREAM, events};
use synaq_core::ids::{CentreId, Seq, SittingId, StaffId};
use synaq_core::time::At;
use synaq_store::{
    ClockMark, Clocks as _, DeliveryState, Directory as _, EventLog as _, Lists as _, MessageKind,
    Outbox as _, Personnel as _, ResultsAsked, ResultsBy, Role, SittingsAsked, SittingsBy, Span,
};
use synaq_store_postgres::{Database, PostgresStore};
use synaq_test_postgres::shared;
use uuid::Uuid;

/// Of the tables that everything began with.
const FIRST: i64 = 2;
const CENTRE: CentreId = CentreId(Uuid::from_u128(10));
const HEAD: StaffId = StaffId(Uuid::from_u128(11));
const SITTING: SittingId = SittingId(Uuid::from_u128(14));

/// A centre in the middle of its work: an exam whose record was accepted and whose approval waits.
const ROWS: &str = "
INSERT INTO centre VALUES (uuid(10), '061211600012', 'Орталық', 'Центр');
INSERT INTO staff VALUES (uuid(11), uuid(10), 'head', 'Айгүл', 'hash', false);
INSERT INTO staff_role VALUES (uuid(11), 'centre'), (uuid(11), 'commission');
INSERT INTO bank (id, centre, slug, version, source, sha256, imported_at) VALUES (uuid(12), uuid(10), 'b', 1, '', '', 0);
INSERT INTO programme (id, centre, slug, version, source, bank, created_at)
    VALUES (uuid(13), uuid(10), 'p', 1, '', uuid(12), 0);
INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at)
    VALUES (uuid(14), uuid(10), uuid(13), 'Таңғы топ', 0, 1);
INSERT INTO candidate (session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key) VALUES
    (uuid(1), uuid(10), uuid(14), 0, 'Ұлан', '123456789013', 15, '{HEADPHONES}', '\\x0102'),
    (uuid(2), uuid(10), uuid(14), 1, 'Әлия', 'KZ:1234', 0, '{}', '\\x03');
INSERT INTO event VALUES (uuid(1), 1, 5, 'created', '{}', decode(repeat('00', 32), 'hex'));
INSERT INTO summary VALUES (uuid(1), 'sealed', 'submitted', 'passed', 8, 10, 0, 5, 9, false);
INSERT INTO outbox (message, session, kind, body, sha256, created_at, state, due_at, settled_at, receipt) VALUES
    (uuid(21), uuid(1), 'record', '{}', decode(repeat('00', 32), 'hex'), 9, 'accepted', 9, 10, 'receipt'),
    (uuid(22), uuid(1), 'approval', '{}', decode(repeat('00', 32), 'hex'), 11, 'queued', 11, NULL, NULL);
INSERT INTO audit (at, centre, staff, action, object) VALUES (7, uuid(10), uuid(11), 'signed_in', '');";

/// As the first version would have left it, brought up to date.
async fn brought_up() -> PostgresStore {
    let url = shared().unwrap().fresh_database().unwrap();
    let older = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::migrate!("../../migrations/postgres").run_to(FIRST, &older).await.unwrap();
    let numbered = "CREATE FUNCTION pg_temp.uuid(n integer) RETURNS uuid LANGUAGE sql
        RETURN lpad(to_hex(n), 32, '0')::uuid;";
    let rows = ROWS.replace("uuid(", "pg_temp.uuid(");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{numbered}{rows}"))).execute(&older).await.unwrap();
    older.close().await;
    PostgresStore::open(&Database::parse(&url).unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_rows_of_the_first_version_are_found_sorted_and_searched_by_this_one() {
    let store = brought_up().await;
    let span = Span { offset: 0, limit: 10 };
    let words = vec![synaq_store::fold("ТАҢ")];
    let sittings = SittingsAsked { words, open_at: None, by: SittingsBy::Title, down: false, span };
    let sittings = store.sittings_page(CENTRE, &sittings).await.unwrap();
    assert_eq!(sittings.rows.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), [SITTING]);
    let asked = |word: Option<&str>| ResultsAsked {
        words: word.into_iter().map(synaq_store::fold).collect(),
        states: Vec::new(),
        sitting: None,
        by: ResultsBy::Name,
        down: false,
        span,
    };
    let names = async |word| {
        let page = store.results_page(CENTRE, &asked(word)).await.unwrap();
        page.rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    // The Kazakh alphabet, which the database does not know.
    assert_eq!(names(None).await, ["Әлия", "Ұлан"]);
    assert_eq!(names(Some("ӘЛ")).await, ["Әлия"]);
    let candidate = store.candidate(CENTRE, STREAM).await.unwrap();
    assert_eq!((candidate.standing.attempt, candidate.standing.version), (1, 1));
    assert_eq!((candidate.candidate.extra_minutes, &*candidate.candidate.wrapped_key), (15, &[1, 2][..]));
    let standing = store.centre_standing(CENTRE).await.unwrap();
    assert_eq!((standing.banks, standing.programmes, standing.sittings, standing.candidates), (1, 1, 1, 2));
}

#[tokio::test]
async fn people_events_and_messages_of_the_first_version_are_all_there() {
    let store = brought_up().await;
    let head = store.staff_by_login("head").await.unwrap().unwrap();
    assert_eq!((head.id, head.mail, head.roles), (HEAD, None, vec![Role::Centre, Role::Commission]));
    assert_eq!(store.members(CENTRE).await.unwrap()[0].signed_in_at, Some(At(7)));
    assert_eq!(store.load(STREAM, Seq(0)).await.unwrap().len(), 1);
    let deliveries = store.deliveries(&[STREAM]).await.unwrap();
    let fates: Vec<_> = deliveries.iter().map(|one| (one.message.kind, one.state)).collect();
    assert_eq!(
        fates,
        [(MessageKind::Record, DeliveryState::Accepted), (MessageKind::Approval, DeliveryState::Queued)]
    );
    // Tables that came later take rows beside them.
    let mark = ClockMark { at: At(19), source: "start".into(), ahead_ms: None, within_ms: None, why: None };
    store.note_clock(mark.clone()).await.unwrap();
    assert_eq!(store.clock_marks(At(0), At(30), 10).await.unwrap(), [mark]);
    let lease = store.take_lease(Uuid::max(), At(20)).await.unwrap();
    store.append(lease, events([2])).await.unwrap();
    assert_eq!(store.load(STREAM, Seq(0)).await.unwrap().len(), 2);
}
