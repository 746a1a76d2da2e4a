//! Signing keys, public keys, and the set of keys a verifier trusts.

pub mod file;
mod public;
mod trust;

use std::fmt;

use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use public::{PublicKey, thumbprint};
pub use trust::{MAX_KEYS, Purpose, TrustError, TrustSet, TrustedKey};

/// Bytes of a signature, both algorithms alike (RFC 7518 section 3.4, RFC 8037 section 3.1).
pub const SIGNATURE_LEN: usize = 64;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: every government stack and HSM has it.
    #[default]
    Es256,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// The JOSE name we write. For Ed25519 it is `EdDSA`: RFC 9864 prefers `Ed25519`, but few libraries know it yet.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }

    /// Whether a header's `alg` names this algorithm; both names of Ed25519 do.
    #[must_use]
    pub fn is_named(self, alg: &str) -> bool {
        match self {
            Self::Es256 => alg == "ES256",
            Self::Ed25519 => matches!(alg, "EdDSA" | "Ed25519"),
        }
    }
}

/// A key's name: the RFC 7638 thumbprint of its public half, 43 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kid(pub String);

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a key was not made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system's random source failed.
    #[error("the random source gave no bytes")]
    Entropy,
    /// Neither an ES256 nor an Ed25519 key.
    #[error("this is not a PKCS#8 private key for ES256 (P-256) or Ed25519")]
    Pkcs8,
    /// Not the members of a public JWK that we know.
    #[error("the JWK does not have the members of a public key")]
    JwkShape(#[source] serde_json::Error),
    /// A private key where a public one belongs.
    #[error("the JWK holds a private key (\"d\"); remove it, and replace the key if the file was shared")]
    PrivateJwk,
    /// Other than P-256 and Ed25519.
    #[error("the JWK is neither EC P-256 nor OKP Ed25519")]
    JwkType,
    /// A coordinate is not 32 bytes of base64url, or one is missing or too many.
    #[error("the JWK's coordinates are not 32 bytes of base64url each")]
    JwkCoordinate,
    /// `alg` or `use` say other than the key's type.
    #[error("the JWK's \"alg\" or \"use\" does not fit a signature key of its type")]
    JwkUse,
    /// The stated name is not the thumbprint.
    #[error("the JWK calls itself {stated}, its thumbprint is {actual}")]
    KidMismatch {
        /// As written.
        stated: Kid,
        /// As computed.
        actual: Kid,
    },
}

/// A private signing key. Its PKCS#8 copy is wiped when dropped (the one inside `ring` cannot be).
pub struct SigningKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A fresh key.
    ///
    /// # Errors
    /// When `random` fails.
    pub fn generate(algorithm: Algorithm, random: &dyn SecureRandom) -> Result<Self, Error> {
        let made = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random),
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(random),
        };
        Self::from_pkcs8(made.map_err(|_| Error::Entropy)?.as_ref(), random)
    }

    /// Reads PKCS#8 DER; the algorithm is the one the key says. `random` blinds the ECDSA computations.
    ///
    /// # Errors
    /// When it is neither kind of key.
    pub fn from_pkcs8(pkcs8: &[u8], random: &dyn SecureRandom) -> Result<Self, Error> {
        let (pair, public) =
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, random) {
                let public = PublicKey::new(Algorithm::Es256, pair.public_key().as_ref());
                (Pair::Es256(pair), public)
            } else {
                // OpenSSL writes Ed25519 keys without their public half, which this reader computes.
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| Error::Pkcs8)?;
                let public = PublicKey::new(Algorithm::Ed25519, pair.public_key().as_ref());
                (Pair::Ed25519(pair), public)
            };
        Ok(Self { pair, pkcs8: Zeroizing::new(pkcs8.to_vec()), public })
    }

    /// The PKCS#8 DER bytes, for [`file::write_new`]. Never for a log.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The raw signature over `message`: `r || s` for ES256.
    ///
    /// # Errors
    /// When `random` fails, which only ES256 asks.
    pub fn sign(&self, message: &[u8], random: &dyn SecureRandom) -> Result<[u8; SIGNATURE_LEN], Error> {
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(random, message).map_err(|_| Error::Entropy)?,
            Pair::Ed25519(pair) => pair.sign(message),
        };
        Ok(signature.as_ref().try_into().expect("both algorithms sign in 64 bytes"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
