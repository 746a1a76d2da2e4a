//! The store on PostgreSQL: one statement per append, fenced by the lease row inside it. [`PostgresStore`] implements
//! every port of `synaq-store`; [`Database`] says where it is.

mod append;
mod clock;
mod connect;
mod database;
mod directory;
mod error;
mod event_log;
mod keeper;
mod keys;
mod lanes;
mod lists;
mod mail;
mod open;
mod outbox;
mod personnel;
mod retention;
mod rows;

pub use database::Database;
pub use open::{APPENDS_AT_ONCE, PostgresStore};
