//! Personal links: the session's id and a MAC over it, so that a link can be printed again and never guessed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use synaq_core::ids::SessionId;
use uuid::Uuid;

/// Half of HMAC-SHA-256: 128 bits cannot be guessed, and the link stays short enough to type.
const MAC_LEN: usize = 16;
const ID_LEN: usize = 16;
/// Sets the links' MACs apart from whatever else the key may sign one day.
const CONTEXT: &[u8] = b"synaq personal link v1\0";

/// Key of the personal links of an installation.
#[derive(Clone)]
pub struct LinkKey(hmac::Key);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

impl LinkKey {
    /// Out of 256 secret bits.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A link's last path segment: base64url of the id's 16 bytes and the first 16 bytes of their MAC.
    #[must_use]
    pub fn token(&self, session: SessionId) -> String {
        let mut bytes = [0; ID_LEN + MAC_LEN];
        bytes[..ID_LEN].copy_from_slice(session.0.as_bytes());
        bytes[ID_LEN..].copy_from_slice(&self.mac(session)[..MAC_LEN]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whose link it is; `None` if this installation did not make it.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<SessionId> {
        let bytes: [u8; ID_LEN + MAC_LEN] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (id, mac) = bytes.split_at(ID_LEN);
        let session = SessionId(Uuid::from_slice(id).ok()?);
        let expected = self.mac(session);
        let differs = expected[..MAC_LEN].iter().zip(mac).fold(0, |differs, (a, b)| differs | (a ^ b));
        (differs == 0).then_some(session)
    }

    fn mac(&self, session: SessionId) -> [u8; 32] {
        self.tag(CONTEXT, session.0.as_bytes())
    }

    /// MAC over `content`; `context` sets one use of the key apart from the others and ends with a zero byte.
    pub(crate) fn tag(&self, context: &[u8], content: &[u8]) -> [u8; 32] {
        let mut text = hmac::Context::with_key(&self.0);
        text.update(context);
        text.update(content);
        text.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_its_session_and_no_changed_link_leads_anywhere() {
        let key = LinkKey::new(&[7; 32]);
        let session = SessionId(Uuid::from_u128(0x0123_4567_89ab_cdef));
        let token = key.token(session);
        assert_eq!(token.len(), 43);
        assert_eq!(key.session(&token), Some(session));
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.session(&changed), None, "{place}");
        }
        assert_eq!(LinkKey::new(&[8; 32]).session(&token), None);
        for foreign in ["", "x", "AAAA", &"A".repeat(43), &"A".repeat(10_000)] {
            assert_eq!(key.session(foreign), None);
        }
    }
}
