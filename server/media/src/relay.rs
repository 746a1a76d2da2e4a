//! Credentials for a TURN relay (RFC 8656) that last one sitting: the relay and we share a secret, nobody else knows it
//! (draft-uberti-behave-turn-rest-00; coturn calls it `use-auth-secret`).
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{hmac, rand::SecureRandom};
use std::{fmt, time::Duration};

/// A relay for browsers whose network lets neither UDP nor TCP through to us.
#[derive(Clone)]
pub struct Turn {
    /// `turn:` and `turns:` addresses (RFC 7065), best first.
    pub urls: Vec<String>,
    /// What the relay has as its shared secret.
    pub secret: String,
    /// How long a credential opens the relay. It must outlast the longest sitting: a relay asks again with every refresh.
    pub lifetime: Duration,
    /// The real clock, seconds since 1970.
    pub unix_now: fn() -> u64,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("urls", &self.urls)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// What a browser opens the relay with.
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    /// Best first.
    pub urls: Vec<String>,
    /// Last second of its life since 1970, a colon, 16 random hexadecimal digits that name nobody.
    pub username: String,
    /// Base64 of HMAC-SHA-1 over the user name.
    pub credential: String,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Turn {
    /// A credential of its own for every peer, so that the relay's quotas per user hold for one browser. `None` without
    /// entropy.
    pub(crate) fn relay(&self, entropy: &dyn SecureRandom) -> Option<Relay> {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes).ok()?;
        let until = (self.unix_now)().saturating_add(self.lifetime.as_secs());
        Some(self.signed(format!("{until}:{:016x}", u64::from_be_bytes(bytes))))
    }

    fn signed(&self, username: String) -> Relay {
        // The scheme knows no other hash; what it protects is bandwidth, not evidence.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Relay { urls: self.urls.clone(), username, credential }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> Turn {
        Turn {
            urls: vec!["turn:turn.example.kz:3478".into()],
            secret: "north".into(),
            lifetime: Duration::from_secs(600),
            unix_now: || 1_000,
        }
    }

    #[test]
    fn credential_is_what_another_implementation_computes() {
        // printf 1600:00000000000000ff | openssl dgst -sha1 -hmac north -binary | base64
        let relay = turn().signed("1600:00000000000000ff".into());
        assert_eq!(relay.credential, "y4xbd6zfUbG2+HAOGQ5202itReA=");
    }

    #[test]
    fn every_credential_is_another_and_ends() {
        let entropy = ring::rand::SystemRandom::new();
        let [one, two] = [turn().relay(&entropy).unwrap(), turn().relay(&entropy).unwrap()];
        assert_ne!(one.username, two.username);
        assert!(one.username.starts_with("1600:"), "{}", one.username);
        assert!(!format!("{:?} {one:?}", turn()).contains("north"), "the secret is never printed");
    }
}
