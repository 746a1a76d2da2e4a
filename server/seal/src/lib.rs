//! Canonical bytes, hash chain, signatures, sealed blobs; usable offline.
//!
//! This crate sees bytes and JSON only: no clock, no network, no session rules. Time and entropy come in as
//! arguments, so a record can be checked years later by `verify::bundle` and a file of trusted keys alone.

mod b64;
pub mod blob;
pub mod bundle;
pub mod chain;
pub mod digest;
mod hex;
pub mod json;
pub mod jws;
pub mod key;
pub mod merkle;
pub mod note;
pub mod receipts;
pub mod secret;
pub mod shares;
pub mod verify;

pub use digest::{Digest, sha256};
