//! For operators and their programs: counting, health, readiness, on an address of their own.

#[cfg_attr(not(test), expect(dead_code, reason = "readiness comes with the next commit"))]
pub(crate) mod disk;
mod listener;
mod process;
pub(crate) mod recorder;

pub(crate) use listener::{Port, serve};
