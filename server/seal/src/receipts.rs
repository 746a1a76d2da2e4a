//! The receipts of a candidate's answers as a file: events of the session with their places in its hash chain, so that
//! whoever holds the sealed bundle can tell whether these very answers stand in it.

use crate::bundle::{Bundle, Event};
use crate::chain;
use crate::digest::Digest;
use serde::{Deserialize, Serialize};

/// `kind` of the file.
pub const KIND: &str = "answer-receipts";
/// The version of its shape.
pub const VERSION: u64 = 1;
/// Kinds of events that are answers.
pub const ANSWER_KINDS: [&str; 3] = ["answer_put", "answer_late", "answer_superseded"];

/// Why a text is no file of receipts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or with other fields
    #[error("the file is not a file of answer receipts")]
    Shape(#[source] serde_json::Error),
    /// Another kind or version
    #[error("the file is not {KIND} of version {VERSION}")]
    Kind,
}

/// The file. JSON in any spelling: it is compared, not signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub v: u64,
    /// The session.
    pub session: String,
    /// SHA-256 of the sealed record; none if it was not sealed yet.
    pub record_sha256: Option<Digest>,
    /// Every answer that the server wrote down.
    pub receipts: Vec<Receipt>,
    /// The last receipt that the candidate's own device was given during the exam, if it kept one.
    #[serde(default)]
    pub device: Option<Head>,
}

/// One answer: its event, and the head of the chain before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Hash of the event before it
    pub prev: Digest,
    /// As it stands in the log
    pub event: Event,
}

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Position in the session's log
    pub seq: u64,
    /// Server time, ms UTC
    pub at: i64,
    /// Head of the chain after it
    pub hash: Digest,
}

/// How the receipts stand to a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Receipts in the file
    pub receipts: usize,
    /// Of those, the ones that stand in the bundle byte for byte
    pub held: usize,
    /// Positions of those that do not
    pub differs: Vec<u64>,
    /// Answers in the bundle that the file has no receipt of
    pub unlisted: usize,
    /// Both are of the same session, and of the same record if the file names one
    pub same_record: bool,
    /// What the device was told stands in the bundle; none if the file holds no such receipt
    pub device: Option<bool>,
}

impl Found {
    /// Every receipt is borne out, and the file is about this record.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.same_record && self.differs.is_empty() && self.device != Some(false)
    }
}

impl Receipts {
    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let read: Self = serde_json::from_slice(bytes).map_err(Error::Shape)?;
        if read.kind == KIND && read.v == VERSION { Ok(read) } else { Err(Error::Kind) }
    }

    /// Holds the receipts against a bundle, which is worth what its own checks are worth.
    #[must_use]
    pub fn against(&self, bundle: &Bundle, record_sha256: Digest) -> Found {
        let events = bundle.events.as_deref().unwrap_or_default();
        let at = |seq: u64| events.iter().find(|event| event.seq == seq);
        let stands = |receipt: &Receipt| {
            let linked = receipt
                .event
                .leaf()
                .is_ok_and(|leaf| chain::next(&receipt.prev, &leaf) == receipt.event.hash);
            linked && at(receipt.event.seq) == Some(&receipt.event)
        };
        let differs: Vec<u64> = self
            .receipts
            .iter()
            .filter(|receipt| !stands(receipt))
            .map(|receipt| receipt.event.seq)
            .collect();
        let answers = events.iter().filter(|event| ANSWER_KINDS.contains(&event.kind.as_str()));
        let listed = |seq: u64| self.receipts.iter().any(|receipt| receipt.event.seq == seq);
        let of_session = events.iter().all(|event| event.sid == self.session);
        Found {
            receipts: self.receipts.len(),
            held: self.receipts.len() - differs.len(),
            unlisted: answers.filter(|event| !listed(event.seq)).count(),
            differs,
            same_record: of_session && self.record_sha256.is_none_or(|sha256| sha256 == record_sha256),
            device: self
                .device
                .map(|head| at(head.seq).is_some_and(|event| event.hash == head.hash && event.at == head.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::jws::Jws;
    use serde_json::json;

    fn log() -> Vec<Event> {
        let mut head = chain::GENESIS;
        (1..=4_u64)
            .map(|seq| {
                let kind = if seq % 2 == 0 { "answer_put" } else { "flagged" };
                let body = json!({ "fact": { "type": kind, "question": seq } });
                let mut event =
                    Event { sid: "s".into(), seq, at: 7, kind: kind.into(), body, hash: chain::GENESIS };
                head = chain::next(&head, &event.leaf().unwrap());
                event.hash = head;
                event
            })
            .collect()
    }

    fn file(log: &[Event]) -> Receipts {
        let before =
            |seq: u64| log.iter().find(|event| event.seq + 1 == seq).map_or(chain::GENESIS, |e| e.hash);
        let answers = log.iter().filter(|event| ANSWER_KINDS.contains(&event.kind.as_str()));
        Receipts {
            kind: KIND.into(),
            v: VERSION,
            session: "s".into(),
            record_sha256: Some(sha256(b"P")),
            receipts: answers
                .map(|event| Receipt { prev: before(event.seq), event: event.clone() })
                .collect(),
            device: Some(Head { seq: 4, at: 7, hash: log[3].hash }),
        }
    }

    fn bundle(log: Vec<Event>) -> Bundle {
        Bundle { events: Some(log), ..Bundle::new(Jws { payload: String::new(), signatures: Vec::new() }) }
    }

    #[test]
    fn receipts_of_the_same_log_hold_and_survive_being_written_and_read() {
        let file = file(&log());
        let read = Receipts::parse(&serde_json::to_vec_pretty(&file).unwrap()).unwrap();
        let found = read.against(&bundle(log()), sha256(b"P"));
        assert_eq!((found.receipts, found.held, found.unlisted, found.device), (2, 2, 0, Some(true)));
        assert!(found.holds());
    }

    #[test]
    fn a_changed_answer_a_changed_log_and_another_record_do_not_hold() {
        let whole = file(&log());
        let mut changed = whole.clone();
        changed.receipts[0].event.body = json!({ "fact": { "type": "answer_put", "question": 9 } });
        let found = changed.against(&bundle(log()), sha256(b"P"));
        assert_eq!((found.holds(), &found.differs[..]), (false, &[2][..]));
        // The log was written anew behind the candidate's back: each hash from there on differs.
        let mut forged = log();
        let mut head = forged[0].hash;
        forged[1].body = json!({ "fact": { "type": "answer_put", "question": 9 } });
        for event in &mut forged[1..] {
            head = chain::next(&head, &event.leaf().unwrap());
            event.hash = head;
        }
        let found = whole.against(&bundle(forged), sha256(b"P"));
        assert_eq!((&found.differs[..], found.device), (&[2, 4][..], Some(false)));
        assert!(!whole.against(&bundle(log()), sha256(b"Q")).holds(), "another record");
        let mut left_out = whole;
        left_out.receipts.pop();
        let found = left_out.against(&bundle(log()), sha256(b"P"));
        assert_eq!((found.holds(), found.unlisted), (true, 1), "said, but nothing is wrong with the rest");
    }

    #[test]
    fn what_is_no_file_of_receipts_is_refused() {
        for text in ["", "{}", "[]", "{\"kind\":\"answer-receipts\"}"] {
            assert!(matches!(Receipts::parse(text.as_bytes()), Err(Error::Shape(_))), "{text}");
        }
        let mut other = file(&log());
        other.v = 2;
        assert!(matches!(Receipts::parse(&serde_json::to_vec(&other).unwrap()), Err(Error::Kind)));
    }
}
