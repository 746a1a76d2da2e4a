//! What a command said, in eight bytes: enough to tell a repetition from another command under its number.

use super::input::Command;
use crate::ids::hex32;
use crate::time::Span;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// 64 bits tell two commands of one device apart; nobody gains by a collision with a command of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a command, whenever it was sent: a signal says anew at each sending how long ago it was.
    #[must_use]
    pub fn of(command: &Command) -> Self {
        let text = match command {
            // A seed does not print itself.
            Command::Ready { nonce } => format!("Ready {}", hex32::encode(&nonce.0)),
            Command::Signal { code, phase, note, .. } => {
                let (code, phase, note) = (*code, *phase, note.clone());
                format!("{:?}", Command::Signal { code, phase, ago: Span::ZERO, note })
            }
            command => format!("{command:?}"),
        };
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        Self(digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// 16 hex digits: JSON's integers are exact up to 2^53 only.
impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        let mut text = Self::with_capacity(16);
        write!(text, "{fingerprint:?}").expect("writing to a String cannot fail");
        text
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}
