//! The outward adapters, one module each.

pub(crate) mod clip_keeper;
pub(crate) mod depot;
pub(crate) mod detection;
pub(crate) mod evidence;
pub(crate) mod expired;
pub(crate) mod media_facts;
pub(crate) mod media_sink;
pub(crate) mod media_watch;
mod piece;
pub(crate) mod platform_client;
pub(crate) mod salvage;
pub(crate) mod session_source;
pub(crate) mod watched_log;
