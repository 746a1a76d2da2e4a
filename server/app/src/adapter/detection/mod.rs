//! Pictures and levels of sound go to the detectors, their claims to the sessions. All of it beside the way of answers
//! and recordings: a picture that was not looked at before the next one came is skipped and counted, and the workers
//! rest so that they never take more than their share of a core.

mod faces;
mod glance;
mod queue;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use faces::FaceFinder;
pub(crate) use glance::sight;

use bytes::Bytes;
use queue::{Picture, Queue, Task};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use synaq_core::ids::SessionId;
use synaq_core::proctoring::{Code, DetectorEvent, Measured, SignalPhase, Source};
use synaq_core::session::{DeviceReport, Input, Stage, State};
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

impl Settings {
    /// What all threads together may take of the machine.
    fn budget_cores(&self) -> f64 {
        let threads = u32::try_from(self.workers).unwrap_or(u32::MAX);
        f64::from(threads) * f64::from(self.budget_pct) / 100.0
    }
}

/// What a session says about being watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// The clock runs; these conditions are switched off for this candidate
    Yes(BTreeSet<Condition>),
    /// Not now: before the exam, in a pause, after the end
    No,
}

/// Asked by a worker with each picture, and for sound alone every ten seconds; may block.
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
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// About whom
    pub(crate) session: Uuid,
    /// What
    pub(crate) claim: Claim,
    /// The picture it was seen in; none for sound
    pub(crate) look: Option<Looked>,
}

/// A picture that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Looked {
    /// When it came
    pub(crate) taken: At,
    /// Of its bytes, hexadecimal
    pub(crate) sha256: String,
}

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
        metrics::gauge!("synaq_detector_budget_cores").set(settings.budget_cores());
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
            while let Some(found) = found.recv().await {
                let session = found.session;
                // A condition that lasts is claimed again: nothing is kept for a store that does not take it now.
                if let Err(error) = runtime.submit(SessionId(session), Input::Detect(event(&found))).await {
                    tracing::warn!(%session, %error, "a detector's claim was not taken");
                }
            }
        });
        Ok(workers)
    }

    /// A picture of a running exam, whichever way it came.
    fn show(&self, session: Uuid, picture: Bytes) {
        let taken = self.clock.now();
        self.lock().picture(session, Picture { picture, taken });
        self.bell.notify_one();
    }

    /// Takes up what is to be looked at or listened to; called on media's network threads.
    fn notice(&self, session: Uuid, fact: &Fact) {
        let now = self.clock.now();
        match fact {
            Fact::StillTaken { webp } => return self.show(session, webp.clone()),
            Fact::Levels { loudest } => self.lock().levels(session, now, loudest),
            Fact::Clock(seen) => self.lock().clock(session, now, *seen),
            Fact::PublisherGone { .. } => self.lock().gone(session, now),
            _ => return,
        }
        self.bell.notify_one();
    }

    /// The next thing to look at; `None` when told to stop. Waits.
    fn take(&self) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(task) = queue.take() {
                return Some(task);
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
            let state = snapshot.session.state();
            let switched_off_codes = &snapshot.session.context().rules.switched_off;
            if camera_is_a_program(state) && !switched_off_codes.contains(&Code::VirtualCamera) {
                let since = state.started_at.unwrap_or(At(0));
                let told = runtime.submit(SessionId(session), Input::Detect(label_event(since))).await;
                if let Err(error) = told {
                    tracing::debug!(%session, %error, "a camera's name is told with the next picture");
                }
            }
            Wanted::Yes(switched_off(switched_off_codes))
        }
        Ok(_) => Wanted::No,
        Err(error) => {
            tracing::debug!(%session, %error, "a session cannot be looked at now");
            Wanted::No
        }
    }
}

/// By the name that the page told at the device check; false once the log says so.
fn camera_is_a_program(state: &State) -> bool {
    let looks = |report: &DeviceReport| synaq_detectors::looks_virtual(&report.camera_label);
    state.device_report.as_ref().is_some_and(looks) && !state.held.contains_key(&Code::VirtualCamera)
}

/// For the record only: a name is easily changed, and such programs have good uses too.
fn label_event(at: At) -> DetectorEvent {
    DetectorEvent {
        code: Code::VirtualCamera,
        phase: SignalPhase::Begin,
        source: Source::Client,
        confidence_pct: 100,
        at,
        note: None,
        measured: Some(Measured {
            detector: "label".to_owned(),
            version: synaq_detectors::VERSION.to_owned(),
            condition: "virtual_camera".to_owned(),
            score_milli: 1_000,
            threshold_milli: 1_000,
            picture: None,
            picture_at: None,
            picture_sha256: None,
            shown: None,
            could_not_tell: None,
        }),
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
        Condition::ClockFrozen | Condition::ClockRate | Condition::ClockJump | Condition::Replayed => {
            Code::CameraClock
        }
    }
}

/// Conditions whose code is switched off by an accommodation (LAW-30).
pub(crate) fn switched_off(codes: &BTreeSet<Code>) -> BTreeSet<Condition> {
    Condition::ALL.into_iter().filter(|condition| codes.contains(&code(*condition))).collect()
}

/// As the session takes it.
pub(crate) fn event(Found { claim, look, .. }: &Found) -> DetectorEvent {
    let look = look.as_ref();
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
            picture_at: look.map(|look| look.taken),
            picture_sha256: look.map(|look| look.sha256.clone()),
            shown: claim.picture.map(|_| claim.shown),
            could_not_tell: claim.picture.map(|_| claim.could_not_tell),
        }),
    }
}
