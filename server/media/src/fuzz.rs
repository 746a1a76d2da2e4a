//! Entries for the fuzzer behind the SDP: datagrams as they come, and packets as they are once decrypted.
//!
//! An input is a row of datagrams, each as `u16` length (big endian), `u8` milliseconds since the one before, and bytes.
//! A `false` says that something in it was refused.
use crate::{
    EvidenceStore, EvidenceWriter, Fact, Finished, Index, Options, Sink,
    demux::{Class, Handshake, classify, is_signed, rtp_stream},
    handle::Role,
    peer::{self, AUDIO_LEVEL_URI, Ground},
    publisher::{Publisher, Surroundings},
    recorder::{Queue, Recorder},
    sdp, service,
    shared::{Counters, RoomView},
    timeline::Timeline,
};
use bytes::{Bytes, BytesMut};
use ring::{hmac, rand::SystemRandom};
use rtc::{
    interceptor::{
        AttributedPacket, Interceptor, Packet, RTCPFeedback, RTPHeaderExtension, StreamInfo, TaggedPacket,
    },
    rtcp::sender_report::SenderReport,
    rtp,
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol, marshal::Unmarshal as _},
};
use std::{
    collections::HashMap,
    io::{self, Cursor},
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use uuid::Uuid;

/// Longer rows find nothing new, only later.
const DATAGRAMS_MAX: usize = 200;
/// What the packets' streams are called.
const WEBCAM: u32 = 1;
const SOUND: u32 = 2;
const SCREEN: u32 = 3;
const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const LEVEL_ID: u8 = 1;
const TRANSPORT_CC_ID: u16 = 2;
/// A place on the line of time is never further than this from its packet's arrival: see `timeline`.
const ASTRAY_MS: i64 = 3_000;
/// A browser's offer, for the peers that are asked.
const OFFER: &str = include_str!("../corpus/sdp/chromium-publish.sdp");

fn datagrams(mut data: &[u8]) -> impl Iterator<Item = (Duration, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = data.split_at_checked(3)?;
        let length = usize::from(u16::from_be_bytes([head[0], head[1]])).min(rest.len());
        let (datagram, rest) = rest.split_at(length);
        data = rest;
        Some((Duration::from_millis(u64::from(head[2])), datagram))
    })
    .take(DATAGRAMS_MAX)
}

/// RTP as a publisher's peer has decrypted it: through the interceptors, the reordering and the recorder. What is recorded
/// must be a recording.
pub fn rtp(data: &[u8]) -> bool {
    let (disk, queue) = (Disk::default(), Arc::new(Queue::new(1 << 20)));
    let (mut chain, mut now) = (chain(Role::Publisher), Instant::now());
    let mut publisher = publisher(&disk, &queue, now);
    let (counters, mut whole) = (Counters::default(), true);
    for (pause, datagram) in datagrams(data) {
        now += pause;
        let Ok(packet) = rtp::Packet::unmarshal(&mut Bytes::copy_from_slice(datagram)) else {
            whole = false;
            continue;
        };
        whole &= rtp_stream(datagram) == Some(packet.header.ssrc);
        let _ = chain.handle_read(tagged(Packet::Rtp(packet), now));
        while let Some(read) = chain.poll_read() {
            let Packet::Rtp(packet) = read.message.packet else { continue };
            match packet.header.ssrc {
                WEBCAM => publisher.packet(true, None, &packet, now),
                SOUND => publisher.packet(false, Some(LEVEL_ID), &packet, now),
                SCREEN => publisher.screen_packet(&packet, now),
                _ => whole = false,
            }
        }
        publisher.deliver(&counters, now);
        tick(&mut chain, now);
    }
    publisher.end(&counters, now);
    queue.close();
    recorder(&disk).run(&queue);
    disk.judge() && whole
}

