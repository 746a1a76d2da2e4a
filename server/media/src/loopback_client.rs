//! A browser's part, played by the same WebRTC core over a loopback socket.
use crate::{
    demux::Handshake,
    feedback,
    handle::Role,
    peer::{self, codec},
    vp8::tests::key_frame,
};
use bytes::{Bytes, BytesMut};
use rtc::{
    interceptor::{NackResponderBuilder, Registry, SenderReportBuilder, Slot},
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        event::{RTCPeerConnectionEvent, RTCTrackEvent},
        message::RTCMessage,
        sdp::RTCSessionDescription,
        state::RTCPeerConnectionState,
        transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate},
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp,
    rtp_transceiver::{
        RTCRtpSenderId, RTCRtpTransceiverInit,
        rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind},
    },
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

const FRAME_EVERY: Duration = Duration::from_millis(40);
const SCREEN_EVERY: Duration = Duration::from_millis(200);
const SOUND_EVERY: Duration = Duration::from_millis(20);

/// A packet as a viewer got it.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) video: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload: Bytes,
}

struct Sending {
    sender: RTCRtpSenderId,
    ssrc: u32,
    sequence: u16,
    next_at: Instant,
}

pub(crate) struct Client {
    core: RTCPeerConnection,
    socket: UdpSocket,
    local: SocketAddr,
    kinds: HashMap<String, bool>,
    sending: Option<(Sending, Sending)>,
    /// A shared screen beside them
    screen: Option<Sending>,
    start: Instant,
    pub(crate) connected: bool,
    pub(crate) got: Vec<Got>,
    /// Key frames asked of this publisher, and sent.
    pub(crate) asked: usize,
    pub(crate) keys: usize,
    key_due: bool,
    /// Every so many-th datagram is lost, in both directions; 0 for none.
    pub(crate) lose_every: usize,
    datagrams: usize,
    handshake: Handshake,
    /// Video datagrams that will be lost on their way out.
    pub(crate) lose: usize,
    /// Sound is held back.
    pub(crate) muted: bool,
    /// Picture's first byte after the key-frame header, to tell publishers apart.
    pub(crate) mark: u8,
    /// Every key frame has another size.
    pub(crate) rotating: bool,
    /// The clock of the pictures stands still.
    pub(crate) standing: bool,
}

impl Client {
    pub(crate) fn publisher(mark: u8, repairs: bool) -> Self {
        Self::new(Role::Publisher, mark, repairs)
    }

    /// With a shared screen, whose pictures carry `mark + 1`.
    pub(crate) fn sharing(mark: u8) -> Self {
        let mut client = Self::new(Role::Publisher, mark, true);
        let (ssrc, sequence, next_at) = (3_000, 65_500, client.start);
        let sender = add_track(&mut client.core, RtpCodecKind::Video, ssrc);
        client.screen = Some(Sending { sender, ssrc, sequence, next_at });
        client
    }

    pub(crate) fn viewer() -> Self {
        Self::new(Role::Viewer, 0, true)
    }

