//! One camera with its microphone.

use super::{Profile, Sent};
use crate::stream::{PICTURE_EVERY, SOUND_EVERY, Stream, media_engine, offer, payloads, received};
use bytes::Bytes;
use mio::net::UdpSocket;
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_twcc_sender_only,
};
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{RTCRtpHeaderExtensionCapability, RtpCodecKind};
use rtc::sansio::Protocol as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// A quiet room, -dBov (RFC 6464).
const QUIET: u8 = 60;
/// A server asks again when the first request was lost; a browser answers both with one key frame.
const KEY_THROTTLE: Duration = Duration::from_millis(300);
/// ICE works at least this often, even if the core names no instant.
const IDLE: Duration = Duration::from_millis(200);
const DATAGRAM_BYTES: usize = 2_048;

/// A camera that waits for the answer to its offer.
pub(crate) struct Waiting {
    camera: Camera,
    pub(crate) offer: String,
}

/// A camera that publishes.
pub(crate) struct Camera {
    core: RTCPeerConnection,
    pub(super) socket: UdpSocket,
    local: SocketAddr,
    profile: Profile,
    video: Stream,
    audio: Stream,
    level_id: Option<u8>,
    /// First packet, once connected
    started: Option<Instant>,
    key_wanted: bool,
    key_at: Option<Instant>,
    /// When there is something to do
    pub(super) due: Instant,
}

impl Waiting {
    /// Opens a socket on loopback and makes an offer.
    pub(crate) fn new(profile: Profile) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let (local, now) = (socket.local_addr()?, Instant::now());
        let mut engine = media_engine()?;
        let level = RTCRtpHeaderExtensionCapability { uri: AUDIO_LEVEL_URI.into() };
        engine.register_header_extension(level, RtpCodecKind::Audio, None)?;
        let registry = configure_nack(Registry::new(), &mut engine);
        let registry = configure_twcc_sender_only(registry, &mut engine)?;
        let registry = configure_rtcp_reports(registry);
        let mut core = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(now)?;
        let video = Stream::add(&mut core, RtpCodecKind::Video)?;
        let audio = Stream::add(&mut core, RtpCodecKind::Audio)?;
        let offer = offer(&mut core, local, now)?;
        let (level_id, started, key_at) = (None, None, None);
        let camera = Camera {
            core,
            socket,
            local,
            profile,
            video,
            audio,
            level_id,
            started,
            key_wanted: true,
            key_at,
            due: now,
        };
        Ok(Self { camera, offer })
    }

    pub(crate) fn answered(mut self, answer: String) -> anyhow::Result<Camera> {
        let camera = &mut self.camera;
        camera.core.set_remote_description(Instant::now(), RTCSessionDescription::answer(answer)?)?;
        let mut sender = camera.audio.sender(&mut camera.core)?;
        let extensions = &sender.get_parameters().rtp_parameters.header_extensions;
        camera.level_id = extensions
            .iter()
            .find(|extension| extension.uri == AUDIO_LEVEL_URI)
            .and_then(|extension| u8::try_from(extension.id).ok());
        Ok(self.camera)
    }
}

impl Camera {
    /// Everything that has come in.
    pub(super) fn receive(&mut self, sent: &Sent) -> anyhow::Result<()> {
        let mut buffer = [0; DATAGRAM_BYTES];
        loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    self.key_wanted |= is_feedback(&buffer[..length]);
                    // A late packet of a closed connection is refused, as it should be.
                    let _ = self.core.handle_read(received(self.local, from, &buffer[..length]));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The ICMP answer to an earlier packet; ICE notices by itself when the server has gone.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.settle(sent);
        self.due = Instant::now();
        Ok(())
    }

    /// What is due; `false` once the connection has ended.
    pub(super) fn turn(&mut self, now: Instant, sent: &Sent) -> anyhow::Result<bool> {
        if self.core.poll_timeout().is_some_and(|at| at <= now) {
            self.core.handle_timeout(now)?;
        }
        if !self.settle(sent) {
            return Ok(false);
        }
        if let Some(start) = self.started {
            self.media(start, now, sent)?;
        }
        let mut due = self.core.poll_timeout().unwrap_or(now + IDLE).min(now + IDLE);
        if let Some(start) = self.started {
            due =
                due.min(start + PICTURE_EVERY * self.video.count).min(start + SOUND_EVERY * self.audio.count);
        }
        self.due = due;
        Ok(true)
    }

    fn settle(&mut self, sent: &Sent) -> bool {
        self.flush(sent);
        while let Some(event) = self.core.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                match state {
                    RTCPeerConnectionState::Connected if self.started.is_none() => {
                        // Cameras are not switched on in step.
                        self.started = Some(Instant::now() + PICTURE_EVERY.mul_f64(rand::random()));
                        sent.connected.fetch_add(1, Relaxed);
                    }
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return false,
                    _ => {}
                }
            }
        }
        while self.core.poll_read().is_some() {}
        self.flush(sent);
        true
    }

    fn flush(&mut self, sent: &Sent) {
        while let Some(datagram) = self.core.poll_write() {
            if self.socket.send_to(&datagram.message, datagram.transport.peer_addr).is_err() {
                sent.failed.fetch_add(1, Relaxed);
            }
        }
    }

    fn media(&mut self, start: Instant, now: Instant, sent: &Sent) -> anyhow::Result<()> {
        while start + PICTURE_EVERY * self.video.count <= now {
            let may = self.key_at.is_none_or(|at| now.duration_since(at) >= KEY_THROTTLE);
            let key = self.key_wanted && may;
            if key {
                (self.key_wanted, self.key_at) = (false, Some(now));
                sent.asked.fetch_add(1, Relaxed);
            }
            let picture = self.profile.picture(self.video.count, key);
            let timestamp = self.video.count.wrapping_mul(7_500);
            for (last, payload) in payloads(&picture, self.profile.payload_bytes()) {
                let header = self.video.header(timestamp, last);
                sent.count(&payload)?;
                self.video.write(&mut self.core, header, payload)?;
            }
            self.video.count += 1;
        }
        while start + SOUND_EVERY * self.audio.count <= now {
            let timestamp = self.audio.count.wrapping_mul(960);
            let payload = Bytes::from(vec![0xfc; self.profile.sound_bytes()]);
            let mut header = self.audio.header(timestamp, false);
            if let Some(id) = self.level_id {
                header.set_extension(id, Bytes::from_static(&[QUIET]))?;
            }
            sent.count(&payload)?;
            self.audio.write(&mut self.core, header, payload)?;
            self.audio.count += 1;
        }
        self.flush(sent);
        Ok(())
    }
}

/// Encrypted feedback on a stream (RFC 4585: payload-specific, type 206): what this server sends so is a request for a
/// key frame. Only the header is readable from outside, and that is all a camera needs.
fn is_feedback(datagram: &[u8]) -> bool {
    const PAYLOAD_SPECIFIC: u8 = 206;
    matches!(datagram, [128..=191, PAYLOAD_SPECIFIC, ..])
}
