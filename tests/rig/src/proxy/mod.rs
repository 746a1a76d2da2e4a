//! A network that misbehaves: TCP and UDP through this process, with faults that can be changed at any time. Where the
//! kernel has no netem this is all there is, and it needs no privilege.

mod tcp;
mod udp;

pub use tcp::TcpProxy;
pub use udp::UdpProxy;

use std::time::Duration;

/// What happens to one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Way {
    /// Each byte or packet is this late
    pub delay: Duration,
    /// And up to this much more
    pub jitter: Duration,
    /// Bytes a second; 0 is unlimited
    pub rate: u64,
    /// Share of packets that vanish (UDP only: TCP repeats them, which `delay` and `jitter` show)
    pub loss: f64,
    /// Share of packets that come twice (UDP only)
    pub twice: f64,
    /// Nothing passes; TCP keeps it for later as a sender's kernel would, UDP drops it
    pub blocked: bool,
}

/// Both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// From the candidate to the server
    pub up: Way,
    /// From the server to the candidate
    pub down: Way,
    /// New connections get nothing through in either direction, but are not refused
    pub no_new: bool,
}

impl Faults {
    /// The same in both directions.
    #[must_use]
    pub const fn both(way: Way) -> Self {
        Self { up: way, down: way, no_new: false }
    }

    /// Nothing passes.
    #[must_use]
    pub fn partition() -> Self {
        Self::both(Way { blocked: true, ..Way::default() })
    }
}

impl Way {
    fn lateness(&self) -> Duration {
        self.delay + self.jitter.mul_f64(rand::random::<f64>())
    }
}
