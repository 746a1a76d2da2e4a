//! Links to recordings: what, for whom, until when, and a MAC over it. A link alone opens nothing: whoever comes with it
//! must be signed in as the one it was made for. Only a candidate's own clips are opened by the link alone: whoever is in
//! the picture has no sign-in.

use crate::auth::link::LinkKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use synaq_core::ids::{SessionId, StaffId};
use synaq_core::time::At;

/// Sets these links' MACs apart from those of personal links.
const CONTEXT: &[u8] = b"synaq playback link v1\0";
const MAC_LEN: usize = 16;
/// A name of evidence has at most 64 bytes, ids and numbers the rest.
const TOKEN_CHARS: usize = 512;

/// What a link leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// The first `bytes` of a recording: one that grows keeps its length for as long as the link lives
    Piece { name: String, bytes: u64 },
    /// A piece that the candidate's device recorded, as it came
    Local { name: String },
    /// What was recorded of an incident between these, milliseconds UTC, of the webcam or of the screen
    Clip {
        incident: u32,
        from: i64,
        to: i64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        screen: bool,
    },
}

/// A link's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) session: SessionId,
    /// None for the candidate
    pub(crate) staff: Option<StaffId>,
    pub(crate) until: At,
    pub(crate) what: What,
}

impl Link {
    /// Path and query of the link.
    pub(crate) fn url(&self, key: &LinkKey) -> String {
        let text = serde_json::to_vec(self).expect("ids, numbers and a name are JSON");
        let mac = key.tag(CONTEXT, &text);
        let token = URL_SAFE_NO_PAD.encode([&mac[..MAC_LEN], &text].concat());
        let audience = if self.staff.is_some() { "playback" } else { "candidate" };
        format!("/api/v1/{audience}/pieces/{token}")
    }

    /// `None` when it was not made here, for somebody else, or its time is over.
    pub(crate) fn read(token: &str, key: &LinkKey, staff: Option<StaffId>, now: At) -> Option<Self> {
        if token.len() > TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, text) = bytes.split_at_checked(MAC_LEN)?;
        let expected = key.tag(CONTEXT, text);
        let differs = expected[..MAC_LEN].iter().zip(mac).fold(0, |differs, (a, b)| differs | (a ^ b));
        let link: Self = (differs == 0).then(|| serde_json::from_slice(text).ok()).flatten()?;
        (link.staff == staff && now < link.until).then_some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synaq_core::time::Span;
    use uuid::Uuid;

    #[test]
    fn a_link_is_good_for_its_time_and_its_person_and_not_changed_by_a_bit() {
        let key = LinkKey::new(&[7; 32]);
        let (staff, other) = (StaffId(Uuid::from_u128(1)), StaffId(Uuid::from_u128(2)));
        let what = What::Piece { name: "n".repeat(64), bytes: u64::MAX };
        let link =
            Link { session: SessionId(Uuid::from_u128(3)), staff: Some(staff), until: At(1_000), what };
        let url = link.url(&key);
        let token = url.rsplit('/').next().unwrap();
        let read = |token: &str, staff, now| Link::read(token, &key, Some(staff), At(now));
        assert_eq!(read(token, staff, 999), Some(link.clone()));
        assert_eq!(read(token, staff, 1_000), None, "over");
        assert_eq!(read(token, other, 0), None, "somebody else's");
        assert_eq!(Link::read(token, &key, None, At(0)), None, "nor a candidate's");
        let own = Link { staff: None, ..link.clone() }.url(&key);
        let own = own.strip_prefix("/api/v1/candidate/pieces/").unwrap();
        assert_eq!(read(own, staff, 0), None, "nor is a candidate's a member of staff's");
        assert!(Link::read(own, &key, None, At(0)).is_some());
        assert_eq!(
            Link::read(token, &LinkKey::new(&[8; 32]), Some(staff), At(0)),
            None,
            "another installation's"
        );
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(changed), staff, 0), None, "byte {at}");
        }
        for odd in ["", "x", "%%%", &"A".repeat(TOKEN_CHARS + 1)] {
            assert_eq!(read(odd, staff, 0), None);
        }
        assert!(link.until + Span(1) > link.until);
    }
}
