//! The recorder thread: frames in order of time become WebM clusters and stills in the evidence store.
pub(crate) use crate::queue::{Job, Kind, Queue};
use crate::{
    EvidenceStore, EvidenceWriter, Fact, Sink, screen,
    webm::{self, Cluster, Tracks},
};
use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    io,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Sound alone is recorded when no picture has come for this long.
const AUDIO_ONLY_AFTER_MS: i64 = 2_000;
/// After a storage failure the next attempt waits this long.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// The head of a segment's hash chain is reported this often, and at its end: an event every half minute per candidate.
const CHECKPOINT_MS: i64 = 30_000;
/// Segments of one kind per session: a reconnect per second for a whole exam day stays below.
const MAX_SEGMENTS: u32 = 99_999;
/// A cluster is written this long after its first frame came, also when no further frame closes it: a desktop that stands
/// still, a camera that was switched off. A little longer than what frames of a moving picture take to close one.
const CLUSTER_WAITS: Duration = Duration::from_millis(2_250);
/// How often it is looked for such clusters: the clip of an incident counts on their sum, and on what a packet is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Room for jobs that is kept: 5 ms of a thousand publishers.
const KEPT_JOBS: usize = 512;

pub(crate) struct Recorder {
    pub(crate) store: Arc<dyn EvidenceStore>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) segment_max: Duration,
    /// When a segment began, for its head
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) recordings: HashMap<u64, Recording>,
}

impl Recorder {
    /// Works until the queue is closed and empty, then finishes what is open.
    pub(crate) fn run(mut self, queue: &Queue) {
        let (mut jobs, mut looked) = (VecDeque::new(), Instant::now());
        while queue.take(&mut jobs, (!self.recordings.is_empty()).then_some(LOOK_EVERY)) {
            while let Some(job) = jobs.pop_front() {
                let bytes = job.bytes();
                self.take(job, Instant::now());
                queue.done(bytes);
            }
            // A storm of a slow disk leaves no memory behind.
            jobs.shrink_to(KEPT_JOBS);
            let now = Instant::now();
            if now.duration_since(looked) >= LOOK_EVERY {
                looked = now;
                self.look(now);
            }
        }
        for (_, mut recording) in self.recordings.drain() {
            recording.end(self.sink.as_ref());
        }
    }

    /// Writes every cluster that has waited long enough.
    fn look(&mut self, now: Instant) {
        for recording in self.recordings.values_mut() {
            recording.settle(self.sink.as_ref(), now);
        }
    }

    pub(crate) fn take(&mut self, job: Job, now: Instant) {
        let (sink, store) = (self.sink.as_ref(), self.store.as_ref());
        match job {
            Job::Open { id, session, audio } => {
                let kind = if id & screen::RECORDING == 0 { WEBCAM } else { SCREEN };
                // Numbers go on while another publisher of the session is known; else the store knows which are taken.
                let same = |other: &&Recording| other.session == session && other.kind == kind;
                let known = self.recordings.values().find(same);
                let numbers = known.map_or((0, 0), |other| (other.number, other.stills_number));
                let recording = Recording::new(session, kind, audio, numbers, self.clock);
                recording.begun(sink);
                self.recordings.insert(id, recording);
            }
            Job::Frame { id, kind, ms, after_gap, data } => {
                if let Some(recording) = self.recordings.get_mut(&id) {
                    let frame = Frame { kind, ms, after_gap, data: &data };
                    recording.frame(frame, self.segment_max, store, sink, now);
                }
            }
            Job::Still { id, ms, webp } => {
                if let Some(recording) = self.recordings.get_mut(&id) {
                    recording.still(ms, &webp, store, sink, now);
                }
            }
            Job::Pause { id } => {
                if let Some(recording) = self.recordings.get_mut(&id) {
                    recording.finish(sink);
                }
            }
            Job::End { id } => {
                if let Some(mut recording) = self.recordings.remove(&id) {
                    recording.end(sink);
                }
            }
        }
    }
}

struct Frame<'a> {
    kind: Kind,
    ms: i64,
    after_gap: bool,
    data: &'a [u8],
}

/// How the names of recordings begin.
const WEBCAM: &str = "webcam";
const SCREEN: &str = "screen";

/// One publisher's evidence: of its webcam with sound and stills, or of its screen.
pub(crate) struct Recording {
    session: Uuid,
    kind: &'static str,
    audio: bool,
    clock: fn() -> SystemTime,
    number: u32,
    stills_number: u32,
    segment: Option<Segment>,
    stills: Option<Stills>,
    /// First sound since the last segment ended, while no picture has come.
    audio_since_ms: Option<i64>,
    retry_at: Option<Instant>,
}

struct Segment {
    name: String,
    writer: Box<dyn EvidenceWriter>,
    tracks: Tracks,
    cluster: Cluster,
    /// When the first frame of the open cluster came
    opened: Option<Instant>,
    start_ms: i64,
    last_ms: i64,
    /// Where the chain's head was reported last
    checked_ms: i64,
    gaps: u32,
}

