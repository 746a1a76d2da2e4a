//! What a publisher's packets become: frames for the recorder, stills, levels, and facts about their flow.
use crate::{
    Fact, Options, PublisherStatus, Sink,
    pace::Pace,
    recorder::{Job, Kind, Queue},
    reorder::{Out, Reorder},
    room::Track,
    screen::Screen,
    sdp,
    shared::{Counters, RoomView, count},
    timeline::Timeline,
    vp8::{self, Assembler},
};
use bytes::Bytes;
use rtc::{media_stream::MediaStreamTrackId, rtp_transceiver::RTCRtpReceiverId};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Silence after which a kind counts as stalled: 18 frames at 12 fps, 75 audio packets.
pub(crate) const STALLED_AFTER: Duration = Duration::from_millis(1_500);
/// Silence of everything after which the segment is closed.
pub(crate) const PAUSED_AFTER: Duration = Duration::from_secs(10);
/// Least distance between two key-frame requests to one publisher; viewers ask all at once.
const KEY_THROTTLE: Duration = Duration::from_millis(300);
/// A request that stays without effect is repeated.
const KEY_RETRY: Duration = Duration::from_secs(1);
/// Shorter holes in the picture are counted in the segment but not reported one by one.
const GAP_REPORT_MS: i64 = 500;
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Loss is averaged over this many status periods.
const LOSS_PERIODS: usize = 10;

/// One incoming track.
pub(crate) struct Source {
    pub(crate) track: MediaStreamTrackId,
    pub(crate) receiver: RTCRtpReceiverId,
    pub(crate) ssrc: u32,
    pub(crate) video: bool,
    /// Of the second video line
    pub(crate) screen: bool,
    /// Header extension of RFC 6464 as negotiated; differs between browsers.
    pub(crate) level_extension: Option<u8>,
}

impl Source {
    pub(crate) fn kind(&self) -> Track {
        match (self.video, self.screen) {
            (true, true) => Track::Screen,
            (true, false) => Track::Webcam,
            (false, _) => Track::Sound,
        }
    }
}

struct Held {
    timestamp: u32,
    marker: bool,
    payload: Bytes,
    arrived: Instant,
}

/// What the publisher reports to and writes into.
pub(crate) struct Surroundings {
    pub(crate) session: Uuid,
    pub(crate) view: Arc<RoomView>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) still_every: Duration,
    pub(crate) still_keep_every: Duration,
}

impl Surroundings {
    pub(crate) fn new(
        session: Uuid,
        view: Arc<RoomView>,
        sink: Arc<dyn Sink>,
        queue: Arc<Queue>,
        options: &Options,
    ) -> Self {
        let (still_every, still_keep_every) = (options.still_every, options.still_keep_every);
        Self { session, view, sink, queue, still_every, still_keep_every }
    }
}

#[derive(Default)]
struct Flow {
    last_at: Option<Instant>,
}

impl Flow {
    fn live(&self, now: Instant) -> bool {
        self.last_at.is_some_and(|at| now.duration_since(at) < STALLED_AFTER)
    }
}

/// Tenths of a second that make a report of loudness.
const LOUDNESS_STEPS: usize = 10;
const LOUDNESS_STEP: Duration = Duration::from_millis(100);
/// RFC 6464: nothing at all.
const SILENT: u8 = 127;

/// The loudest level of each tenth of a second.
#[derive(Default)]
struct Loudness {
    began: Option<Instant>,
    steps: Vec<u8>,
}

impl Loudness {
    /// Takes a packet's level; a second of steps when one is full. A step without a packet is silent.
    fn take(&mut self, level: u8, now: Instant) -> Option<Vec<u8>> {
        let began = *self.began.get_or_insert(now);
        let step = now.duration_since(began).as_millis() / LOUDNESS_STEP.as_millis();
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        if step < LOUDNESS_STEPS {
            self.steps.resize(self.steps.len().max(step + 1), SILENT);
            self.steps[step] = self.steps[step].min(level);
            return None;
        }
        let full = std::mem::replace(&mut self.steps, vec![level]);
        self.began = Some(now);
        Some(full)
    }
}

/// Counts of the present status period.
#[derive(Default)]
struct Period {
    since: Option<Instant>,
    bytes: u64,
    frames: u32,
    expected: u32,
    lost: u32,
}

