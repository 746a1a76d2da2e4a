//! One WebRTC peer: building its answer, and what is kept about it.
use crate::{
    OfferError,
    demux::{Bucket, Handshake, Streams},
    door::mark_of,
    feedback,
    handle::{ResourceId, Role},
    leg::Leg,
    publisher::Publisher,
    room::Track,
    sdp, vp8,
    way::Way,
};
use ring::rand::SecureRandom;
use rtc::{
    interceptor::{
        NackGeneratorBuilder, NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder,
        Slot,
    },
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        certificate::RTCCertificate,
        configuration::{
            RTCConfigurationBuilder,
            interceptor_registry::configure_twcc_receiver_only,
            media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine},
            setting_engine::{SettingEngine, SettingEngineBuilder},
        },
        sdp::RTCSessionDescription,
        transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate},
    },
    rtp_transceiver::{
        RTCRtpSenderId,
        rtp_sender::{
            RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
            RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
        },
    },
    shared::error::Error,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const VP8_PAYLOAD_TYPE: u8 = 96;
const OPUS_PAYLOAD_TYPE: u8 = 111;
/// Contact is doubtful after 3 s without a valid check (RFC 7675 calls it consent), lost after 7 s more.
const ICE_DISCONNECTED: Duration = Duration::from_secs(3);
const ICE_FAILED: Duration = Duration::from_secs(7);
const ICE_KEEPALIVE: Duration = Duration::from_secs(1);
/// A missing packet is asked for this often, every 100 ms; by then the recorder has long given it up.
const MAX_NACKS: u16 = 5;

/// What all peers of a thread share.
pub(crate) struct Ground {
    pub(crate) certificate: RTCCertificate,
    /// The names of its peers begin with it.
    pub(crate) thread: u8,
    /// Address in the answers; the WebRTC core knows no other.
    pub(crate) advertised: SocketAddr,
    pub(crate) tcp: bool,
    pub(crate) video_kbps: u32,
    pub(crate) screen_kbps: u32,
    pub(crate) entropy: ring::rand::SystemRandom,
}

/// One kind of media on its way to a viewer.
pub(crate) struct Outgoing {
    pub(crate) sender: RTCRtpSenderId,
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
    pub(crate) leg: Leg,
}

/// How much of what a publisher sends a viewer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Share {
    /// All of it
    #[default]
    Whole,
    /// Pictures of layer 0 alone and no sound: for a tile
    Small,
    /// Sound at once; pictures as `Small` until one of a layer above can be entered
    Growing,
}

#[derive(Default)]
pub(crate) struct Viewer {
    /// What `video` shows: the screen, or the webcam
    pub(crate) screen: bool,
    pub(crate) share: Share,
    pub(crate) video: Option<Outgoing>,
    pub(crate) audio: Option<Outgoing>,
}

pub(crate) enum Part {
    Publisher(Box<Publisher>),
    Viewer(Box<Viewer>),
}

pub(crate) struct Peer {
    pub(crate) core: RTCPeerConnection,
    pub(crate) id: u64,
    pub(crate) session: Uuid,
    pub(crate) resource: ResourceId,
    pub(crate) part: Part,
    pub(crate) created: Instant,
    pub(crate) connected: bool,
    /// Tells whoever made the offer that it is connected, and with its end that it is gone
    pub(crate) here: watch::Sender<bool>,
    pub(crate) bucket: Bucket,
    pub(crate) handshake: Handshake,
    /// What its STUN requests are signed with.
    pub(crate) password: String,
    pub(crate) streams: Streams,
    /// Addresses that named this peer, oldest first.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) way: Way,
    /// What its answers to our checks are signed with.
    pub(crate) their_password: String,
    /// The last datagram came over TCP.
    pub(crate) over_tcp: bool,
    /// Earliest entry in the timer heap that is ours.
    pub(crate) armed: Option<Instant>,
    /// When the core was last told the time.
    pub(crate) ticked: Instant,
    pub(crate) dirty: bool,
    /// Something else than media of known streams came since it was last served: the core may have events, datagrams and
    /// timers.
    pub(crate) stirred: bool,
    /// The core has an alert to look at, perhaps the peer's farewell.
    pub(crate) alerted: bool,
}

impl Viewer {
    /// From now on for a tile, or whole.
    pub(crate) fn resize(&mut self, small: bool) {
        self.share = match (small, self.share) {
            (true, _) => Share::Small,
            (false, Share::Whole) => Share::Whole,
            (false, _) => Share::Growing,
        };
        if let Some(audio) = self.audio.as_mut().filter(|_| small) {
            audio.leg.pause();
        }
    }

