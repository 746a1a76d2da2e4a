//! Directory rows as core's nouns: what a session is opened with, and what its record says of people.

use crate::adapter::evidence::EvidenceFolder;
use async_trait::async_trait;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use synaq_core::bank::{Bank, Item, Text};
use synaq_core::decision::{CandidateDocument, CentreContacts, EventLogFacts, RecordFacts, StaffEntry};
use synaq_core::form::{FormQuestion, Seed};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, StaffId};
use synaq_core::proctoring::{Code, RuleTable};
use synaq_core::session::{Context, Creation, ExamSession};
use synaq_core::time::{At, Span};
use synaq_runtime::{LogDigest, Opened, SessionSource, SourceError};
use synaq_seal::digest;
use synaq_store::{BankRow, Directory, Error as StoreError, Personnel, SessionRow};

/// Contexts kept; an installation with more in use at once reads some of them again.
const CONTEXTS_KEPT: usize = 1_024;

/// A programme, and what an accommodation switches off in it.
type Rules = (ProgrammeId, BTreeSet<Code>);

/// The directory behind the runtime.
pub(crate) struct DirectorySource {
    directory: Arc<dyn Directory>,
    personnel: Arc<dyn Personnel>,
    evidence: Arc<EvidenceFolder>,
    derivation: [u8; 32],
    random: SystemRandom,
    /// Parsed once; versions are immutable
    banks: Mutex<HashMap<BankId, Arc<Bank>>>,
    /// Sessions of one programme with the same accommodation share theirs
    contexts: Mutex<HashMap<Rules, Arc<Context>>>,
}

impl std::fmt::Debug for DirectorySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectorySource(..)")
    }
}

impl DirectorySource {
    /// `derivation` makes the salts of question commitments; it stays with the centre.
    pub(crate) fn new(
        (directory, personnel): (Arc<dyn Directory>, Arc<dyn Personnel>),
        evidence: Arc<EvidenceFolder>,
        derivation: [u8; 32],
    ) -> Self {
        Self {
            directory,
            personnel,
            evidence,
            derivation,
            random: SystemRandom::new(),
            banks: Mutex::default(),
            contexts: Mutex::default(),
        }
    }

    async fn contacts(&self, centre: CentreId) -> Result<Option<CentreContacts>, SourceError> {
        let profile = self.personnel.profile(centre).await.map_err(store)?;
        let said = profile.and_then(|profile| serde_json::from_str::<CentreContacts>(&profile.body).ok());
        Ok(said.filter(|said| *said != CentreContacts::default()))
    }

    fn bank(&self, row: &BankRow) -> Result<Arc<Bank>, SourceError> {
        if let Some(bank) = self.banks.lock().expect("no holder panics").get(&row.id) {
            return Ok(Arc::clone(bank));
        }
        let (bank, _) = synaq_question_banks::read(&row.source).map_err(unavailable)?;
        let bank = Arc::new(bank);
        self.banks.lock().expect("no holder panics").insert(row.id, Arc::clone(&bank));
        Ok(bank)
    }

    fn context(&self, row: &SessionRow) -> Result<Arc<Context>, SourceError> {
        let switched_off = row.candidate.candidate.switched_off.iter().filter_map(|code| code.parse().ok());
        let key = (row.programme.id, switched_off.collect::<BTreeSet<_>>());
        if let Some(context) = self.contexts.lock().expect("no holder panics").get(&key) {
            return Ok(Arc::clone(context));
        }
        let (programme, _) =
            synaq_question_banks::read_programme(&row.programme.source).map_err(unavailable)?;
        let context = Arc::new(Context {
            programme,
            bank: self.bank(&row.bank)?,
            bank_sha256: row.bank.sha256.clone(),
            rules: RuleTable { switched_off: key.1.clone(), ..RuleTable::default() },
        });
        let mut contexts = self.contexts.lock().expect("no holder panics");
        if contexts.len() >= CONTEXTS_KEPT {
            contexts.clear();
        }
        contexts.insert(key, Arc::clone(&context));
        Ok(context)
    }

    fn fresh_secret(&self) -> Result<Seed, SourceError> {
        let mut secret = [0; 32];
        self.random.fill(&mut secret).map_err(|_| unavailable(std::io::Error::other("no random bytes")))?;
        Ok(Seed(secret))
    }

