//! The simulator: the real core and the real runtime on one thread, in virtual time, over a store that fails on demand;
//! candidates, proctors and the platform as code. A seed gives a plan, a plan gives the same run for ever. Oracles read
//! the log as JSON and know nothing of core's code.

mod candidate;
mod dice;
mod faults;
mod history;
mod journal;
mod net;
mod node;
mod oracle;
mod panics;
mod plan;
mod platform;
mod ports;
mod shrink;
mod staff;
mod suite;
mod world;

pub use history::Finding;
pub use journal::Bug;
pub use plan::{Act, Candidate, Deed, Fault, Item, Plan, Trouble, name_of};
pub use shrink::shrink;
pub use suite::{Failure, MINIMA, Report, Suite, save};
pub use world::{Outcome, play, play_with};
