//! The rules of a qualification exam, and nothing else: no clock, no socket, no database, no entropy.
//! Time and chance come in as arguments, facts leave as [`session::Event`]s.

pub mod bank;
pub mod calendar;
pub mod decision;
pub mod form;
pub mod identity;
pub mod ids;
pub mod proctoring;
pub mod retention;
pub mod session;
pub mod time;
