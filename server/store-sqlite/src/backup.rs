//! A copy of the file beside the server that writes it, and what can be said of a file without taking it over: pages,
//! chains, records. Calls block.

use crate::error::by_code;
use rusqlite::{Connection, OpenFlags, Row, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_seal::{Digest, chain, sha256};
use synaq_store::Error;
use uuid::Uuid;

/// Patience with a server that is just folding its write-ahead log into the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A broken file can name as many faults as it has pages; whoever reads them needs the first.
const FAULTS_MAX: usize = 50;

/// What a file holds, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Audit {
    /// Number of the newest migration
    pub schema: i64,
    /// Every session that has events, with how many and the head of their chain
    pub heads: BTreeMap<SessionId, (u64, Digest)>,
    /// Sealed records
    pub records: u64,
    /// Damage, each with its place; no personal data
    pub faults: Vec<String>,
}

/// Copies the database as it is at one instant after this call, while another process writes it. The copy is one plain
/// file, whole and synced, or an error; `to` must not exist.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Damaged`], or [`Error::Unavailable`] with the engine's words.
pub fn snapshot(from: &Path, to: &Path) -> Result<(), Error> {
    // Read-write, because reading beside a writer uses the shared index file; nothing is written to the source.
    let source = open(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let target = to.to_str().ok_or_else(|| Error::Open("the path of the copy is not UTF-8".to_owned()))?;
    source.execute("VACUUM INTO ?", params![target]).map_err(engine)?;
    // SQLite leaves it to the system when the copy reaches the disk.
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::Unavailable(error.into()))
}

/// Reads the whole file: the engine's own check of its pages, the hash chain of every session, the digest of every
/// record. A server may be writing it meanwhile.
///
/// # Errors
/// When the file cannot be opened at all. Damage is no error here, it is what was asked for.
pub fn audit(path: &Path) -> Result<Audit, Error> {
    let database = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut audit = Audit::default();
    // One view of the file for all the questions.
    if let Err(error) = database.execute_batch("BEGIN") {
        audit.fault(format!("the file cannot be read: {error}"));
        return Ok(audit);
    }
    for (what, look) in [
        ("pages", pages as fn(&Connection, &mut Audit) -> rusqlite::Result<()>),
        ("schema", schema),
        ("events", chains),
        ("records", records),
    ] {
        if let Err(error) = look(&database, &mut audit) {
            audit.fault(format!("{what} cannot be read: {error}"));
        }
    }
    Ok(audit)
}

fn open(path: &Path, how: OpenFlags) -> Result<Connection, Error> {
    let database =
        Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(engine)?;
    database.busy_timeout(BUSY_TIMEOUT).map_err(engine)?;
    Ok(database)
}

fn engine(error: rusqlite::Error) -> Error {
    let code = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code),
        _ => None,
    };
    by_code(code, error)
}

impl Audit {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

fn pages(database: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut check = database.prepare("PRAGMA integrity_check(50)")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            audit.fault(format!("database: {said}"));
        }
    }
    Ok(())
}

fn schema(database: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    audit.schema =
        database.query_row("SELECT coalesce(max(version), 0) FROM _sqlx_migrations", [], |row| row.get(0))?;
    Ok(())
}

/// A session while its events pass by.
struct Walk {
    session: SessionId,
    events: u64,
    head: Digest,
    broken: bool,
}

fn chains(database: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut select =
        database.prepare("SELECT stream, seq, at, kind, body, hash FROM event ORDER BY stream, seq")?;
    let mut rows = select.query([])?;
    let mut walk: Option<Walk> = None;
    while let Some(row) = rows.next()? {
        let stream: Vec<u8> = row.get("stream")?;
        let Ok(id) = Uuid::from_slice(&stream) else {
            audit.fault("events: a session's id is damaged".to_owned());
            continue;
        };
        if walk.as_ref().is_none_or(|walk| walk.session.0 != id) {
            audit.end(walk.take());
            walk = Some(Walk { session: SessionId(id), events: 0, head: chain::GENESIS, broken: false });
        }
        let walk = walk.as_mut().expect("it was just begun");
        if !walk.broken
            && let Err(fault) = step(walk, row)
        {
            audit.fault(format!("session {}: {fault}", walk.session));
            walk.broken = true;
        }
    }
    audit.end(walk);
    Ok(())
}

impl Audit {
    fn end(&mut self, walk: Option<Walk>) {
        if let Some(walk) = walk.filter(|walk| !walk.broken) {
            self.heads.insert(walk.session, (walk.events, walk.head));
        }
    }
}

