//! What is counted per frame and request, by names of `synaq_<thing>_<unit>`. Labels are few and fixed, never an id.

use metrics::{Counter, Histogram, counter, histogram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synaq_runtime::SubmitError;
use synaq_wire::problem::Code;

/// Handles of what is counted for each frame of a candidate: a look-up by name costs more than the counting.
#[derive(Debug)]
pub(crate) struct Meters {
    ack: Histogram,
    commands: Counter,
    questions: Counter,
    pings: Counter,
    malformed: Counter,
    /// Ends of sockets that were not stored yet, and not told to the log yet
    ends_not_stored: AtomicU64,
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
            ends_not_stored: AtomicU64::new(0),
        }
    }
}

impl Meters {
    /// From the frame read to its acknowledgement handed to the socket.
    pub(crate) fn acknowledged(&self, took: Duration) {
        self.ack.record(took);
    }

    /// The end of a socket was not stored at this try. True for the first of those that the log does not know of: it
    /// tells of all, a moment later. A network that fails takes thousands of sockets with it, and a line for each would
    /// keep the disk busy that they wait for.
    pub(crate) fn end_not_stored(&self) -> bool {
        self.ends_not_stored.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Tells the log of all of them.
    pub(crate) fn tell_ends_not_stored(&self, error: &SubmitError) {
        let count = self.ends_not_stored.swap(0, Ordering::Relaxed);
        tracing::warn!(count, %error, "ends of sockets were not stored yet; they are tried again");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_ends_that_were_not_stored_one_tells_the_log() {
        let meters = Meters::default();
        let tell = (0..10_000).filter(|_| meters.end_not_stored()).count();
        assert_eq!(tell, 1);
        meters.tell_ends_not_stored(&SubmitError::Store);
        assert!(meters.end_not_stored(), "the next ones are told again");
    }
}