pub(crate) struct Publisher {
    id: u64,
    around: Surroundings,
    epoch: Instant,
    pub(crate) sources: Vec<Source>,
    /// Where the exam asks for it, and the offer has a line for it
    pub(crate) screen: Option<Box<Screen>>,
    /// What the offer announced on its second video line, asked for or not
    screen_streams: Vec<u32>,
    video: Reorder<Held>,
    audio: Reorder<Held>,
    assembler: Assembler,
    timeline: Timeline,
    pace: Pace,
    video_flow: Flow,
    audio_flow: Flow,
    loudness: Loudness,
    /// What was last reported to flow: video, audio.
    told: (bool, bool),
    recording: bool,
    last_frame_ms: i64,
    gap_open: bool,
    last_key_at: Option<Instant>,
    last_kept_at: Option<Instant>,
    /// When a picture was last handed on to be looked at; viewers who join make key frames in between
    last_shown_at: Option<Instant>,
    asked_at: Option<Instant>,
    /// A key frame is wanted as soon as the throttle allows.
    pub(crate) key_wanted: bool,
    size: (u16, u16),
    period: Period,
    losses: VecDeque<(u32, u32)>,
    measured: PublisherStatus,
}

impl Publisher {
    pub(crate) fn new(id: u64, around: Surroundings, offer: &sdp::Offer, now: Instant) -> Self {
        around.queue.push(Job::Open { id, session: around.session, audio: offer.audio });
        let screen = offer.screen.then(|| Box::new(Screen::new(id, around.session, &around.queue, now)));
        // Whoever was told that it publishes must find it among the publishers.
        around.view.put_status(Some(PublisherStatus::default()));
        Self {
            id,
            around,
            epoch: now,
            sources: Vec::new(),
            screen,
            screen_streams: offer.screen_streams.clone(),
            video: Reorder::default(),
            audio: Reorder::default(),
            assembler: Assembler::default(),
            timeline: Timeline::default(),
            pace: Pace::default(),
            video_flow: Flow::default(),
            audio_flow: Flow::default(),
            loudness: Loudness::default(),
            told: (false, false),
            recording: false,
            last_frame_ms: 0,
            gap_open: false,
            last_key_at: None,
            last_kept_at: None,
            last_shown_at: None,
            asked_at: None,
            key_wanted: false,
            size: (0, 0),
            period: Period::default(),
            losses: VecDeque::new(),
            measured: PublisherStatus::default(),
        }
    }

    pub(crate) fn report(&self, fact: Fact) {
        self.around.sink.report(self.around.session, fact);
    }

    /// Whether this stream is of the second video line. A browser that announces no streams begins with the webcam:
    /// `webcam_known` says that it has begun.
    pub(crate) fn is_screen(&self, ssrc: u32, webcam_known: bool) -> bool {
        if self.screen_streams.is_empty() { webcam_known } else { self.screen_streams.contains(&ssrc) }
    }

