//! Who asks: staff by cookie, candidates by link and device key, sockets by one-time ticket.

pub(crate) mod cookie;
pub(crate) mod device;
pub(crate) mod link;
pub(crate) mod password;
pub(crate) mod rate;
pub(crate) mod ticket;
pub(crate) mod totp;
pub(crate) mod who;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SecureRandom;

/// 256 random bits as base64url without padding.
pub(crate) fn secret(random: &dyn SecureRandom) -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    synaq_seal::sha256(secret.as_bytes()).0
}
