//! The shared screen of a publisher: a second picture, recorded by itself and forwarded to whoever asks for it.
//!
//! It has no sound and makes no stills: what a machine could say of a desktop is nobody's business. A desktop that
//! stands still sends little: silence and key frames have limits of their own here.
use crate::{
    recorder::{Job, Kind, Queue},
    reorder::{Out, Reorder},
    shared::{Counters, count},
    timeline::Timeline,
    vp8::Assembler,
};
use bytes::Bytes;
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Set in a publisher's id, it names the recording of its screen.
pub(crate) const RECORDING: u64 = 1 << 63;
/// Silence after which the screen counts as gone. Browsers repeat a picture that stands still about once a second.
const STALLED_AFTER: Duration = Duration::from_secs(5);
/// Silence after which the segment is closed.
const PAUSED_AFTER: Duration = Duration::from_secs(30);
/// A key frame at least this often: a player enters the recording there. One of a desktop with text takes 50 to 150 kB,
/// two to five seconds of all that the screen may send.
const KEY_EVERY: Duration = Duration::from_secs(20);
const KEY_RETRY: Duration = Duration::from_secs(2);
/// Least distance between two requests; viewers ask all at once.
const KEY_THROTTLE: Duration = Duration::from_secs(1);

struct Held {
    timestamp: u32,
    marker: bool,
    payload: Bytes,
    arrived: Instant,
}

/// What has come of it.
pub(crate) struct Screen {
    recording: u64,
    began: Instant,
    packets: Reorder<Held>,
    assembler: Assembler,
    timeline: Timeline,
    last_at: Option<Instant>,
    last_key_at: Option<Instant>,
    asked_at: Option<Instant>,
    gap_open: bool,
    recorded: bool,
    told: bool,
    /// A key frame is wanted as soon as the throttle allows.
    pub(crate) key_wanted: bool,
}

impl Screen {
    /// Of the publisher `id`; its recording is opened.
    pub(crate) fn new(id: u64, session: Uuid, queue: &Queue, now: Instant) -> Self {
        let recording = id | RECORDING;
        queue.push(Job::Open { id: recording, session, audio: false });
        Self {
            recording,
            began: now,
            packets: Reorder::default(),
            assembler: Assembler::default(),
            timeline: Timeline::default(),
            last_at: None,
            last_key_at: None,
            asked_at: None,
            gap_open: false,
            recorded: false,
            told: false,
            key_wanted: true,
        }
    }

    /// Takes a packet as it came from the network.
    pub(crate) fn packet(&mut self, packet: &rtc::rtp::Packet, now: Instant) {
        self.last_at = Some(now);
        let header = &packet.header;
        let held = Held {
            timestamp: header.timestamp,
            marker: header.marker,
            payload: packet.payload.clone(),
            arrived: now,
        };
        self.packets.push(header.sequence_number, held, now);
    }

    /// Hands on what is in order or has been waited for.
    pub(crate) fn deliver(&mut self, queue: &Queue, counters: &Counters, now: Instant) {
        while let Some(out) = self.packets.take(now) {
            match out {
                Out::Packet(held) => self.frame(&held, queue, counters, now),
                Out::Lost(lost) => {
                    counters.lost_packets.fetch_add(u64::from(lost), Relaxed);
                    self.assembler.gap();
                    self.wait_for_key();
                }
            }
        }
    }

    fn wait_for_key(&mut self) {
        self.gap_open = true;
        self.key_wanted = true;
    }

    fn frame(&mut self, held: &Held, queue: &Queue, counters: &Counters, now: Instant) {
        let needed_key = self.assembler.needs_key();
        let frame = self.assembler.push(held.timestamp, held.marker, &held.payload);
        counters.refused_frames.fetch_add(self.assembler.take_refused(), Relaxed);
        if self.assembler.needs_key() && !needed_key {
            self.wait_for_key();
        }
        let Some(frame) = frame else { return };
        if frame.key {
            self.last_key_at = Some(now);
        } else if self.last_key_at.is_none() {
            return;
        }
        let arrived = i64::try_from(held.arrived.duration_since(self.began).as_millis()).unwrap_or(i64::MAX);
        let ms = self.timeline.video(frame.timestamp, arrived);
        let (kind, after_gap) = (Kind::Video { key: frame.key }, self.gap_open);
        if queue.push(Job::Frame { id: self.recording, kind, ms, after_gap, data: frame.data }) {
            self.recorded = true;
            self.gap_open = false;
        } else {
            count(&counters.dropped_frames);
            self.assembler.gap();
            self.wait_for_key();
        }
    }

    /// Whether it began or ceased to come; `None` while nothing changed.
    pub(crate) fn news(&mut self, now: Instant) -> Option<bool> {
        let live = self.last_at.is_some_and(|at| now.duration_since(at) < STALLED_AFTER);
        (std::mem::replace(&mut self.told, live) != live).then_some(live)
    }

    /// Four times a second: silence and overdue key frames. `waiting`: a viewer has no picture yet.
    pub(crate) fn watch(&mut self, waiting: bool, queue: &Queue, now: Instant) {
        let older = |at: Option<Instant>, than| at.is_none_or(|at| now.duration_since(at) >= than);
        if self.recorded && older(self.last_at, PAUSED_AFTER) {
            self.recorded = false;
            queue.push(Job::Pause { id: self.recording });
        }
        let patient = self.asked_at.is_some_and(|at| now.duration_since(at) < KEY_RETRY);
        let overdue = older(self.last_key_at, KEY_EVERY);
        if (overdue || waiting || self.assembler.needs_key()) && !patient && self.told {
            self.key_wanted = true;
        }
    }

    /// Whether to send a key-frame request now; notes that it is sent.
    pub(crate) fn may_ask(&mut self, now: Instant) -> bool {
        let soon = self.asked_at.is_some_and(|at| now.duration_since(at) < KEY_THROTTLE);
        if !self.key_wanted || soon {
            return false;
        }
        self.key_wanted = false;
        self.asked_at = Some(now);
        true
    }

    /// When `deliver` or a wanted key frame needs attention next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let key = self.key_wanted.then(|| self.asked_at.map(|at| at + KEY_THROTTLE)).flatten();
        self.packets.deadline().into_iter().chain(key).min()
    }

    /// What is left is handed on and the recording closed; whether it was live until now.
    pub(crate) fn end(&mut self, queue: &Queue, counters: &Counters, now: Instant) -> bool {
        self.deliver(queue, counters, now + crate::reorder::HOLD);
        queue.push(Job::End { id: self.recording });
        std::mem::take(&mut self.told)
    }
}
