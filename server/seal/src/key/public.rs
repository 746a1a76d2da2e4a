use std::collections::BTreeMap;
use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Algorithm, Error, Kid};
use crate::{b64, digest, json};

const COORDINATE_LEN: usize = 32;
/// SEC 1 section 2.3.3: an uncompressed point starts so.
const UNCOMPRESSED: u8 = 0x04;

/// `SubjectPublicKeyInfo` up to the key's bytes (RFC 5480 for P-256, RFC 8410 for Ed25519).
const SPKI_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const SPKI_ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The public half of a signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// The uncompressed point, or Ed25519's 32 bytes.
    bytes: Vec<u8>,
    kid: Kid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
    kid: Option<Kid>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl PublicKey {
    pub(super) fn new(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut key = Self { algorithm, bytes: bytes.to_vec(), kid: Kid(String::new()) };
        key.kid = thumbprint(&key.required_members());
        key
    }

    /// Reads a public JWK (RFC 7517). Members other than `kty crv x y kid alg use` are refused, and so is a `kid` that
    /// is not the thumbprint.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn from_jwk(jwk: &Value) -> Result<Self, Error> {
        if jwk.get("d").is_some() {
            return Err(Error::PrivateJwk);
        }
        let jwk = Jwk::deserialize(jwk).map_err(Error::JwkShape)?;
        let x = coordinate(&jwk.x)?;
        let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("EC", "P-256", Some(y)) => {
                Self::new(Algorithm::Es256, &[&[UNCOMPRESSED][..], &x, &coordinate(y)?].concat())
            }
            ("OKP", "Ed25519", None) => Self::new(Algorithm::Ed25519, &x),
            ("EC", "P-256", None) | ("OKP", "Ed25519", Some(_)) => return Err(Error::JwkCoordinate),
            _ => return Err(Error::JwkType),
        };
        if jwk.alg.is_some_and(|alg| !key.algorithm.is_named(&alg))
            || jwk.usage.is_some_and(|usage| usage != "sig")
        {
            return Err(Error::JwkUse);
        }
        match jwk.kid {
            Some(stated) if stated != key.kid => Err(Error::KidMismatch { stated, actual: key.kid }),
            _ => Ok(key),
        }
    }

    /// The JWK with `kid`, `alg` and `use`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = json!(self.required_members());
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm.name());
        jwk["use"] = json!("sig");
        jwk
    }

    /// PEM, as `openssl` reads it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        use base64::Engine as _;
        let prefix = match self.algorithm {
            Algorithm::Es256 => SPKI_P256,
            Algorithm::Ed25519 => SPKI_ED25519,
        };
        let text = base64::engine::general_purpose::STANDARD.encode([prefix, &self.bytes].concat());
        // RFC 7468 section 2: lines of 64; base64 is ASCII, so any split is at a character.
        let (first, rest) = text.split_at(text.len().min(64));
        let rest = if rest.is_empty() { String::new() } else { format!("{rest}\n") };
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}-----END PUBLIC KEY-----\n")
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` (raw, 64 bytes) is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::Ed25519 => &ED25519,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
    }

    fn required_members(&self) -> BTreeMap<&'static str, String> {
        match self.algorithm {
            Algorithm::Es256 => {
                let (x, y) = self.bytes[1..].split_at(COORDINATE_LEN);
                [("kty", "EC".into()), ("crv", "P-256".into()), ("x", b64::encode(x)), ("y", b64::encode(y))]
                    .into()
            }
            Algorithm::Ed25519 => {
                [("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", b64::encode(&self.bytes))].into()
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm.name(), self.kid)
    }
}

/// RFC 7638 thumbprint over a JWK's required members.
#[must_use]
pub fn thumbprint(required_members: &BTreeMap<&'static str, String>) -> Kid {
    let bytes = json::canonical(required_members).expect("a JWK's members are ASCII strings");
    Kid(b64::encode(digest::sha256(&bytes).as_bytes()))
}

fn coordinate(text: &str) -> Result<Vec<u8>, Error> {
    b64::decode(text).ok().filter(|bytes| bytes.len() == COORDINATE_LEN).ok_or(Error::JwkCoordinate)
}
