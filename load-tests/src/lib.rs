//! Virtual candidates and proctors that speak the real protocol over real sockets, and a server process to speak to.
//! The measuring programs, the fault rig and the operations tests share them.

pub mod cameras;
pub mod candidate;
pub mod crowd;
pub mod line;
pub mod metrics;
mod picture;
pub mod probe;
pub mod proctor;
pub mod publisher;
pub mod report;
pub mod room;
pub mod scenario;
pub mod server;
pub mod single;
pub mod site;
mod socket;
pub mod staff;
mod stream;
pub mod usage;
