//! A piece of evidence while it is written: sealed chunk by chunk, and on the platter soon after.

use super::depot::Track;
use super::evidence::into_io;
use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::time::{Duration, Instant};
use synaq_media::{Checkpoint, EvidenceWriter, Finished};
use synaq_seal::blob::Writer;

/// A blob is synced when a chunk is appended this long after the last sync. A recording appends whole clusters of two
/// seconds, so that power loss takes what is up to 6 + 2 s old on its way to the disk and up to 2 s in the open cluster:
/// ten seconds. A killed process loses the open cluster alone.
const SYNC_EVERY: Duration = Duration::from_secs(6);
/// ... or this much: what the disk has to take at once stays small.
const SYNC_EVERY_BYTES: u64 = 256 * 1024;

/// What a piece is written to.
pub(super) trait Medium: Write + Send {
    /// Every byte that was written survives a power cut.
    fn sync(&mut self) -> io::Result<()>;
    /// How many were written.
    fn written(&mut self) -> io::Result<u64>;
}

impl Medium for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn written(&mut self) -> io::Result<u64> {
        self.stream_position()
    }
}

/// An open blob.
pub(super) struct Piece<M> {
    /// None after a failure: what follows could not be told from damage
    writer: Option<Writer<M>>,
    unsynced: u64,
    synced_at: Instant,
    /// Behind the writer: it is over only when the file is written no more
    track: Option<Track>,
}

impl<M: Medium> Piece<M> {
    pub(super) fn new(writer: Writer<M>, now: Instant, track: Option<Track>) -> Self {
        Self { writer: Some(writer), unsynced: 0, synced_at: now, track }
    }

    fn append_at(&mut self, chunk: &[u8], now: Instant) -> io::Result<()> {
        self.track.as_ref().map_or(Ok(()), Track::room)?;
        let writer = self.writer.as_mut().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        if let Err(error) = writer.append(chunk) {
            self.writer = None;
            return Err(into_io(error));
        }
        self.unsynced += chunk.len() as u64;
        let due = self.unsynced >= SYNC_EVERY_BYTES || now.duration_since(self.synced_at) >= SYNC_EVERY;
        if due {
            (self.unsynced, self.synced_at) = (0, now);
            writer.get_mut().sync()?;
        }
        tell(&mut self.track, writer.get_mut(), due)
    }
}

/// So much is in the file now, and `synced` or not.
fn tell(track: &mut Option<Track>, medium: &mut impl Medium, synced: bool) -> io::Result<()> {
    let Some(track) = track else { return Ok(()) };
    track.wrote(medium.written()?);
    if synced {
        track.synced();
    }
    Ok(())
}

impl<M: Medium> EvidenceWriter for Piece<M> {
    fn checkpoint(&self) -> Option<Checkpoint> {
        let so_far = self.writer.as_ref()?.so_far();
        Some(Checkpoint { chunks: so_far.chunks, bytes: so_far.plain_bytes, head: so_far.head.to_string() })
    }

    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.append_at(chunk, Instant::now())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Finished> {
        let writer = self.writer.take().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        let (mut medium, summary) = writer.finish().map_err(into_io)?;
        medium.sync()?;
        tell(&mut self.track, &mut medium, true)?;
        Ok(Finished { sha256: summary.plain_sha256.to_string(), bytes: summary.plain_bytes })
    }
}

#[cfg(test)]
mod tests {
    //! The power is cut at every half second of recordings, on a disk that keeps what was synced, and of what was
    //! only written any sectors or none.

    use super::*;
    use ring::rand::SystemRandom;
    use std::io::Cursor;
    use std::sync::{Arc, Mutex};
    use synaq_seal::blob::{BlobId, Ending, Reader, SessionKey};

    /// What a disk writes whole.
    const SECTOR: usize = 512;
    const RECORDED_MS: u64 = 24_000;
    const PROMISED_MS: u64 = 10_000;

    enum Done {
        Wrote(Vec<u8>),
        Synced,
    }

    /// A file whose every write and sync is known with its instant.
    #[derive(Clone, Default)]
    struct Platter(Arc<Mutex<Known>>);

    /// What time it is, and what was done when.
    type Known = (u64, Vec<(u64, Done)>);

    impl Platter {
        fn note(&self, done: Done) {
            let mut known = self.0.lock().unwrap();
            let now = known.0;
            known.1.push((now, done));
        }

        fn is_at(&self, ms: u64) {
            self.0.lock().unwrap().0 = ms;
        }