    /// Whether a packet of the webcam is sent to it.
    fn takes_layer(&mut self, payload: &[u8]) -> bool {
        if self.share == Share::Whole {
            return true;
        }
        let Some(found) = vp8::descriptor(payload).filter(|found| found.layer > 0) else { return true };
        if self.share == Share::Growing && found.enters && vp8::starts_frame(payload) {
            self.share = Share::Whole;
            return true;
        }
        false
    }

    /// The stream that takes this packet, if it is sent at all.
    pub(crate) fn taking(
        &mut self,
        publisher: u64,
        track: Track,
        packet: &rtc::rtp::Packet,
    ) -> Option<&mut Outgoing> {
        if self.screen != (track == Track::Screen) {
            return None;
        }
        if track == Track::Sound {
            return self.audio.as_mut().filter(|_| self.share != Share::Small);
        }
        let takes = self.takes_layer(&packet.payload);
        let video = self.video.as_mut()?;
        // One that comes too late to be left out is sent: nobody refers to it.
        let takes = takes || !video.leg.leave_out(publisher, packet.header.sequence_number);
        takes.then_some(video)
    }
}

impl Peer {
    /// Whether this is a stream that it publishes.
    pub(crate) fn receives(&self, ssrc: u32) -> bool {
        match &self.part {
            Part::Publisher(publisher) => publisher.sources.iter().any(|source| source.ssrc == ssrc),
            Part::Viewer(_) => false,
        }
    }
}

/// The core, the answer, and the name that STUN requests for it carry.
pub(crate) struct Answered {
    pub(crate) core: RTCPeerConnection,
    pub(crate) sdp: String,
    pub(crate) fragment: String,
    pub(crate) password: String,
    pub(crate) viewer: Viewer,
}

impl Ground {
    pub(crate) fn answer(
        &self,
        offer: &sdp::Offer,
        role: Role,
        now: Instant,
    ) -> Result<Answered, OfferError> {
        self.try_answer(offer, role, now).map_err(|error| {
            tracing::info!(%error, "the WebRTC core refused an offer");
            OfferError::Malformed("the WebRTC core refused it")
        })
    }

    fn try_answer(&self, offer: &sdp::Offer, role: Role, now: Instant) -> Result<Answered, Error> {
        let (fragment, password) = (mark_of(self.thread) + &self.token::<8>()?, self.token::<16>()?);
        let (engine, registry) = engine(role)?;
        let configuration = RTCConfigurationBuilder::new().with_certificates(vec![self.certificate.clone()]);
        let mut core = RTCPeerConnectionBuilder::new()
            .with_configuration(configuration.build())
            .with_media_engine(engine)
            .with_setting_engine(settings(fragment.clone(), password.clone()))
            .with_interceptor_registry(registry)
            .build(now)?;
        let audio = offer.audio && !offer.screen;
        let tracks = if role == Role::Viewer { self.add_tracks(&mut core, audio)? } else { Vec::new() };
        core.set_remote_description(now, RTCSessionDescription::offer(offer.text.clone())?)?;
        self.add_candidates(&mut core)?;
        let answer = core.create_answer(None)?;
        core.set_local_description(now, answer)?;
        let sdp = core.local_description().ok_or(Error::ErrUnknownType)?.sdp;
        let screen_kbps = offer.screen.then_some(self.screen_kbps);
        let publishes = role == Role::Publisher;
        let sdp = if publishes { sdp::shape_answer(&sdp, self.video_kbps, screen_kbps) } else { sdp };
        let viewer =
            Viewer { screen: offer.screen, share: Share::default(), ..self.outgoing(&mut core, tracks)? };
        Ok(Answered { core, sdp, fragment, password, viewer })
    }