    pub(crate) fn source(&self, track: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.track == track)
    }

    /// Takes a packet of `source` as it came from the network.
    pub(crate) fn packet(
        &mut self,
        video: bool,
        level_extension: Option<u8>,
        packet: &rtc::rtp::Packet,
        now: Instant,
    ) {
        self.period.bytes += packet.payload.len() as u64;
        self.flows(video, now);
        let header = &packet.header;
        if let Some(level) =
            level_extension.and_then(|id| header.get_extension(id)).and_then(|bytes| bytes.first().copied())
        {
            // The upper bit claims voice activity, but browsers set it always.
            self.around.view.put_level(level & 0x7f, now);
            if let Some(loudest) = self.loudness.take(level & 0x7f, now) {
                self.report(Fact::Levels { loudest });
            }
        }
        let held = Held {
            timestamp: header.timestamp,
            marker: header.marker,
            payload: packet.payload.clone(),
            arrived: now,
        };
        let buffer = if video { &mut self.video } else { &mut self.audio };
        buffer.push(header.sequence_number, held, now);
    }

    /// Takes a packet of the shared screen.
    pub(crate) fn screen_packet(&mut self, packet: &rtc::rtp::Packet, now: Instant) {
        self.period.bytes += packet.payload.len() as u64;
        if let Some(screen) = &mut self.screen {
            screen.packet(packet, now);
        }
        self.tell_screen(now);
    }

    fn tell_screen(&mut self, now: Instant) {
        if let Some(live) = self.screen.as_mut().and_then(|screen| screen.news(now)) {
            self.report(Fact::Screen { live });
        }
    }

    fn flows(&mut self, video: bool, now: Instant) {
        let flow = if video { &mut self.video_flow } else { &mut self.audio_flow };
        flow.last_at = Some(now);
        self.tell_flow(now);
    }

    fn tell_flow(&mut self, now: Instant) {
        self.tell((self.video_flow.live(now), self.audio_flow.live(now)));
    }

    fn tell(&mut self, (video, audio): (bool, bool)) {
        if self.told != (video, audio) {
            self.told = (video, audio);
            self.report(Fact::Flow { video, audio });
        }
    }

    /// Hands on what is in order or has been waited for.
    pub(crate) fn deliver(&mut self, counters: &Counters, now: Instant) {
        while let Some(out) = self.video.take(now) {
            match out {
                Out::Packet(held) => self.video_packet(held, counters, now),
                Out::Lost(lost) => {
                    self.lost(lost, counters);
                    self.assembler.gap();
                    self.gap_open = true;
                    self.key_wanted = true;
                }
            }
        }
        while let Some(out) = self.audio.take(now) {
            match out {
                Out::Packet(held) => self.audio_packet(held, counters),
                Out::Lost(lost) => self.lost(lost, counters),
            }
        }
        if let Some(screen) = &mut self.screen {
            screen.deliver(&self.around.queue, counters, now);
        }
    }

    fn lost(&mut self, lost: u32, counters: &Counters) {
        counters.lost_packets.fetch_add(u64::from(lost), Relaxed);
        self.period.lost += lost;
        self.period.expected += lost;
    }

    fn video_packet(&mut self, held: Held, counters: &Counters, now: Instant) {
        self.period.expected += 1;
        if held.marker
            && let Some(seen) = self.pace.picture(held.timestamp, self.ms(held.arrived))
        {
            self.report(Fact::Clock(seen));
        }
        let needed_key = self.assembler.needs_key();
        let frame = self.assembler.push(held.timestamp, held.marker, &held.payload);
        counters.refused_frames.fetch_add(self.assembler.take_refused(), Relaxed);
        if self.assembler.needs_key() && !needed_key {
            self.gap_open = true;
            self.key_wanted = true;
        }
        let Some(frame) = frame else { return };
        self.period.frames += 1;
        let ms = self.timeline.video(frame.timestamp, self.ms(held.arrived));
        if frame.key {
            self.pace.key(&frame.data);
            self.key_frame(&frame.data, ms, now);
        } else if self.last_key_at.is_none() {
            return;
        }
        let gap_ms = ms - self.last_frame_ms;
        let (kind, after_gap) = (Kind::Video { key: frame.key }, self.gap_open);
        if self.around.queue.push(Job::Frame { id: self.id, kind, ms, after_gap, data: frame.data }) {
            self.recording = true;
            self.last_frame_ms = ms;
            if std::mem::take(&mut self.gap_open) && gap_ms >= GAP_REPORT_MS {
                self.report(Fact::Gap { ms: u64::try_from(gap_ms).unwrap_or(0) });
            }
        } else {
            count(&counters.dropped_frames);
            self.assembler.gap();
            self.gap_open = true;
            self.key_wanted = true;
        }
    }

    fn key_frame(&mut self, data: &[u8], ms: i64, now: Instant) {
        self.last_key_at = Some(now);
        let (Some(size), Some(webp)) = (vp8::key_frame_size(data), vp8::webp(data)) else { return };
        self.size = size;
        let webp = Bytes::from(webp);
        self.around.view.put_still(webp.clone(), size, now);
        if self.last_shown_at.is_none_or(|at| now.duration_since(at) >= self.around.still_every / 2) {
            self.last_shown_at = Some(now);
            self.report(Fact::StillTaken { webp: webp.clone() });
        }
        let due = self.last_kept_at.is_none_or(|at| now.duration_since(at) >= self.around.still_keep_every);
        if due && self.around.queue.push(Job::Still { id: self.id, ms, webp }) {
            self.last_kept_at = Some(now);
        }
    }

    fn audio_packet(&mut self, held: Held, counters: &Counters) {
        self.period.expected += 1;
        if held.payload.is_empty() {
            return;
        }
        let ms = self.timeline.audio(held.timestamp, self.ms(held.arrived));
        let frame = Job::Frame { id: self.id, kind: Kind::Audio, ms, after_gap: false, data: held.payload };
        if self.around.queue.push(frame) {
            self.recording = true;
        } else {
            count(&counters.dropped_frames);
        }
    }

    fn ms(&self, at: Instant) -> i64 {
        i64::try_from(at.duration_since(self.epoch).as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn sender_report(&mut self, ssrc: u32, ntp: u64, timestamp: u32) {
        if let Some(source) = self.sources.iter().find(|source| source.ssrc == ssrc && !source.screen) {
            self.timeline.report(source.video, ntp, timestamp);
        }
    }

    /// When `deliver` or a wanted key frame needs attention next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let key = self.key_wanted.then(|| self.asked_at.map(|at| at + KEY_THROTTLE)).flatten();
        let screen = self.screen.as_ref().and_then(|screen| screen.deadline());
        [self.video.deadline(), self.audio.deadline(), key, screen].into_iter().flatten().min()
    }

    /// Whether to send a key-frame request now; notes that it is sent.
    pub(crate) fn may_ask(&mut self, now: Instant) -> bool {
        if !self.key_wanted || self.asked_at.is_some_and(|at| now.duration_since(at) < KEY_THROTTLE) {
            return false;
        }
        self.key_wanted = false;
        self.asked_at = Some(now);
        true
    }

    /// Whether a key frame is wanted of any picture.
    pub(crate) fn wants_key(&self) -> bool {
        self.key_wanted || self.screen.as_ref().is_some_and(|screen| screen.key_wanted)
    }

    /// The same for the screen. `waiting`: whoever looks at it has no picture yet.
    pub(crate) fn watch_screen(&mut self, waiting: bool, now: Instant) {
        if let Some(screen) = &mut self.screen {
            screen.watch(waiting, &self.around.queue, now);
        }
        self.tell_screen(now);
    }

    /// Four times a second: silence, overdue key frames, status. `waiting`: a viewer has no picture yet.
    pub(crate) fn watch(&mut self, waiting: bool, connected: bool, tcp: bool, viewers: u32, now: Instant) {
        self.watch_silence(now);
        let older = |at: Option<Instant>, than| at.is_none_or(|at| now.duration_since(at) >= than);
        // A key frame that a viewer asked for may have come just before a still was due for keeping.
        let overdue = older(self.last_key_at, self.around.still_every)
            || older(self.last_kept_at, self.around.still_keep_every);
        let patient = self.asked_at.is_some_and(|at| now.duration_since(at) < KEY_RETRY);
        if (overdue || waiting || self.assembler.needs_key()) && !patient && self.video_flow.live(now) {
            self.key_wanted = true;
        }
        self.status(connected, tcp, viewers, now);
    }

    fn watch_silence(&mut self, now: Instant) {
        self.tell_flow(now);
        let newest = self.video_flow.last_at.max(self.audio_flow.last_at);
        if self.recording && newest.is_some_and(|at| now.duration_since(at) >= PAUSED_AFTER) {
            self.recording = false;
            self.around.queue.push(Job::Pause { id: self.id });
        }
    }

    fn status(&mut self, connected: bool, tcp: bool, viewers: u32, now: Instant) {
        self.measure(now);
        self.around.view.put_status(Some(PublisherStatus {
            connected,
            video_live: self.video_flow.live(now),
            audio_live: self.audio_flow.live(now),
            width: self.size.0,
            height: self.size.1,
            tcp,
            viewers,
            ..self.measured
        }));
    }

    /// Rates of the last full period.
    fn measure(&mut self, now: Instant) {
        let passed = now.duration_since(*self.period.since.get_or_insert(now));
        if passed < STATUS_EVERY {
            return;
        }
        let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let period = std::mem::take(&mut self.period);
        self.period.since = Some(now);
        self.losses.push_back((period.expected, period.lost));
        if self.losses.len() > LOSS_PERIODS {
            self.losses.pop_front();
        }
        let (expected, lost) = self
            .losses
            .iter()
            .fold((0_u64, 0_u64), |sum, period| (sum.0 + u64::from(period.0), sum.1 + u64::from(period.1)));
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        self.measured.bitrate_bps = narrow(period.bytes * 8_000 / ms);
        self.measured.fps = narrow((u64::from(period.frames) * 1_000 + ms / 2) / ms);
        self.measured.loss_permille = narrow(lost * 1_000 / expected.max(1));
    }

    /// The peer is gone: nothing flows any more, what is left is handed on and the recording closed.
    pub(crate) fn end(&mut self, counters: &Counters, now: Instant) {
        self.tell((false, false));
        self.deliver(counters, now + crate::reorder::HOLD);
        // First: with the webcam's recording everything of this publisher has ended.
        if let Some(mut screen) = self.screen.take()
            && screen.end(&self.around.queue, counters, now)
        {
            self.report(Fact::Screen { live: false });
        }
        self.around.queue.push(Job::End { id: self.id });
    }
}