    fn new(role: Role, mark: u8, repairs: bool) -> Self {
        let now = Instant::now();
        let (engine, registry) = peer::engine(Role::Publisher).unwrap();
        // The other side's part too: it sends what was lost again.
        let registry = registry
            .with(Slot::NackResponder, NackResponderBuilder::new().build())
            .with(Slot::SenderReport, SenderReportBuilder::new().build());
        let registry = if repairs {
            registry
        } else {
            Registry::new().with(Slot::from(feedback::SLOT), feedback::Deliver::default())
        };
        let mut core = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(now)
            .unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let local = socket.local_addr().unwrap();
        let mut add = |kind, ssrc| Sending {
            sender: add_track(&mut core, kind, ssrc),
            ssrc,
            sequence: 65_500,
            next_at: now,
        };
        let sending = match role {
            Role::Publisher => Some((add(RtpCodecKind::Video, 1_000), add(RtpCodecKind::Audio, 2_000))),
            Role::Viewer => {
                for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
                    let receive = RTCRtpTransceiverInit {
                        direction: rtc::rtp_transceiver::RTCRtpTransceiverDirection::Recvonly,
                        ..Default::default()
                    };
                    core.add_transceiver_from_kind(kind, Some(receive)).unwrap();
                }
                None
            }
        };
        let candidate = CandidateHostConfig {
            base_config: CandidateConfig {
                network: "udp".into(),
                address: local.ip().to_string(),
                port: local.port(),
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let candidate = RTCIceCandidate::from(&candidate.new_candidate_host().unwrap());
        core.add_local_candidate(candidate.to_json().unwrap()).unwrap();
        Self {
            core,
            socket,
            local,
            kinds: HashMap::new(),
            sending,
            screen: None,
            start: now,
            connected: false,
            got: Vec::new(),
            asked: 0,
            keys: 0,
            key_due: true,
            lose_every: 0,
            datagrams: 0,
            handshake: Handshake::default(),
            lose: 0,
            muted: false,
            mark,
            rotating: false,
            standing: false,
        }
    }

    pub(crate) fn offer(&mut self) -> String {
        let offer = self.core.create_offer(None).unwrap();
        self.core.set_local_description(Instant::now(), offer).unwrap();
        self.core.local_description().unwrap().sdp
    }

    pub(crate) fn accept(&mut self, answer: String) {
        let answer = RTCSessionDescription::answer(answer).unwrap();
        self.core.set_remote_description(Instant::now(), answer).unwrap();
    }

    /// Sends bytes of the test's own from this client's address.
    pub(crate) fn throw(&self, bytes: &[u8], to: SocketAddr) {
        self.socket.send_to(bytes, to).unwrap();
    }

    /// From now on its datagrams come from another port, of which it knows nothing: its NAT forgot it.
    pub(crate) fn rebind(&mut self) {
        self.socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        self.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }

    pub(crate) fn close(&mut self) {
        self.core.close().unwrap();
        self.flush();
    }

    /// One round: what came in, what is due, what goes out. Waits a millisecond at most.
    pub(crate) fn turn(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            if self.is_lost() || (!self.connected && self.handshake.is_repetition(&buffer[..length])) {
                continue;
            }
            let message = TaggedBytesMut {
                now: Instant::now(),
                transport: TransportContext {
                    local_addr: self.local,
                    peer_addr: from,
                    transport_protocol: TransportProtocol::UDP,
                    ecn: None,
                },
                message: BytesMut::from(&buffer[..length]),
            };
            // Late packets of a closed connection are refused, as they should be.
            let _ = self.core.handle_read(message);
        }
        let now = Instant::now();
        if self.core.poll_timeout().is_some_and(|at| at <= now) {
            self.core.handle_timeout(now).unwrap();
        }
        self.media(now);
        self.flush();
        while let Some(event) = self.core.poll_event() {
            match event {
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => {
                    self.connected = state == RTCPeerConnectionState::Connected;
                }
                RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                    let receiver = self.core.rtp_receiver(track.receiver_id).unwrap();
                    let video = receiver.track().kind() == RtpCodecKind::Video;
                    self.kinds.insert(track.track_id, video);
                }
                _ => {}
            }
        }
        while let Some(tagged) = self.core.poll_read() {
            self.message(tagged.message);
        }
        self.flush();
    }

    fn message(&mut self, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(track, packet) => self.got.push(Got {
                video: self.kinds[&track],
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                payload: packet.payload,
            }),
            RTCMessage::RtcpPacket(_, packets)
                if packets.iter().any(|packet| packet.as_any().is::<PictureLossIndication>()) =>
            {
                self.asked += 1;
                self.key_due = true;
            }
            _ => {}
        }
    }

    fn media(&mut self, now: Instant) {
        let Some((mut video, mut audio)) = self.sending.take_if(|_| self.connected) else { return };
        let clock = u32::try_from(now.duration_since(self.start).as_millis()).unwrap();
        if let Some(mut screen) = self.screen.take() {
            if now >= screen.next_at {
                screen.next_at = now + SCREEN_EVERY;
                let payload = [&[0x90, 0x80, self.mark + 1], &key_frame(1_280, 720, 900)[..]].concat();
                self.send(RtpCodecKind::Video, &mut screen, clock * 90, true, payload);
            }
            self.screen = Some(screen);
        }
        if now >= video.next_at {
            video.next_at = now + FRAME_EVERY;
            let key = std::mem::take(&mut self.key_due);
            self.keys += usize::from(key);
            let width = if self.rotating { 320 + u16::try_from(self.keys % 8).unwrap() * 16 } else { 640 };
            let frame = if key { key_frame(width, 480, 2_500) } else { vec![1; 600] };
            let chunks: Vec<_> = frame.chunks(1_000).collect();
            for (index, chunk) in chunks.iter().enumerate() {
                let descriptor: &[u8] =
                    if index == 0 { &[0x90, 0x80, self.mark] } else { &[0x80, 0x80, self.mark] };
                let payload = [descriptor, chunk].concat();
                let timestamp = if self.standing { 90_000 } else { clock * 90 };
                self.send(RtpCodecKind::Video, &mut video, timestamp, index + 1 == chunks.len(), payload);
            }
        }
        if now >= audio.next_at && !self.muted {
            audio.next_at = now + SOUND_EVERY;
            self.send(RtpCodecKind::Audio, &mut audio, clock * 48, false, vec![self.mark; 60]);
        }
        self.sending = Some((video, audio));
    }

    fn send(&mut self, kind: RtpCodecKind, to: &mut Sending, timestamp: u32, marker: bool, payload: Vec<u8>) {
        to.sequence = to.sequence.wrapping_add(1);
        let header = rtp::Header {
            version: 2,
            marker,
            payload_type: codec(kind).payload_type,
            sequence_number: to.sequence,
            timestamp,
            ssrc: to.ssrc,
            ..Default::default()
        };
        let packet = rtp::Packet { header, payload: payload.into() };
        self.core.rtp_sender(to.sender).unwrap().write_rtp(Instant::now(), packet).unwrap();
        let lost = kind == RtpCodecKind::Video && self.lose > 0;
        while let Some(datagram) = self.core.poll_write() {
            if lost && datagram.message.len() > 300 {
                self.lose -= 1;
                break;
            }
            self.emit(&datagram);
        }
    }

    fn emit(&mut self, datagram: &TaggedBytesMut) {
        if !self.is_lost() {
            self.socket.send_to(&datagram.message, datagram.transport.peer_addr).unwrap();
        }
    }

    fn is_lost(&mut self) -> bool {
        self.datagrams += 1;
        self.lose_every > 0 && self.datagrams.is_multiple_of(self.lose_every)
    }

    fn flush(&mut self) {
        while let Some(datagram) = self.core.poll_write() {
            self.emit(&datagram);
        }
    }
}

fn add_track(core: &mut RTCPeerConnection, kind: RtpCodecKind, ssrc: u32) -> RTCRtpSenderId {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec: codec(kind).rtp_codec,
        ..Default::default()
    };
    let name = format!("track-{ssrc}");
    core.add_track(MediaStreamTrack::new("camera".into(), name.clone(), name, kind, vec![encoding])).unwrap()
}
