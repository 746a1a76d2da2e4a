//! Bounds and shape of an SDP offer (RFC 8866, RFC 8829), checked before the WebRTC core sees it.
//!
//! Candidates in the offer are counted and then dropped: the server answers where it is asked from (peer-reflexive
//! candidates) and so never sends a packet to an address that only an SDP named, such as a host inside the
//! centre's network.
//!
//! A publisher may offer a second video line: the shared screen. Where the exam does not ask for the screen it is answered
//! as inactive: the browser sends nothing on it, and nothing is recorded that nobody announced.
use crate::{OfferError, demux::MAX_STREAMS, handle::Role};
use rtc::peer_connection::sdp::RTCSessionDescription;

/// Longest offer. Chromium's with one audio and one video line is about 6 KiB.
pub const MAX_BYTES: usize = 16 << 10;
/// Most `a=candidate` lines.
pub const MAX_CANDIDATES: usize = 32;
/// Longest line; the longest real ones are SSRC groups and fingerprints, below 300 bytes.
const MAX_LINE_BYTES: usize = 1_024;
const MAX_AUDIO_LINES: usize = 1;
const MAX_VIDEO_LINES: usize = 2;

/// An offer that passed, without its candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) text: String,
    pub(crate) audio: bool,
    /// Its ICE password: what the browser signs its answers to checks with.
    pub(crate) password: String,
    /// What its `a=ssrc` lines announce (RFC 5576), each once.
    pub(crate) streams: Vec<u32>,
    /// Those of the second video line.
    pub(crate) screen_streams: Vec<u32>,
    /// There is a second video line.
    pub(crate) second: bool,
    /// The screen is wanted: of a publisher beside the webcam, of a viewer in its place.
    pub(crate) screen: bool,
}

/// Runs everything that reads an offer on arbitrary bytes; must never panic. Entry for the fuzzer.
pub fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for role in [Role::Publisher, Role::Viewer] {
        if let Ok(offer) = check(&text, role) {
            // Whether the core's parser likes it does not matter here, only that it returns.
            let _ = RTCSessionDescription::offer(offer.text);
        }
    }
}

pub(crate) fn check(offer: &str, role: Role) -> Result<Offer, OfferError> {
    if offer.len() > MAX_BYTES {
        return Err(OfferError::TooLarge);
    }
    if !offer.starts_with("v=0") {
        return Err(OfferError::Malformed("it does not begin with v=0"));
    }
    let mut seen = Seen::default();
    let mut text = String::with_capacity(offer.len());
    for line in offer.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        if seen.line(line, role)? {
            text.push_str(line);
            text.push_str("\r\n");
        }
    }
    seen.finish(role)?;
    Ok(Offer {
        text,
        audio: seen.audio > 0,
        password: seen.password,
        streams: seen.streams,
        screen_streams: seen.screen_streams,
        second: seen.video > 1,
        screen: false,
    })
}

#[derive(Default)]
struct Seen {
    audio: usize,
    video: usize,
    candidates: usize,
    in_video: bool,
    vp8: bool,
    fingerprint: bool,
    ufrag: bool,
    password: String,
    streams: Vec<u32>,
    screen_streams: Vec<u32>,
}

