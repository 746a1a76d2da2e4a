//! WebRTC ingest and forwarding, recorder, stills.
//!
//! One *room* per candidate session. A room has at most one publisher (the candidate, over WHIP) and a few
//! viewers (proctors, over WHEP). The room outlives its publisher: a candidate who reconnects replaces the old
//! peer, and the viewers keep their peer connections without renegotiation.
//!
//! # Threads
//! Each of `Options::threads` network threads owns every room that hashes to it. The first reads the one UDP port, and
//! the TCP port of the same number, for all of them. A thread runs the sans-IO core `rtc` and never touches the disk.
//! Beside it runs one
//! recorder thread behind a bounded queue: when the disk is slower than the media, frames are dropped, counted and
//! reported as [`Fact::Gap`]; the network thread never waits.
//!
//! # Key-frame rhythm and its cost
//! A VP8 key frame is the only picture that can be used without decoding anything else, so the still, a viewer that
//! joins late and a seek in the recording all start at one. Every [`Options::still_every`] (5 s) without a key frame
//! the publisher is asked for one (PLI). Measured with Chromium 156 and a drifting portrait photo at 640x480, 12 fps and
//! at most 300 kbit/s: key frames of 6.6 to 8.2 kB, which is 12 kbit/s or 5 % of the 225 kbit/s that were sent. The
//! encoder keeps its target by spending less on the frames between. Ten seconds halve the cost and double the age of
//! the still.
//!
//! # Evidence
//! `webcam-0001.webm`, `webcam-0002.webm` ... hold sound and picture on one clock, written in whole clusters of at
//! most two seconds; one cluster is one [`EvidenceWriter::append`]. A new segment begins on reconnect, after 10 s
//! without media, after [`Options::segment_max`] and after a storage failure. `stills-0001` ... hold the stills kept
//! every [`Options::still_keep_every`], each as `u32 length, u64 milliseconds since the segment began` (both big
//! endian, length counts the picture only) followed by one WebP file.
//!
//! Every 30 s and at the end of each segment the head of the hash chain over its chunks is reported
//! ([`Fact::Checkpoint`]), so that the event log proves what was recorded up to there.
//!
//! What is recorded stays as it is, because its hash is in the log: it has neither a duration nor cues. A [`Playback`]
//! puts a head with both in front of the same clusters, also of a recording that a crash cut off.

mod clip;
mod demux;
mod door;
mod ebml;
mod engine;
mod error;
mod fact;
mod feedback;
pub mod fuzz;
mod handle;
#[cfg(test)]
mod hostile_tests;
mod keys;
mod leg;
#[cfg(test)]
mod loopback_client;
#[cfg(test)]
mod loopback_tests;
mod options;
mod pace;
#[cfg(test)]
mod pace_tests;
mod peer;
mod playback;
mod publisher;
mod queue;
mod recorder;
mod relay;
mod reorder;
mod room;
mod screen;
pub mod sdp;
mod serve;
mod service;
mod shared;
mod survey;
mod tcp;
mod timeline;
mod vp8;
mod way;
#[cfg(test)]
mod way_tests;
mod webm;

pub use clip::{Clip, Part, cut};
pub use error::{Error, NotFound, OfferError};
pub use fact::{Checkpoint, EvidenceStore, EvidenceWriter, Fact, Finished, Gone, Sink};
pub use handle::{Answer, Handle, ResourceId, Stays};
pub use keys::KeyPicture;
pub use options::{Limits, Options};
pub use pace::ClockSeen;
pub use playback::Playback;
pub use relay::{Relay, Turn};
pub use service::{JoinGuard, Service};
pub use shared::{PublisherStatus, Stats, Still};
pub use survey::Index;
