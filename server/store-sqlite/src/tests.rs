//! What only this engine can get wrong.

use crate::SqliteStore;
use crate::open::refuse_forgetful;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::time::Duration;
use synaq_core::ids::{CentreId, Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::{
    Append, Batch, CentreRow, Directory, Error, EventLog, Lease, MessageKind, NewMessage, Outbox,
};
use tempfile::TempDir;
use uuid::Uuid;

const STREAM: SessionId = SessionId(Uuid::from_u128(1));

async fn opened() -> (TempDir, SqliteStore, Lease) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("synaq.db")).await.unwrap();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    (directory, store, lease)
}

fn events(positions: impl IntoIterator<Item = u64>) -> Batch {
    let event = |seq| Append {
        stream: STREAM,
        seq: Seq(seq),
        at: At(0),
        kind: "answer_put".into(),
        body: "x".repeat(500),
        hash: sha256(b"x"),
    };
    Batch { events: positions.into_iter().map(event).collect(), ..Batch::default() }
}

async fn stored(store: &SqliteStore) -> usize {
    store.load(STREAM, Seq(0)).await.unwrap().len()
}

async fn run(store: &SqliteStore, sql: &str) -> Result<(), sqlx::Error> {
    let mut writer = store.writer.lock().await;
    let connection = writer.connection().await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

#[tokio::test]
async fn a_full_disk_stores_nothing_and_room_is_used_again() {
    let (_directory, store, lease) = opened().await;
    store.append(lease, events(1..=10).into()).await.unwrap();
    let message = NewMessage {
        id: Uuid::nil(),
        session: STREAM,
        kind: MessageKind::Record,
        body: "{}".into(),
        sha256: sha256(b"{}"),
        created_at: At(0),
    };
    let large = || Batch { messages: vec![message.clone()], ..events(11..=2_000) };
    run(&store, "PRAGMA max_page_count = 1").await.unwrap();
    for _ in 0..2 {
        assert!(matches!(store.append(lease, large().into()).await, Err(Error::DiskFull)));
        assert_eq!(stored(&store).await, 10);
        assert_eq!(store.deliveries(&[STREAM]).await.unwrap(), []);
    }
    run(&store, "PRAGMA max_page_count = 1000000").await.unwrap();
    store.append(lease, large().into()).await.unwrap();
    assert_eq!(stored(&store).await, 2_000);
    assert_eq!(store.deliveries(&[STREAM]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_process_is_kept_out_until_the_first_is_gone() {
    let (directory, store, _) = opened().await;
    let path = directory.path().join("synaq.db");
    match SqliteStore::open(&path).await {
        Err(Error::Open(why)) => assert!(why.contains("another synaq runs on this data directory"), "{why}"),
        other => panic!("expected Open, got {other:?}"),
    }
    drop(store);
    SqliteStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn rows_written_beside_a_running_server_reach_it_and_fence_nobody() {
    let (directory, store, lease) = opened().await;
    let beside = SqliteStore::open_beside(&directory.path().join("synaq.db")).await.unwrap();
    let centre = CentreRow {
        id: CentreId(Uuid::nil()),
        bin: "123456789012".into(),
        name_kk: "Орталық".into(),
        name_ru: "Центр".into(),
    };
    beside.add_centre(centre.clone()).await.unwrap();
    assert!(matches!(beside.take_lease(Uuid::max(), At(0)).await, Err(Error::Open(_))));
    beside.close().await;
    drop(beside);
    assert_eq!(store.centres().await.unwrap(), [centre]);
    store.append(lease, events([1]).into()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_could_forget_is_refused() {
    let (_directory, store, _) = opened().await;
    let mut writer = store.writer.lock().await;
    let connection = writer.connection().await.unwrap();
    refuse_forgetful(connection).await.unwrap();
    for (forgetful, sound) in [
        ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"),
        ("PRAGMA synchronous = OFF", "PRAGMA synchronous = FULL"),
    ] {
        sqlx::query(forgetful).execute(&mut *connection).await.unwrap();
        assert!(matches!(refuse_forgetful(connection).await, Err(Error::Open(_))), "{forgetful}");
        sqlx::query(sound).execute(&mut *connection).await.unwrap();
    }
    refuse_forgetful(connection).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_do_wal_is_refused() {
    let mut memory = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    assert!(matches!(refuse_forgetful(&mut memory).await, Err(Error::Open(why)) if why.contains("WAL")));
}

#[tokio::test]
async fn facts_cannot_be_edited_or_deleted_even_by_hand() {
    let (_directory, store, lease) = opened().await;
    store.append(lease, events([1]).into()).await.unwrap();
    run(
        &store,
        "INSERT INTO record (session, payload, sha256, jws, kid, sealed_at)
             VALUES (zeroblob(16), x'00', zeroblob(32), '', '', 0);
         INSERT INTO approval (session, jws) VALUES (zeroblob(16), '');
         INSERT INTO centre (id, bin, name_kk, name_ru) VALUES (zeroblob(16), '', '', '');
         INSERT INTO audit (at, centre, action, object) VALUES (0, zeroblob(16), '', '');",
    )
    .await
    .unwrap();
    for (table, column) in [("event", "body"), ("record", "jws"), ("approval", "jws"), ("audit", "object")] {
        for sql in [format!("UPDATE {table} SET {column} = 'y'"), format!("DELETE FROM {table}")] {
            let refusal = run(&store, &sql).await.unwrap_err().to_string();
            assert!(refusal.contains("append-only"), "{sql}: {refusal}");
        }
    }
    assert_eq!(stored(&store).await, 1);
}

#[tokio::test]
async fn a_cancelled_append_is_whole_or_nothing_and_blocks_nobody() {
    let (_directory, store, lease) = opened().await;
    let mut next = 1;
    // Any of these may be cut off at any of its steps, or not at all: each outcome must leave a working store.
    for microseconds in (0..3_000).step_by(60) {
        let append = store.append(lease, events(next..next + 100).into());
        tokio::time::timeout(Duration::from_micros(microseconds), append).await.ok();
        store.mark(lease, At(0)).await.unwrap();
        let now = u64::try_from(stored(&store).await).unwrap() + 1;
        assert!(now == next || now == next + 100, "torn: {next} -> {now}");
        next = now;
    }
    store.append(lease, events(next..next + 100).into()).await.unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let (_directory, store, lease) = opened().await;
    store.writer.lock().await.close().await;
    store.append(lease, events([1]).into()).await.unwrap();
    assert_eq!(stored(&store).await, 1);
}

#[tokio::test]
async fn closing_folds_the_log_into_the_file() {
    let (directory, store, lease) = opened().await;
    store.append(lease, events(1..=10).into()).await.unwrap();
    store.close().await;
    assert!(!directory.path().join("synaq.db-wal").exists());
    drop(store);
    let store = SqliteStore::open(&directory.path().join("synaq.db")).await.unwrap();
    assert_eq!(stored(&store).await, 10);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, store, lease) = opened().await;
    store.append(lease, events([1]).into()).await.unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
}
