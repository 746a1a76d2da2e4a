//! The embedded default store: one SQLite file in WAL mode with `synchronous=FULL`, one writer at a time, a few
//! reading connections. [`SqliteStore`] implements every port of `synaq-store`.

pub mod backup;
mod clock;
mod directory;
mod error;
mod event_log;
mod keys;
mod lists;
mod log_room;
mod mail;
mod open;
mod outbox;
mod personnel;
mod retention;
mod rows;
mod streams;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

pub use log_room::LOG_ROOM_BYTES;
pub use open::{SHARDS, SqliteStore};
