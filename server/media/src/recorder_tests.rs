use super::*;
use crate::{Checkpoint, Finished};
use bytes::Bytes;

use crate::vp8::tests::key_frame;
use std::sync::Mutex;

/// Blobs in memory; fails while told to.
#[derive(Default, Clone)]
struct Memory(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    blobs: Vec<(String, Vec<Vec<u8>>, bool)>,
    full: bool,
    /// Says how far its blobs have come
    chained: bool,
}

struct MemoryWriter(Memory, usize);

impl EvidenceStore for Memory {
    fn create(&self, _: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        let mut disk = self.0.lock().unwrap();
        if disk.full {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        if disk.blobs.iter().any(|blob| blob.0 == name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        disk.blobs.push((name.to_owned(), Vec::new(), false));
        Ok(Box::new(MemoryWriter(self.clone(), disk.blobs.len() - 1)))
    }
}

impl EvidenceWriter for MemoryWriter {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        let mut disk = self.0.0.lock().unwrap();
        if disk.full {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        disk.blobs[self.1].1.push(chunk.to_vec());
        Ok(())
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        let disk = self.0.0.lock().unwrap();
        let chunks = &disk.blobs[self.1].1;
        disk.chained.then(|| Checkpoint {
            chunks: chunks.len() as u64,
            bytes: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            head: "00".to_owned(),
        })
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        let mut disk = self.0.0.lock().unwrap();
        let blob = &mut disk.blobs[self.1];
        blob.2 = true;
        Ok(Finished { sha256: "00".into(), bytes: blob.1.iter().map(|chunk| chunk.len() as u64).sum() })
    }
}

#[derive(Default)]
struct Facts(Mutex<Vec<Fact>>);

impl Sink for Facts {
    fn report(&self, _: Uuid, fact: Fact) {
        self.0.lock().unwrap().push(fact);
    }
}

struct Bench {
    recorder: Recorder,
    disk: Memory,
    facts: Arc<Facts>,
    now: Instant,
}

impl Bench {
    fn new(segment_max: Duration) -> Self {
        let (disk, facts) = (Memory::default(), Arc::new(Facts::default()));
        let recorder = Recorder {
            store: Arc::new(disk.clone()),
            sink: facts.clone(),
            segment_max,
            clock: || UNIX_EPOCH + Duration::from_secs(1_795_000_000),
            recordings: HashMap::new(),
        };
        Self { recorder, disk, facts, now: Instant::now() }
    }

    fn open(&mut self, id: u64) {
        self.take(Job::Open { id, session: Uuid::nil(), audio: true });
    }

    fn take(&mut self, job: Job) {
        self.recorder.take(job, self.now);
    }

    fn video(&mut self, id: u64, ms: i64, key: bool) {
        let data = if key { key_frame(640, 480, 40) } else { vec![1, 2, 3] };
        self.take(Job::Frame { id, kind: Kind::Video { key }, ms, after_gap: false, data: data.into() });
    }

    fn audio(&mut self, id: u64, ms: i64) {
        self.take(Job::Frame { id, kind: Kind::Audio, ms, after_gap: false, data: vec![9; 20].into() });
    }

    fn names(&self) -> Vec<String> {
        self.disk.0.lock().unwrap().blobs.iter().map(|blob| blob.0.clone()).collect()
    }

    fn chunks(&self, name: &str) -> Vec<Vec<u8>> {
        self.disk.0.lock().unwrap().blobs.iter().find(|blob| blob.0 == name).unwrap().1.clone()
    }
}

const CLUSTER: [u8; 4] = [0x1F, 0x43, 0xB6, 0x75];

#[test]
fn every_cluster_is_one_append_of_at_most_two_seconds() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.open(1);
    for tick in 0..120_i64 {
        bench.video(1, tick * 80, tick % 60 == 0);
        bench.audio(1, tick * 80 + 5);
    }
    bench.take(Job::End { id: 1 });
    let chunks = bench.chunks("webcam-0001.webm");
    assert_eq!(chunks[0][..4], [0x1A, 0x45, 0xDF, 0xA3]);
    // 9.6 s: clusters at 0, 2 and 4 s, at the key frame at 4.8 s, and at 6.8 and 8.8 s.
    assert_eq!(chunks.len(), 1 + 6);
    assert!(chunks[1..].iter().all(|chunk| chunk[..4] == CLUSTER));
    let facts = bench.facts.0.lock().unwrap();
    let bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    assert_eq!(
        *facts,
        [
            Fact::RecordingBegan,
            Fact::SegmentStarted { name: "webcam-0001.webm".into() },
            Fact::SegmentFinished {
                name: "webcam-0001.webm".into(),
                sha256: "00".into(),
                bytes,
                duration_ms: 9_525,
                gaps: 0
            },
            Fact::RecordingEnded,
        ]
    );
}

#[test]
fn nothing_is_recorded_before_a_key_frame_but_sound_alone_is_after_two_seconds() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.open(1);
    bench.video(1, 0, false);
    bench.audio(1, 0);
    bench.audio(1, 1_999);
    assert_eq!(bench.names(), [""; 0]);
    bench.audio(1, 2_000);
    bench.video(1, 2_500, true);
    bench.take(Job::End { id: 1 });
    assert_eq!(bench.names(), ["webcam-0001.webm", "webcam-0002.webm"]);
}

