//! What the handle reads without asking the network thread.
use crate::{OfferError, handle::Command};
use bytes::Bytes;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// A level older than this says nothing about now.
const LEVEL_HOLD: Duration = Duration::from_millis(500);

/// One VP8 key frame as a WebP file, not transcoded.
#[derive(Debug, Clone)]
pub struct Still {
    pub webp: Bytes,
    /// When the frame was complete at the server.
    pub taken: Instant,
    /// Counts from 1 within the room's life.
    pub number: u64,
    /// Pixels.
    pub width: u16,
    pub height: u16,
}

/// A publisher as the server sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublisherStatus {
    /// ICE and DTLS are up.
    pub connected: bool,
    /// Packets of this kind arrived within the last 1.5 s.
    pub video_live: bool,
    pub audio_live: bool,
    /// RTP payload over the last second, bit/s.
    pub bitrate_bps: u32,
    /// Complete video frames over the last second.
    pub fps: u32,
    /// Packets lost for good (not repaired by retransmission) over the last ten seconds, in 1/1000 of those expected.
    pub loss_permille: u32,
    /// Pixels of the last key frame; 0 before the first.
    pub width: u16,
    pub height: u16,
    /// The connection runs over TCP because UDP did not get through.
    pub tcp: bool,
    pub viewers: u32,
}

/// Counters since the start of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Peers now.
    pub publishers: u64,
    pub viewers: u64,
    pub rooms: u64,
    pub datagrams_in: u64,
    pub bytes_in: u64,
    /// Datagrams from nobody we know, dropped before decryption.
    pub dropped_unknown: u64,
    /// Datagrams of peers above their rate, dropped before decryption.
    pub dropped_rate: u64,
    /// Datagrams for a network thread that did not come along.
    pub dropped_busy: u64,
    /// Datagrams that could not be sent because a socket buffer was full.
    pub dropped_out: u64,
    /// RTP packets sent on to viewers.
    pub forwarded: u64,
    /// Key frames asked of publishers.
    pub key_requests: u64,
    /// Frames that the recorder's full queue refused.
    pub dropped_frames: u64,
    /// Key frames that were no VP8, or of an absurd size.
    pub refused_frames: u64,
    /// RTP packets that no repair brought in time, over all publishers.
    pub lost_packets: u64,
    /// Peers dropped because the WebRTC core panicked on their input: bugs, to be reported upstream.
    pub panics: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64),* }

        impl Counters {
            pub(crate) fn stats(&self) -> Stats {
                Stats { $($name: self.$name.load(Relaxed)),* }
            }
        }
    };
}
counters!(
    publishers,
    viewers,
    rooms,
    datagrams_in,
    bytes_in,
    dropped_unknown,
    dropped_rate,
    dropped_busy,
    dropped_out,
    forwarded,
    key_requests,
    dropped_frames,
    refused_frames,
    lost_packets,
    panics
);

/// Adds one; counters order nothing.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    rooms: RwLock<HashMap<Uuid, Arc<RoomView>>>,
}

impl Shared {
    pub(crate) fn room(&self, session: Uuid) -> Option<Arc<RoomView>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&session).cloned()
    }

    /// Sessions with a publisher.
    pub(crate) fn publishing(&self) -> Vec<Uuid> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().filter(|(_, view)| view.status().is_some()).map(|(session, _)| *session).collect()
    }

    pub(crate) fn open_room(&self, session: Uuid) -> Arc<RoomView> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        count(&self.counters.rooms);
        rooms.entry(session).or_default().clone()
    }

    pub(crate) fn close_room(&self, session: Uuid) {
        if self.rooms.write().unwrap_or_else(PoisonError::into_inner).remove(&session).is_some() {
            self.counters.rooms.fetch_sub(1, Relaxed);
        }
    }
}

/// The readable side of a room.
#[derive(Debug, Default)]
pub(crate) struct RoomView(Mutex<View>);

#[derive(Debug, Default)]
struct View {
    still: Option<Still>,
    level: Option<(u8, Instant)>,
    status: Option<PublisherStatus>,
}

impl RoomView {
    fn lock(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn still(&self) -> Option<Still> {
        self.lock().still.clone()
    }

    pub(crate) fn level(&self) -> Option<u8> {
        let (level, at) = self.lock().level?;
        (at.elapsed() < LEVEL_HOLD).then_some(level)
    }

    pub(crate) fn status(&self) -> Option<PublisherStatus> {
        self.lock().status
    }

    pub(crate) fn put_still(&self, webp: Bytes, (width, height): (u16, u16), taken: Instant) {
        let mut view = self.lock();
        let number = view.still.as_ref().map_or(1, |still| still.number + 1);
        view.still = Some(Still { webp, taken, number, width, height });
    }

    /// Keeps the loudest level until it is older than the hold time.
    pub(crate) fn put_level(&self, level: u8, now: Instant) {
        let mut view = self.lock();
        match view.level {
            Some((loudest, at)) if loudest < level && now.duration_since(at) < LEVEL_HOLD => {}
            _ => view.level = Some((level, now)),
        }
    }

    pub(crate) fn put_status(&self, status: Option<PublisherStatus>) {
        let mut view = self.lock();
        view.status = status;
        if status.is_none() {
            view.level = None;
        }
    }
}

/// The command channel of one network thread and the bell that wakes it.
pub(crate) struct Wake {
    pub(crate) commands: SyncSender<Command>,
    pub(crate) waker: Arc<mio::Waker>,
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

impl Wake {
    pub(crate) fn send(&self, command: Command) -> Result<(), OfferError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => OfferError::Full,
            TrySendError::Disconnected(_) => OfferError::Stopped,
        })?;
        self.waker.wake().map_err(|_| OfferError::Stopped)
    }

    /// What may not get lost: waits for room.
    pub(crate) fn tell(&self, command: Command) {
        // A thread that has stopped needs to know nothing.
        if self.commands.send(command).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_keeps_the_loudest_of_the_last_half_second() {
        let (view, now) = (RoomView::default(), Instant::now());
        view.put_level(40, now);
        view.put_level(100, now + Duration::from_millis(20));
        assert_eq!(view.level(), Some(40));
        view.put_level(100, now + LEVEL_HOLD);
        assert_eq!(view.level(), Some(100));
    }
}
