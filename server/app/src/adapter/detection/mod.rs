//! Pictures and levels of sound go to the detectors, their claims to the sessions. All of it beside the way of answers
//! and recordings: a picture that was not looked at before the next one came is skipped and counted, and the workers
//! rest so that they never take more than their share of a core.

mod faces;
mod queue;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use faces::FaceFinder;

use queue::{Picture, Queue, Work};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use synaq_core::ids::SessionId;
use synaq_core::proctoring::{Code, DetectorEvent, Measured, SignalPhase, Source};
use synaq_core::session::{Input, Stage};
use synaq_core::time::At;
use synaq_detectors::{Claim, Condition, Phase, Thresholds};
use synaq_media::{Fact, Sink};
use synaq_runtime::{Clock, Handle as Runtime};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Claims on their way to the sessions: a worker makes a few a second at most.
const CLAIMS_WAITING: usize = 1_024;

/// What the workers are told once.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Threads
    pub(crate) workers: usize,
    /// Share of one core that each may take, 1 ..= 100
    pub(crate) budget_pct: u32,
    /// Who finds faces
    pub(crate) faces: FaceFinder,
    /// What is compared with what
    pub(crate) thresholds: Thresholds,
}

/// What a session says about being watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// The clock runs; these conditions are switched off for this candidate
    Yes(BTreeSet<Condition>),
    /// Not now: before the exam, in a pause, after the end
    No,
}

/// Asked by a worker before each look; may block.
pub(crate) type Ask = Arc<dyn Fn(Uuid) -> Wanted + Send + Sync>;

/// The session's facts and, beside them, what is to be looked at.
pub(crate) struct Beside {
    facts: Arc<dyn Sink>,
    detection: Option<Arc<Detection>>,
}

impl Beside {
    /// Everything to `facts`; pictures and sounds also to `detection`.
    pub(crate) fn new(facts: Arc<dyn Sink>, detection: Option<Arc<Detection>>) -> Self {
        Self { facts, detection }
    }
}

impl Sink for Beside {
    fn report(&self, session: Uuid, fact: Fact) {
        if let Some(detection) = &self.detection {
            detection.notice(session, &fact);
        }
        self.facts.report(session, fact);
    }
}

/// Takes pictures and sounds in; see the module.
pub(crate) struct Detection {
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    bell: Condvar,
}

impl std::fmt::Debug for Detection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detection(..)")
    }
}

/// A claim of a candidate's detectors.
pub(crate) type Found = (Uuid, Claim);

/// The worker threads.
#[derive(Debug)]
pub(crate) struct Workers {
    detection: Arc<Detection>,
    threads: Vec<JoinHandle<()>>,
}

impl Detection {
    /// Before anything came.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, queue: Mutex::default(), bell: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("no holder panics")
    }

    /// Starts the threads; their claims come out of the receiver.
    pub(crate) fn start(
        self: &Arc<Self>,
        settings: &Settings,
        ask: &Ask,
    ) -> std::io::Result<(Workers, mpsc::Receiver<Found>)> {
        let (claims, found) = mpsc::channel(CLAIMS_WAITING);
        let mut threads = Vec::new();
        for number in 0..settings.workers {
            let worker =
                worker::Worker::new(Arc::clone(self), settings.clone(), Arc::clone(ask), claims.clone());
            let thread = std::thread::Builder::new().name(format!("detectors-{number}"));
            threads.push(thread.spawn(move || worker.run())?);
        }
        Ok((Workers { detection: Arc::clone(self), threads }, found))
    }

    /// Starts the threads over the sessions of `runtime`, and tells those what is found.
    pub(crate) fn watch_over(
        self: &Arc<Self>,
        settings: &Settings,
        runtime: &Runtime,
    ) -> std::io::Result<Workers> {
        let (tasks, sessions) = (tokio::runtime::Handle::current(), runtime.clone());
        let ask: Ask = Arc::new(move |session| tasks.block_on(wanted(&sessions, session)));
        let (workers, mut found) = self.start(settings, &ask)?;
        let runtime = runtime.clone();
        tokio::spawn(async move {
            while let Some((session, claim)) = found.recv().await {
                // A condition that lasts is claimed again: nothing is kept for a store that does not take it now.
                if let Err(error) = runtime.submit(SessionId(session), Input::Detect(event(&claim))).await {
                    tracing::warn!(%session, %error, "a detector's claim was not taken");
                }
            }
        });
        Ok(workers)
    }

    /// Takes up what is to be looked at or listened to; called on media's network threads.
    fn notice(&self, session: Uuid, fact: &Fact) {
        let now = self.clock.now();
        match fact {
            Fact::StillTaken { webp } => {
                self.lock().picture(session, Picture { webp: webp.clone(), taken: now });
            }
            Fact::Levels { loudest } => self.lock().levels(session, now, loudest),
            Fact::PublisherGone { .. } => self.lock().gone(session, now),
            _ => return,
        }
        self.bell.notify_one();
    }

    /// The next session with something to look at; `None` when told to stop. Waits.
    fn take(&self) -> Option<Work> {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(work) = queue.take() {
                return Some(work);
            }
            queue = self.bell.wait(queue).expect("no holder panics");
        }
    }
}

impl Workers {
    /// Ends the threads after what they are looking at.
    pub(crate) fn stop(self) {
        self.detection.lock().stopped = true;
        self.detection.bell.notify_all();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a detector thread had ended by panic");
            }
        }
    }
}

async fn wanted(runtime: &Runtime, session: Uuid) -> Wanted {
    match runtime.look(SessionId(session)).await {
        Ok(snapshot)
            if matches!(snapshot.session.state().stage, Stage::Running { paused_since: None, .. }) =>
        {
            Wanted::Yes(switched_off(&snapshot.session.context().rules.switched_off))
        }
        Ok(_) => Wanted::No,
        Err(error) => {
            tracing::debug!(%session, %error, "a session cannot be looked at now");
            Wanted::No
        }
    }
}

/// The catalogue's code of a condition.
pub(crate) const fn code(condition: Condition) -> Code {
    match condition {
        Condition::Dark | Condition::Covered => Code::CameraCovered,
        Condition::Frozen => Code::CameraFrozen,
        Condition::Changed => Code::CameraChanged,
        Condition::NoFace => Code::NoFace,
        Condition::SeveralFaces => Code::SecondPerson,
        Condition::OffCentre => Code::FaceOffCentre,
        Condition::Sound => Code::SoundHeard,
    }
}

/// Conditions whose code is switched off by an accommodation (LAW-30).
pub(crate) fn switched_off(codes: &BTreeSet<Code>) -> BTreeSet<Condition> {
    Condition::ALL.into_iter().filter(|condition| codes.contains(&code(*condition))).collect()
}

/// As the session takes it.
pub(crate) fn event(claim: &Claim) -> DetectorEvent {
    #[expect(clippy::cast_possible_truncation, reason = "scores are small; a cast of a float saturates")]
    let milli = |value: f32| (value * 1_000.0).round() as i32;
    DetectorEvent {
        code: code(claim.condition),
        phase: match claim.phase {
            Phase::Begin => SignalPhase::Begin,
            Phase::Seen => SignalPhase::Seen,
            Phase::End => SignalPhase::End,
        },
        source: Source::Model,
        confidence_pct: claim.confidence_pct,
        at: At(claim.at_ms),
        note: None,
        measured: Some(Measured {
            detector: claim.detector.to_owned(),
            version: claim.version.to_owned(),
            condition: claim.condition.name().to_owned(),
            score_milli: milli(claim.score),
            threshold_milli: milli(claim.threshold),
            picture: claim.picture,
        }),
    }
}
