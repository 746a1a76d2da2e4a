use bytes::Bytes;
use std::io;
use uuid::Uuid;

/// Where facts about a session's media go. Called on the network and recorder threads: it must return at once.
pub trait Sink: Send + Sync {
    fn report(&self, session: Uuid, fact: Fact);
}

/// Something the server itself observed about a candidate's media. Durations in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// ICE and DTLS are up for a (new) publisher.
    PublisherConnected,
    /// What flows now: packets of that kind came within the last 1.5 s. Reported on every change, from nothing at first
    /// to nothing at the end, so that the last one reported is always true.
    Flow { video: bool, audio: bool },
    /// Whether the shared screen comes, reported on every change as [`Fact::Flow`] is. A screen that stands still counts
    /// as long as the browser repeats it.
    Screen { live: bool },
    /// A picture to look at: the newest key frame as WebP, about every [`crate::Options::still_every`].
    StillTaken { webp: Bytes },
    /// The last second of sound: the loudest level of each tenth of it, -dBov (RFC 6464; 127 is silence).
    Levels { loudest: Vec<u8> },
    /// How the clock of the webcam's sender went in the last seconds.
    Clock(crate::ClockSeen),
    /// The publisher's connection ended.
    PublisherGone { how: Gone },
    /// The recorder took a publisher up: blobs may come.
    RecordingBegan,
    /// The recorder is through with that publisher; each of its blobs was reported finished or failed.
    RecordingEnded,
    /// A recording segment was created.
    SegmentStarted { name: String },
    /// A recording segment is complete. `sha256` is what the evidence store returned, hexadecimal.
    SegmentFinished { name: String, sha256: String, bytes: u64, duration_ms: u64, gaps: u32 },
    /// How far a segment or a blob of stills that is being written has come.
    Checkpoint { name: String, at: Checkpoint },
    /// A blob of stills was created.
    StillsStarted { name: String },
    /// One still was written to the stills blob `name`; `sha256` (hexadecimal) and `bytes` are those of the WebP file.
    StillKept { name: String, index: u32, sha256: String, bytes: u64 },
    /// A blob of stills is complete.
    StillsFinished { name: String, sha256: String, bytes: u64, count: u32 },
    /// Video is missing from the recording for this long: packets lost for good, or the disk too slow.
    Gap { ms: u64 },
    /// Evidence could not be written; recording goes on in a new segment as soon as the store works again.
    StorageFailed { name: String, kind: io::ErrorKind },
}

/// How a publisher went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The browser closed the connection (DTLS close_notify).
    ByPeer,
    /// DELETE on the WHIP resource, or the session's end.
    ByServer,
    /// A newer publisher of the same session took its place.
    Replaced,
    /// ICE lost contact, or the TCP connection ended.
    Lost,
    /// The offer was answered but no connection came up.
    NeverConnected,
}

/// Where sealed evidence goes. Called on the recorder thread, may block.
pub trait EvidenceStore: Send + Sync {
    /// Creates blob `name` of `session`. A taken name is `ErrorKind::AlreadyExists`: the next number is tried.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn create(&self, session: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>>;
}

/// An append-only sealed blob.
pub trait EvidenceWriter: Send {
    /// Writes one chunk; at most 1 MiB.
    ///
    /// # Errors
    /// Whatever the disk says; the writer is dropped afterwards.
    fn append(&mut self, chunk: &[u8]) -> io::Result<()>;

    /// How far the blob has come: the chunks appended so far and the head of the hash chain over them. `None` from a
    /// store without a chain.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// Completes the blob.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn finish(self: Box<Self>) -> io::Result<Finished>;
}

/// What a blob that is being written is known by so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Chunks appended.
    pub chunks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Hexadecimal head of the hash chain over them.
    pub head: String,
}

/// What a completed blob is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Hexadecimal SHA-256 that the store commits to.
    pub sha256: String,
    pub bytes: u64,
}
