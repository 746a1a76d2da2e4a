//! Virtual candidates and proctors that speak the real protocol over real sockets, and a server process to speak to.
//! The measuring program `measure` and the restart test of `synaq-tests` share them.

pub mod candidate;
pub mod proctor;
pub mod publisher;
pub mod server;
pub mod site;
mod socket;
pub mod staff;
