//! The hash chain over one session's events: each link covers its event and everything before it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::{self, Digest};
use crate::json;

/// What the first event of every session follows.
pub const GENESIS: Digest = Digest([0; digest::DIGEST_LEN]);

/// Keeps a chain hash apart from the leaf (0x00) and node (0x01) hashes of the Merkle tree over the same events.
const LINK_PREFIX: [u8; 1] = [0x02];

/// One event's place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The hash of the event before, or [`GENESIS`].
    pub prev: Digest,
    /// This event's hash, see [`next`].
    pub hash: Digest,
}

impl Link {
    /// The link of the event with these leaf bytes, after `prev`.
    #[must_use]
    pub fn after(prev: Digest, leaf: &[u8]) -> Self {
        Self { prev, hash: next(&prev, leaf) }
    }
}

/// `SHA-256(0x02 || prev || leaf)`.
#[must_use]
pub fn next(prev: &Digest, leaf: &[u8]) -> Digest {
    digest::concat(&[&LINK_PREFIX, prev.as_bytes(), leaf])
}

/// An event's leaf bytes: JCS of `{sid, seq, at, kind, body}`, so anyone with the event can recompute them. `seq`
/// counts within the session, `at` is integer milliseconds UTC.
///
/// # Errors
/// When `sid`, `kind` or `body` break the JSON profile, fractions in `body` above all.
pub fn leaf(sid: &str, seq: u64, at: i64, kind: &str, body: &Value) -> Result<Vec<u8>, json::Error> {
    #[derive(Serialize)]
    struct Leaf<'a> {
        at: i64,
        body: &'a Value,
        kind: &'a str,
        seq: u64,
        sid: &'a str,
    }
    let leaf = Leaf { at, body, kind, seq, sid };
    // Every answer passes here: writing once what is canonical already takes a fifth of the time.
    let plain = [sid, kind].into_iter().all(str::is_ascii)
        && at.unsigned_abs() <= json::MAX_INTEGER
        && seq <= json::MAX_INTEGER
        && json::is_plain(body, 1);
    if plain {
        serde_json::to_vec(&leaf).map_err(json::Error::Unserializable)
    } else {
        json::canonical(&leaf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaf_is_canonical_json_of_five_fields() {
        let bytes = leaf("s1", 3, 1_700_000_000_000, "AnswerPut", &json!({"b": 1, "a": "ә"})).unwrap();
        let text = r#"{"at":1700000000000,"body":{"a":"ә","b":1},"kind":"AnswerPut","seq":3,"sid":"s1"}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }

    #[test]
    fn plain_bodies_are_written_as_the_canonicalizer_writes_them() {
        let bodies = [
            json!({"z": [1, -1, null, true, {"b": "", "a": 0}], "a": json::MAX_INTEGER, "B": -5}),
            json!("\u{0}\u{1f}\u{7f}\u{2028}\u{ffff}\u{10ffff}\"\\/\t\n\r\u{8}\u{c}қй"),
            json!({"ключ": 1, "a": 2}),
            json!({"\u{10000}": 1, "\u{e000}": 2}),
        ];
        for body in bodies {
            let slow = json::canonical(&json!({"at": -7, "body": body, "kind": "k", "seq": 3, "sid": "s"}));
            assert_eq!(leaf("s", 3, -7, "k", &body).unwrap(), slow.unwrap(), "{body}");
        }
    }

    #[test]
    fn what_breaks_the_profile_is_refused_on_every_way() {
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(leaf("s", 0, 0, "k", &deep(json::MAX_DEPTH - 1)).is_ok());
        for body in [deep(json::MAX_DEPTH), json!(json::MAX_INTEGER + 1), json!(i64::MIN), json!("и\u{306}")]
        {
            assert!(leaf("s", 0, 0, "k", &body).is_err(), "{body}");
        }
        assert!(leaf("s", json::MAX_INTEGER + 1, 0, "k", &json!(1)).is_err());
        assert!(leaf("s", 0, i64::MIN, "k", &json!(1)).is_err());
        assert!(leaf("s", 0, 0, "и\u{306}", &json!(1)).is_err());
    }

    #[test]
    fn fraction_in_a_body_is_refused() {
        assert!(leaf("s1", 0, 0, "Detected", &json!({"confidence": 0.5})).is_err());
    }

    #[test]
    fn link_is_sha256_of_prefix_prev_and_leaf() {
        let link = Link::after(GENESIS, b"{}");
        let spelled_out = [&[2][..], &[0; 32], b"{}"].concat();
        assert_eq!(link, Link { prev: GENESIS, hash: digest::sha256(&spelled_out) });
    }

    #[test]
    fn changing_dropping_or_swapping_an_event_changes_the_head() {
        let head = |leaves: &[&[u8]]| leaves.iter().fold(GENESIS, |prev, leaf| next(&prev, leaf));
        let whole = head(&[b"a", b"b", b"c"]);
        for other in [&[b"a", b"x", b"c"][..], &[b"a", b"b"], &[b"b", b"c"], &[b"b", b"a", b"c"]] {
            let other: Vec<&[u8]> = other.iter().map(|leaf| leaf.as_slice()).collect();
            assert_ne!(head(&other), whole);
        }
    }
}
