//! What the runtime asks of the outside, played: the clock, the directory's rows, the keys.

use async_trait::async_trait;
use ring::rand::SecureRandom;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use synaq_core::bank::{
    AnswerKey, Bank, Breaks, Choice, Item, Kind, Lang, Plan, Profession, Programme, Text, Topic,
};
use synaq_core::decision::{CandidateDocument, EventLogFacts, RecordFacts, StaffEntry};
use synaq_core::form::Seed;
use synaq_core::ids::{CentreId, ItemId, SessionId, SittingId, StaffId, TopicId};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{Context, Creation, ExamSession};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock, LogDigest, Opened, SealingKeys, SessionSource, SourceError};
use synaq_seal::key::{Purpose, SigningKey, TrustSet, TrustedKey};
use tokio::time::Instant;
use uuid::Uuid;

use crate::dice::Dice;

/// Wall time at the beginning of a run.
pub(crate) const START: At = At(1_795_219_200_000);
/// Questions of a paper.
pub(crate) const QUESTIONS: u16 = 6;
/// The bank has more than a paper needs, so that the draw chooses.
const BANK: u16 = 9;
/// The author's index of the right option, for every question.
pub(crate) const RIGHT: u8 = 0;
/// A break lasts so long.
pub(crate) const BREAK_MIN: u16 = 1;
/// More than this share passes.
pub(crate) const THRESHOLD_PCT: u8 = 70;

pub(crate) const PROCTOR: StaffId = StaffId(Uuid::from_u128(0x57aff1));
pub(crate) const SECOND_PROCTOR: StaffId = StaffId(Uuid::from_u128(0x57aff2));
pub(crate) const COMMISSION: StaffId = StaffId(Uuid::from_u128(0xc0));

/// The session of a candidate.
pub(crate) fn session_of(candidate: u8) -> SessionId {
    SessionId(Uuid::from_u128(0x5e55_0000 + u128::from(candidate)))
}

/// The candidate of a session.
pub(crate) fn candidate_of(session: SessionId) -> u8 {
    session.0.as_bytes()[15]
}

/// Virtual time, and how far one process's wall clock is off.
#[derive(Clone, Debug)]
pub(crate) struct SimClock {
    began: Instant,
    off: Arc<AtomicI64>,
}

impl SimClock {
    pub(crate) fn new(began: Instant) -> Self {
        Self { began, off: Arc::default() }
    }

    /// Of the next process.
    pub(crate) fn stepped(&self, by_ms: i64) -> Self {
        Self { began: self.began, off: Arc::new(AtomicI64::new(self.off.load(Ordering::SeqCst) + by_ms)) }
    }

    /// Forward only: within a process the clock never goes back.
    pub(crate) fn jump(&self, by_ms: u64) {
        self.off.fetch_add(i64::try_from(by_ms).expect("a plan's jump"), Ordering::SeqCst);
    }

    /// Since the beginning of the run, by virtual time alone.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).expect("runs last minutes")
    }
}

impl Clock for SimClock {
    fn now(&self) -> At {
        At(START.0 + self.elapsed_ms() + self.off.load(Ordering::SeqCst))
    }
}

/// The directory of one installation.
pub(crate) struct SimSource {
    pub(crate) seed: u64,
    pub(crate) context: Arc<Context>,
    /// Minutes added by accommodation, by candidate
    pub(crate) extra_min: Vec<(u8, u8)>,
    pub(crate) broken: Arc<AtomicBool>,
    pub(crate) slower_ms: Arc<AtomicU64>,
}

