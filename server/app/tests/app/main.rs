//! The binary as an operator meets it: real processes, folders and ports of their own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

mod demo;
mod directory;
mod doctor;
mod http;
mod ops;
mod postgres;
mod process;
mod record;
mod tls;
