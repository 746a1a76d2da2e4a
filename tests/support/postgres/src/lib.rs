//! A private PostgreSQL cluster: its own folder, socket, TCP port and password, fsync on, nothing shared with a cluster
//! of the machine. It ends with the process that started it, however that ends: a watcher process holds the other end
//! of a pipe and cleans up when the pipe closes.
//!
//! ```no_run
//! # fn main() -> Result<(), String> {
//! let cluster = synaq_test_postgres::shared()?; // one per test binary
//! let url = cluster.fresh_database()?; // one per test
//! # drop(url);
//! # Ok(()) }
//! ```
#![cfg(unix)]

mod cluster;
mod programs;
mod user;
mod watcher;

pub use cluster::{Cluster, Options, Stop};

use std::sync::OnceLock;

/// The cluster of this process, started by whoever asks first. For tests that do not stop it.
pub fn shared() -> Result<&'static Cluster, String> {
    static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(Options::default())).as_ref().map_err(Clone::clone)
}