struct Stills {
    name: String,
    writer: Box<dyn EvidenceWriter>,
    start_ms: i64,
    count: u32,
}

impl Recording {
    fn new(
        session: Uuid,
        kind: &'static str,
        audio: bool,
        (number, stills_number): (u32, u32),
        clock: fn() -> SystemTime,
    ) -> Self {
        Self {
            session,
            kind,
            audio,
            clock,
            number,
            stills_number,
            segment: None,
            stills: None,
            audio_since_ms: None,
            retry_at: None,
        }
    }

    fn frame(
        &mut self,
        frame: Frame<'_>,
        segment_max: Duration,
        store: &dyn EvidenceStore,
        sink: &dyn Sink,
        now: Instant,
    ) {
        if self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        let size = match frame.kind {
            Kind::Video { key: true } => crate::vp8::key_frame_size(frame.data),
            _ => None,
        };
        if self.must_roll(&frame, segment_max) {
            self.finish(sink);
        }
        if self.segment.is_none() {
            let tracks = match frame.kind {
                Kind::Audio if !self.sound_alone(frame.ms) => return,
                Kind::Audio => Tracks { video: None, audio: true },
                Kind::Video { .. } if size.is_none() => return,
                Kind::Video { .. } => Tracks { video: size, audio: self.audio },
            };
            if let Err((name, error)) = self.begin(tracks, frame.ms, store, sink) {
                self.failed(name, &error, sink, now);
                return;
            }
        }
        let Some(segment) = &mut self.segment else { return };
        match segment.push(&frame, now) {
            Ok(()) => {
                if segment.last_ms - segment.checked_ms >= CHECKPOINT_MS {
                    segment.checked_ms = segment.last_ms;
                    checkpoint(self.session, &segment.name, segment.writer.as_ref(), sink);
                }
            }
            Err(error) => {
                let name = segment.name.clone();
                self.segment = None;
                self.failed(name, &error, sink, now);
            }
        }
    }

    /// Writes a cluster that no frame has closed for long.
    fn settle(&mut self, sink: &dyn Sink, now: Instant) {
        let waits = |opened: Instant| now.saturating_duration_since(opened) >= CLUSTER_WAITS;
        let Some(segment) = self.segment.as_mut().filter(|segment| segment.opened.is_some_and(waits)) else {
            return;
        };
        if let Err(error) = segment.flush() {
            let name = segment.name.clone();
            self.segment = None;
            self.failed(name, &error, sink, now);
        }
    }

    /// Whether this frame must begin a new segment: too long already, or the first picture after sound alone.
    fn must_roll(&self, frame: &Frame<'_>, segment_max: Duration) -> bool {
        let Some(segment) = &self.segment else { return false };
        let too_long =
            u128::try_from(frame.ms - segment.start_ms).is_ok_and(|ms| ms >= segment_max.as_millis());
        match frame.kind {
            Kind::Video { key: true } => too_long || segment.tracks.video.is_none(),
            Kind::Video { key: false } => false,
            Kind::Audio => too_long && segment.tracks.video.is_none(),
        }
    }

    fn sound_alone(&mut self, ms: i64) -> bool {
        ms - *self.audio_since_ms.get_or_insert(ms) >= AUDIO_ONLY_AFTER_MS
    }

    fn begin(
        &mut self,
        tracks: Tracks,
        start_ms: i64,
        store: &dyn EvidenceStore,
        sink: &dyn Sink,
    ) -> Result<(), (String, io::Error)> {
        let kind = self.kind;
        let name = |number| format!("{kind}-{number:04}.webm");
        let (number, mut writer) = create(store, self.session, self.number, name)?;
        self.number = number;
        let name = name(number);
        let began_ms = (self.clock)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let began_ms = i64::try_from(began_ms).unwrap_or(0);
        // Before the first byte: a failure from here on is one of a blob that was announced.
        sink.report(self.session, Fact::SegmentStarted { name: name.clone() });
        if let Err(error) = writer.append(&webm::header(tracks, began_ms)) {
            return Err((name, error));
        }
        self.segment = Some(Segment {
            name,
            writer,
            tracks,
            cluster: Cluster::default(),
            opened: None,
            start_ms,
            last_ms: 0,
            checked_ms: 0,
            gaps: 0,
        });
        Ok(())
    }

    fn still(&mut self, ms: i64, webp: &[u8], store: &dyn EvidenceStore, sink: &dyn Sink, now: Instant) {
        if self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        if self.stills.is_none() {
            let name = |number| format!("stills-{number:04}");
            match create(store, self.session, self.stills_number, name) {
                Ok((number, writer)) => {
                    self.stills_number = number;
                    let name = name(number);
                    sink.report(self.session, Fact::StillsStarted { name: name.clone() });
                    self.stills = Some(Stills { name, writer, start_ms: ms, count: 0 });
                }
                Err((name, error)) => return self.failed(name, &error, sink, now),
            }
        }
        let Some(stills) = &mut self.stills else { return };
        match stills.writer.append(&still_chunk(webp, ms - stills.start_ms)) {
            Ok(()) => {
                stills.count += 1;
                let fact = Fact::StillKept {
                    name: stills.name.clone(),
                    index: stills.count - 1,
                    sha256: hex(ring::digest::digest(&ring::digest::SHA256, webp).as_ref()),
                    bytes: webp.len() as u64,
                };
                sink.report(self.session, fact);
            }
            Err(error) => {
                let name = stills.name.clone();
                self.stills = None;
                self.failed(name, &error, sink, now);
            }
        }
    }

