//! Which datagram is for whom, decided from a few bytes before anything is decrypted (RFC 7983).
use ring::hmac;
use std::{collections::BTreeSet, time::Instant};

/// A STUN message is at least its header.
const STUN_HEADER: usize = 20;
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// First byte of a DTLS alert record.
const DTLS_ALERT: u8 = 21;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Class<'a> {
    /// A binding request, with the fragment that names the receiver: our own ufrag.
    Request(&'a str),
    /// Other STUN, DTLS, RTP or RTCP: belongs to whoever its address belongs to.
    Flow {
        alert: bool,
    },
    Junk,
}

pub(crate) fn classify(datagram: &[u8]) -> Class<'_> {
    match datagram.first() {
        Some(0..=3) if datagram.len() >= STUN_HEADER && datagram[4..8] == STUN_COOKIE => {
            if datagram[..2] != BINDING_REQUEST {
                return Class::Flow { alert: false };
            }
            receiver_fragment(datagram).map_or(Class::Junk, Class::Request)
        }
        Some(20..=63) if datagram.len() > 13 => Class::Flow { alert: datagram[0] == DTLS_ALERT },
        Some(128..=191) if datagram.len() >= 8 => Class::Flow { alert: false },
        _ => Class::Junk,
    }
}

/// Of a binding request (`true`) or the success response to one: its transaction (RFC 8489, section 5).
pub(crate) fn transaction(message: &[u8]) -> Option<(bool, [u8; 12])> {
    let (head, transaction) = message.get(..STUN_HEADER)?.split_at(8);
    let request = match *head.first_chunk()? {
        BINDING_REQUEST => true,
        BINDING_SUCCESS => false,
        _ => return None,
    };
    (head[4..] == STUN_COOKIE).then_some((request, *transaction.first_chunk()?))
}

/// The part of USERNAME before the colon (RFC 8445, section 7.2.2).
fn receiver_fragment(message: &[u8]) -> Option<&str> {
    let (_, value) = attribute(message, USERNAME)?;
    std::str::from_utf8(value).ok()?.split(':').next()
}