impl Seen {
    /// Takes one line in; `false` means that it is left out of what the core gets.
    fn line(&mut self, line: &str, role: Role) -> Result<bool, OfferError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(OfferError::Malformed("a line is too long"));
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err(OfferError::Malformed("a line is not of the form letter=value"));
        };
        match kind {
            "m" => self.media(value)?,
            "a" => return self.attribute(value, role),
            _ => {}
        }
        Ok(true)
    }

    fn media(&mut self, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_ascii_whitespace();
        self.in_video = false;
        match words.next() {
            Some("audio") => self.audio += 1,
            Some("video") => {
                self.video += 1;
                self.in_video = true;
            }
            _ => return Err(OfferError::MediaLines("only audio and video are taken, no data channel")),
        }
        if self.audio > MAX_AUDIO_LINES || self.video > MAX_VIDEO_LINES {
            return Err(OfferError::MediaLines("at most one audio and two video lines are taken"));
        }
        Ok(())
    }

    fn attribute(&mut self, value: &str, role: Role) -> Result<bool, OfferError> {
        let (name, rest) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "candidate" => {
                self.candidates += 1;
                if self.candidates > MAX_CANDIDATES {
                    return Err(OfferError::Malformed("too many candidates"));
                }
                return Ok(false);
            }
            "end-of-candidates" => return Ok(false),
            "rtpmap" if self.in_video => {
                let codec = rest.split_ascii_whitespace().nth(1).unwrap_or_default();
                self.vp8 |= codec.eq_ignore_ascii_case("VP8/90000");
            }
            "ssrc" => self.announce(rest)?,
            "fingerprint" => self.fingerprint |= rest.split_ascii_whitespace().count() == 2,
            // RFC 8839, section 5.4: at least 4 and 22 characters.
            "ice-ufrag" => self.ufrag |= rest.len() >= 4,
            "ice-pwd" if rest.len() >= 22 => rest.clone_into(&mut self.password),
            "recvonly" if role == Role::Publisher => {
                return Err(OfferError::MediaLines("a publisher's lines must send"));
            }
            "sendonly" if role == Role::Viewer => {
                return Err(OfferError::MediaLines("a viewer's lines must receive"));
            }
            "inactive" => return Err(OfferError::MediaLines("a line is inactive")),
            _ => {}
        }
        Ok(true)
    }

    fn announce(&mut self, value: &str) -> Result<(), OfferError> {
        let Some(Ok(ssrc)) = value.split_ascii_whitespace().next().map(str::parse) else {
            return Err(OfferError::Malformed("an ssrc line has no number"));
        };
        if !self.streams.contains(&ssrc) {
            self.streams.push(ssrc);
            if self.in_video && self.video > 1 {
                self.screen_streams.push(ssrc);
            }
        }
        if self.streams.len() > MAX_STREAMS {
            return Err(OfferError::Malformed("too many streams are announced"));
        }
        Ok(())
    }

    fn finish(&self, role: Role) -> Result<(), OfferError> {
        // NB-19: camera and microphone, both.
        if role == Role::Publisher && self.audio == 0 {
            return Err(OfferError::MediaLines(
                "there is no audio line; a candidate sends picture and sound",
            ));
        }
        if self.video == 0 {
            return Err(OfferError::MediaLines("there is no video line"));
        }
        if !self.vp8 {
            return Err(OfferError::NoVp8);
        }
        if !self.fingerprint {
            return Err(OfferError::Malformed("the DTLS fingerprint is missing"));
        }
        if !self.ufrag || self.password.is_empty() {
            return Err(OfferError::Malformed("the ICE user fragment or password is missing"));
        }
        Ok(())
    }
}

