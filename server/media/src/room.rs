//! A candidate's room: who publishes, who watches, and packets from one to the others.
use crate::{engine::Engine, peer::Part, shared::RoomView, vp8};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// An empty room keeps its last still this long.
const LINGER: Duration = Duration::from_secs(600);

/// What a packet is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Webcam,
    Screen,
    Sound,
}

pub(crate) struct Room {
    pub(crate) view: Arc<RoomView>,
    pub(crate) publisher: Option<u64>,
    pub(crate) viewers: Vec<u64>,
    pub(crate) empty_since: Option<Instant>,
}

impl Room {
    pub(crate) fn new(view: Arc<RoomView>) -> Self {
        Self { view, publisher: None, viewers: Vec::new(), empty_since: None }
    }

    pub(crate) fn leave(&mut self, id: u64, now: Instant) {
        if self.publisher == Some(id) {
            self.publisher = None;
            self.view.put_status(None);
        }
        self.viewers.retain(|viewer| *viewer != id);
        if self.publisher.is_none() && self.viewers.is_empty() {
            self.empty_since = Some(now);
        }
    }

    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        let nothing_to_keep = || self.view.still().is_none();
        self.empty_since.is_some_and(|since| now.duration_since(since) >= LINGER || nothing_to_keep())
    }
}

impl Engine {
    /// Sends a publisher's packet on to the viewers of its room, renumbered for each.
    pub(crate) fn forward(
        &mut self,
        publisher: u64,
        session: Uuid,
        track: Track,
        packet: &rtc::rtp::Packet,
        now: Instant,
    ) {
        let Some(room) = self.rooms.get(&session).filter(|room| room.publisher == Some(publisher)) else {
            return;
        };
        let video = track != Track::Sound;
        let key = video && vp8::starts_key_frame(&packet.payload);
        for id in &room.viewers {
            let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.connected) else { continue };
            let Part::Viewer(viewer) = &mut peer.part else { continue };
            let Some(outgoing) = viewer.taking(publisher, track, packet) else { continue };
            let header = &packet.header;
            let numbers = (header.sequence_number, header.timestamp);
            let Some((sequence, timestamp)) = outgoing.leg.route(publisher, numbers, key, now) else {
                continue;
            };
            let mut copy = packet.clone();
            copy.header.ssrc = outgoing.ssrc;
            copy.header.payload_type = outgoing.payload_type;
            copy.header.sequence_number = sequence;
            copy.header.timestamp = timestamp;
            // Extension ids are negotiated per peer; the core refuses those of another.
            copy.header.extension = false;
            copy.header.extensions.clear();
            copy.header.extensions_padding = 0;
            let sender = outgoing.sender;
            match peer.core.rtp_sender(sender).map(|mut sender| sender.write_rtp(now, copy)) {
                Some(Ok(())) => {
                    self.around.shared.counters.forwarded.fetch_add(1, Relaxed);
                }
                Some(Err(error)) => tracing::debug!(%error, "a packet could not be forwarded"),
                None => {}
            }
            peer.stirred = true;
            if !peer.dirty {
                peer.dirty = true;
                self.dirty.push(*id);
            }
        }
    }

    /// A viewer of the webcam, or of the screen, needs a picture to begin with.
    pub(crate) fn want_key(&mut self, session: Uuid, screen: bool) {
        let Some(id) = self.rooms.get(&session).and_then(|room| room.publisher) else { return };
        if let Some(Part::Publisher(publisher)) = self.peers.get_mut(&id).map(|peer| &mut peer.part) {
            match &mut publisher.screen {
                Some(shared) if screen => shared.key_wanted = true,
                _ => publisher.key_wanted |= !screen,
            }
            self.mark(id);
        }
    }

    /// Silence, overdue key frames and status of every publisher.
    pub(crate) fn watch_publishers(&mut self, now: Instant) {
        let publishers: Vec<_> = self
            .rooms
            .values()
            .filter_map(|room| {
                let waiting = [false, true].map(|screen| self.is_waited_for(room, screen));
                Some((room.publisher?, waiting, room.viewers.len()))
            })
            .collect();
        for (id, [waiting, screen_waiting], viewers) in publishers {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            let (connected, tcp) = (peer.connected, peer.over_tcp);
            let Part::Publisher(publisher) = &mut peer.part else { continue };
            publisher.watch(waiting, connected, tcp, u32::try_from(viewers).unwrap_or(u32::MAX), now);
            publisher.watch_screen(screen_waiting, now);
            if publisher.wants_key() {
                self.mark(id);
            }
        }
    }

    fn is_waited_for(&self, room: &Room, screen: bool) -> bool {
        room.viewers.iter().any(|viewer| {
            self.peers.get(viewer).is_some_and(|peer| match (&peer.part, room.publisher) {
                (Part::Viewer(viewer), Some(publisher)) if peer.connected => {
                    let video = viewer.video.as_ref().filter(|_| viewer.screen == screen);
                    video.is_some_and(|video| video.leg.waits_for(publisher))
                }
                _ => false,
            })
        })
    }
}
