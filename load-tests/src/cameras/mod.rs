//! Cameras and microphones of a whole crowd on a few threads: real ICE, DTLS and SRTP, made-up pictures of a real size.
//!
//! A thread wakes every two milliseconds and does whatever is due of its cameras, so that the generator leaves the
//! processors to the server it measures. A packet is therefore sent up to two milliseconds late; nothing else differs.

mod camera;
pub(crate) mod junk;
mod profile;
pub(crate) mod viewer;

pub(crate) use camera::{Camera, Waiting};
pub use profile::Profile;

use anyhow::Context as _;
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a thread's clock ticks in.
const GRAIN: Duration = Duration::from_millis(2);
const EVENTS: usize = 512;

/// What all cameras have done so far.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Cameras that are connected
    pub(crate) connected: AtomicU64,
    /// RTP packets handed to the kernel, without repairs
    pub(crate) packets: AtomicU64,
    /// Payload bytes of them
    pub(crate) bytes: AtomicU64,
    /// Key frames that the server asked for
    pub(crate) asked: AtomicU64,
    /// Cameras whose connection ended, and datagrams that the kernel refused
    pub(crate) failed: AtomicU64,
}

impl Sent {
    /// A packet with this payload goes out.
    fn count(&self, payload: &[u8]) -> anyhow::Result<()> {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(u64::try_from(payload.len())?, Ordering::Relaxed);
        Ok(())
    }
}

/// Threads full of cameras; stopped when dropped, as closed laptops would.
#[derive(Debug)]
pub(crate) struct Cameras {
    threads: Vec<(Sender<Camera>, JoinHandle<()>)>,
    over: Arc<AtomicBool>,
    next: usize,
    pub(crate) sent: Arc<Sent>,
}

impl Cameras {
    pub(crate) fn new(threads: usize) -> anyhow::Result<Self> {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(Sent::default()));
        let threads = (0..threads.max(1))
            .map(|_| {
                let (tell, told) = channel();
                let (over, sent) = (Arc::clone(&over), Arc::clone(&sent));
                let poll = Poll::new().context("an event loop for cameras")?;
                let run = move || {
                    if let Err(error) = run(poll, &told, &over, &sent) {
                        eprintln!("a thread of cameras stopped: {error:#}");
                    }
                };
                Ok((tell, std::thread::Builder::new().name("cameras".to_owned()).spawn(run)?))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { threads, over, next: 0, sent })
    }

    /// From now on this one publishes.
    pub(crate) fn add(&mut self, camera: Camera) -> anyhow::Result<()> {
        self.next = (self.next + 1) % self.threads.len();
        self.threads[self.next].0.send(camera).ok().context("a thread of cameras has stopped")
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for (tell, thread) in self.threads.drain(..) {
            drop(tell);
            // It said itself why it stopped.
            let _ = thread.join();
        }
    }
}

fn run(mut poll: Poll, inbox: &Receiver<Camera>, over: &AtomicBool, sent: &Sent) -> anyhow::Result<()> {
    let mut events = Events::with_capacity(EVENTS);
    let mut cameras: HashMap<Token, Camera> = HashMap::new();
    let mut next_token = 0;
    let mut tick = Instant::now();
    while !over.load(Ordering::Relaxed) {
        tick = (tick + GRAIN).max(Instant::now());
        std::thread::sleep(tick.saturating_duration_since(Instant::now()));
        loop {
            match inbox.try_recv() {
                Ok(mut camera) => {
                    let token = Token(next_token);
                    next_token += 1;
                    poll.registry().register(&mut camera.socket, token, Interest::READABLE)?;
                    cameras.insert(token, camera);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        match poll.poll(&mut events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            if let Some(camera) = cameras.get_mut(&event.token()) {
                camera.receive(sent)?;
            }
        }
        let now = Instant::now();
        let mut gone = Vec::new();
        for (token, camera) in cameras.iter_mut().filter(|(_, camera)| camera.due <= now) {
            if !camera.turn(now, sent)? {
                gone.push(*token);
            }
        }
        for token in gone {
            cameras.remove(&token);
            sent.connected.fetch_sub(1, Ordering::Relaxed);
            sent.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}
