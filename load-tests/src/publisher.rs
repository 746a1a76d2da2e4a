//! A camera and a microphone of a virtual candidate: real ICE, DTLS and SRTP, made-up pictures of a real size.

use crate::stream::{PICTURE_EVERY, SOUND_EVERY, Stream, media_engine, offer, payloads, received};
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::sansio::Protocol as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::sleep_until;

/// One key frame in so many pictures, about what the server asks for.
const PICTURES_PER_KEY: u32 = 60;
/// A key frame of a face at 640x480.
const KEY_FRAME_BYTES: usize = 16_000;
/// Together with the key frames about 270 kbit/s, below the 300 kbit/s a candidate may send.
const FRAME_BYTES: usize = 2_550;
/// About 24 kbit/s of speech.
const SOUND_BYTES: usize = 60;
/// Fits every path without fragmentation.
const PAYLOAD_BYTES: usize = 1_100;
/// ICE works at least this often, even if the core names no instant.
const IDLE: Duration = Duration::from_millis(200);

/// An offer that waits for its answer.
pub struct Offered {
    core: RTCPeerConnection,
    socket: UdpSocket,
    local: SocketAddr,
    video: Stream,
    audio: Stream,
    /// The offer
    pub sdp: String,
}

/// Publishes until it is dropped, then vanishes as a closed laptop would.
#[derive(Debug)]
pub struct Publisher(AbortHandle);

impl std::fmt::Debug for Offered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offered").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Offered {
    /// Opens a socket on loopback and makes an offer.
    ///
    /// # Errors
    /// If no socket can be opened or the WebRTC core refuses.
    pub async fn new() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let local = socket.local_addr()?;
        let mut engine = media_engine()?;
        let registry = register_default_interceptors(Registry::new(), &mut engine)?;
        let mut core = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(Instant::now())?;
        let video = Stream::add(&mut core, RtpCodecKind::Video)?;
        let audio = Stream::add(&mut core, RtpCodecKind::Audio)?;
        let sdp = offer(&mut core, local, Instant::now())?;
        Ok(Self { core, socket, local, video, audio, sdp })
    }

    /// Takes the answer and publishes from now on.
    ///
    /// # Errors
    /// If the WebRTC core cannot read the answer.
    pub fn publish(mut self, answer: String) -> anyhow::Result<Publisher> {
        self.core.set_remote_description(Instant::now(), RTCSessionDescription::answer(answer)?)?;
        let task = tokio::spawn(async move {
            if let Err(error) = self.run().await {
                eprintln!("a virtual camera stopped: {error:#}");
            }
        });
        Ok(Publisher(task.abort_handle()))
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 2_048];
        let mut started = None;
        loop {
            let alive = self.settle(&mut started).await?;
            if !alive {
                return Ok(());
            }
            let now = Instant::now();
            if let Some(start) = started {
                self.media(start, now)?;
                self.flush().await?;
            }
            let next = self.next_instant(started, now);
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => {
                    let (length, from) = received?;
                    self.datagram(&buffer[..length], from);
                }
                () = sleep_until(next.into()) => self.core.handle_timeout(Instant::now())?,
            }
        }
    }

    fn next_instant(&mut self, started: Option<Instant>, now: Instant) -> Instant {
        let mut next = self.core.poll_timeout().unwrap_or(now + IDLE).min(now + IDLE);
        if let Some(start) = started {
            next = next
                .min(start + PICTURE_EVERY * self.video.count)
                .min(start + SOUND_EVERY * self.audio.count);
        }
        next.max(now + Duration::from_millis(1))
    }

    fn datagram(&mut self, bytes: &[u8], from: SocketAddr) {
        // A late packet of a closed connection is refused, as it should be.
        let _ = self.core.handle_read(received(self.local, from, bytes));
    }

    /// Sends what the core has to say and learns its state; `false` once the connection has ended.
    async fn settle(&mut self, started: &mut Option<Instant>) -> anyhow::Result<bool> {
        self.flush().await?;
        while let Some(event) = self.core.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                match state {
                    RTCPeerConnectionState::Connected => *started = Some(Instant::now()),
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return Ok(false),
                    _ => {}
                }
            }
        }
        while self.core.poll_read().is_some() {}
        self.flush().await?;
        Ok(true)
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(datagram) = self.core.poll_write() {
            // A server that was killed answers with an ICMP error; ICE notices by itself.
            let _ = self.socket.send_to(&datagram.message, datagram.transport.peer_addr).await;
        }
        Ok(())
    }

    fn media(&mut self, start: Instant, now: Instant) -> anyhow::Result<()> {
        while start + PICTURE_EVERY * self.video.count <= now {
            let picture = picture(self.video.count);
            let timestamp = self.video.count.wrapping_mul(7_500);
            for (last, payload) in payloads(&picture, PAYLOAD_BYTES) {
                let header = self.video.header(timestamp, last);
                self.video.write(&mut self.core, header, payload)?;
            }
            self.video.count += 1;
        }
        while start + SOUND_EVERY * self.audio.count <= now {
            let timestamp = self.audio.count.wrapping_mul(960);
            let header = self.audio.header(timestamp, false);
            self.audio.write(&mut self.core, header, vec![0xfc; SOUND_BYTES].into())?;
            self.audio.count += 1;
        }
        Ok(())
    }
}

/// Shaped like VP8 (RFC 6386 9.1), with nothing to see on it.
fn picture(count: u32) -> Vec<u8> {
    if !count.is_multiple_of(PICTURES_PER_KEY) {
        return vec![0x11; FRAME_BYTES];
    }
    let mut frame = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a];
    frame.extend_from_slice(&640_u16.to_le_bytes());
    frame.extend_from_slice(&480_u16.to_le_bytes());
    frame.resize(KEY_FRAME_BYTES, 0x55);
    frame
}