/// RTCP as a peer has decrypted it: a publisher's reports move its sound, but never far; a viewer's requests are answered.
pub fn rtcp(data: &[u8]) -> bool {
    let (began, mut whole) = (Instant::now(), true);
    for role in [Role::Publisher, Role::Viewer] {
        let (mut chain, mut now, mut timeline) = (chain(role), began, Timeline::default());
        for sequence_number in 0..8 {
            let header =
                rtp::Header { ssrc: WEBCAM, sequence_number, payload_type: 96, ..Default::default() };
            let packet = rtp::Packet { header, payload: Bytes::from_static(&[0x10; 20]) };
            let _ = chain.handle_write(tagged(Packet::Rtp(packet.clone()), now));
            let _ = chain.handle_read(tagged(Packet::Rtp(packet), now));
        }
        for (pause, datagram) in datagrams(data) {
            now += pause;
            let Ok(packets) = rtc::rtcp::packet::unmarshal(&mut Bytes::copy_from_slice(datagram)) else {
                whole = false;
                continue;
            };
            let _ = chain.handle_read(tagged(Packet::Rtcp(packets), now));
            while let Some(read) = chain.poll_read() {
                let Packet::Rtcp(packets) = read.message.packet else { continue };
                for report in
                    packets.iter().filter_map(|packet| packet.as_any().downcast_ref::<SenderReport>())
                {
                    timeline.report(report.ssrc == WEBCAM, report.ntp_time, report.rtp_time);
                }
            }
            let ms = i64::try_from(now.duration_since(began).as_millis()).unwrap_or(i64::MAX);
            let ticks = u32::try_from(ms).unwrap_or(u32::MAX);
            for placed in
                [timeline.video(ticks.wrapping_mul(90), ms), timeline.audio(ticks.wrapping_mul(48), ms)]
            {
                assert!((placed - ms).abs() <= ASTRAY_MS, "{ms} ms became {placed} ms");
            }
            tick(&mut chain, now);
        }
    }
    whole
}

/// Datagrams to a peer that nobody has reached yet. One that begins with an odd byte holds the attributes of a binding
/// request behind it, which gets the head, the name and the signature that make it believed. `true`: the peer answered.
pub fn stun(data: &[u8]) -> bool {
    static GROUND: LazyLock<Ground> = LazyLock::new(|| Ground {
        certificate: service::certificate().expect("a key can be made"),
        thread: 0,
        advertised: SocketAddr::from(([127, 0, 0, 1], 9)),
        tcp: true,
        video_kbps: 300,
        screen_kbps: 300,
        entropy: SystemRandom::new(),
    });
    let offer = sdp::check(OFFER, Role::Publisher).expect("a browser's offer");
    let mut now = Instant::now();
    let mut peer = GROUND.answer(&offer, Role::Publisher, now).expect("a browser's offer");
    let theirs = offer.text.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap_or_default();
    let name = format!("{}:{theirs}", peer.fragment);
    let (mut handshake, mut answered) = (Handshake::default(), false);
    for (pause, datagram) in datagrams(data) {
        now += pause;
        let request = datagram.first().is_some_and(|first| first % 2 == 1 && *first < 20);
        let built = request.then(|| binding_request(&name, &datagram[1..], peer.password.as_bytes()));
        let bytes = built.as_deref().unwrap_or(datagram);
        let class = classify(bytes);
        let signed = is_signed(bytes, peer.password.as_bytes());
        handshake.is_repetition(bytes);
        if class == Class::Junk || (matches!(class, Class::Request(_)) && !signed) {
            continue;
        }
        let _ = peer.core.handle_read(TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: SocketAddr::from(([127, 0, 0, 1], 9)),
                peer_addr: SocketAddr::from(([127, 0, 0, 2], 10)),
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(bytes),
        });
        while peer.core.poll_event().is_some() {}
        while let Some(sent) = peer.core.poll_write() {
            // A success response to a binding request (RFC 8489, section 5).
            answered |= sent.message.starts_with(&[1, 1]);
        }
        let _ = peer.core.handle_timeout(now);
    }
    answered
}

/// A request of our own making around somebody's attributes (RFC 8489, sections 5 and 14.5).
pub(crate) fn binding_request(name: &str, attributes: &[u8], password: &[u8]) -> Vec<u8> {
    let attributes = &attributes[..attributes.len().min(1_000)];
    let mut all = vec![0, 6];
    all.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_be_bytes());
    all.extend_from_slice(name.as_bytes());
    all.resize(all.len().next_multiple_of(4), 0);
    all.extend_from_slice(attributes);
    message([0, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &all, password)
}