/// The next event must be the one that its hash, and with it every later one, was made of.
fn step(walk: &mut Walk, row: &Row<'_>) -> Result<(), String> {
    let read = |error: rusqlite::Error| format!("event {}: {error}", walk.events + 1);
    let seq = row.get::<_, i64>("seq").map_err(read)?.unsigned_abs();
    let (at, kind, body): (i64, String, String) =
        (row.get("at").map_err(read)?, row.get("kind").map_err(read)?, row.get("body").map_err(read)?);
    let hash: Vec<u8> = row.get("hash").map_err(read)?;
    if seq != walk.events + 1 {
        return Err(format!("event {} is missing", walk.events + 1));
    }
    let body = serde_json::from_str(&body).map_err(|_| format!("event {seq} is damaged"))?;
    let leaf = chain::leaf(&walk.session.to_string(), seq, at, &kind, &body)
        .map_err(|_| format!("event {seq} is damaged"))?;
    let expected = chain::next(&walk.head, &leaf);
    if hash != expected.0 {
        return Err(format!("event {seq} is not the one that was stored"));
    }
    walk.events = seq;
    walk.head = expected;
    Ok(())
}

fn records(database: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut select = database.prepare("SELECT session, payload, sha256 FROM record ORDER BY id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (session, payload, digest): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        audit.records += 1;
        if sha256(&payload).0.as_slice() != digest {
            let session = Uuid::from_slice(&session).unwrap_or_default();
            audit.fault(format!("session {session}: the sealed record is not the one that was stored"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;
    use std::fs;
    use std::io::{Seek as _, SeekFrom, Write as _};
    use synaq_core::ids::Seq;
    use synaq_core::time::At;
    use synaq_store::{Append, Batch, EventLog as _};

    async fn filled(path: &Path) -> SqliteStore {
        let store = SqliteStore::open(path).await.unwrap();
        let lease = store.take_lease(Uuid::from_u128(9), At(1)).await.unwrap();
        let mut events = Vec::new();
        for session in 1..=3_u128 {
            let id = SessionId(Uuid::from_u128(session));
            let mut head = chain::GENESIS;
            for seq in 1..=20_u64 {
                let body = serde_json::json!({ "fact": { "marker": format!("event-{session}-{seq}") } });
                let leaf = chain::leaf(&id.to_string(), seq, 5, "answer_put", &body).unwrap();
                head = chain::next(&head, &leaf);
                let (kind, body) = ("answer_put".to_owned(), body.to_string());
                events.push(Append { stream: id, seq: Seq(seq), at: At(5), kind, body, hash: head });
            }
        }
        store.append(lease, Batch { events, ..Batch::default() }.into()).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_copy_beside_the_writer_holds_what_was_stored_and_audits_clean() {
        let folder = tempfile::tempdir().unwrap();
        let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
        let store = filled(&live).await;
        snapshot(&live, &copy).unwrap();
        let (of_live, of_copy) = (audit(&live).unwrap(), audit(&copy).unwrap());
        assert_eq!(of_copy.faults, Vec::<String>::new());
        assert_eq!((of_live.heads.len(), &of_live.heads), (3, &of_copy.heads));
        assert!(of_copy.heads.values().all(|(events, _)| *events == 20));
        assert!(of_copy.schema >= 2);
        assert!(snapshot(&live, &copy).is_err(), "a copy is never written over");
        drop(store);
        // The copy is a store like any other.
        SqliteStore::open(&copy).await.unwrap();
    }

    #[tokio::test]
    async fn a_flipped_byte_in_an_event_is_named_by_session_and_position() {
        let folder = tempfile::tempdir().unwrap();
        let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
        let _store = filled(&live).await;
        snapshot(&live, &copy).unwrap();
        let bytes = fs::read(&copy).unwrap();
        let mut file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
        // A page may hold what it held before a row moved to another one: that copy is nobody's.
        let mut flipped = 0;
        for place in (0..bytes.len()).filter(|place| bytes[*place..].starts_with(b"event-2-13\"")) {
            file.seek(SeekFrom::Start(place as u64)).unwrap();
            file.write_all(b"E").unwrap();
            flipped += 1;
        }
        assert!(flipped > 0);
        drop(file);
        let audit = audit(&copy).unwrap();
        let session = Uuid::from_u128(2);
        assert_eq!(audit.faults, [format!("session {session}: event 13 is not the one that was stored")]);
        assert_eq!(audit.heads.len(), 2);
    }

    #[tokio::test]
    async fn a_broken_page_is_named_and_does_not_end_the_look() {
        let folder = tempfile::tempdir().unwrap();
        let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
        let _store = filled(&live).await;
        snapshot(&live, &copy).unwrap();
        let length = fs::metadata(&copy).unwrap().len();
        let mut file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
        file.seek(SeekFrom::Start(length / 2)).unwrap();
        file.write_all(&[0xA5; 8_192]).unwrap();
        drop(file);
        assert!(!audit(&copy).unwrap().faults.is_empty());
        fs::write(&copy, b"no database at all, and too short for a header").unwrap();
        assert!(audit(&copy).map_or(true, |audit| !audit.faults.is_empty()));
    }
}
