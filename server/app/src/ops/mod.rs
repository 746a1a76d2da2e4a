//! For operators and their programs: counting, health, readiness, on an address of their own.

pub(crate) mod disk;
mod gauges;
mod listener;
mod process;
pub(crate) mod recorder;
mod watch;

pub(crate) use listener::{Port, USUAL, serve};
pub(crate) use watch::Watch;
