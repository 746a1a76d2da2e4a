//! Facts of the media room become inputs of the session. The media threads never wait here.

use std::collections::HashMap;
use std::sync::Mutex;
use synaq_core::ids::SessionId;
use synaq_core::session::{EvidenceRef, Input, MediaFact};
use synaq_core::time::Span;
use synaq_media::{Fact, Sink};
use synaq_runtime::Handle;
use uuid::Uuid;

/// Gaps shorter than this are ordinary jitter of a home link, not worth an event.
const GAP_WORTH_AN_EVENT_MS: u64 = 1_000;

/// What flows now, per session; media reports changes, core wants the whole.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Flow {
    video: bool,
    audio: bool,
}

/// Sends media facts to the runtime.
pub(crate) struct RuntimeSink {
    runtime: Handle,
    flows: Mutex<HashMap<Uuid, Flow>>,
}

impl std::fmt::Debug for RuntimeSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RuntimeSink(..)")
    }
}

impl RuntimeSink {
    /// To that runtime.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, flows: Mutex::default() }
    }

    fn flow(&self, session: Uuid, change: impl FnOnce(&mut Flow)) {
        let flow = {
            let mut flows = self.flows.lock().expect("no holder panics");
            let flow = flows.entry(session).or_default();
            let before = *flow;
            change(flow);
            if before == *flow {
                return;
            }
            let now = *flow;
            if now == Flow::default() {
                flows.remove(&session);
            }
            now
        };
        self.tell(session, MediaFact::Flow { video: flow.video, audio: flow.audio });
    }

    fn stored(&self, session: Uuid, name: String, sha256: String, bytes: u64) {
        self.tell(session, MediaFact::Stored(EvidenceRef { name, sha256, bytes }));
    }

    fn gap(&self, session: Uuid, ms: u64, why: String) {
        let span = Span(i64::try_from(ms).unwrap_or(i64::MAX));
        self.tell(session, MediaFact::Gap { span, why, name: None });
    }

    fn tell(&self, session: Uuid, fact: MediaFact) {
        if let Err(error) = self.runtime.tell(SessionId(session), Input::Media(fact)) {
            tracing::warn!(%session, %error, "a media fact was not taken");
        }
    }
}

impl Sink for RuntimeSink {
    fn report(&self, session: Uuid, fact: Fact) {
        match fact {
            Fact::PublisherConnected | Fact::SegmentStarted { .. } | Fact::StillKept { .. } => {}
            Fact::VideoFlowing => self.flow(session, |flow| flow.video = true),
            Fact::AudioFlowing => self.flow(session, |flow| flow.audio = true),
            Fact::Resumed => self.flow(session, |flow| *flow = Flow { video: true, audio: true }),
            Fact::Stalled { video, audio } => self.flow(session, |flow| {
                flow.video &= !video;
                flow.audio &= !audio;
            }),
            Fact::PublisherGone { .. } => self.flow(session, |flow| *flow = Flow::default()),
            Fact::SegmentFinished { name, sha256, bytes, .. }
            | Fact::StillsFinished { name, sha256, bytes, .. } => {
                self.stored(session, name, sha256, bytes);
            }
            Fact::Gap { ms } if ms >= GAP_WORTH_AN_EVENT_MS => self.gap(session, ms, "media lost".to_owned()),
            Fact::Gap { .. } => {}
            Fact::StorageFailed { kind, .. } => {
                self.gap(session, 0, format!("recording could not be stored: {kind}"))
            }
        }
    }
}
