//! An installation without sockets: runtime, directory rows, and sessions in the middle of their exam.

use crate::exam;
use crate::store::{Address, Opened};
use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use ring::rand::SystemRandom;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use synaq_core::decision::RecordFacts;
use synaq_core::form::Seed;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{Context, Creation, Effect, ExamSession};
use synaq_core::time::{At, Span};
use synaq_runtime::{
    Clock, DeliveryError, Handle, LogDigest, Opened as OpenedSession, Options, PlatformAnswer, PlatformPort,
    Ports, Running, SealingKeys, SessionSource, SourceError,
};
use synaq_seal::key::{Algorithm, SigningKey, TrustSet};
use synaq_store::{
    BankRow, CandidateRow, CentreRow, Directory, NewCandidate, NewMessage, ProgrammeRow, SittingRow,
};
use uuid::Uuid;

/// Sessions on their way into the exam at once.
const WAYS_AT_ONCE: usize = 500;
/// Candidates put into the sitting by one call.
const LIST: usize = 1_000;
/// Digits of a business identification number.
const BIN: u128 = 1_000_000_000_000;
const OPEN_FOR: Span = Span::mins(600);

/// The application's limits, with the differences that a mode needs.
pub(crate) fn limits(address: &Address, shards: usize, batch_inputs: Option<usize>) -> Options {
    let usual = Options::default();
    let batch_inputs = batch_inputs.unwrap_or(usual.batch_inputs);
    Options { shards, batch_inputs, appends_in_place: address.appends_in_place(), ..usual }
}

/// One session of the house.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) session: SessionId,
    answers: AtomicU64,
}

impl Seat {
    /// Number of the next answer.
    pub(crate) fn next(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) struct House {
    pub(crate) runtime: Handle,
    pub(crate) clock: Arc<WallClock>,
    pub(crate) seats: Arc<[Seat]>,
    running: Running,
}

impl House {
    /// With so many candidates who have not come yet.
    pub(crate) async fn start(store: &Opened, options: Options, candidates: usize) -> anyhow::Result<Self> {
        let seats = furnish(store.directory.as_ref(), candidates).await?;
        Self::again(store, options, seats).await
    }

    /// Another process over a store that knows these sessions.
    pub(crate) async fn again(store: &Opened, options: Options, seats: Arc<[Seat]>) -> anyhow::Result<Self> {
        let clock = Arc::new(WallClock::start()?);
        Self::over(store, options, clock, seats).await
    }

    /// The same sessions under other limits, with their sockets back.
    pub(crate) async fn restart(self, store: &Opened, options: Options) -> anyhow::Result<Self> {
        let Self { clock, seats, running, .. } = self;
        running.stop().await;
        let house = Self::over(store, options, clock, seats).await?;
        house.attach().await?;
        Ok(house)
    }

    /// Goes without a word, as a killed process does.
    pub(crate) fn leave(self) -> Arc<[Seat]> {
        self.seats
    }

    async fn over(
        store: &Opened,
        options: Options,
        clock: Arc<WallClock>,
        seats: Arc<[Seat]>,
    ) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let key = || SigningKey::generate(Algorithm::Es256, &random).map(Arc::new);
        let ports = Ports {
            log: store.log.clone(),
            outbox: store.outbox.clone(),
            source: Arc::new(Source::new(store.directory.clone())?),
            platform: Arc::new(NoPlatform),
            keys: SealingKeys {
                seal: key()?,
                approval: key()?,
                trust: Arc::new(TrustSet::new(Vec::new())?),
                random: Arc::new(random.clone()),
            },
            clock: clock.clone(),
        };
        let (runtime, running) = Running::start(options, ports, Uuid::now_v7()).await?;
        Ok(Self { runtime, clock, seats, running })
    }

    /// Brings so many new candidates into their running exam.
    pub(crate) async fn begin(&self, candidates: usize) -> anyhow::Result<()> {
        let way = exam::way_in(self.clock.now());
        stream::iter(self.seats.iter().take(candidates))
            .map(|seat| self.enter(seat, &way))
            .buffer_unordered(WAYS_AT_ONCE)
            .try_collect::<()>()
            .await
    }

    async fn enter(&self, seat: &Seat, way: &[synaq_core::session::Input]) -> anyhow::Result<()> {
        for input in way {
            let done = self.runtime.submit(seat.session, input.clone()).await?;
            let refused = done.effects.iter().any(|effect| matches!(effect, Effect::Refused(_)));
            ensure!(!refused, "{input:?} was answered by {:?}", done.effects);
        }
        Ok(())
    }

