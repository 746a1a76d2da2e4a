//! For operators and their programs: counting, health, readiness, on an address of their own.

pub(crate) mod disk;
mod gauges;
mod listener;
mod process;
pub(crate) mod recorder;
mod watch;

#[cfg(test)]
pub(crate) use listener::USUAL;
pub(crate) use listener::{Port, serve};
pub(crate) use watch::Watch;
