use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error as KeyError, Kid, PublicKey};
use crate::json;

/// Most keys in one set: decades of yearly rotation for a hundred centres.
pub const MAX_KEYS: usize = 4_096;

/// What a key may sign. One key serves one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The server's seal over a record.
    Seal,
    /// The central platform's receipt.
    Platform,
    /// A commission member's approval.
    Approval,
    /// A report of a rehearsal.
    Rehearsal,
}

/// A public key with what it may sign and when. Retired keys stay, with `use_to`: their records stay valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub purpose: Purpose,
    /// First moment of use, ms UTC.
    pub use_from: i64,
    /// Last moment of use, ms UTC; `None` while in use.
    pub use_to: Option<i64>,
}

impl TrustedKey {
    /// Whether the key was in use at `at` (ms UTC). With no time to go by, only a key that is not retired is.
    #[must_use]
    pub fn in_use(&self, at: Option<i64>) -> bool {
        match at {
            Some(at) => at >= self.use_from && self.use_to.is_none_or(|to| at <= to),
            None => self.use_to.is_none(),
        }
    }
}

/// The keys a verifier trusts; nothing outside it is ever trusted. Text form: a JWKS whose keys also carry `purpose`,
/// `use_from` and, when retired, `use_to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustSet(Vec<TrustedKey>);

/// Why a trust set was refused. `index` counts the keys from 0.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not JSON, or outside the profile.
    #[error("the trust file cannot be read")]
    Json(#[source] json::Error),
    /// Not `{"keys":[...]}`.
    #[error("the trust file is not a JSON object with \"keys\" alone")]
    Shape(#[source] serde_json::Error),
    /// One key's public half.
    #[error("key {index} of the trust file is refused")]
    Key {
        /// Which.
        index: usize,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// One key's `purpose`, `use_from` or `use_to`.
    #[error(
        "key {index} of the trust file needs \"purpose\" (seal, platform, approval or rehearsal), \"use_from\" and may have \"use_to\", both in ms"
    )]
    Terms {
        /// Which.
        index: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// `use_to` before `use_from`, or a time that JSON does not keep exactly.
    #[error("key {kid} ends before it begins, or has a time beyond 2^53 ms")]
    Window {
        /// Which.
        kid: Kid,
    },
    /// A key twice, whatever the purposes.
    #[error("key {kid} stands twice in the trust file; one key serves one purpose")]
    Repeated {
        /// Which.
        kid: Kid,
    },
    /// More than [`MAX_KEYS`].
    #[error("the trust file has {actual} keys, the limit is {MAX_KEYS}")]
    TooMany {
        /// How many.
        actual: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwks {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    purpose: Purpose,
    use_from: i64,
    use_to: Option<i64>,
}

impl TrustSet {
    /// The set of these keys.
    ///
    /// # Errors
    /// When a key stands twice, a window is empty, or there are too many.
    pub fn new(keys: Vec<TrustedKey>) -> Result<Self, TrustError> {
        if keys.len() > MAX_KEYS {
            return Err(TrustError::TooMany { actual: keys.len() });
        }
        let mut seen = std::collections::HashSet::new();
        for trusted in &keys {
            let kid = trusted.key.kid();
            if !seen.insert(kid) {
                return Err(TrustError::Repeated { kid: kid.clone() });
            }
            let exact = |at: i64| at.unsigned_abs() <= json::MAX_INTEGER;
            let sound = |to: i64| to >= trusted.use_from && exact(to);
            if !exact(trusted.use_from) || !trusted.use_to.is_none_or(sound) {
                return Err(TrustError::Window { kid: kid.clone() });
            }
        }
        Ok(Self(keys))
    }

    /// Reads the text form; unknown members anywhere are refused.
    ///
    /// # Errors
    /// Says which key is wrong and why.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TrustError> {
        let value = json::parse(bytes).map_err(TrustError::Json)?;
        let Jwks { keys } = Jwks::deserialize(value).map_err(TrustError::Shape)?;
        if keys.len() > MAX_KEYS {
            return Err(TrustError::TooMany { actual: keys.len() });
        }
        Self::new(
            keys.into_iter()
                .enumerate()
                .map(|(index, key)| read_key(index, key))
                .collect::<Result<_, _>>()?,
        )
    }

    /// The text form, canonical; what `/.well-known/jwks.json` serves.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let keys: Vec<Value> = self.0.iter().map(write_key).collect();
        json::canonical(&json!({ "keys": keys })).expect("ASCII strings and times within 2^53")
    }

    /// The key of this name.
    #[must_use]
    pub fn find(&self, kid: &Kid) -> Option<&TrustedKey> {
        self.0.iter().find(|trusted| trusted.key.kid() == kid)
    }

    /// The keys, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedKey> {
        self.0.iter()
    }
}

fn read_key(index: usize, mut jwk: Value) -> Result<TrustedKey, TrustError> {
    let mut terms = serde_json::Map::new();
    if let Some(members) = jwk.as_object_mut() {
        for name in ["purpose", "use_from", "use_to"] {
            terms.extend(members.remove(name).map(|value| (name.to_owned(), value)));
        }
    }
    let key = PublicKey::from_jwk(&jwk).map_err(|source| TrustError::Key { index, source })?;
    let Terms { purpose, use_from, use_to } =
        Terms::deserialize(Value::Object(terms)).map_err(|source| TrustError::Terms { index, source })?;
    Ok(TrustedKey { key, purpose, use_from, use_to })
}

fn write_key(trusted: &TrustedKey) -> Value {
    let mut jwk = trusted.key.to_jwk();
    jwk["purpose"] = json!(trusted.purpose);
    jwk["use_from"] = json!(trusted.use_from);
    if let Some(use_to) = trusted.use_to {
        jwk["use_to"] = json!(use_to);
    }
    jwk
}