#[test]
fn reconnect_pause_and_length_begin_new_segments() {
    let mut bench = Bench::new(Duration::from_secs(10));
    bench.open(1);
    bench.video(1, 0, true);
    bench.take(Job::Pause { id: 1 });
    bench.video(1, 20_000, true);
    bench.video(1, 29_999, true);
    bench.video(1, 30_000, true);
    bench.take(Job::End { id: 1 });
    bench.open(2);
    bench.video(2, 0, true);
    bench.take(Job::End { id: 2 });
    assert_eq!(bench.names(), (1..=4).map(|number| format!("webcam-{number:04}.webm")).collect::<Vec<_>>());
    assert!(bench.disk.0.lock().unwrap().blobs.iter().all(|blob| blob.2), "every segment is finished");
    assert!(bench.recorder.recordings.is_empty());
}

#[test]
fn full_disk_is_reported_once_and_recording_goes_on_in_a_new_segment() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.open(1);
    bench.video(1, 0, true);
    bench.disk.0.lock().unwrap().full = true;
    for ms in (0..8_000).step_by(100) {
        bench.video(1, ms, ms % 1_000 == 0);
    }
    bench.disk.0.lock().unwrap().full = false;
    bench.now += RETRY_AFTER;
    bench.video(1, 12_000, false);
    bench.video(1, 12_100, true);
    bench.take(Job::End { id: 1 });
    assert_eq!(bench.names(), ["webcam-0001.webm", "webcam-0002.webm"]);
    let facts = bench.facts.0.lock().unwrap();
    let failures: Vec<_> = facts.iter().filter(|fact| matches!(fact, Fact::StorageFailed { .. })).collect();
    let expected = Fact::StorageFailed { name: "webcam-0001.webm".into(), kind: io::ErrorKind::StorageFull };
    assert_eq!(failures, [&expected]);
}

#[test]
fn stills_go_into_one_blob_with_length_time_and_hash() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.open(1);
    bench.take(Job::Still { id: 1, ms: 500, webp: Bytes::from_static(b"one") });
    bench.take(Job::Still { id: 1, ms: 10_500, webp: Bytes::from_static(b"two!") });
    bench.take(Job::End { id: 1 });
    let chunks = bench.chunks("stills-0001");
    assert_eq!(chunks[0], [&[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0][..], b"one"].concat());
    assert_eq!(chunks[1], [&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0x27, 0x10][..], b"two!"].concat());
    let facts = bench.facts.0.lock().unwrap();
    let sha256 = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed".to_owned();
    assert_eq!(facts[..2], [Fact::RecordingBegan, Fact::StillsStarted { name: "stills-0001".into() }]);
    assert_eq!(facts[2], Fact::StillKept { name: "stills-0001".into(), index: 0, sha256, bytes: 3 });
    assert!(matches!(&facts[4], Fact::StillsFinished { count: 2, .. }));
    assert_eq!(facts[5], Fact::RecordingEnded, "the last word of a publisher");
}