    /// Sockets come back, as after a restart.
    async fn attach(&self) -> anyhow::Result<()> {
        stream::iter(self.seats.iter())
            .map(|seat| async { self.runtime.submit(seat.session, exam::attach()).await.map(drop) })
            .buffer_unordered(WAYS_AT_ONCE)
            .try_collect::<()>()
            .await
            .context("a session does not come back")
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// Puts a sitting with so many candidates into the directory: their sessions.
async fn furnish(directory: &dyn Directory, candidates: usize) -> anyhow::Result<Arc<[Seat]>> {
    let now = WallClock::start()?.now();
    // Its own centre each time, as one database may furnish several houses.
    let centre = CentreId(Uuid::now_v7());
    let (bank_id, programme_id) = (BankId(Uuid::now_v7()), ProgrammeId(Uuid::now_v7()));
    let sitting_id = SittingId(Uuid::now_v7());
    directory
        .add_centre(CentreRow {
            id: centre,
            bin: format!("{:012}", centre.0.as_u128() % BIN),
            name_kk: "О".into(),
            name_ru: "Ц".into(),
        })
        .await?;
    let bank = BankRow {
        id: bank_id,
        centre,
        slug: "confectioner".into(),
        version: 1,
        source: synaq_question_banks::DEMO_BANK.into(),
        sha256: "ab".repeat(32),
        imported_at: now,
    };
    directory.add_bank(bank).await?;
    let programme = ProgrammeRow {
        id: programme_id,
        centre,
        slug: "confectioner".into(),
        version: 1,
        source: synaq_question_banks::DEMO_PROGRAMME.into(),
        bank: bank_id,
        created_at: now,
    };
    directory.add_programme(programme).await?;
    let sitting = SittingRow {
        id: sitting_id,
        centre,
        programme: programme_id,
        title: "engine".into(),
        opens_at: now - Span::mins(1),
        closes_at: now + OPEN_FOR,
        standing: synaq_store::SittingStanding::default(),
    };
    directory.add_sitting(sitting).await?;
    let mut seats = Vec::with_capacity(candidates);
    let numbers: Vec<usize> = (0..candidates).collect();
    for part in numbers.chunks(LIST) {
        let list = part.iter().map(|number| NewCandidate {
            session: SessionId(Uuid::now_v7()),
            name: format!("Candidate {number}"),
            identity: format!("{number:012}"),
            extra_minutes: 0,
            switched_off: Vec::new(),
            more: synaq_store::CandidateMore::default(),
            wrapped_key: vec![0; 60],
        });
        let added = directory.add_candidates(centre, sitting_id, list.collect()).await?;
        let seat = |row: CandidateRow| Seat { session: row.candidate.session, answers: AtomicU64::new(0) };
        seats.extend(added.into_iter().map(seat));
    }
    Ok(seats.into())
}

/// Wall time at the start, carried on by the monotonic clock.
#[derive(Debug)]
pub(crate) struct WallClock {
    at: At,
    since: Instant,
}

impl WallClock {
    fn start() -> anyhow::Result<Self> {
        let at = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        Ok(Self { at: At(at), since: Instant::now() })
    }
}

impl Clock for WallClock {
    fn now(&self) -> At {
        self.at + Span(i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Reads the directory at every opening, as the application does.
struct Source {
    directory: Arc<dyn Directory>,
    context: Arc<Context>,
}

impl Source {
    fn new(directory: Arc<dyn Directory>) -> anyhow::Result<Self> {
        let context = Context {
            programme: synaq_question_banks::read_programme(synaq_question_banks::DEMO_PROGRAMME)?.0,
            bank: Arc::new(synaq_question_banks::read(synaq_question_banks::DEMO_BANK)?.0),
            bank_sha256: "ab".repeat(32),
            rules: RuleTable::default(),
        };
        Ok(Self { directory, context: Arc::new(context) })
    }
}

#[async_trait]
impl SessionSource for Source {
    async fn open(&self, session: SessionId) -> Result<OpenedSession, SourceError> {
        let row = self.directory.session(session).await.map_err(|error| match error {
            synaq_store::Error::NotFound => SourceError::NotFound,
            other => SourceError::Unavailable(other.into()),
        })?;
        let creation = Creation {
            centre: row.centre.id,
            sitting: row.sitting.id,
            draw_secret: Seed([3; 32]),
            extra: Span::ZERO,
            opens_at: row.sitting.opens_at,
            closes_at: row.sitting.closes_at,
            care: synaq_core::session::Care::default(),
            called_off: None,
        };
        Ok(OpenedSession { context: Arc::clone(&self.context), creation })
    }

    async fn facts(
        &self,
        _: &ExamSession,
        _: SessionId,
        _: LogDigest,
        _: At,
    ) -> Result<RecordFacts, SourceError> {
        Err(SourceError::Unavailable("no exam ends here".into()))
    }

    async fn staff_name(&self, _: StaffId) -> Result<String, SourceError> {
        Err(SourceError::Unavailable("nobody approves here".into()))
    }
}

struct NoPlatform;

#[async_trait]
impl PlatformPort for NoPlatform {
    async fn deliver(&self, _: &NewMessage) -> Result<PlatformAnswer, DeliveryError> {
        Err(DeliveryError::Retry { why: "there is none".to_owned(), after: None })
    }
}
