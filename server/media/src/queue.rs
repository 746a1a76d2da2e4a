//! What waits between the network thread and the recorder.
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// Frames waiting at most, whatever their size (an audio frame is about 100 bytes and 100 bytes of bookkeeping).
const MAX_FRAMES: usize = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Video { key: bool },
    Audio,
}

/// What the network thread hands over. `id` is the publisher's, unique within the thread.
#[derive(Debug)]
pub(crate) enum Job {
    Open {
        id: u64,
        session: Uuid,
        audio: bool,
    },
    /// `ms` since the publisher began. `after_gap`: video was lost before this frame.
    Frame {
        id: u64,
        kind: Kind,
        ms: i64,
        after_gap: bool,
        data: Bytes,
    },
    Still {
        id: u64,
        ms: i64,
        webp: Bytes,
    },
    /// Media stopped for long: finish the segment; the next frame begins another.
    Pause {
        id: u64,
    },
    End {
        id: u64,
    },
}

impl Job {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Frame { data, .. } => data.len(),
            Self::Still { webp, .. } => webp.len(),
            Self::Open { .. } | Self::Pause { .. } | Self::End { .. } => 0,
        }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Of the jobs here, and of those that the recorder has taken and is at
    bytes: usize,
    taken: usize,
    closed: bool,
}

/// Bounded hand-over from the network thread. Only media is refused when it is full; there is at most one open, pause
/// and end per publisher. The recorder takes whatever waits in one go, when the bell is rung: waking it for each frame
/// costs more than its work.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    max_bytes: usize,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Condvar::new(), max_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job over; `false` means that the queue is full and the media is dropped.
    pub(crate) fn push(&self, job: Job) -> bool {
        let mut waiting = self.lock();
        let bytes = job.bytes();
        let frames = waiting.jobs.len() + waiting.taken;
        if bytes > 0 && (waiting.bytes + bytes > self.max_bytes || frames >= MAX_FRAMES) {
            return false;
        }
        waiting.bytes += bytes;
        waiting.jobs.push_back(job);
        true
    }

    /// Wakes the recorder if something waits for it.
    pub(crate) fn ring(&self) {
        if !self.lock().jobs.is_empty() {
            self.filled.notify_one();
        }
    }

    /// No further jobs come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Waits for jobs, at most that long if there is a limit, and moves all of them into `jobs`, which is empty; `false`
    /// after the last ones.
    pub(crate) fn take(&self, jobs: &mut VecDeque<Job>, patience: Option<Duration>) -> bool {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() {
            if waiting.closed {
                return false;
            }
            let Some(patience) = patience else {
                waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Woken without a job it is back early, which costs a look.
            waiting = self.filled.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
            break;
        }
        std::mem::swap(jobs, &mut waiting.jobs);
        waiting.taken = jobs.len();
        true
    }

    /// A job that was taken is done: there is room for as much again.
    pub(crate) fn done(&self, bytes: usize) {
        let mut waiting = self.lock();
        waiting.taken -= 1;
        waiting.bytes -= bytes;
    }
}
