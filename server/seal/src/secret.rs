//! The 256-bit keys at rest: one per session, wrapped by one per installation.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;

/// Bytes of a wrapped session key: version, nonce, sealed key, tag.
pub const WRAPPED_LEN: usize = 1 + NONCE_LEN + KEY_LEN + TAG_LEN;

const TAG_LEN: usize = 16;
const WRAP_VERSION: u8 = 1;
const WRAP_CONTEXT: &[u8] = b"synaq session key v1\0";

/// Why a key was not made or not unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system's random source failed.
    #[error("the random source gave no bytes")]
    Entropy,
    /// Not 32 bytes.
    #[error("a key has 32 bytes, this has {actual}")]
    KeyLength {
        /// Bytes given.
        actual: usize,
    },
    /// Not the shape of a wrapped key.
    #[error("this is not a wrapped session key of version 1 ({WRAPPED_LEN} bytes)")]
    WrappedShape,
    /// Wrong installation key, other session, or changed bytes.
    #[error(
        "the session key does not unwrap: wrong installation key, another session's key, or changed bytes"
    )]
    Unwrap,
}

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; KEY_LEN]>);

        impl $name {
            /// A fresh key.
            ///
            /// # Errors
            /// When `random` fails.
            pub fn generate(random: &dyn SecureRandom) -> Result<Self, Error> {
                let mut bytes = Zeroizing::new([0; KEY_LEN]);
                random.fill(bytes.as_mut_slice()).map_err(|_| Error::Entropy)?;
                Ok(Self(bytes))
            }

            /// The key with these 32 bytes.
            ///
            /// # Errors
            /// When there are not 32.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
                let bytes = bytes.try_into().map_err(|_| Error::KeyLength { actual: bytes.len() })?;
                Ok(Self(Zeroizing::new(bytes)))
            }

            /// The key itself, for storing. Never for a log.
            #[must_use]
            pub fn expose(&self) -> &[u8; KEY_LEN] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

key_type! {
    /// Encrypts everything recorded of one session. Destroying its wrapped form erases the recordings everywhere,
    /// backups included, while the sealed record still verifies.
    SessionKey
}
key_type! {
    /// Wraps the session keys of one installation; lives in a file of its own, apart from the database.
    InstallationKey
}

/// A session key sealed under the installation key; safe to store beside the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey([u8; WRAPPED_LEN]);

impl WrappedKey {
    /// Reads the stored form.
    ///
    /// # Errors
    /// When length or version differ.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; WRAPPED_LEN] = bytes.try_into().map_err(|_| Error::WrappedShape)?;
        if bytes[0] == WRAP_VERSION { Ok(Self(bytes)) } else { Err(Error::WrappedShape) }
    }

    /// The stored form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; WRAPPED_LEN] {
        &self.0
    }
}

/// Seals `key` (AES-256-GCM, random nonce) and binds it to `session`, the session's id in any fixed byte form.
///
/// # Errors
/// When `random` fails.
pub fn wrap(
    key: &SessionKey,
    by: &InstallationKey,
    session: &[u8],
    random: &dyn SecureRandom,
) -> Result<WrappedKey, Error> {
    let mut wrapped = [0; WRAPPED_LEN];
    wrapped[0] = WRAP_VERSION;
    let (nonce, sealed) = wrapped[1..].split_at_mut(NONCE_LEN);
    random.fill(nonce).map_err(|_| Error::Entropy)?;
    let (body, tag) = sealed.split_at_mut(KEY_LEN);
    body.copy_from_slice(key.expose());
    let nonce = Nonce::try_assume_unique_for_key(nonce).expect("split at the nonce's length");
    let made = wrapping(by)
        .seal_in_place_separate_tag(nonce, Aad::from(wrap_context(session)), body)
        .expect("32 bytes are below the cipher's limit");
    tag.copy_from_slice(made.as_ref());
    Ok(WrappedKey(wrapped))
}

/// Opens what [`wrap`] sealed for the same `session`.
///
/// # Errors
/// [`Error::Unwrap`] when anything differs.
pub fn unwrap(wrapped: &WrappedKey, by: &InstallationKey, session: &[u8]) -> Result<SessionKey, Error> {
    let (nonce, sealed) = wrapped.0[1..].split_at(NONCE_LEN);
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::try_assume_unique_for_key(nonce).expect("split at the nonce's length");
    let key = wrapping(by)
        .open_in_place(nonce, Aad::from(wrap_context(session)), &mut sealed)
        .map_err(|_| Error::Unwrap)?;
    SessionKey::from_bytes(key)
}

fn wrapping(by: &InstallationKey) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, by.expose()).expect("AES-256 takes 32 bytes"))
}

fn wrap_context(session: &[u8]) -> Vec<u8> {
    [WRAP_CONTEXT, session].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;

    #[test]
    fn wrapped_key_opens_only_for_its_session_and_installation() {
        let random = SystemRandom::new();
        let (key, by) = (SessionKey::generate(&random).unwrap(), InstallationKey::generate(&random).unwrap());
        let wrapped = wrap(&key, &by, b"session-1", &random).unwrap();
        let stored = WrappedKey::from_bytes(wrapped.as_bytes()).unwrap();
        assert_eq!(unwrap(&stored, &by, b"session-1").unwrap().expose(), key.expose());
        assert_eq!(unwrap(&stored, &by, b"session-2").err(), Some(Error::Unwrap));
        let other = InstallationKey::generate(&random).unwrap();
        assert_eq!(unwrap(&stored, &other, b"session-1").err(), Some(Error::Unwrap));
    }

    #[test]
    fn every_changed_byte_of_a_wrapped_key_is_refused() {
        let random = SystemRandom::new();
        let (key, by) = (SessionKey::generate(&random).unwrap(), InstallationKey::generate(&random).unwrap());
        let wrapped = wrap(&key, &by, b"s", &random).unwrap();
        for at in 0..WRAPPED_LEN {
            let mut bytes = *wrapped.as_bytes();
            bytes[at] ^= 0x40;
            assert!(WrappedKey::from_bytes(&bytes).and_then(|w| unwrap(&w, &by, b"s")).is_err(), "byte {at}");
        }
        assert_eq!(WrappedKey::from_bytes(&wrapped.as_bytes()[1..]), Err(Error::WrappedShape));
    }

    #[test]
    fn debug_never_shows_a_key() {
        let key = SessionKey::from_bytes(&[0xab; KEY_LEN]).unwrap();
        assert_eq!(format!("{key:?}"), "SessionKey(redacted)");
        assert!(SessionKey::from_bytes(&[0; 31]).is_err());
    }
}
