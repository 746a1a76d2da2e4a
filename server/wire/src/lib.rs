//! What crosses a socket. Times are integer milliseconds UTC, ids are UUID text, unknown fields are refused.
//! The browser apps use the TypeScript types generated from here (`cargo test -p synaq-wire`), and no other.
//!
//! Nothing a candidate receives has a field for an answer key, a weight or a bank's own option order.

pub mod audit;
pub mod candidate;
pub mod centre;
pub mod limits;
pub mod lists;
pub mod own_log;
pub mod people;
pub mod playback;
pub mod problem;
pub mod proctor;
pub mod staff;
pub mod trial;
