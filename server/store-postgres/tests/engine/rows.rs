//! Rows: what cannot be changed, what cannot be stored, what an error is called.

use crate::support::{House, STREAM, event, events};
use synaq_core::ids::{CentreId, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::{
    Batch, CentreRow, Directory as _, Error, EventLog as _, MessageKind, NewMessage, Outbox as _, Settlement,
};
use synaq_store_postgres::PostgresStore;
use uuid::Uuid;

fn message() -> NewMessage {
    NewMessage {
        id: Uuid::from_u128(5),
        session: STREAM,
        kind: MessageKind::Record,
        body: "{}".into(),
        sha256: sha256(b"{}"),
        created_at: At(0),
    }
}

fn centre() -> CentreRow {
    CentreRow {
        id: CentreId(Uuid::nil()),
        bin: "123456789012".into(),
        name_kk: "Орталық".into(),
        name_ru: "Центр".into(),
    }
}

#[tokio::test]
async fn facts_cannot_be_edited_deleted_or_emptied_even_by_hand() {
    let house = House::new().await;
    let batch = Batch { messages: vec![message()], ..Batch::clone(&events([1])) };
    house.store.append(house.lease, batch.into()).await.unwrap();
    house
        .sql(
            "INSERT INTO record (session, payload, sha256, jws, kid, sealed_at)
                 VALUES (gen_random_uuid(), '', decode(repeat('00', 32), 'hex'), '', '', 0);
             INSERT INTO approval (session, jws) SELECT session, '' FROM record;
             INSERT INTO centre (id, bin, name_kk, name_ru) VALUES (gen_random_uuid(), '', '', '');
             INSERT INTO audit (at, centre, action, object) SELECT 0, id, '', '' FROM centre;",
        )
        .unwrap();
    for (table, column) in [("event", "body"), ("record", "jws"), ("approval", "jws"), ("audit", "object")] {
        let update = format!("UPDATE {table} SET {column} = 'y'");
        for sql in [update, format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")] {
            let refusal = house.sql(&sql).unwrap_err();
            assert!(refusal.contains("is append-only"), "{sql}: {refusal}");
        }
    }
    let receipt = Settlement::Accepted { receipt: "r".into(), platform_ref: "p".into() };
    house.store.settle(message().id, At(1), receipt).await.unwrap();
    let refusal = house.sql("UPDATE outbox SET state = 'queued', receipt = NULL").unwrap_err();
    assert!(refusal.contains("an accepted message is closed"), "{refusal}");
    assert!(house.sql("DELETE FROM outbox").unwrap_err().contains("outbox rows are kept"));
    assert_eq!(house.stored().await, 1);
}

#[tokio::test]
async fn text_that_postgres_cannot_hold_is_refused_by_its_session_and_meets_nobody_elsewhere() {
    let house = House::new().await;
    let poisoned = SessionId(Uuid::from_u128(2));
    let batch = Batch {
        events: vec![event(STREAM, 1, "{}"), event(poisoned, 1, "a\0b")],
        messages: vec![message()],
        ..Batch::default()
    };
    let refusal = house.store.append(house.lease, batch.clone().into()).await.unwrap_err();
    assert_eq!(refusal.refused_session(), Some(poisoned), "{refusal:?}");
    assert!(refusal.to_string().contains("U+0000"), "{refusal}");
    let rest = Batch { events: vec![event(STREAM, 1, "{}")], ..batch };
    house.store.append(house.lease, rest.into()).await.unwrap();

    assert_eq!(house.store.staff_by_login("nob\0dy").await.unwrap(), None);
    // What the platform wrote never holds up a delivery.
    let receipt = Settlement::Accepted { receipt: "r".into(), platform_ref: "p\0".into() };
    house.store.settle(message().id, At(1), receipt).await.unwrap();
    let delivery = house.store.deliveries(&[STREAM]).await.unwrap().remove(0);
    assert_eq!(delivery.platform_ref.as_deref(), Some("p\u{FFFD}"));
}

#[tokio::test]
async fn a_full_disk_and_damage_have_the_ports_names_and_nothing_is_stored() {
    let house = House::new().await;
    for (code, expected) in
        [("53100", "DiskFull"), ("XX001", "Damaged"), ("XX002", "Damaged"), ("58030", "Unavailable")]
    {
        let raise = format!("RAISE EXCEPTION 'by the test' USING ERRCODE = '{code}';");
        house.fault("TRIGGER fault BEFORE INSERT ON event", &raise);
        let error = house.store.append(house.lease, events([1])).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{code}: {error:?}");
        house.mend();
        assert_eq!(house.stored().await, 0);
    }
    house.store.append(house.lease, events([1])).await.unwrap();
}

#[tokio::test]
async fn an_error_never_shows_a_value_of_a_row() {
    let house = House::new().await;
    house.sql("ALTER TABLE centre ADD CHECK (name_ru <> 'Тайна')").unwrap();
    let error = house.store.add_centre(CentreRow { name_ru: "Тайна".into(), ..centre() }).await.unwrap_err();
    // PostgreSQL's DETAIL holds the whole row.
    let Error::Unavailable(source) = &error else { panic!("{error:?}") };
    for shown in [format!("{error} {source}"), format!("{error:?}")] {
        assert!(shown.contains("check constraint") || shown.contains("does not answer"), "{shown}");
        assert!(!shown.contains("Тайна") && !shown.contains("123456789012"), "{shown}");
    }
}

#[tokio::test]
async fn rows_written_beside_a_running_server_reach_it_and_fence_nobody() {
    let house = House::new().await;
    let beside = PostgresStore::open_beside(&house.database).await.unwrap();
    beside.add_centre(centre()).await.unwrap();
    assert!(matches!(beside.take_lease(Uuid::max(), At(0)).await, Err(Error::Open(_))));
    assert!(matches!(beside.mark(house.lease, At(0)).await, Err(Error::Open(_))));
    drop(beside);
    assert_eq!(house.store.centres().await.unwrap(), [centre()]);
    house.store.append(house.lease, events([1])).await.unwrap();
}

#[tokio::test]
async fn two_uploads_into_one_sitting_at_once_give_every_candidate_a_place() {
    use synaq_core::ids::{BankId, ProgrammeId, SittingId};
    use synaq_store::{BankRow, NewCandidate, ProgrammeRow, SittingRow};
    const EACH: u128 = 50;
    let house = House::new().await;
    let (store, centre) = (&house.store, centre());
    let id = Uuid::from_u128(7);
    store.add_centre(centre.clone()).await.unwrap();
    let bank = BankRow {
        id: BankId(id),
        centre: centre.id,
        slug: "cook".into(),
        version: 1,
        source: String::new(),
        sha256: String::new(),
        imported_at: At(0),
    };
    store.add_bank(bank).await.unwrap();
    let programme = ProgrammeRow {
        id: ProgrammeId(id),
        centre: centre.id,
        slug: "cook".into(),
        version: 1,
        source: String::new(),
        bank: BankId(id),
        created_at: At(0),
    };
    store.add_programme(programme).await.unwrap();
    let sitting = SittingRow {
        id: SittingId(id),
        centre: centre.id,
        programme: ProgrammeId(id),
        title: String::new(),
        opens_at: At(0),
        closes_at: At(1),
        standing: synaq_store::SittingStanding::default(),
    };
    store.add_sitting(sitting).await.unwrap();
    let list = |first: u128| -> Vec<NewCandidate> {
        let candidate = |number| NewCandidate {
            session: SessionId(Uuid::from_u128(number)),
            name: String::new(),
            identity: number.to_string(),
            extra_minutes: 0,
            switched_off: vec![],
            more: synaq_store::CandidateMore::default(),
            wrapped_key: vec![],
        };
        (first..first + EACH).map(candidate).collect()
    };
    let add = |first| store.add_candidates(centre.id, SittingId(id), list(first));
    let (one, two, three) = tokio::join!(add(1_000), add(2_000), add(3_000));
    for added in [one, two, three] {
        assert_eq!(added.unwrap().len() as u128, EACH);
    }
    let places: Vec<u32> =
        store.candidates(centre.id, SittingId(id)).await.unwrap().iter().map(|row| row.place).collect();
    assert_eq!(places, (0..150).collect::<Vec<_>>());
}
