//! What only this engine can get wrong.

use crate::writer::ask_whether_forgetful;
use crate::{LOG_ROOM_BYTES, SqliteStore};
use rusqlite::Connection;
use sqlx::AssertSqlSafe;
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
    let mut turn = store.turn.lock().await;
    let connection = turn.rows.connection().await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

/// A disk of so many pages, for the writer of the log.
async fn limit(store: &SqliteStore, pages: u32) {
    let pragma = format!("PRAGMA max_page_count = {pages}");
    store.turn.lock().await.writer.execute(&pragma).unwrap();
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
    limit(&store, 1).await;
    for _ in 0..2 {
        assert!(matches!(store.append(lease, large().into()).await, Err(Error::DiskFull)));
        assert_eq!(stored(&store).await, 10);
        assert_eq!(store.deliveries(&[STREAM]).await.unwrap(), []);
    }
    limit(&store, 1_000_000).await;
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
    let connection = Connection::open(store.path()).unwrap();
    for (forgetful, sound) in [("NORMAL", "FULL"), ("OFF", "FULL")] {
        connection.pragma_update(None, "synchronous", sound).unwrap();
        ask_whether_forgetful(&connection).unwrap();
        connection.pragma_update(None, "synchronous", forgetful).unwrap();
        assert!(matches!(ask_whether_forgetful(&connection), Err(Error::Open(_))), "{forgetful}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_do_wal_is_refused() {
    let memory = Connection::open_in_memory().unwrap();
    assert!(matches!(ask_whether_forgetful(&memory), Err(Error::Open(why)) if why.contains("WAL")));
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
async fn a_cancelled_writer_of_rows_blocks_no_append() {
    let (_directory, store, lease) = opened().await;
    // Any of these may be cut off at any of its steps, or not at all: each outcome must leave a working store.
    for (seq, microseconds) in (1..).zip((0..3_000).step_by(60)) {
        let centre = CentreRow {
            id: CentreId(Uuid::from_u128(seq.into())),
            bin: format!("{seq:012}"),
            name_kk: "Орталық".into(),
            name_ru: "Центр".into(),
        };
        let added = store.add_centre(centre);
        tokio::time::timeout(Duration::from_micros(microseconds), added).await.ok();
        store.append(lease, events([seq]).into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let (_directory, store, lease) = opened().await;
    store.turn.lock().await.writer.close();
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

#[tokio::test]
async fn what_was_written_into_the_room_of_the_log_survives_a_fall() {
    let (directory, store, lease) = opened().await;
    let log = directory.path().join("synaq.db-wal");
    store.append(lease, events([1]).into()).await.unwrap();
    store.make_log_room().await.unwrap();
    let room = std::fs::metadata(&log).unwrap().len();
    assert_eq!(room, LOG_ROOM_BYTES);
    store.append(lease, events(2..=10).into()).await.unwrap();
    store.make_log_room().await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), room, "written over, not made longer");

    // As a fall leaves the files: the log not folded, and zeros behind its last frame.
    let after = tempfile::tempdir().unwrap();
    for name in ["synaq.db", "synaq.db-wal"] {
        std::fs::copy(directory.path().join(name), after.path().join(name)).unwrap();
    }
    let found = SqliteStore::open(&after.path().join("synaq.db")).await.unwrap();
    assert_eq!(stored(&found).await, 10);
}

#[tokio::test]
async fn a_log_that_was_cut_gets_its_room_back() {
    let (directory, store, lease) = opened().await;
    store.keep_log_room().await.unwrap();
    let log = directory.path().join("synaq.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() < LOG_ROOM_BYTES, "none was made before");
    store.make_log_room().await.unwrap();
    store.append(lease, events([1]).into()).await.unwrap();
    synaq_store::Retention::forget(&store, &[]).await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), LOG_ROOM_BYTES);
    assert_eq!(stored(&store).await, 1);
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

/// As an installation of before the paged lists left it.
const BEFORE_LISTS: i64 = 7;
const OLDER_ROWS: &str = "PRAGMA foreign_keys = OFF;
INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at)
    VALUES (zeroblob(16), zeroblob(16), zeroblob(16), 'Таңғы топ', 0, 1);
INSERT INTO candidate (session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key)
    VALUES (zeroblob(16), zeroblob(16), zeroblob(16), 0, 'Әлия', 'KZ:1', 0, '[]', x'00');
INSERT INTO outbox (id, message, session, kind, body, sha256, created_at, state, due_at, settled_at, receipt) VALUES
    (5, randomblob(16), zeroblob(16), 'record', '{}', zeroblob(32), 1, 'accepted', 1, 2, 'receipt'),
    (9, randomblob(16), zeroblob(16), 'approval', '{}', zeroblob(32), 3, 'queued', 3, NULL, NULL);";

#[tokio::test]
async fn a_file_of_before_the_lists_keeps_its_messages_and_gets_its_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("synaq.db");
    let older = sqlx::SqlitePool::connect_with(crate::open::options(&path)).await.unwrap();
    sqlx::migrate!("../../migrations/sqlite").run_to(BEFORE_LISTS, &older).await.unwrap();
    older.close().await;
    Connection::open(&path).unwrap().execute_batch(OLDER_ROWS).unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    let stood = store.deliveries(&[SessionId(Uuid::nil())]).await.unwrap();
    let fates: Vec<_> = stood.iter().map(|one| (one.message.kind, one.receipt.is_some())).collect();
    assert_eq!(fates, [(MessageKind::Record, true), (MessageKind::Approval, false)]);
    let closed = run(&store, "UPDATE outbox SET body = '[]' WHERE state = 'accepted'").await;
    assert!(closed.is_err_and(|why| why.to_string().contains("an accepted message is closed")));
    let kept = run(&store, "DELETE FROM outbox").await;
    assert!(kept.is_err_and(|why| why.to_string().contains("outbox rows are kept")));
    for keyless in ["candidate WHERE name_key = ''", "sitting WHERE title_key = ''"] {
        let query = format!("SELECT count(*) FROM {keyless}");
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&store.readers).await.unwrap();
        assert_eq!(left, 0, "{keyless}");
    }
}
