//! What is counted per frame and request, by names of `synaq_<thing>_<unit>`. Labels are few and fixed, never an id.

use metrics::{Counter, Histogram, counter, histogram};
use std::time::Duration;
use synaq_wire::problem::Code;

/// Handles of what is counted for each frame of a candidate: a look-up by name costs more than the counting.
#[derive(Debug)]
pub(crate) struct Meters {
    ack: Histogram,
    commands: Counter,
    questions: Counter,
    pings: Counter,
    malformed: Counter,
}

/// Kind of a frame that came in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FrameKind {
    Command,
    Question,
    Ping,
    Malformed,
}

impl FrameKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Question => "question",
            Self::Ping => "ping",
            Self::Malformed => "malformed",
        }
    }
}

impl Default for Meters {
    fn default() -> Self {
        let frames = |kind: FrameKind| counter!("synaq_frames_total", "audience" => "candidate", "kind" => kind.name());
        Self {
            ack: histogram!("synaq_ack_seconds"),
            commands: frames(FrameKind::Command),
            questions: frames(FrameKind::Question),
            pings: frames(FrameKind::Ping),
            malformed: frames(FrameKind::Malformed),
        }
    }
}

impl Meters {
    /// From the frame read to its acknowledgement handed to the socket.
    pub(crate) fn acknowledged(&self, took: Duration) {
        self.ack.record(took);
    }

    pub(crate) fn frame(&self, kind: FrameKind) {
        match kind {
            FrameKind::Command => &self.commands,
            FrameKind::Question => &self.questions,
            FrameKind::Ping => &self.pings,
            FrameKind::Malformed => &self.malformed,
        }
        .increment(1);
    }
}

/// Something was refused, over HTTP or by frame.
pub(crate) fn refused(code: Code) {
    counter!("synaq_refused_total", "code" => code.as_str()).increment(1);
}