/// A signed STUN message of that type.
pub(crate) fn message(kind: [u8; 2], transaction: [u8; 12], attributes: &[u8], password: &[u8]) -> Vec<u8> {
    let mut message = [&kind[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42], &transaction[..], attributes].concat();
    message.resize(message.len().next_multiple_of(4), 0);
    let length = u16::try_from(message.len() + 24 - 20).unwrap_or(0);
    message[2..4].copy_from_slice(&length.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
    let tag = hmac::sign(&key, &message);
    message.extend_from_slice(&[0, 8, 0, 20]);
    message.extend_from_slice(tag.as_ref());
    message
}

/// The interceptors as a peer has them once its streams are known.
fn chain(role: Role) -> impl Interceptor {
    let mut chain = peer::engine(role).expect("codecs can be registered").1.build();
    for (ssrc, mime_type, clock_rate) in
        [(WEBCAM, "video/VP8", 90_000), (SOUND, "audio/opus", 48_000), (SCREEN, "video/VP8", 90_000)]
    {
        let extension = |uri: &str, id| RTPHeaderExtension { uri: uri.into(), id };
        let info = StreamInfo {
            ssrc,
            mime_type: mime_type.into(),
            clock_rate,
            rtp_header_extensions: vec![
                extension(TRANSPORT_CC_URI, TRANSPORT_CC_ID),
                extension(AUDIO_LEVEL_URI, u16::from(LEVEL_ID)),
            ],
            rtcp_feedback: vec![RTCPFeedback { typ: "nack".into(), parameter: String::new() }],
            ..StreamInfo::default()
        };
        match role {
            Role::Publisher => chain.bind_remote_stream(&info),
            Role::Viewer => chain.bind_local_stream(&info),
        }
    }
    chain
}

fn tagged(packet: Packet, now: Instant) -> TaggedPacket {
    TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) }
}

fn tick(chain: &mut impl Interceptor, now: Instant) {
    let _ = chain.handle_timeout(now);
    while chain.poll_write().is_some() {}
}

fn publisher(disk: &Disk, queue: &Arc<Queue>, now: Instant) -> Publisher {
    let view = Arc::new(RoomView::default());
    let options = Options::new(SocketAddr::from(([127, 0, 0, 1], 9)));
    let around = Surroundings::new(Uuid::nil(), view, Arc::new(disk.clone()), queue.clone(), &options);
    let offer = sdp::check(OFFER, Role::Publisher).expect("a browser's offer");
    Publisher::new(1, around, &sdp::Offer { screen: true, ..offer }, now)
}

fn recorder(disk: &Disk) -> Recorder {
    Recorder {
        store: Arc::new(disk.clone()),
        sink: Arc::new(disk.clone()),
        segment_max: Duration::from_secs(600),
        clock: || SystemTime::UNIX_EPOCH,
        recordings: HashMap::new(),
    }
}

/// Blobs by name, in memory.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<HashMap<String, Vec<u8>>>>);

struct Blob(Disk, String);

impl Disk {
    fn append(&self, name: &str, chunk: &[u8]) {
        let mut blobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.entry(name.to_owned()).or_default().extend_from_slice(chunk);
    }

    /// Whether anything was recorded; what was must be read to its end.
    fn judge(&self) -> bool {
        let blobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pictures = false;
        for (name, bytes) in blobs.iter().filter(|(name, _)| name.ends_with(".webm")) {
            let length = bytes.len() as u64;
            let index = Index::of(&mut Cursor::new(bytes), length);
            let end = index.as_ref().ok().and_then(|index| index.chunks().last()).map(|chunk| chunk.end);
            assert_eq!(end, Some(length), "{name} is no whole recording: {index:?}");
            pictures |= index.is_ok_and(|index| index.is_pictured());
        }
        pictures
    }
}

impl EvidenceStore for Disk {
    fn create(&self, _: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        Ok(Box::new(Blob(self.clone(), name.to_owned())))
    }
}

impl EvidenceWriter for Blob {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.0.append(&self.1, chunk);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        Ok(Finished { sha256: String::new(), bytes: 0 })
    }
}

impl Sink for Disk {
    fn report(&self, _: Uuid, _: Fact) {}
}