#[test]
fn full_queue_refuses_media_but_never_the_end() {
    let queue = Queue::new(100);
    let frame = || Job::Frame { id: 1, kind: Kind::Audio, ms: 0, after_gap: false, data: vec![0; 60].into() };
    assert!(queue.push(frame()));
    assert!(!queue.push(frame()));
    assert!(queue.push(Job::End { id: 1 }));
    let mut jobs = VecDeque::new();
    assert!(queue.take(&mut jobs, None));
    assert!(matches!(jobs.make_contiguous(), [Job::Frame { .. }, Job::End { .. }]));
    assert!(!queue.push(frame()), "what the recorder is at still counts");
    jobs.clear();
    queue.done(60);
    queue.done(0);
    assert!(queue.push(frame()));
    queue.close();
    assert!(queue.take(&mut jobs, None), "what waits is recorded first");
    jobs.clear();
    assert!(!queue.take(&mut jobs, None));
}

#[test]
fn the_head_of_the_chain_is_told_every_half_minute_and_at_the_end() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.disk.0.lock().unwrap().chained = true;
    bench.open(1);
    for tick in 0..700_i64 {
        bench.video(1, tick * 100, tick % 50 == 0);
    }
    bench.take(Job::End { id: 1 });
    let chunks = bench.chunks("webcam-0001.webm");
    let facts = bench.facts.0.lock().unwrap();
    let told: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Checkpoint { name, at } if name == "webcam-0001.webm" => Some((at.chunks, at.bytes)),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.is_sorted());
    let bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    assert_eq!(told[2], (chunks.len() as u64, bytes), "the last one is of everything");
    let last = facts.iter().rposition(|fact| matches!(fact, Fact::Checkpoint { .. })).unwrap();
    let finished = facts.iter().position(|fact| matches!(fact, Fact::SegmentFinished { .. })).unwrap();
    assert!(last < finished, "the end is announced after its head");
}

#[test]
fn a_segment_says_when_it_began() {
    let mut bench = Bench::new(Duration::from_secs(600));
    bench.open(1);
    bench.video(1, 0, true);
    bench.take(Job::End { id: 1 });
    let recorded = bench.chunks("webcam-0001.webm").concat();
    let index = crate::Index::of(&mut io::Cursor::new(&recorded), recorded.len() as u64).unwrap();
    assert_eq!(index.began_at_ms(), Some(1_795_000_000_000));
}

#[test]
fn a_cluster_that_no_frame_closes_is_written_by_the_clock() {
    let mut bench = Bench::new(Duration::from_secs(600));
    let desktop = 1 | screen::RECORDING;
    bench.open(desktop);
    bench.video(desktop, 0, true);
    bench.video(desktop, 1_000, false);
    let written = |bench: &Bench| bench.chunks("screen-0001.webm").len();
    bench.now += CLUSTER_WAITS.checked_sub(Duration::from_millis(1)).unwrap();
    bench.recorder.look(bench.now);
    assert_eq!(written(&bench), 1, "the head alone: a frame may still close it");
    bench.now += Duration::from_millis(1);
    bench.recorder.look(bench.now);
    assert_eq!(written(&bench), 2);
    bench.now += CLUSTER_WAITS;
    bench.recorder.look(bench.now);
    assert_eq!(written(&bench), 2, "nothing waits");

    bench.video(desktop, 9_000, false);
    bench.disk.0.lock().unwrap().full = true;
    bench.now += CLUSTER_WAITS;
    bench.recorder.look(bench.now);
    bench.disk.0.lock().unwrap().full = false;
    bench.now += RETRY_AFTER;
    bench.video(desktop, 30_000, true);
    bench.take(Job::End { id: desktop });
    assert_eq!(
        bench.names(),
        ["screen-0001.webm", "screen-0002.webm"],
        "a full disk is met as at any other frame"
    );
    let failed = |fact: &&Fact| matches!(fact, Fact::StorageFailed { .. });
    assert_eq!(bench.facts.0.lock().unwrap().iter().filter(failed).count(), 1);

    let recorded = bench.chunks("screen-0001.webm").concat();
    let index = crate::Index::of(&mut io::Cursor::new(&recorded), recorded.len() as u64).unwrap();
    assert_eq!(index.duration_ms(), 1_000);
}

#[test]
fn a_recorder_with_recordings_looks_also_while_nothing_comes() {
    let queue = Queue::new(100);
    let mut jobs = VecDeque::new();
    assert!(queue.take(&mut jobs, Some(Duration::ZERO)) && jobs.is_empty());
    queue.close();
    assert!(!queue.take(&mut jobs, Some(Duration::ZERO)));
}