impl SimSource {
    fn works(&self) -> Result<(), SourceError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(SourceError::Unavailable("scripted outage".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl SessionSource for SimSource {
    async fn open(&self, session: SessionId) -> Result<Opened, SourceError> {
        let slower_ms = self.slower_ms.load(Ordering::SeqCst);
        if slower_ms > 0 {
            // Each session its own time, so that they come one after the other.
            let own = Dice::new(self.seed, &[0x510, u64::from(candidate_of(session))]).below(slower_ms);
            tokio::time::sleep(Duration::from_millis(slower_ms - own / 2)).await;
        }
        self.works()?;
        let no = candidate_of(session);
        let extra = self.extra_min.iter().find(|(of, _)| *of == no).ok_or(SourceError::NotFound)?.1;
        let creation = Creation {
            centre: CentreId(Uuid::from_u128(1)),
            sitting: SittingId(Uuid::from_u128(2)),
            draw_secret: Seed(Dice::new(self.seed, &[0x5ec, u64::from(no)]).bytes()),
            extra: Span::mins(i64::from(extra)),
            opens_at: START - Span::mins(60),
            closes_at: START + Span::mins(600),
            care: synaq_core::session::Care::default(),
            called_off: None,
        };
        Ok(Opened { context: Arc::clone(&self.context), creation })
    }

    async fn facts(
        &self,
        session: &ExamSession,
        id: SessionId,
        log: LogDigest,
        at: At,
    ) -> Result<RecordFacts, SourceError> {
        self.works()?;
        let staff = session.staff_involved();
        Ok(RecordFacts {
            session: id,
            assembled_at: at,
            centre_name: text("орталық"),
            centre_bin: "900101300811".to_owned(),
            centre_contacts: None,
            candidate_name: format!("Үміткер {}", candidate_of(id)),
            candidate_document: CandidateDocument::Iin { iin: "900101300823".to_owned() },
            question_commitments: vec!["0".repeat(64); usize::from(QUESTIONS)],
            staff: staff
                .iter()
                .map(|id| StaffEntry { id: id.to_string(), name: "Қызметкер".to_owned() })
                .collect(),
            event_log: EventLogFacts {
                count: log.count,
                head: log.head.to_string(),
                root: log.root.to_string(),
            },
        })
    }

    async fn staff_name(&self, _: StaffId) -> Result<String, SourceError> {
        self.works()?;
        Ok("Комиссия мүшесі".to_owned())
    }
}

fn text(what: &str) -> Text {
    Text { kk: what.to_owned(), ru: what.to_owned() }
}

/// Whether the clock stands on a break, in exams of that length.
pub(crate) const fn breaks_stop(minutes: u16) -> bool {
    minutes.is_multiple_of(2)
}

/// The programme and bank of a run.
pub(crate) fn context(minutes: u16) -> Context {
    let items = (0..BANK).map(|n| Item {
        id: ItemId(format!("q-{n}")),
        version: 1,
        topic: TopicId("t".to_owned()),
        kind: Kind::Single,
        difficulty: 1,
        labour_function: None,
        text: text("сұрақ"),
        options: ["a", "b", "c", "d"].map(|id| Choice { id: id.to_owned(), text: text(id) }).into(),
        key: AnswerKey::new(BTreeSet::from([RIGHT])),
    });
    let bank = Bank {
        slug: "bank".to_owned(),
        version: 1,
        title: text("банк"),
        profession_code: "7512".to_owned(),
        topics: vec![Topic { id: TopicId("t".to_owned()), title: text("тақырып") }],
        items: items.collect(),
    };
    let plan = Plan {
        minutes,
        threshold_pct: THRESHOLD_PCT,
        languages: vec![Lang::Kk, Lang::Ru],
        blueprint: vec![(TopicId("t".to_owned()), QUESTIONS)],
        shuffle_questions: true,
        shuffle_options: true,
    };
    let programme = Programme {
        slug: "programme".to_owned(),
        version: 1,
        title: text("бағдарлама"),
        profession: Profession { name: text("мамандық"), nco_code: "7512".to_owned(), level: 3 },
        basis: text("стандарт"),
        bank_slug: "bank".to_owned(),
        bank_version: 1,
        plan,
        screen: false,
        breaks: Breaks { stop_clock: breaks_stop(minutes), minutes: BREAK_MIN },
    };
    Context { programme, bank: Arc::new(bank), bank_sha256: "0".repeat(64), rules: RuleTable::default() }
}

/// A key whose private half is this byte 32 times. Ed25519, because its signatures need no chance: the same plan signs
/// the same bytes.
pub(crate) fn key(byte: u8) -> SigningKey {
    // PKCS#8 (RFC 8410, 7): version 0, id-Ed25519, the seed as an octet string in an octet string.
    let mut pkcs8 =
        vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    pkcs8.extend([byte; 32]);
    SigningKey::from_pkcs8(&pkcs8, random(byte).as_ref()).expect("a whole Ed25519 key")
}

/// One byte for ever: `ring` lets nobody else make a random source, and the jitter of the relay must come from the plan.
#[expect(deprecated, reason = "ring has no other source that a test may steer")]
pub(crate) fn random(byte: u8) -> Arc<dyn SecureRandom + Send + Sync> {
    Arc::new(ring::test::rand::FixedByteRandom { byte })
}

/// Keys of the installation; the platform's is trusted.
pub(crate) fn sealing_keys(jitter: u8) -> SealingKeys {
    let trusted = TrustedKey {
        key: platform_key().public().clone(),
        purpose: Purpose::Platform,
        use_from: 0,
        use_to: None,
    };
    SealingKeys {
        seal: Arc::new(key(1)),
        approval: Arc::new(key(2)),
        trust: Arc::new(TrustSet::new(vec![trusted]).expect("one key")),
        random: random(jitter),
    }
}

pub(crate) fn platform_key() -> SigningKey {
    key(3)
}
