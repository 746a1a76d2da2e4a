//! The wire of a light candidate: one connection at a time, no pool, nothing kept that is not needed.

pub(crate) mod http;
pub(crate) mod socket;
mod stream;
mod target;

pub(crate) use stream::{Stream, dial};
pub use target::Target;
