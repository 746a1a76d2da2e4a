//! Facts of the media room become inputs of the session. The media threads never wait here, and no fact is lost while
//! the store is busy or does not answer.

use super::detection::Workers;
use super::evidence::EvidenceFolder;
use super::media_facts::{Present, Waiting, Word};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::{Effect, EvidenceRef, Input, MediaFact};
use synaq_core::time::Span;
use synaq_media::{Checkpoint, Fact, JoinGuard, Sink};
use synaq_runtime::{Done, Handle, SubmitError};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

/// Gaps shorter than this are ordinary jitter of a home link, not worth an event.
const GAP_WORTH_AN_EVENT_MS: u64 = 1_000;
/// Sessions told at once: they share commits, so a thousand starts take a few of them.
const SESSIONS_AT_ONCE: usize = 256;
/// A store that does not take writes is asked again after this, then after twice as long ...
const BACKOFF_BASE: Duration = Duration::from_millis(100);
/// ... up to this.
const BACKOFF_CAP: Duration = Duration::from_secs(5);
/// How long a stop waits for the store to take the last facts. What is lost then is read from the disk at the next start.
const DRAIN: Duration = Duration::from_secs(10);

/// Takes what the media threads report.
#[derive(Default)]
pub(crate) struct MediaSink {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

impl std::fmt::Debug for MediaSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaSink(..)")
    }
}

impl MediaSink {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder panics")
    }

    /// Puts a word behind the others of its session.
    pub(crate) fn push(&self, session: Uuid, word: Word) {
        self.lock().push(session, word);
        self.filled.notify_one();
    }

    /// Says again what is present, to a session that knows otherwise: it went down with the store and came back.
    pub(crate) fn remind(&self, session: Uuid, known: Present) {
        let Some(present) = self.lock().settled(session).filter(|present| *present != known) else { return };
        if present.recording != known.recording {
            self.push(session, Word::Fact(MediaFact::Recording(present.recording)));
        }
        if present.screen != known.screen {
            self.push(session, Word::Fact(MediaFact::Screen(present.screen)));
        }
        let Present { video, audio, .. } = present;
        self.push(session, Word::Fact(MediaFact::Flow { video, audio }));
    }

    /// Tells the sessions, each in order, until aborted.
    pub(crate) async fn deliver(self: Arc<Self>, runtime: Handle, evidence: Arc<EvidenceFolder>) {
        self.deliver_to(evidence, move |session, fact| {
            let runtime = runtime.clone();
            async move { runtime.submit(session, Input::Media(fact)).await }
        })
        .await;
    }

    async fn deliver_to<S, F>(self: Arc<Self>, evidence: Arc<EvidenceFolder>, submit: S)
    where
        S: Fn(SessionId, MediaFact) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Done, SubmitError>> + Send + 'static,
    {
        let mut lanes = JoinSet::new();
        loop {
            while lanes.len() < SESSIONS_AT_ONCE {
                let Some(session) = self.lock().take_session() else { break };
                lanes.spawn(Arc::clone(&self).tell(session, Arc::clone(&evidence), submit.clone()));
            }
            tokio::select! {
                () = self.filled.notified() => {}
                Some(told) = lanes.join_next() => {
                    if let Err(error) = told {
                        tracing::error!(%error, "telling a session about its recording ended by panic");
                    }
                }
            }
        }
    }

    async fn tell<S, F>(self: Arc<Self>, session: Uuid, evidence: Arc<EvidenceFolder>, submit: S)
    where
        S: Fn(SessionId, MediaFact) -> F,
        F: Future<Output = Result<Done, SubmitError>>,
    {
        loop {
            let word = self.lock().next(session);
            match word {
                Some(Word::Fact(fact)) => insist(session, fact, &submit).await,
                Some(Word::Failed { name, why }) => {
                    for fact in salvaged(&evidence, session, name, why).await {
                        insist(session, fact, &submit).await;
                    }
                }
                None => return self.filled.notify_one(),
            }
        }
    }
}

/// Until it is taken, or never will be.
async fn insist<S, F>(session: Uuid, fact: MediaFact, submit: &S)
where
    S: Fn(SessionId, MediaFact) -> F,
    F: Future<Output = Result<Done, SubmitError>>,
{
    let mut pause = BACKOFF_BASE;
    loop {
        let wait = match submit(SessionId(session), fact.clone()).await {
            Ok(done) => {
                if let Some(Effect::Refused(refusal)) = done.effects.last() {
                    tracing::warn!(%session, %refusal, ?fact, "a fact about a recording was refused");
                }
                return;
            }
            Err(SubmitError::Busy { retry_after_ms }) => Duration::from_millis(retry_after_ms),
            Err(SubmitError::Store) => pause,
            Err(error) => {
                tracing::error!(%session, %error, ?fact, "a fact about a recording cannot be told");
                return;
            }
        };
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(BACKOFF_CAP);
    }
}

