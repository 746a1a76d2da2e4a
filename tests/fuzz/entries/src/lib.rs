//! The entries: each takes arbitrary bytes the way the server would and must come back, without a panic and soon.
//! The fuzz targets and the ordinary tests of the corpora call the same ones.

mod candidate;
mod convert;
mod exam;
mod proctor;

use synaq_question_banks::{read_bytes, write};

/// A socket's conversation is judged up to this many lines: longer ones find nothing new, only later.
const LINES_MAX: usize = 48;

/// What came of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All of it was accepted
    Taken,
    /// Something in it was refused, with a reason
    Refused,
    /// The entry does not say; surviving is all it asks
    Survived,
}

/// An entry.
pub type Entry = fn(&[u8]) -> Verdict;

/// All entries under the names of their targets and corpora.
pub const ENTRIES: [(&str, Entry); 8] = [
    ("candidate_frame", candidate_frame),
    ("proctor_frame", proctor_frame),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("stun", stun),
    ("bundle", bundle),
    ("bank_toml", bank_toml),
];

/// A candidate's frames, one per line, said by a prepared candidate and by one in mid-exam.
pub fn candidate_frame(data: &[u8]) -> Verdict {
    candidate::converse(data)
}

/// A proctor's frames, one per line, about an exam with an incident to rule on.
pub fn proctor_frame(data: &[u8]) -> Verdict {
    proctor::converse(data)
}

/// An SDP offer of a publisher and of a viewer.
pub fn sdp(data: &[u8]) -> Verdict {
    synaq_media::sdp::fuzz(data);
    Verdict::Survived
}

/// Decrypted RTP of a publisher; what is recorded of it is a recording.
pub fn rtp(data: &[u8]) -> Verdict {
    verdict(synaq_media::fuzz::rtp(data))
}

/// Decrypted RTCP of a publisher and of a viewer.
pub fn rtcp(data: &[u8]) -> Verdict {
    verdict(synaq_media::fuzz::rtcp(data))
}

/// Datagrams to a peer that nobody has reached yet.
pub fn stun(data: &[u8]) -> Verdict {
    verdict(synaq_media::fuzz::stun(data))
}

const fn verdict(taken: bool) -> Verdict {
    if taken { Verdict::Taken } else { Verdict::Refused }
}

/// A downloaded bundle.
pub fn bundle(data: &[u8]) -> Verdict {
    synaq_seal::bundle::fuzz(data);
    Verdict::Survived
}

/// A bank's file. What is read is written, read again and the same.
pub fn bank_toml(data: &[u8]) -> Verdict {
    let Ok((bank, _)) = read_bytes(data) else { return Verdict::Refused };
    let (again, report) = read_bytes(write(&bank).as_bytes()).expect("what we write we can read");
    assert_eq!(bank, again, "writing and reading changed a bank");
    assert_eq!(report.errors().count(), 0, "an accepted bank has no errors");
    Verdict::Taken
}

/// The lines of a conversation that are short enough for a socket.
fn frames(data: &[u8]) -> impl Iterator<Item = &str> {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let frames =
        lines.filter(|line| !line.trim().is_empty() && line.len() <= synaq_wire::limits::FRAME_BYTES);
    frames.take(LINES_MAX)
}
