//! Ids are types: the wrong order of two ids must not compile.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_ids! {
    /// A recognition centre (тану орталығы / ЦППК).
    CentreId,
    /// A member of a centre's staff.
    StaffId,
    /// One immutable version of a question bank.
    BankId,
    /// One immutable version of a qualification programme.
    ProgrammeId,
    /// A scheduled sitting (ExamEvent in the data dictionary).
    SittingId,
    /// One candidate's theory session; also the id of its event stream.
    SessionId,
    /// One browser connection of a candidate.
    SocketId,
    /// One browser tab of a candidate: survives a reload, not a new tab.
    TabId,
}

macro_rules! slugs {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

slugs! {
    /// A question within its bank, as its author named it: `hyg-012`.
    ItemId,
    /// A topic within its bank: `hygiene`.
    TopicId,
}

/// Number of an incident within its session, from 1. Deterministic, so that replay needs no entropy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentNo(pub u32);

/// Number of a device binding within its session, from 1. An answer names the epoch it was given under;
/// answers of a superseded epoch are kept as evidence only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// Position of an event in its stream, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// SHA-256 of the 256-bit device key that a candidate's browser made; the key itself never leaves the device
/// except as its bearer credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceHash(#[serde(with = "crate::ids::hex32")] pub [u8; 32]);

impl fmt::Debug for DeviceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceHash(..)")
    }
}

/// 32 bytes as 64 lower-case hex digits.
pub mod hex32 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Write;

    /// Hex digits of `bytes`.
    #[must_use]
    pub fn encode(bytes: &[u8; 32]) -> String {
        bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
    }

    /// The bytes behind 64 lower-case hex digits.
    #[must_use]
    pub fn decode(text: &str) -> Option<[u8; 32]> {
        let digits = text.as_bytes();
        if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(bytes)
    }

    /// For `#[serde(with)]`.
    pub fn serialize<S: Serializer>(bytes: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&encode(bytes))
    }

    /// For `#[serde(with)]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(d)?;
        decode(&text).ok_or_else(|| D::Error::custom("expected 64 lower-case hex digits"))
    }
}