/// Where an attribute begins, and its value.
fn attribute(message: &[u8], wanted: u16) -> Option<(usize, &[u8])> {
    let mut at = STUN_HEADER;
    while let Some(head) = message.get(at..at + 4) {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = message.get(at + 4..at + 4 + length)?;
        if kind == wanted {
            return Some((at, value));
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}

/// Whether whoever sent this request knows the password (RFC 8489, section 14.5). Only then is its address believed: a
/// request that names somebody's fragment from another's address must not turn that other's media away.
pub(crate) fn is_signed(message: &[u8], password: &[u8]) -> bool {
    let Some((at, given)) = attribute(message, MESSAGE_INTEGRITY) else { return false };
    // Signed is everything before, with the length that the message would have if it ended behind this attribute.
    let Ok(length) = u16::try_from(at + 4 + given.len() - STUN_HEADER) else { return false };
    let mut signed = message[..at].to_vec();
    signed[2..4].copy_from_slice(&length.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
    hmac::verify(&key, &signed, given).is_ok()
}

/// The stream that an RTP packet belongs to; `None` for RTCP (RFC 5761, section 4) and for what is no RTP.
pub(crate) fn rtp_stream(datagram: &[u8]) -> Option<u32> {
    match datagram {
        [128..=191, kind, _, _, _, _, _, _, ssrc @ ..] if !(192..=223).contains(kind) => {
            Some(u32::from_be_bytes(*ssrc.first_chunk()?))
        }
        _ => None,
    }
}

/// Streams that a peer may send: those its offer names, or the first few it begins with if the offer names none.
#[derive(Debug)]
pub(crate) struct Streams {
    known: Vec<u32>,
    /// More may be learned.
    open: bool,
}

/// Streams of one peer: picture, screen and sound, each with one for repairs, and a change of devices.
pub(crate) const MAX_STREAMS: usize = 16;

impl Streams {
    pub(crate) fn offered(mut named: Vec<u32>) -> Self {
        named.truncate(MAX_STREAMS);
        Self { open: named.is_empty(), known: named }
    }

    /// `false` for a stream that nobody announced: its packets are dropped before anything is decrypted.
    pub(crate) fn allows(&mut self, ssrc: u32) -> bool {
        if self.known.contains(&ssrc) {
            return true;
        }
        let learns = self.open && self.known.len() < MAX_STREAMS;
        if learns {
            self.known.push(ssrc);
        }
        learns
    }
}

/// Tells repeated DTLS handshake flights from new ones while a handshake runs.
///
/// The DTLS of the WebRTC core stops its retransmission timer at whatever handshake packet comes in (rtc-dtls 0.21.1,
/// `DTLSConn::wait`). A browser whose flight we have answered, but whose answer got lost, repeats that flight every 50 ms
/// and more: the core then never sends its answer again, and the connection never comes up. Keeping repetitions away
/// from the core lets its timer fire.
#[derive(Debug, Default)]
pub(crate) struct Handshake {
    /// Message number and fragment offset (RFC 6347, section 4.2.2).
    seen: BTreeSet<(u16, u32)>,
}

/// Handshake fragments remembered; a real handshake has about ten.
const MAX_FRAGMENTS: usize = 128;
const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE_RECORD: u8 = 22;

impl Handshake {
    /// Whether a datagram holds nothing but handshake messages that have been seen, all in the clear.
    pub(crate) fn is_repetition(&mut self, datagram: &[u8]) -> bool {
        if !matches!(datagram.first(), Some(20..=63)) {
            return false;
        }
        let (mut rest, mut news) = (datagram, false);
        while let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) {
            let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
            let Some((record, behind)) = behind.split_at_checked(length) else { return false };
            let in_the_clear = header[3..5] == [0, 0];
            news |= header[0] != HANDSHAKE_RECORD || !in_the_clear || self.has_news(record);
            rest = behind;
        }
        !news
    }

    fn has_news(&mut self, record: &[u8]) -> bool {
        let (mut rest, mut news) = (record, false);
        while let Some((header, behind)) = rest.split_at_checked(MESSAGE_HEADER) {
            let three = |at: usize| u32::from_be_bytes([0, header[at], header[at + 1], header[at + 2]]);
            let fragment = (u16::from_be_bytes([header[4], header[5]]), three(6));
            news |= self.seen.len() >= MAX_FRAGMENTS || self.seen.insert(fragment);
            let length = usize::try_from(three(9)).unwrap_or(usize::MAX);
            rest = behind.get(length..).unwrap_or_default();
        }
        news
    }
}

/// Allows so many packets and bytes per second, and one second's worth at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    packets_per_second: f64,
    bytes_per_second: f64,
    packets: f64,
    bytes: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(packets_per_second: u32, bytes_per_second: u32, now: Instant) -> Self {
        let (packets, bytes) = (f64::from(packets_per_second), f64::from(bytes_per_second));
        Self { packets_per_second: packets, bytes_per_second: bytes, packets, bytes, filled: now }
    }

    pub(crate) fn allows(&mut self, length: usize, now: Instant) -> bool {
        let seconds = now.duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.packets = (self.packets + seconds * self.packets_per_second).min(self.packets_per_second);
        self.bytes = (self.bytes + seconds * self.bytes_per_second).min(self.bytes_per_second);
        let length = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
        if self.packets < 1.0 || self.bytes < length {
            return false;
        }
        self.packets -= 1.0;
        self.bytes -= length;
        true
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    pub(crate) fn request(username: &[u8]) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.resize(STUN_HEADER, 7);
        message.extend_from_slice(&[0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
        message.extend_from_slice(&[0, 6, 0, u8::try_from(username.len()).unwrap()]);
        message.extend_from_slice(username);
        message
    }

    #[test]
    fn binding_request_names_its_receiver() {
        assert_eq!(classify(&request(b"ours:theirs")), Class::Request("ours"));
        assert_eq!(classify(&request(b"ours:theirs")[..30]), Class::Junk);
    }

    /// A request signed with that password.
    fn signed(username: &[u8], password: &[u8]) -> Vec<u8> {
        let mut message = request(username);
        message.resize(message.len().next_multiple_of(4), 0);
        let length = u16::try_from(message.len() + 24 - STUN_HEADER).unwrap();
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
        let tag = hmac::sign(&key, &message);
        message.extend_from_slice(&[0, 8, 0, 20]);
        message.extend_from_slice(tag.as_ref());
        message
    }

    #[test]
    fn only_who_knows_the_password_is_believed() {
        let message = signed(b"ours:theirs", b"secret");
        assert_eq!(classify(&message), Class::Request("ours"));
        assert!(is_signed(&message, b"secret"));
        assert!(!is_signed(&message, b"guess"));
        assert!(!is_signed(&request(b"ours:theirs"), b"secret"), "not signed at all");
        let with_fingerprint = [&message[..], &[0x80, 0x28, 0, 4, 1, 2, 3, 4]].concat();
        assert!(is_signed(&with_fingerprint, b"secret"), "what follows is not signed");
        let mut changed = message;
        changed[STUN_HEADER] ^= 1;
        assert!(!is_signed(&changed, b"secret"));
    }

    #[test]
    fn unannounced_streams_are_told_from_announced_ones() {
        let rtp = |ssrc: u32| [&[0x90, 96, 0, 1, 0, 0, 0, 9][..], &ssrc.to_be_bytes()].concat();
        assert_eq!(rtp_stream(&rtp(7)), Some(7));
        assert_eq!(rtp_stream(&[0x80, 200, 0, 6, 0, 0, 0, 9, 0, 0, 0, 7]), None, "a sender report");
        assert_eq!(rtp_stream(&rtp(7)[..11]), None);
        let mut streams = Streams::offered(vec![7, 8]);
        assert_eq!([7, 8, 9, 7].map(|ssrc| streams.allows(ssrc)), [true, true, false, true]);
        let mut unnamed = Streams::offered(Vec::new());
        let taken = (0..100).filter(|ssrc| unnamed.allows(*ssrc)).count();
        assert_eq!((taken, unnamed.allows(0)), (MAX_STREAMS, true));
    }

    #[test]
    fn junk_is_told_from_flows() {
        for junk in [&b""[..], &[0; 40], &[5; 40], &[200; 40], &[22; 5], &[128; 3]] {
            assert_eq!(classify(junk), Class::Junk, "{junk:?}");
        }
        assert_eq!(classify(&[21; 40]), Class::Flow { alert: true });
        assert_eq!(classify(&[144; 40]), Class::Flow { alert: false });
    }

    #[test]
    fn bucket_refuses_what_exceeds_the_rate_and_fills_again() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, 1_000, now);
        assert_eq!((0..20).filter(|_| bucket.allows(10, now)).count(), 10);
        assert_eq!((0..20).filter(|_| bucket.allows(10, now + Duration::from_millis(500))).count(), 5);
        assert!(!bucket.allows(1_001, now + Duration::from_secs(9)));
        assert!(bucket.allows(1_000, now + Duration::from_secs(9)));
    }

    /// A record with one handshake message.
    fn record(kind: u8, epoch: u8, number: u8, offset: u8) -> Vec<u8> {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9, 0, 14];
        record.extend_from_slice(&[11, 0, 0, 2, 0, number, 0, 0, offset, 0, 0, 2, 7, 7]);
        record
    }

    #[test]
    fn repeated_handshake_flight_is_told_from_a_new_one() {
        let mut handshake = Handshake::default();
        let flight = [record(22, 0, 0, 0), record(22, 0, 1, 0)].concat();
        assert!(!handshake.is_repetition(&flight));
        assert!(handshake.is_repetition(&flight));
        assert!(handshake.is_repetition(&record(22, 0, 1, 0)));
        assert!(!handshake.is_repetition(&record(22, 0, 1, 2)), "another fragment");
        assert!(
            !handshake.is_repetition(&[flight.clone(), record(22, 0, 2, 0)].concat()),
            "one message is new"
        );
        assert!(
            !handshake.is_repetition(&[flight.clone(), record(20, 0, 0, 0)].concat()),
            "change of cipher"
        );
        assert!(!handshake.is_repetition(&record(22, 1, 0, 0)), "encrypted");
        assert!(!handshake.is_repetition(&[0x80; 40]), "media");
        assert!(!handshake.is_repetition(&flight[..20]), "cut off: the core shall judge");
    }

    proptest! {
        #[test]
        fn any_datagram_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            classify(&bytes);
            let mut handshake = Handshake::default();
            handshake.is_repetition(&bytes);
            handshake.is_repetition(&[&record(22, 0, 1, 1)[..12], &bytes].concat());
            let mut message = request(&bytes);
            classify(&message);
            message.truncate(STUN_HEADER);
            message.extend_from_slice(&bytes);
            classify(&message);
            is_signed(&message, b"secret");
            rtp_stream(&bytes);
        }
    }
}
