//! The outward adapters, one module each.

pub mod evidence;
pub mod media_sink;
pub mod platform_client;
pub mod session_source;
