//! JSON Web Signatures (RFC 7515, general JSON serialisation), narrowed to what a record needs.
//!
//! The protected header is exactly `{alg, kid, typ}`: no key, key address or `crit` inside a signature is ever looked
//! at, and the algorithm is the one of the key that `kid` names, whatever the header would like.

use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};

use crate::key::{Error as KeyError, Kid, Purpose, SIGNATURE_LEN, SigningKey, TrustSet};
use crate::{b64, json};

/// Most signatures over one payload: the seal, a second of a later algorithm, and room for a change of keys.
pub const MAX_SIGNATURES: usize = 4;

/// Longest protected header, in bytes before base64url. Ours have about 110.
pub const MAX_HEADER_BYTES: usize = 512;

/// A payload and the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jws {
    /// Base64url of the signed bytes.
    pub payload: String,
    /// At least one signature.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Base64url of the protected header.
    pub protected: String,
    /// Base64url of the raw signature.
    pub signature: String,
}

/// What a signature must be to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The header's `typ`, so that no signature serves as one of another kind.
    pub typ: &'a str,
    /// The key's purpose.
    pub purpose: Purpose,
    /// When it was made, ms UTC, held against the key's time of use; see [`crate::key::TrustedKey::in_use`].
    pub at: Option<i64>,
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key did not sign.
    #[error("the signature was not made")]
    Sign(#[source] KeyError),
    /// Payload, header or signature.
    #[error("the {part} is not base64url without padding")]
    Encoding {
        /// Which.
        part: &'static str,
    },
    /// Not `protected..signature`.
    #[error("a detached signature is written as header..signature")]
    Detached,
    /// Not JSON under the profile.
    #[error("the protected header cannot be read")]
    HeaderJson(#[source] json::Error),
    /// Not exactly `alg`, `kid` and `typ`.
    #[error("the protected header is not exactly alg, kid and typ")]
    HeaderShape(#[source] serde_json::Error),
    /// Of another kind.
    #[error("the signature is of another kind than expected here (typ)")]
    Typ,
    /// None, or more than [`MAX_SIGNATURES`].
    #[error("there are {actual} signatures, 1 to {MAX_SIGNATURES} are expected")]
    Count {
        /// How many.
        actual: usize,
    },
    /// One key signed twice.
    #[error("key {kid} signed twice")]
    Repeated {
        /// Which.
        kid: Kid,
    },
    /// Not in the trust set.
    #[error("key {kid} is not among the trusted keys")]
    Untrusted {
        /// Which.
        kid: Kid,
    },
    /// Trusted, but not for this.
    #[error("key {kid} is trusted for another purpose")]
    Purpose {
        /// Which.
        kid: Kid,
    },
    /// Signed before or after the key's time, or retired with no time to go by.
    #[error("key {kid} was not in use when the signature says it was made")]
    NotInUse {
        /// Which.
        kid: Kid,
    },
    /// `alg` is not the key's.
    #[error("the header's algorithm is not the one of key {kid}")]
    Algorithm {
        /// Which.
        kid: Kid,
    },
    /// The signature is not over these bytes.
    #[error("the signature of key {kid} is not over these bytes")]
    Mismatch {
        /// Which.
        kid: Kid,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Kid,
    typ: String,
}

/// A payload that a trusted key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The keys, in the order of the signatures.
    pub kids: Vec<Kid>,
}

/// Signs `payload` as a statement of kind `typ`.
///
/// # Errors
/// When `random` fails.
pub fn sign(payload: &[u8], typ: &str, key: &SigningKey, random: &dyn SecureRandom) -> Result<Jws, Error> {
    let public = key.public();
    let header =
        Header { alg: public.algorithm().name().to_owned(), kid: public.kid().clone(), typ: typ.to_owned() };
    let protected = b64::encode(&json::canonical(&header).map_err(Error::HeaderJson)?);
    let payload = b64::encode(payload);
    let signature = key.sign(signing_input(&protected, &payload).as_bytes(), random).map_err(Error::Sign)?;
    Ok(Jws { payload, signatures: vec![Signature { protected, signature: b64::encode(&signature) }] })
}

/// Checks every signature of `jws`; one that does not count refuses the whole.
///
/// # Errors
/// Says why the first of them does not count.
pub fn verify(jws: &Jws, expected: &Expected<'_>, trust: &TrustSet) -> Result<Verified, Error> {
    let payload = jws.decode_payload()?;
    if !(1..=MAX_SIGNATURES).contains(&jws.signatures.len()) {
        return Err(Error::Count { actual: jws.signatures.len() });
    }
    let mut kids = Vec::new();
    for signature in &jws.signatures {
        let kid = verify_one(signature, &jws.payload, expected, trust)?;
        if kids.contains(&kid) {
            return Err(Error::Repeated { kid });
        }
        kids.push(kid);
    }
    Ok(Verified { payload, kids })
}

fn verify_one(
    signature: &Signature,
    payload: &str,
    expected: &Expected<'_>,
    trust: &TrustSet,
) -> Result<Kid, Error> {
    let Header { alg, kid, typ } = read_header(&signature.protected)?;
    if typ != expected.typ {
        return Err(Error::Typ);
    }
    let Some(trusted) = trust.find(&kid) else { return Err(Error::Untrusted { kid }) };
    if trusted.purpose != expected.purpose {
        return Err(Error::Purpose { kid });
    }
    if !trusted.in_use(expected.at) {
        return Err(Error::NotInUse { kid });
    }
    if !trusted.key.algorithm().is_named(&alg) {
        return Err(Error::Algorithm { kid });
    }
    let raw = b64::decode(&signature.signature).map_err(|_| Error::Encoding { part: "signature" })?;
    let message = signing_input(&signature.protected, payload);
    if raw.len() == SIGNATURE_LEN && trusted.key.verifies(message.as_bytes(), &raw) {
        Ok(kid)
    } else {
        Err(Error::Mismatch { kid })
    }
}

fn read_header(protected: &str) -> Result<Header, Error> {
    let bytes = b64::decode(protected).map_err(|_| Error::Encoding { part: "protected header" })?;
    let value = json::parse_within(&bytes, MAX_HEADER_BYTES).map_err(Error::HeaderJson)?;
    Header::deserialize(value).map_err(Error::HeaderShape)
}

fn signing_input(protected: &str, payload: &str) -> String {
    format!("{protected}.{payload}")
}

impl Jws {
    /// The payload's bytes, not verified.
    ///
    /// # Errors
    /// When it is not base64url.
    pub fn decode_payload(&self) -> Result<Vec<u8>, Error> {
        b64::decode(&self.payload).map_err(|_| Error::Encoding { part: "payload" })
    }

    /// Puts a detached signature and its payload together again.
    ///
    /// # Errors
    /// When the text is not `header..signature`.
    pub fn attach(detached: &str, payload: &[u8]) -> Result<Self, Error> {
        let (protected, signature) =
            detached.split_once("..").filter(|(_, rest)| !rest.contains('.')).ok_or(Error::Detached)?;
        let signature = Signature { protected: protected.to_owned(), signature: signature.to_owned() };
        Ok(Self { payload: b64::encode(payload), signatures: vec![signature] })
    }
}

impl Signature {
    /// The detached form `header..signature` (RFC 7515 appendix F).
    #[must_use]
    pub fn detached(&self) -> String {
        format!("{}..{}", self.protected, self.signature)
    }
}

#[cfg(test)]
mod tests;