    /// Proves later what was asked without telling the bank now (security-reliability 1.2).
    fn commitment(
        &self,
        session: SessionId,
        bank: &Bank,
        question: &FormQuestion,
    ) -> Result<String, SourceError> {
        let item = bank.item(&question.item).ok_or_else(|| {
            unavailable(std::io::Error::other("the bank no longer holds a question of the form"))
        })?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.derivation);
        let tag =
            hmac::sign(&key, format!("question-salt:{session}:{}:{}", item.id, item.version).as_bytes());
        let mut salt = [0; 32];
        salt.copy_from_slice(tag.as_ref());
        let canonical = synaq_seal::json::canonical(&CommittedItem::of(item)).map_err(unavailable)?;
        Ok(digest::commit(&salt, &canonical).to_string())
    }
}

#[derive(Serialize)]
struct CommittedItem<'a> {
    id: &'a str,
    version: u32,
    text: &'a Text,
    options: Vec<&'a Text>,
    right: &'a BTreeSet<u8>,
}

impl<'a> CommittedItem<'a> {
    fn of(item: &'a Item) -> Self {
        Self {
            id: &item.id.0,
            version: item.version,
            text: &item.text,
            options: item.options.iter().map(|option| &option.text).collect(),
            right: item.key.reveal(),
        }
    }
}

#[async_trait]
impl SessionSource for DirectorySource {
    async fn open(&self, session: SessionId) -> Result<Opened, SourceError> {
        let row = self.directory.session(session).await.map_err(store)?;
        let candidate = &row.candidate.candidate;
        self.evidence.introduce(session.0, &candidate.wrapped_key).map_err(unavailable)?;
        if self.evidence.is_expected(session.0) {
            let evidence = Arc::clone(&self.evidence);
            let noted = tokio::task::spawn_blocking(move || evidence.note_what_was_left(session.0));
            noted.await.map_err(unavailable)?;
        }
        let context = self.context(&row)?;
        let creation = Creation {
            centre: row.centre.id,
            sitting: row.sitting.id,
            draw_secret: self.fresh_secret()?,
            extra: Span::mins(i64::from(candidate.extra_minutes)),
            opens_at: row.sitting.opens_at,
            closes_at: row.sitting.closes_at,
            care: candidate.more.care.clone(),
            called_off: row.candidate.called_off(&row.sitting),
        };
        Ok(Opened { context, creation })
    }

    async fn facts(
        &self,
        session: &ExamSession,
        id: SessionId,
        log: LogDigest,
        at: At,
    ) -> Result<RecordFacts, SourceError> {
        let row = self.directory.session(id).await.map_err(store)?;
        let questions = session.state().form.iter().flat_map(|form| &form.questions);
        let question_commitments = questions
            .map(|question| self.commitment(id, &session.context().bank, question))
            .collect::<Result<_, _>>()?;
        let mut staff = Vec::new();
        for id in session.staff_involved() {
            let name = self.staff_name(id).await?;
            staff.push(StaffEntry { id: id.to_string(), name });
        }
        Ok(RecordFacts {
            session: id,
            assembled_at: at,
            centre_name: Text { kk: row.centre.name_kk, ru: row.centre.name_ru },
            centre_bin: row.centre.bin,
            centre_contacts: self.contacts(row.centre.id).await?,
            candidate_name: row.candidate.candidate.name,
            candidate_document: document(&row.candidate.candidate.identity),
            question_commitments,
            staff,
            event_log: EventLogFacts {
                count: log.count,
                head: log.head.to_string(),
                root: log.root.to_string(),
            },
        })
    }

    async fn staff_name(&self, staff: StaffId) -> Result<String, SourceError> {
        Ok(self.directory.staff(staff).await.map_err(store)?.name)
    }
}

/// The directory keeps an IIN as 12 digits, a foreign document as `PASSPORT:number` or with its country's letters.
fn document(identity: &str) -> CandidateDocument {
    match identity.split_once(':') {
        Some((issued, number)) => {
            CandidateDocument::Foreign { issued: issued.to_owned(), number: number.to_owned() }
        }
        None => CandidateDocument::Iin { iin: identity.to_owned() },
    }
}

fn store(error: StoreError) -> SourceError {
    match error {
        StoreError::NotFound => SourceError::NotFound,
        other => unavailable(other),
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> SourceError {
    SourceError::Unavailable(Box::new(error))
}
