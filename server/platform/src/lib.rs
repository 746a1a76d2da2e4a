//! A small, independent stand-in for the central platform: its own process, its own key, its own disk. It takes
//! signed records and approvals, checks each against the keys it was told to trust, keeps it, and answers with a
//! signed receipt. The same message twice gives the same receipt; another message under a known id is refused.

mod archive;
mod page;
mod service;

pub use archive::{Archive, ArchiveError, Kept};
pub use service::{Platform, router};