/// What there is to say of a piece that was not finished: the digest of what can be read, and that the rest is missing.
pub(crate) async fn salvaged(
    evidence: &Arc<EvidenceFolder>,
    session: Uuid,
    name: String,
    why: String,
) -> Vec<MediaFact> {
    let (folder, piece) = (Arc::clone(evidence), name.clone());
    let measured = tokio::task::spawn_blocking(move || folder.measure(session, &piece)).await;
    let span = Span::ZERO;
    match measured.map_err(std::io::Error::other).flatten() {
        Ok(measured) => {
            let mut facts = vec![MediaFact::Stored(measured.evidence)];
            if measured.cut {
                facts.push(MediaFact::Gap { span, why: format!("{name} ends early: {why}"), name: None });
            }
            facts
        }
        Err(error) => {
            tracing::error!(%session, name, %error, "a piece of evidence cannot be read");
            vec![MediaFact::Gap { span, why: format!("{name} cannot be read: {why}"), name: Some(name) }]
        }
    }
}

impl Sink for MediaSink {
    fn report(&self, session: Uuid, fact: Fact) {
        let word = match fact {
            Fact::PublisherConnected
            | Fact::PublisherGone { .. }
            | Fact::StillKept { .. }
            | Fact::StillTaken { .. }
            | Fact::Clock(_)
            | Fact::Levels { .. } => return,
            Fact::Gap { ms } if ms < GAP_WORTH_AN_EVENT_MS => return,
            Fact::StorageFailed { name, kind } => {
                let why = if kind == std::io::ErrorKind::StorageFull { "full" } else { "other" };
                metrics::counter!("synaq_evidence_failures_total", "why" => why).increment(1);
                Word::Failed { name, why: kind.to_string() }
            }
            Fact::Flow { video, audio } => Word::Fact(MediaFact::Flow { video, audio }),
            Fact::Screen { live } => Word::Fact(MediaFact::Screen(live)),
            Fact::RecordingBegan => Word::Fact(MediaFact::Recording(true)),
            Fact::RecordingEnded => Word::Fact(MediaFact::Recording(false)),
            Fact::SegmentStarted { name } | Fact::StillsStarted { name } => {
                Word::Fact(MediaFact::Opened { name })
            }
            Fact::SegmentFinished { name, sha256, bytes, .. }
            | Fact::StillsFinished { name, sha256, bytes, .. } => {
                Word::Fact(MediaFact::Stored(EvidenceRef { name, sha256, bytes }))
            }
            Fact::Checkpoint { name, at: Checkpoint { chunks, bytes, head } } => {
                Word::Fact(MediaFact::Checkpoint { name, chunks, bytes, head })
            }
            Fact::Gap { ms } => {
                let span = Span(i64::try_from(ms).unwrap_or(i64::MAX));
                Word::Fact(MediaFact::Gap { span, why: "media lost".to_owned(), name: None })
            }
        };
        self.push(session, word);
    }
}

/// The media threads and the tasks that carry their facts on.
pub(crate) struct Recording {
    /// Network and recorder threads
    pub(crate) threads: JoinGuard,
    /// Where they report to
    pub(crate) sink: Arc<MediaSink>,
    /// Runs [`MediaSink::deliver`]
    pub(crate) delivery: JoinHandle<()>,
    /// Detector threads
    pub(crate) detectors: Option<Workers>,
    /// Watches over ends of exams
    pub(crate) watch: JoinHandle<()>,
    /// Of the tasks
    pub(crate) tasks: tokio::runtime::Handle,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recording(..)")
    }
}

impl Recording {
    /// Finishes all recordings, and returns when the sessions know of them. Blocks: not for a thread of async tasks.
    pub(crate) fn stop(self) {
        self.watch.abort();
        self.threads.stop();
        if let Some(detectors) = self.detectors {
            detectors.stop();
        }
        let told = self.tasks.block_on(tokio::time::timeout(DRAIN, self.sink.told()));
        if told.is_err() {
            tracing::error!(
                "the store did not take all facts about recordings; they are read from the disk at the next start"
            );
        }
        self.delivery.abort();
    }
}

impl MediaSink {
    #[cfg(test)]
    pub(crate) fn drained(&self) -> Vec<Word> {
        let mut words = Vec::new();
        let mut waiting = self.lock();
        while let Some(session) = waiting.take_session() {
            words.extend(std::iter::from_fn(|| waiting.next(session)));
        }
        words
    }

    /// Returns once every word was taken. Nobody else may wait for the bell then.
    async fn told(&self) {
        while !self.lock().is_empty() {
            tokio::time::sleep(BACKOFF_BASE).await;
        }
    }
}

#[cfg(test)]
#[path = "media_sink_tests.rs"]
mod tests;
