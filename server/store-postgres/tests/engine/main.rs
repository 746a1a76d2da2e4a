//! What only this engine can get wrong.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

mod fence;
mod kill;
mod older;
mod rows;
mod support;
