//! What an operator does to a running installation, on the real binary: stop it, read its logs, back it up, restore it,
//! rehearse beside it.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

mod backup;
mod canary;
mod erased;
mod house;
mod kept;
mod rehearse;
mod stop;
