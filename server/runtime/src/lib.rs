//! Session shards, group commit, timers and the outbox relay. *Core decides, runtime speaks, store remembers*:
//! a shard applies early to its working copy and lets effects out only after the commit.

mod changes;
mod driver;
mod episode;
mod errand;
mod handle;
mod loaded;
mod memory;
mod meters;
mod ports;
mod relay;
mod round;
mod sealing;
mod service;
mod shard;

pub use changes::Change;
pub use handle::{Asked, Done, Handle, Receipt, Snapshot, SubmitError};
pub use ports::{
    Clock, DeliveryError, LogDigest, Opened, PlatformAnswer, PlatformPort, SessionSource, SourceError,
};
pub use relay::{BACKOFF_BASE, BACKOFF_CAP};
pub use sealing::{APPROVAL_TYP, RECEIPT_TYP, RECORD_TYP, SealingKeys, VOID_TYP};
pub use service::{Options, Ports, Running, StartError};
