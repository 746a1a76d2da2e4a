//! The rules, one module per concern, tests named by behaviour.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic like the tests they serve"
)]

mod acts;
mod answers;
mod calendar;
mod codes;
mod connection;
mod draw;
mod evidence;
mod ladder;
mod pass_rule;
mod preparation;
mod random;
mod record;
mod scenarios;
mod screen;
mod signals;
mod staff;
mod support;
mod time;
