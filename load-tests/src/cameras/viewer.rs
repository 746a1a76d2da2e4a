//! A proctor's live picture: how long it takes until the first one is whole, and that it goes on.

use crate::stream::{media_engine, offer, received};
use anyhow::bail;
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::sleep_until;

const PATIENCE: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_millis(100);

/// A viewer that waits for the answer to its offer.
pub(crate) struct Viewer {
    core: RTCPeerConnection,
    socket: UdpSocket,
    local: SocketAddr,
    pub(crate) offer: String,
}

impl Viewer {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (local, now) = (socket.local_addr()?, Instant::now());
        let mut engine = media_engine()?;
        let registry = register_default_interceptors(Registry::new(), &mut engine)?;
        let mut core = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(now)?;
        for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
            let direction = RTCRtpTransceiverDirection::Recvonly;
            let receive = RTCRtpTransceiverInit { direction, ..Default::default() };
            core.add_transceiver_from_kind(kind, Some(receive))?;
        }
        let offer = offer(&mut core, local, now)?;
        Ok(Self { core, socket, local, offer })
    }

    /// Watches until the last packet of the first key frame is there.
    pub(crate) async fn first_frame(mut self, answer: String) -> anyhow::Result<()> {
        self.answered(answer)?;
        let end = Instant::now() + PATIENCE;
        let mut begun = None;
        while !self.settle(&mut begun).await? {
            if Instant::now() > end {
                bail!("no picture came within {} s", PATIENCE.as_secs());
            }
            self.turn().await?;
        }
        Ok(())
    }

    /// Watches until dropped; whole pictures that stand alone are counted.
    pub(crate) async fn watch(mut self, answer: String, pictures: &AtomicU64) -> anyhow::Result<()> {
        self.answered(answer)?;
        let mut begun = None;
        loop {
            if self.settle(&mut begun).await? {
                pictures.fetch_add(1, Ordering::Relaxed);
                begun = None;
            }
            self.turn().await?;
        }
    }

    fn answered(&mut self, answer: String) -> anyhow::Result<()> {
        Ok(self.core.set_remote_description(Instant::now(), RTCSessionDescription::answer(answer)?)?)
    }

    /// Takes the next datagram, or lets time pass.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 2_048];
        let now = Instant::now();
        let next = self.core.poll_timeout().unwrap_or(now + IDLE);
        let next = next.clamp(now + Duration::from_millis(1), now + IDLE);
        tokio::select! {
            datagram = self.socket.recv_from(&mut buffer) => {
                let (length, from) = datagram?;
                // A late packet of a closed connection is refused, as it should be.
                let _ = self.core.handle_read(received(self.local, from, &buffer[..length]));
            }
            () = sleep_until(next.into()) => self.core.handle_timeout(Instant::now())?,
        }
        Ok(())
    }

    /// `begun`: timestamp of a key frame whose first packet has come. `true` once it is whole.
    async fn settle(&mut self, begun: &mut Option<u32>) -> anyhow::Result<bool> {
        let mut whole = false;
        while let Some(tagged) = self.core.poll_read() {
            let RTCMessage::RtpPacket(_, packet) = tagged.message else { continue };
            // VP8 (RFC 7741 4.2): S bit, then the frame's own first bit is 0 for a key frame. Sound begins with 0xfc.
            if matches!(packet.payload.as_ref(), [0x10, first, ..] if first & 1 == 0) {
                *begun = Some(packet.header.timestamp);
            }
            whole |= *begun == Some(packet.header.timestamp) && packet.header.marker;
        }
        while self.core.poll_event().is_some() {}
        while let Some(datagram) = self.core.poll_write() {
            let _ = self.socket.send_to(&datagram.message, datagram.transport.peer_addr).await;
        }
        Ok(whole)
    }
}
