//! Clips of incidents become evidence of their own: announced when the incident opens, so that the record waits for them,
//! and stored when the ten seconds after it lie in whole clusters, or the exam has ended.

use super::evidence::EvidenceFolder;
use super::media_facts::Word;
use super::media_sink::MediaSink;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{IncidentNo, SessionId};
use synaq_core::session::{EvidenceRef, MediaFact, Stage, State};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock, Handle};
use synaq_web::{CLIP_AFTER_MS, CLIP_BEFORE_MS, ClipOf, cut_between};
use uuid::Uuid;

/// What was recorded at a moment lies in a whole cluster by then.
const WHOLE_AFTER: Span = Span(CLIP_AFTER_MS + 3_000);
/// How often it is looked whether the exam has ended meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Clips of one exam: a candidate can open incidents at will, and each clip is half a megabyte.
const CLIPS_MAX: u32 = 200;

/// Keeps the clips of sessions that publish.
pub(crate) struct ClipKeeper {
    runtime: Handle,
    evidence: Arc<EvidenceFolder>,
    sink: Arc<MediaSink>,
    clock: Arc<dyn Clock>,
    /// Incidents seen, by session; kept as long as the process, because whoever publishes again is the same session
    seen: HashMap<Uuid, usize>,
}

impl ClipKeeper {
    /// Of what `evidence` holds.
    pub(crate) fn new(
        runtime: Handle,
        evidence: Arc<EvidenceFolder>,
        sink: Arc<MediaSink>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { runtime, evidence, sink, clock, seen: HashMap::new() }
    }

    /// Takes up every incident that has no clip yet. Called at each change of a session, so it does nothing mostly.
    pub(crate) fn attend(&mut self, session: Uuid, state: &State) {
        let seen = self.seen.entry(session).or_default();
        let fresh = state.incidents.get(*seen..).unwrap_or_default();
        *seen = state.incidents.len();
        let wanted = fresh.iter().filter(|incident| incident.no.0 <= CLIPS_MAX);
        let pictures: &[ClipOf] =
            if shares(state) { &[ClipOf::Webcam, ClipOf::Screen] } else { &[ClipOf::Webcam] };
        for (incident, of) in wanted.flat_map(|incident| pictures.iter().map(move |of| (incident, *of))) {
            let name = of.name(incident.no.0);
            if state.evidence.iter().any(|held| held.name == name) {
                continue;
            }
            self.sink.push(session, Word::Fact(MediaFact::Opened { name }));
            let clip = Clip {
                runtime: self.runtime.clone(),
                evidence: Arc::clone(&self.evidence),
                sink: Arc::clone(&self.sink),
                clock: Arc::clone(&self.clock),
                session,
                of,
                no: incident.no,
                began_at: incident.began_at,
            };
            tokio::spawn(clip.keep());
        }
    }
}

/// Something of the screen is recorded: elsewhere nobody waits for a clip of it.
fn shares(state: &State) -> bool {
    let mut names = state.evidence.iter().map(|held| &held.name).chain(&state.evidence_open);
    names.any(|name| name.starts_with("screen-"))
}

/// One clip on its way.
struct Clip {
    runtime: Handle,
    evidence: Arc<EvidenceFolder>,
    sink: Arc<MediaSink>,
    clock: Arc<dyn Clock>,
    session: Uuid,
    of: ClipOf,
    no: IncidentNo,
    began_at: At,
}

impl Clip {
    async fn keep(self) {
        let due = self.began_at + WHOLE_AFTER;
        while self.clock.now() < due && !self.over().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let (session, sink) = (self.session, Arc::clone(&self.sink));
        let name = self.of.name(self.no.0);
        let stored = tokio::task::spawn_blocking(move || self.store()).await;
        let fact = match stored.map_err(std::io::Error::other).flatten() {
            Ok(Some(evidence)) => MediaFact::Stored(evidence),
            Ok(None) => {
                let why = "nothing was recorded of this incident".to_owned();
                MediaFact::Gap { span: Span::ZERO, why, name: Some(name) }
            }
            Err(error) => {
                tracing::error!(%session, name, %error, "the clip of an incident cannot be kept");
                let why = format!("{name} cannot be kept: {}", error.kind());
                MediaFact::Gap { span: Span::ZERO, why, name: Some(name) }
            }
        };
        sink.push(session, Word::Fact(fact));
    }

    /// The exam has ended and so has its recording: nothing will be added.
    async fn over(&self) -> bool {
        self.runtime.look(SessionId(self.session)).await.is_ok_and(|snapshot| {
            let state = snapshot.session.state();
            matches!(state.stage, Stage::Closed { .. }) && !state.recording
        })
    }

    fn store(&self) -> std::io::Result<Option<EvidenceRef>> {
        let (from, to) = (self.began_at.0 - CLIP_BEFORE_MS, self.began_at.0 + CLIP_AFTER_MS);
        let Some(clip) = cut_between(&*self.evidence, SessionId(self.session), self.of, from, to)? else {
            return Ok(None);
        };
        let name = self.of.name(self.no.0);
        let kept = self.evidence.keep(self.session, &name, &clip.webm)?;
        Ok(Some(EvidenceRef { name, sha256: kept.sha256, bytes: kept.bytes }))
    }
}
