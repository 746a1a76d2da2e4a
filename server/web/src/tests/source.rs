//! What the binary provides in the real house: sessions out of the directory, evidence, a platform.

use crate::evidence::{Evidence, Opened};
use async_trait::async_trait;
use std::collections::HashMap;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex};
use synaq_core::bank::Text;
use synaq_core::decision::{CandidateDocument, EventLogFacts, RecordFacts};
use synaq_core::form::Seed;
use synaq_core::ids::{SessionId, StaffId};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{Context, Creation, ExamSession};
use synaq_core::time::{At, Span};
use synaq_media::{EvidenceStore, EvidenceWriter, Finished};
use synaq_runtime::{
    DeliveryError, LogDigest, Opened as OpenedSession, PlatformAnswer, PlatformPort, SessionSource,
    SourceError,
};
use synaq_store::{Directory, Error, NewMessage};
use uuid::Uuid;

/// Sessions out of a directory.
pub(super) struct Source(pub(super) Arc<dyn Directory>);

fn unavailable(error: Error) -> SourceError {
    match error {
        Error::NotFound => SourceError::NotFound,
        error => SourceError::Unavailable(Box::new(error)),
    }
}

#[async_trait]
impl SessionSource for Source {
    async fn open(&self, session: SessionId) -> Result<OpenedSession, SourceError> {
        let row = self.0.session(session).await.map_err(unavailable)?;
        let (bank, _) = synaq_question_banks::read(&row.bank.source).unwrap();
        let (programme, _) = synaq_question_banks::read_programme(&row.programme.source).unwrap();
        let bank_sha256 = row.bank.sha256.clone();
        let rules = RuleTable::default();
        let creation = Creation {
            centre: row.centre.id,
            sitting: row.sitting.id,
            draw_secret: Seed([7; 32]),
            extra: Span::mins(i64::from(row.candidate.candidate.extra_minutes)),
            opens_at: row.sitting.opens_at,
            closes_at: row.sitting.closes_at,
            care: row.candidate.candidate.more.care.clone(),
            called_off: row.candidate.called_off(&row.sitting),
        };
        let context = Context { programme, bank: Arc::new(bank), bank_sha256, rules };
        Ok(OpenedSession { context: Arc::new(context), creation })
    }

    async fn facts(
        &self,
        session: &ExamSession,
        id: SessionId,
        log: LogDigest,
        at: At,
    ) -> Result<RecordFacts, SourceError> {
        let row = self.0.session(id).await.map_err(unavailable)?;
        let questions = session.state().form.as_ref().map_or(0, |form| form.questions.len());
        Ok(RecordFacts {
            session: id,
            assembled_at: at,
            centre_name: Text { kk: row.centre.name_kk, ru: row.centre.name_ru },
            centre_bin: row.centre.bin,
            centre_contacts: None,
            candidate_name: row.candidate.candidate.name,
            candidate_document: CandidateDocument::Iin { iin: row.candidate.candidate.identity },
            question_commitments: vec![synaq_seal::sha256(b"question").to_string(); questions],
            staff: Vec::new(),
            event_log: EventLogFacts {
                count: log.count,
                head: log.head.to_string(),
                root: log.root.to_string(),
            },
        })
    }

    async fn staff_name(&self, staff: StaffId) -> Result<String, SourceError> {
        Ok(self.0.staff(staff).await.map_err(unavailable)?.name)
    }
}

/// A platform that cannot be reached.
pub(super) struct NoPlatform;

#[async_trait]
impl PlatformPort for NoPlatform {
    async fn deliver(&self, _: &NewMessage) -> Result<PlatformAnswer, DeliveryError> {
        Err(DeliveryError::Retry { why: "no network".to_owned(), after: None })
    }
}

/// Evidence in memory; sealing is the binary's business and tested there.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Held>>);

type Held = HashMap<(Uuid, String), Vec<u8>>;

impl Evidence for Shelf {
    fn open(&self, session: SessionId, name: &str) -> io::Result<Opened> {
        let held = self.0.lock().unwrap().get(&(session.0, name.to_owned())).cloned();
        let held = held.ok_or(io::ErrorKind::NotFound)?;
        Ok(Opened {
            bytes: held.len() as u64,
            plain: Box::new(Cursor::new(held)),
            unfinished: name.ends_with("cut"),
        })
    }

    fn store(&self, session: SessionId, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut held = self.0.lock().unwrap();
        if held.contains_key(&(session.0, name.to_owned())) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        held.insert((session.0, name.to_owned()), bytes.to_vec());
        Ok(())
    }

    fn names(&self, session: SessionId) -> io::Result<Vec<String>> {
        let held = self.0.lock().unwrap();
        Ok(held.keys().filter(|(of, _)| *of == session.0).map(|(_, name)| name.clone()).collect())
    }
}

impl EvidenceStore for Shelf {
    fn create(&self, session: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        self.store(SessionId(session), name, b"")?;
        Ok(Box::new(Writing { shelf: self.clone(), key: (session, name.to_owned()), bytes: Vec::new() }))
    }
}

struct Writing {
    shelf: Shelf,
    key: (Uuid, String),
    bytes: Vec<u8>,
}

impl EvidenceWriter for Writing {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        let done =
            Finished { sha256: synaq_seal::sha256(&self.bytes).to_string(), bytes: self.bytes.len() as u64 };
        self.shelf.0.lock().unwrap().insert(self.key, self.bytes);
        Ok(done)
    }
}