/// Shapes the answer to a publisher: `b=AS` on a video line keeps the browser's encoder below it (RFC 8866, section 5.8).
/// A second one without `screen_kbps` is made inactive.
pub(crate) fn shape_answer(answer: &str, video_kbps: u32, screen_kbps: Option<u32>) -> String {
    let mut text = String::with_capacity(answer.len() + 16);
    let (mut videos, mut in_video) = (0, false);
    for line in answer.lines() {
        if line.starts_with("m=") {
            in_video = line.starts_with("m=video");
            videos += usize::from(in_video);
        }
        let kbps = if videos > 1 { screen_kbps } else { Some(video_kbps) }.filter(|_| in_video);
        let declined = in_video && kbps.is_none();
        text.push_str(if declined && line == "a=recvonly" { "a=inactive" } else { line });
        text.push_str("\r\n");
        if let Some(kbps) = kbps
            && line.starts_with("c=")
        {
            text.push_str("b=AS:");
            text.push_str(&kbps.to_string());
            text.push_str("\r\n");
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A minimal offer; `lines` are its media sections.
    fn offer(lines: &str) -> String {
        format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\n\
             a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 AA:BB\r\n{lines}"
        )
    }

    const VIDEO: &str =
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n";
    const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";

    fn code(text: &str) -> &'static str {
        check(text, Role::Publisher).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn bad_offers_have_stable_codes() {
        assert_eq!(code(&offer(&[VIDEO, AUDIO].concat())), "ok");
        assert_eq!(code(&offer(&[VIDEO, AUDIO, VIDEO].concat())), "ok");
        assert_eq!(code("hello"), "sdp_malformed");
        assert_eq!(code("v=0\r\nnonsense\r\n"), "sdp_malformed");
        assert_eq!(code(&"v".repeat(MAX_BYTES + 1)), "sdp_too_large");
        assert_eq!(code(&offer(&[VIDEO, AUDIO, AUDIO].concat())), "sdp_media_lines");
        assert_eq!(code(&offer(&[AUDIO, &VIDEO.repeat(3)].concat())), "sdp_media_lines");
        assert_eq!(code(&offer(VIDEO)), "sdp_media_lines", "no sound");
        assert!(check(&offer(VIDEO), Role::Viewer).is_ok());
        let channel = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
        assert_eq!(code(&offer(&[VIDEO, AUDIO, channel].concat())), "sdp_media_lines");
        assert_eq!(code(&offer(AUDIO)), "sdp_media_lines");
        assert_eq!(code(&offer(&[AUDIO, VIDEO, "a=recvonly\r\n"].concat())), "sdp_media_lines");
        assert_eq!(code(&offer(&[AUDIO, &VIDEO.replace("VP8", "H264")].concat())), "sdp_no_vp8");
        let good = offer(&[VIDEO, AUDIO].concat());
        assert_eq!(code(&good.replace("a=fingerprint", "a=x")), "sdp_malformed");
        assert_eq!(code(&good.replace("a=ice-pwd", "a=x")), "sdp_malformed");
        let candidates = "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n".repeat(MAX_CANDIDATES + 1);
        assert_eq!(code(&offer(&[VIDEO, &candidates].concat())), "sdp_malformed");
    }

    #[test]
    fn announced_streams_are_known_each_once_and_bounded() {
        let with = |count: u32| {
            let lines = |ssrc| format!("a=ssrc:{ssrc} cname:x\r\na=ssrc:{ssrc} msid:- y\r\n");
            offer(&[AUDIO, VIDEO, &(1..=count).map(lines).collect::<String>()].concat())
        };
        assert_eq!(check(&with(3), Role::Publisher).unwrap().streams, [1, 2, 3]);
        assert_eq!(code(&with(u32::try_from(MAX_STREAMS).unwrap() + 1)), "sdp_malformed");
        assert_eq!(code(&offer(&[AUDIO, VIDEO, "a=ssrc:minus\r\n"].concat())), "sdp_malformed");
    }

    #[test]
    fn each_bound_is_kept_to_the_byte_and_to_the_line() {
        let good = offer(&[VIDEO, AUDIO].concat());
        let filled = |bytes: usize| {
            let lines = "a=x\r\n".repeat((bytes - good.len() - 100) / 5);
            let rest = bytes - good.len() - lines.len() - "a=\r\n".len();
            format!("{good}{lines}a={}\r\n", "x".repeat(rest))
        };
        assert_eq!(filled(MAX_BYTES).len(), MAX_BYTES);
        assert_eq!(code(&filled(MAX_BYTES)), "ok");
        assert_eq!(code(&filled(MAX_BYTES + 1)), "sdp_too_large");
        let line = |bytes: usize| format!("{good}a={}\r\n", "x".repeat(bytes - "a=".len()));
        assert_eq!(code(&line(MAX_LINE_BYTES)), "ok");
        assert_eq!(code(&line(MAX_LINE_BYTES + 1)), "sdp_malformed");
        let candidates =
            |n: usize| format!("{good}{}", "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n".repeat(n));
        assert_eq!(code(&candidates(MAX_CANDIDATES)), "ok");
        assert_eq!(code(&candidates(MAX_CANDIDATES + 1)), "sdp_malformed");
    }

    #[test]
    fn candidates_never_reach_the_core() {
        let text =
            offer(&[VIDEO, "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=end-of-candidates\r\n"].concat());
        let passed = check(&text, Role::Viewer).unwrap();
        assert!(!passed.text.contains("candidate"));
        assert!(!passed.audio);
    }

    #[test]
    fn streams_of_the_second_video_line_are_the_screen_s() {
        let announced = |ssrc| format!("a=ssrc:{ssrc} cname:x\r\n");
        let text = offer(
            &[VIDEO, &announced(1), AUDIO, &announced(2), VIDEO, &announced(3), &announced(4)].concat(),
        );
        let passed = check(&text, Role::Publisher).unwrap();
        assert_eq!(
            (passed.second, passed.streams, passed.screen_streams),
            (true, vec![1, 2, 3, 4], vec![3, 4])
        );
        assert!(!check(&offer(&[VIDEO, AUDIO].concat()), Role::Publisher).unwrap().second);
    }

    #[test]
    fn answer_limits_the_webcam_and_the_screen_that_is_asked_for_and_declines_another() {
        let section = |kind| format!("m={kind} 9\r\nc=IN IP4 0\r\na=recvonly\r\n");
        let answer = [section("video"), section("audio"), section("video")].concat();
        let limited =
            |kbps: u32| section("video").replace("c=IN IP4 0\r\n", &format!("c=IN IP4 0\r\nb=AS:{kbps}\r\n"));
        let declined = section("video").replace("recvonly", "inactive");
        assert_eq!(shape_answer(&answer, 300, None), [limited(300), section("audio"), declined].concat());
        assert_eq!(
            shape_answer(&answer, 300, Some(250)),
            [limited(300), section("audio"), limited(250)].concat()
        );
    }

    #[test]
    fn fuzz_corpus_never_panics() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sdp");
        let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        assert!(seeds.len() >= 4, "the corpus in {folder} is missing");
        seeds.push(offer(&[VIDEO, AUDIO].concat()).into_bytes());
        for seed in seeds {
            fuzz(&seed);
            // Every truncation and a damaged byte at every place: cheap, and finds what index arithmetic hides.
            for at in 0..seed.len() {
                fuzz(&seed[..at]);
                let mut damaged = seed.clone();
                damaged[at] ^= 0x15;
                fuzz(&damaged);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            fuzz(&bytes);
            fuzz(&[offer(&[AUDIO, VIDEO].concat()).as_bytes(), &bytes].concat());
        }
    }
}