        /// What is there after the power was cut behind `ms`; `keeps` says of each sector whether it was written.
        fn left(&self, ms: u64, mut keeps: impl FnMut() -> bool) -> Vec<u8> {
            let known = self.0.lock().unwrap();
            let before = known.1.iter().take_while(|(at, _)| *at <= ms);
            let (mut whole, mut synced) = (Vec::new(), 0);
            for (_, done) in before {
                match done {
                    Done::Wrote(bytes) => whole.extend_from_slice(bytes),
                    Done::Synced => synced = whole.len(),
                }
            }
            let mut left = whole[..synced].to_vec();
            let mut at = synced;
            while at < whole.len() {
                let end = ((at / SECTOR + 1) * SECTOR).min(whole.len());
                if keeps() {
                    // A sector that was not written before one that was reads as zeros.
                    left.resize(at, 0);
                    left.extend_from_slice(&whole[at..end]);
                }
                at = end;
            }
            left
        }
    }

    impl Write for Platter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.note(Done::Wrote(bytes.to_vec()));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Medium for Platter {
        fn sync(&mut self) -> io::Result<()> {
            self.note(Done::Synced);
            Ok(())
        }

        fn written(&mut self) -> io::Result<u64> {
            Ok(0)
        }
    }

    /// The same for every run (Knuth, MMIX).
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0 >> 33
        }
    }

    fn key() -> SessionKey {
        SessionKey::from_bytes(&[7; 32]).unwrap()
    }

    /// Clusters as the recorder writes them: of up to two seconds, begun by key frames; each with the instant of its end.
    fn record(bytes_a_second: u64, chance: &mut Chance) -> (Platter, BlobId, Vec<(u64, Vec<u8>)>) {
        let platter = Platter::default();
        let id = BlobId::generate(&SystemRandom::new()).unwrap();
        let began = Instant::now();
        let mut piece = Piece::new(Writer::create(platter.clone(), &key(), id).unwrap(), began, None);
        let head = b"head".to_vec();
        piece.append_at(&head, began).unwrap();
        let (mut clusters, mut at) = (vec![(0, head)], 0);
        while at < RECORDED_MS {
            let length = 500 + chance.next() % 1_500;
            at += length;
            let bytes = usize::try_from(bytes_a_second * length / 1_000).unwrap();
            let mut cluster = at.to_be_bytes().repeat(bytes / 8 + 1);
            cluster.truncate(bytes);
            platter.is_at(at);
            piece.append_at(&cluster, began + Duration::from_millis(at)).unwrap();
            clusters.push((at, cluster));
        }
        (platter, id, clusters)
    }

    /// Up to which instant what is left can be read; every chunk of it is one that was written.
    fn readable(left: Vec<u8>, id: BlobId, clusters: &[(u64, Vec<u8>)]) -> (u64, bool) {
        let mut reader = Reader::open_left(Cursor::new(left), &key(), id).expect("what was synced opens");
        let torn = matches!(reader.ending(), Ending::Unfinished { torn_bytes } if torn_bytes > 0);
        let mut until = 0;
        for (at, cluster) in clusters {
            let Some(chunk) = reader.next_chunk().expect("what is shown reads") else { break };
            assert!(chunk == cluster, "a chunk that was never written");
            until = *at;
        }
        (until, torn)
    }

    #[test]
    fn power_loss_at_any_moment_leaves_a_recording_that_reads_up_to_ten_seconds_before_it() {
        let mut chance = Chance(4);
        // Sound alone, the usual picture, a good one, and one with a shared screen.
        for bytes_a_second in [4_000, 31_000, 120_000, 250_000] {
            let (platter, id, clusters) = record(bytes_a_second, &mut chance);
            let (mut torn, mut dropped, mut worst) = (0, 0, 0);
            for cut in (SYNC_EVERY.as_secs() * 1_000 + 2_000..RECORDED_MS).step_by(500) {
                let kept =
                    |share: u64| readable(platter.left(cut, keeps(share, &mut Chance(cut))), id, &clusters);
                // None of the unsynced sectors, half of them in any order, most of them, all of them.
                let all = kept(100);
                for share in [0, 50, 95] {
                    let (until, was_torn) = kept(share);
                    worst = worst.max(cut - until);
                    torn += usize::from(was_torn);
                    dropped += usize::from(until < all.0);
                }
            }
            assert!(worst <= PROMISED_MS, "{worst} ms lost at {bytes_a_second} bytes a second");
            // Otherwise nothing was cut that mattered.
            assert!(
                dropped > 0 && torn > 0,
                "{bytes_a_second}: {dropped} cuts lost something, {torn} tore a chunk"
            );
        }
    }

    fn keeps(share: u64, chance: &mut Chance) -> impl FnMut() -> bool {
        move || chance.next() % 100 < share
    }

    #[test]
    fn a_recording_that_ended_is_whole_after_power_loss() {
        let platter = Platter::default();
        let id = BlobId::generate(&SystemRandom::new()).unwrap();
        let writer = Writer::create(platter.clone(), &key(), id).unwrap();
        let mut piece = Box::new(Piece::new(writer, Instant::now(), None));
        piece.append(b"two seconds").unwrap();
        piece.finish().unwrap();
        let left = platter.left(0, || false);
        assert_eq!(Reader::open(Cursor::new(left), &key(), id).unwrap().ending(), Ending::Finished);
    }
}
