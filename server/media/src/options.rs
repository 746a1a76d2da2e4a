use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

/// How the service listens and records.
#[derive(Debug, Clone)]
pub struct Options {
    /// UDP (and TCP) address of all threads. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Address that browsers reach, put into the answer; `None` means `bind`. Port 0 means the bound port.
    pub advertise: Option<SocketAddr>,
    /// Also listen for ICE-TCP on the same port number, for networks that block UDP.
    pub tcp: bool,
    /// Where browsers go that reach us by neither UDP nor TCP.
    pub turn: Option<crate::Turn>,
    /// Network threads, 1 to 64. One thread carries some hundred publishers.
    pub threads: usize,
    /// A key frame, and with it a new still, at least this often.
    pub still_every: Duration,
    /// A still goes into the evidence at most this often.
    pub still_keep_every: Duration,
    /// A recording segment is closed and the next begun after this long, so that its hash enters the log.
    pub segment_max: Duration,
    /// Bandwidth that the answer asks the publisher's video to keep to, kbit/s.
    pub video_kbps: u32,
    /// The same for a shared screen, where an exam asks for it.
    pub screen_kbps: u32,
    /// What time it is, for the beginnings of recordings.
    pub clock: fn() -> SystemTime,
    pub limits: Limits,
}

impl Options {
    /// Defaults for `bind`.
    #[must_use]
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            advertise: None,
            tcp: true,
            turn: None,
            threads: 1,
            still_every: Duration::from_secs(5),
            still_keep_every: Duration::from_secs(10),
            segment_max: Duration::from_secs(600),
            video_kbps: 300,
            screen_kbps: 250,
            clock: SystemTime::now,
            limits: Limits::default(),
        }
    }
}

/// Bounds per network thread, unless named otherwise.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Publishers and viewers together.
    pub peers: usize,
    pub viewers_per_room: usize,
    /// Datagrams per second taken from one peer before decryption; the rest is dropped and counted.
    pub packets_per_second: u32,
    /// Bytes per second taken from one peer before decryption.
    pub bytes_per_second: u32,
    /// ICE and DTLS must be up by then, or the peer is forgotten.
    pub connect_within: Duration,
    /// TCP connections of all threads, identified or not.
    pub tcp_connections: usize,
    /// Bytes waiting for the recorder.
    pub recorder_queue_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 1_500,
            viewers_per_room: 8,
            // A 300 kbit/s publisher sends about 80 packets/s; key frames and NACK repairs come in bursts.
            packets_per_second: 1_000,
            bytes_per_second: 500_000,
            connect_within: Duration::from_secs(30),
            tcp_connections: 2_000,
            // About 10 s of 150 publishers at 300 kbit/s.
            recorder_queue_bytes: 64 << 20,
        }
    }
}
