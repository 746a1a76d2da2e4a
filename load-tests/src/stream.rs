//! What every made-up end of a WebRTC connection has here: codecs, an offer, streams.

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine};
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCIceCandidate, RTCIceCandidateInit,
};
use rtc::rtp;
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpSender, RtpCodecKind,
};
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// 12 pictures a second, as the candidate's page asks of its camera.
pub(crate) const PICTURE_EVERY: Duration = Duration::from_micros(83_333);
/// One Opus packet.
pub(crate) const SOUND_EVERY: Duration = Duration::from_millis(20);
const VP8_PAYLOAD_TYPE: u8 = 96;
const OPUS_PAYLOAD_TYPE: u8 = 111;

/// VP8 and Opus.
pub(crate) fn media_engine() -> anyhow::Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        engine.register_codec(codec(kind), kind)?;
    }
    Ok(engine)
}

/// The offer of a connection whose tracks are there.
pub(crate) fn offer(core: &mut RTCPeerConnection, local: SocketAddr, now: Instant) -> anyhow::Result<String> {
    core.add_local_candidate(host_candidate(local)?)?;
    let offer = core.create_offer(None)?;
    core.set_local_description(now, offer)?;
    Ok(core.local_description().context("the offer is not there")?.sdp)
}

/// A datagram as the core takes it.
pub(crate) fn received(local: SocketAddr, from: SocketAddr, bytes: &[u8]) -> TaggedBytesMut {
    let transport = TransportContext {
        local_addr: local,
        peer_addr: from,
        transport_protocol: TransportProtocol::UDP,
        ecn: None,
    };
    TaggedBytesMut { now: Instant::now(), transport, message: BytesMut::from(bytes) }
}

/// A picture as payloads of that size, each with whether it is the last one. VP8 payload descriptor (RFC 7741 4.2): S on
/// the first packet of the frame.
pub(crate) fn payloads(picture: &[u8], bytes: usize) -> impl Iterator<Item = (bool, Bytes)> {
    let chunks = picture.chunks(bytes);
    let last = chunks.len() - 1;
    chunks.enumerate().map(move |(index, chunk)| {
        (index == last, [&[if index == 0 { 0x10 } else { 0 }], chunk].concat().into())
    })
}

/// One track that is sent.
pub(crate) struct Stream {
    sender: RTCRtpSenderId,
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
    /// Pictures or sounds so far
    pub(crate) count: u32,
}

impl Stream {
    pub(crate) fn add(core: &mut RTCPeerConnection, kind: RtpCodecKind) -> anyhow::Result<Self> {
        let (ssrc, codec) = (rand::random(), codec(kind));
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: codec.rtp_codec,
            ..Default::default()
        };
        let name = format!("track-{ssrc}");
        let track = MediaStreamTrack::new("virtual".into(), name.clone(), name, kind, vec![encoding]);
        let sender = core.add_track(track)?;
        Ok(Self { sender, ssrc, payload_type: codec.payload_type, sequence: rand::random(), count: 0 })
    }

    /// Of the next packet.
    pub(crate) fn header(&mut self, timestamp: u32, marker: bool) -> rtp::Header {
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        }
    }

    pub(crate) fn sender<'c>(&self, core: &'c mut RTCPeerConnection) -> anyhow::Result<RTCRtpSender<'c>> {
        core.rtp_sender(self.sender).context("the track was taken away")
    }

    pub(crate) fn write(
        &self,
        core: &mut RTCPeerConnection,
        header: rtp::Header,
        payload: Bytes,
    ) -> anyhow::Result<()> {
        Ok(self.sender(core)?.write_rtp(Instant::now(), rtp::Packet { header, payload })?)
    }
}

fn host_candidate(local: SocketAddr) -> anyhow::Result<RTCIceCandidateInit> {
    let IpAddr::V4(address) = local.ip() else { anyhow::bail!("loopback is IPv4 here") };
    let candidate = CandidateHostConfig {
        base_config: CandidateConfig {
            network: "udp".into(),
            address: address.to_string(),
            port: local.port(),
            component: 1,
            ..Default::default()
        },
        ..Default::default()
    };
    Ok(RTCIceCandidate::from(&candidate.new_candidate_host()?).to_json()?)
}

fn codec(kind: RtpCodecKind) -> RTCRtpCodecParameters {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.into(), parameter: parameter.into() };
    if kind == RtpCodecKind::Audio {
        let rtp_codec = RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
            rtcp_feedback: Vec::new(),
        };
        return RTCRtpCodecParameters { rtp_codec, payload_type: OPUS_PAYLOAD_TYPE };
    }
    let rtp_codec = RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![feedback("ccm", "fir"), feedback("nack", ""), feedback("nack", "pli")],
    };
    RTCRtpCodecParameters { rtp_codec, payload_type: VP8_PAYLOAD_TYPE }
}
