//! A backup is a folder: the database as it was at one instant, the evidence, and a manifest with the digest of every
//! file and the head of every session's chain, signed by the installation. It is whole once the manifest is there. Keys
//! are in it only when asked for, and then under a passphrase.

pub(crate) mod copy;
pub(crate) mod keys;
pub(crate) mod manifest;
pub(crate) mod signature;

pub(crate) use manifest::Manifest;
