//! Log lines: a sentence plus fields, once, at the boundary; never a name, IIN, answer, token, link or SDP.

use crate::config::Log;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// What is logged when nobody says otherwise. `rtc` logs every ICE candidate pair at info.
const DEFAULT_FILTER: &str =
    "info,rtc=error,rtc_ice=error,rtc_dtls=error,rtc_srtp=error,rtc_sctp=error,sqlx=warn";

/// Starts logging to standard error.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(log.filter.as_deref().unwrap_or(DEFAULT_FILTER))
        .map_err(|error| anyhow::anyhow!("[log] filter has a mistake: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    if log.json {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).init();
    } else {
        registry
            .with(fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr))
            .init();
    }
    Ok(())
}