    fn add_tracks(
        &self,
        core: &mut RTCPeerConnection,
        audio: bool,
    ) -> Result<Vec<(RtpCodecKind, RTCRtpSenderId, u32)>, Error> {
        let kinds = [RtpCodecKind::Video, RtpCodecKind::Audio];
        let mut tracks = Vec::new();
        for kind in kinds.into_iter().take(if audio { 2 } else { 1 }) {
            let ssrc = u32::from_be_bytes(self.random()?);
            let encoding = RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec: codec(kind).rtp_codec,
                ..Default::default()
            };
            let name = if kind == RtpCodecKind::Video { "video" } else { "audio" };
            let track =
                MediaStreamTrack::new("candidate".into(), name.into(), name.into(), kind, vec![encoding]);
            tracks.push((kind, core.add_track(track)?, ssrc));
        }
        Ok(tracks)
    }

    fn add_candidates(&self, core: &mut RTCPeerConnection) -> Result<(), Error> {
        for tcp in [false, true].into_iter().take(if self.tcp { 2 } else { 1 }) {
            let candidate = CandidateHostConfig {
                base_config: CandidateConfig {
                    network: if tcp { "tcp" } else { "udp" }.into(),
                    address: self.advertised.ip().to_string(),
                    port: self.advertised.port(),
                    component: 1,
                    ..Default::default()
                },
                tcp_type: if tcp {
                    rtc::ice::tcp_type::TcpType::Passive
                } else {
                    rtc::ice::tcp_type::TcpType::default()
                },
            };
            core.add_local_candidate(RTCIceCandidate::from(&candidate.new_candidate_host()?).to_json()?)?;
        }
        Ok(())
    }

    fn outgoing(
        &self,
        core: &mut RTCPeerConnection,
        tracks: Vec<(RtpCodecKind, RTCRtpSenderId, u32)>,
    ) -> Result<Viewer, Error> {
        let mut viewer = Viewer::default();
        for (kind, sender, ssrc) in tracks {
            let video = kind == RtpCodecKind::Video;
            // The viewer's own numbering of payload types is mirrored in the answer.
            let payload_type = core
                .rtp_sender(sender)
                .and_then(|mut sender| {
                    Some(sender.get_parameters().rtp_parameters.codecs.first()?.payload_type)
                })
                .ok_or(Error::ErrSenderWithNoCodecs)?;
            let leg =
                Leg::new(video, u16::from_be_bytes(self.random()?) >> 1, u32::from_be_bytes(self.random()?));
            let outgoing = Some(Outgoing { sender, ssrc, payload_type, leg });
            if video {
                viewer.video = outgoing;
            } else {
                viewer.audio = outgoing;
            }
        }
        Ok(viewer)
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes).map_err(|_| Error::Other("no entropy".into()))?;
        Ok(bytes)
    }

    /// `2 * N` characters that ICE allows in its credentials (RFC 8839 5.4: at least 4 and 22).
    fn token<const N: usize>(&self) -> Result<String, Error> {
        Ok(self.random::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn settings(fragment: String, password: String) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_ice_credentials(fragment, password)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEPALIVE))
        // The only remote candidates are peer-reflexive, see `sdp`; there is nothing better to wait for.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .build()
}

pub(crate) fn engine(role: Role) -> Result<(MediaEngine, Registry), Error> {
    let mut engine = MediaEngine::default();
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        engine.register_codec(codec(kind), kind)?;
        engine.register_header_extension(extension(MID_URI), kind, None)?;
    }
    engine.register_header_extension(extension(AUDIO_LEVEL_URI), RtpCodecKind::Audio, None)?;
    // Each of them is asked about every packet, so a peer has only those of its direction.
    let registry = match role {
        Role::Publisher => {
            let nack = NackGeneratorBuilder::new().with_max_nacks_per_packet(MAX_NACKS).build();
            let reports = ReceiverReportBuilder::new().build();
            let registry =
                Registry::new().with(Slot::NackGenerator, nack).with(Slot::ReceiverReport, reports);
            // Chromium's bandwidth estimate depends on this feedback.
            configure_twcc_receiver_only(registry, &mut engine)?
        }
        Role::Viewer => Registry::new()
            .with(Slot::NackResponder, NackResponderBuilder::new().build())
            .with(Slot::SenderReport, SenderReportBuilder::new().build()),
    };
    let registry = registry.with(Slot::from(feedback::SLOT), feedback::Deliver::default());
    Ok((engine, registry))
}

fn extension(uri: &str) -> RTCRtpHeaderExtensionCapability {
    RTCRtpHeaderExtensionCapability { uri: uri.into() }
}

pub(crate) fn codec(kind: RtpCodecKind) -> RTCRtpCodecParameters {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.into(), parameter: parameter.into() };
    let (rtp_codec, payload_type) = if kind == RtpCodecKind::Audio {
        let codec = RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
            rtcp_feedback: Vec::new(),
        };
        (codec, OPUS_PAYLOAD_TYPE)
    } else {
        let codec = RTCRtpCodec {
            mime_type: MIME_TYPE_VP8.into(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: vec![feedback("ccm", "fir"), feedback("nack", ""), feedback("nack", "pli")],
        };
        (codec, VP8_PAYLOAD_TYPE)
    };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}
