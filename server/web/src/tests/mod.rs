//! Tests of the whole front door over real stores, a real runtime and real sockets.

mod clock;

pub(crate) use clock::HandClock;
