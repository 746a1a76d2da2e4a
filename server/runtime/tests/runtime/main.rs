//! The runtime over a store in memory that fails on demand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says by panicking what did not hold")]

mod ahead;
mod durability;
mod isolation;
mod returning;
mod sealing;
mod shards;
mod support;
mod watching;