    fn finish(&mut self, sink: &dyn Sink) {
        self.audio_since_ms = None;
        if let Some(mut segment) = self.segment.take() {
            let flushed = segment.flush();
            if flushed.is_ok() {
                checkpoint(self.session, &segment.name, segment.writer.as_ref(), sink);
            }
            let Segment { name, writer, last_ms, gaps, .. } = segment;
            match flushed.and_then(|()| writer.finish()) {
                Ok(done) => {
                    let duration_ms = u64::try_from(last_ms).unwrap_or(0);
                    let (sha256, bytes) = (done.sha256, done.bytes);
                    sink.report(
                        self.session,
                        Fact::SegmentFinished { name, sha256, bytes, duration_ms, gaps },
                    );
                }
                Err(error) => self.report_failure(name, &error, sink),
            }
        }
        if let Some(Stills { name, writer, count, .. }) = self.stills.take() {
            checkpoint(self.session, &name, writer.as_ref(), sink);
            match writer.finish() {
                Ok(done) => {
                    let (sha256, bytes) = (done.sha256, done.bytes);
                    sink.report(self.session, Fact::StillsFinished { name, sha256, bytes, count });
                }
                Err(error) => self.report_failure(name, &error, sink),
            }
        }
    }

    /// The webcam speaks for the publisher: its recording begins before the screen's and ends after it.
    fn begun(&self, sink: &dyn Sink) {
        if self.kind == WEBCAM {
            sink.report(self.session, Fact::RecordingBegan);
        }
    }

    fn end(&mut self, sink: &dyn Sink) {
        self.finish(sink);
        if self.kind == WEBCAM {
            sink.report(self.session, Fact::RecordingEnded);
        }
    }

    fn failed(&mut self, name: String, error: &io::Error, sink: &dyn Sink, now: Instant) {
        self.retry_at = Some(now + RETRY_AFTER);
        self.report_failure(name, error, sink);
    }

    fn report_failure(&self, name: String, error: &io::Error, sink: &dyn Sink) {
        let why = error.kind();
        tracing::error!(session = %self.session, name, %error, %why, "evidence could not be written");
        sink.report(self.session, Fact::StorageFailed { name, kind: error.kind() });
    }
}

impl Segment {
    fn push(&mut self, frame: &Frame<'_>, now: Instant) -> io::Result<()> {
        let ms = (frame.ms - self.start_ms).max(0);
        let (track, key, video_key) = match frame.kind {
            Kind::Video { key } => (webm::VIDEO, key, key),
            Kind::Audio => (webm::AUDIO, true, false),
        };
        if (track == webm::AUDIO && !self.tracks.audio)
            || (track == webm::VIDEO && self.tracks.video.is_none())
        {
            return Ok(());
        }
        if self.cluster.is_full_for(ms, video_key) {
            self.flush()?;
        }
        self.gaps += u32::from(frame.after_gap);
        self.last_ms = self.last_ms.max(ms);
        self.cluster.push(track, ms, key, frame.data);
        self.opened.get_or_insert(now);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.opened = None;
        self.cluster.take().map_or(Ok(()), |chunk| self.writer.append(&chunk))
    }
}

fn checkpoint(session: Uuid, name: &str, writer: &dyn EvidenceWriter, sink: &dyn Sink) {
    if let Some(at) = writer.checkpoint() {
        sink.report(session, Fact::Checkpoint { name: name.to_owned(), at });
    }
}

/// Creates the first free name after `last`.
fn create(
    store: &dyn EvidenceStore,
    session: Uuid,
    last: u32,
    name: impl Fn(u32) -> String,
) -> Result<(u32, Box<dyn EvidenceWriter>), (String, io::Error)> {
    for number in last + 1..=MAX_SEGMENTS {
        match store.create(session, &name(number)) {
            Ok(writer) => return Ok((number, writer)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err((name(number), error)),
        }
    }
    Err((name(MAX_SEGMENTS), io::Error::from(io::ErrorKind::QuotaExceeded)))
}

/// Layout of a kept still, see the crate's documentation.
fn still_chunk(webp: &[u8], ms: i64) -> Vec<u8> {
    let length = u32::try_from(webp.len()).expect("a frame is at most 512 KiB");
    let ms = u64::try_from(ms).unwrap_or(0);
    [&length.to_be_bytes()[..], &ms.to_be_bytes(), webp].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
