//! Between sockets and peers: datagrams in, everything the WebRTC core has to say out.
use crate::{
    Fact, Gone,
    demux::{Class, classify, is_signed, rtp_stream},
    engine::{Engine, protocol, rtc_poll_write},
    peer::{AUDIO_LEVEL_URI, Part, Peer},
    publisher::Source,
    room::Track,
    shared::count,
    way::End,
};
use bytes::BytesMut;
use rtc::{
    peer_connection::{
        event::{RTCPeerConnectionEvent, RTCTrackEvent, RTCTrackEventInit},
        message::RTCMessage,
        state::RTCPeerConnectionState,
        transport::RTCDtlsTransportState,
    },
    rtcp::{
        Packet as RtcpPacket, payload_feedbacks::picture_loss_indication::PictureLossIndication,
        sender_report::SenderReport,
    },
    rtp_transceiver::rtp_sender::RtpCodecKind,
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use std::{
    cmp::Reverse,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// The core may name an instant that has passed; without this the loop would spin.
const TIMER_FLOOR: Duration = Duration::from_millis(1);
/// Least time between two ticks of a connected core: the rhythm of its congestion feedback and of its requests for missing
/// packets, the fastest it has.
const TICK: Duration = Duration::from_millis(100);
/// Addresses of one peer: a few interfaces, and those it had before its network changed.
const MAX_ADDRESSES: usize = 16;

impl Engine {
    /// Takes one datagram (or TCP frame). Whatever is not from a known peer ends here, before any decryption.
    pub(crate) fn datagram(&mut self, bytes: &[u8], from: SocketAddr, tcp: bool, now: Instant) {
        let counters = &self.around.shared.counters;
        count(&counters.datagrams_in);
        counters.bytes_in.fetch_add(bytes.len() as u64, Relaxed);
        let sender = self.by_address.get(&from).copied();
        let (id, alert) = match classify(bytes) {
            Class::Request(fragment) => (self.by_fragment.get(fragment).copied(), false),
            Class::Flow { alert } => (sender, alert),
            Class::Junk => (None, false),
        };
        let Some(peer) = id.and_then(|id| self.peers.get_mut(&id)) else {
            return count(&counters.dropped_unknown);
        };
        // Before anything is looked at more closely; whoever forges requests for a peer is not billed to it.
        if id != sender && !is_signed(bytes, peer.password.as_bytes()) {
            return count(&counters.dropped_unknown);
        }
        if !peer.bucket.allows(bytes.len(), now) {
            return count(&counters.dropped_rate);
        }
        let stream = rtp_stream(bytes);
        let known = stream.is_some_and(|ssrc| peer.receives(ssrc));
        if stream.is_some_and(|ssrc| !known && !peer.streams.allows(ssrc)) {
            return count(&counters.dropped_unknown);
        }
        if !peer.connected && peer.handshake.is_repetition(bytes) {
            return;
        }
        let id = peer.id;
        if self.by_address.get(&from) != Some(&id) {
            self.learn(id, from, tcp);
        }
        let advertised = self.ground.advertised;
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.over_tcp = tcp;
        peer.alerted |= alert;
        peer.stirred |= !known;
        let from = peer.way.inward(End { address: from, tcp }, bytes, peer.their_password.as_bytes());
        let message = TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: advertised,
                peer_addr: from.address,
                transport_protocol: protocol(from.tcp),
                ecn: None,
            },
            message: BytesMut::from(bytes),
        };
        match catch_unwind(AssertUnwindSafe(|| peer.core.handle_read(message))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::trace!(%error, "the WebRTC core refused a datagram"),
            Err(_) => return self.panicked(id),
        }
        self.soil(id);
    }

    /// This address now belongs to this peer.
    fn learn(&mut self, id: u64, from: SocketAddr, tcp: bool) {
        self.by_address.insert(from, id);
        self.door.learned(from);
        if tcp && let Some(tcp) = &mut self.ports.tcp {
            tcp.identified(from);
        }
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.addresses.retain(|address| *address != from);
        peer.addresses.push(from);
        if peer.addresses.len() > MAX_ADDRESSES {
            let oldest = peer.addresses.remove(0);
            if self.by_address.get(&oldest) == Some(&id) {
                self.by_address.remove(&oldest);
                self.door.left(oldest);
            }
        }
    }

    /// The peer has something to be served, whatever it is.
    pub(crate) fn mark(&mut self, id: u64) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.stirred = true;
        }
        self.soil(id);
    }

    fn soil(&mut self, id: u64) {
        if let Some(peer) = self.peers.get_mut(&id).filter(|peer| !peer.dirty) {
            peer.dirty = true;
            self.dirty.push(id);
        }
    }

    pub(crate) fn serve_dirty(&mut self) {
        while let Some(id) = self.dirty.pop() {
            // Out of the map while it is served: its packets go to other peers of the map.
            let Some(mut peer) = self.peers.remove(&id) else { continue };
            peer.dirty = false;
            let served = catch_unwind(AssertUnwindSafe(|| self.serve(&mut peer)));
            self.peers.insert(id, peer);
            match served {
                Ok(Ok(())) => {}
                Ok(Err(how)) => self.forget(id, how),
                Err(_) => self.panicked(id),
            }
        }
    }

    /// The peer's timer fired.
    pub(crate) fn tick(&mut self, id: u64, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.ticked = now;
        match catch_unwind(AssertUnwindSafe(|| peer.core.handle_timeout(now))) {
            Ok(Ok(())) => self.mark(id),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the WebRTC core refused a timeout");
                self.mark(id);
            }
            Err(_) => self.panicked(id),
        }
    }

    /// Sends, handles events and media until the core has nothing more to say; `Err` means that the peer is gone.
    fn serve(&mut self, peer: &mut Peer) -> Result<(), Gone> {
        let now = Instant::now();
        // Each look for events, datagrams and timers walks through all layers of the core. Media of streams that it
        // knows brings none of them: what it answers with goes out by its timers.
        let mut stirred = std::mem::take(&mut peer.stirred);
        loop {
            let mut eventful = false;
            while stirred && let Some(event) = peer.core.poll_event() {
                eventful = true;
                self.event(peer, event)?;
            }
            // Not `poll_read`, which walks as well: what a datagram or an event brought is through the layers by now.
            while let Some(tagged) = peer.core.poll_media_read() {
                self.message(peer, tagged.message, now);
            }
            if let Part::Publisher(publisher) = &mut peer.part {
                publisher.deliver(&self.around.shared.counters, now);
            }
            stirred |= self.ask_for_keys(peer, now);
            while stirred && let Some(datagram) = rtc_poll_write(peer) {
                self.send(&datagram);
            }
            if !eventful {
                break;
            }
        }
        if std::mem::take(&mut peer.alerted) && dtls_closed(peer) {
            return Err(Gone::ByPeer);
        }
        if stirred {
            self.arm(peer, now);
        } else {
            self.arm_own(peer, now);
        }
        Ok(())
    }

    fn event(&mut self, peer: &mut Peer, event: RTCPeerConnectionEvent) -> Result<(), Gone> {
        match event {
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => self.state(peer, state),
            RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                open_track(peer, track);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn state(&mut self, peer: &mut Peer, state: RTCPeerConnectionState) -> Result<(), Gone> {
        match state {
            RTCPeerConnectionState::Connected if !peer.connected => {
                peer.connected = true;
                peer.here.send_replace(true);
                match &peer.part {
                    Part::Publisher(publisher) => publisher.report(Fact::PublisherConnected),
                    Part::Viewer(viewer) => self.want_key(peer.session, viewer.screen),
                }
                Ok(())
            }
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                Err(if peer.connected { Gone::Lost } else { Gone::NeverConnected })
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, peer: &mut Peer, message: RTCMessage, now: Instant) {
        match (message, &mut peer.part) {
            (RTCMessage::RtpPacket(track, packet), Part::Publisher(publisher)) => {
                let Some(source) = publisher.source(&track) else { return };
                let (track, level) = (source.kind(), source.level_extension);
                match track {
                    Track::Screen => publisher.screen_packet(&packet, now),
                    Track::Webcam | Track::Sound => {
                        publisher.packet(track == Track::Webcam, level, &packet, now);
                    }
                }
                self.forward(peer.id, peer.session, track, &packet, now);
            }
            (RTCMessage::RtcpPacket(_, packets), Part::Publisher(publisher)) => {
                for report in
                    packets.iter().filter_map(|packet| packet.as_any().downcast_ref::<SenderReport>())
                {
                    publisher.sender_report(report.ssrc, report.ntp_time, report.rtp_time);
                }
            }
            // What reaches us from a viewer is a request for a key frame (`feedback`), or a report of nothing sent.
            (RTCMessage::RtcpPacket(_, packets), Part::Viewer(viewer))
                if packets.iter().any(|packet| !packet.as_any().is::<SenderReport>()) =>
            {
                self.want_key(peer.session, viewer.screen);
            }
            _ => {}
        }
    }

    /// Sends the key-frame requests that are wanted, if the throttle allows; `true` if one went into the core.
    fn ask_for_keys(&mut self, peer: &mut Peer, now: Instant) -> bool {
        [Track::Webcam, Track::Screen]
            .into_iter()
            .fold(false, |any, of| self.ask_for_key(peer, of, now) | any)
    }

    fn ask_for_key(&mut self, peer: &mut Peer, of: Track, now: Instant) -> bool {
        let Part::Publisher(publisher) = &mut peer.part else { return false };
        let source = publisher.sources.iter().find(|source| source.kind() == of);
        let Some((receiver, media_ssrc)) = source.map(|source| (source.receiver, source.ssrc)) else {
            return false;
        };
        let may = match &mut publisher.screen {
            Some(screen) if of == Track::Screen => screen.may_ask(now),
            _ => publisher.may_ask(now),
        };
        if !may {
            return false;
        }
        let Some(mut receiver) = peer.core.rtp_receiver(receiver) else { return false };
        let request: Box<dyn RtcpPacket> = Box::new(PictureLossIndication { sender_ssrc: 0, media_ssrc });
        match receiver.write_rtcp(now, vec![request]) {
            Ok(()) => count(&self.around.shared.counters.key_requests),
            Err(error) => tracing::debug!(%error, "a key-frame request could not be sent"),
        }
        true
    }

    pub(crate) fn send(&mut self, datagram: &TaggedBytesMut) {
        let to = datagram.transport.peer_addr;
        let sent = if datagram.transport.transport_protocol == TransportProtocol::TCP {
            match &mut self.ports.tcp {
                Some(tcp) => tcp.send(to, &datagram.message),
                None => self.door.send_tcp(to, &datagram.message),
            }
        } else {
            self.ports.udp.send_to(&datagram.message, to).is_ok()
        };
        if !sent {
            count(&self.around.shared.counters.dropped_out);
        }
    }

    /// Notes when the core or what is made of its packets wants attention next.
    fn arm(&mut self, peer: &mut Peer, now: Instant) {
        // A core has timers of several layers, each with a phase of its own: they share a tick. Not while it connects,
        // when each of them is waited for.
        let rest = if peer.connected { TICK } else { Duration::ZERO };
        let core = peer.core.poll_timeout().map(|at| at.max(peer.ticked + rest));
        self.arm_own(peer, now);
        self.arm_at(peer, core, now);
    }

    fn arm_own(&mut self, peer: &mut Peer, now: Instant) {
        if let Part::Publisher(publisher) = &peer.part {
            let own = publisher.deadline();
            self.arm_at(peer, own, now);
        }
    }

    /// Puts the peer into the timer heap, unless an earlier entry of its own will look again anyway.
    fn arm_at(&mut self, peer: &mut Peer, at: Option<Instant>, now: Instant) {
        let Some(at) = at.map(|at| at.max(now + TIMER_FLOOR)) else { return };
        if peer.armed.is_none_or(|armed| at < armed) {
            peer.armed = Some(at);
            self.timers.push(Reverse((at, peer.id)));
        }
    }

    /// The core panicked on this peer's input: it goes, the others stay.
    fn panicked(&mut self, id: u64) {
        count(&self.around.shared.counters.panics);
        tracing::error!("the WebRTC core panicked; the peer was dropped");
        self.forget(id, Gone::Lost);
    }
}

fn open_track(peer: &mut Peer, track: RTCTrackEventInit) {
    let Part::Publisher(publisher) = &mut peer.part else { return };
    let Some(mut receiver) = peer.core.rtp_receiver(track.receiver_id) else { return };
    let video = receiver.track().kind() == RtpCodecKind::Video;
    let second = publisher.sources.iter().any(|source| source.video && !source.screen);
    let screen = video && publisher.is_screen(track.ssrc, second);
    let unasked = screen && publisher.screen.is_none();
    if unasked || publisher.sources.iter().any(|source| source.video == video && source.screen == screen) {
        // Answered as inactive, or a second one of its kind: what comes on it all the same is not mixed in.
        return;
    }
    let extensions = &receiver.get_parameters().rtp_parameters.header_extensions;
    let level_extension = extensions
        .iter()
        .find(|extension| !video && extension.uri == AUDIO_LEVEL_URI)
        .and_then(|extension| u8::try_from(extension.id).ok());
    publisher.sources.push(Source {
        track: track.track_id,
        receiver: track.receiver_id,
        ssrc: track.ssrc,
        video,
        screen,
        level_extension,
    });
    publisher.key_wanted |= video && !screen;
}

/// A browser's `close()` arrives as DTLS close_notify; no connection-state event follows it.
fn dtls_closed(peer: &mut Peer) -> bool {
    let state = match &peer.part {
        Part::Publisher(publisher) => publisher
            .sources
            .first()
            .map(|source| source.receiver)
            .and_then(|id| peer.core.rtp_receiver(id)?.transport().map(|transport| transport.state())),
        Part::Viewer(viewer) => viewer
            .video
            .as_ref()
            .map(|video| video.sender)
            .and_then(|id| peer.core.rtp_sender(id)?.transport().map(|transport| transport.state())),
    };
    state == Some(RTCDtlsTransportState::Closed)
}
