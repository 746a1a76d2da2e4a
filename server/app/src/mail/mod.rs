//! Letters leave here: posted rows are claimed, opened, sent, settled. A crash sends a letter twice at worst, never not.

mod carrier;
mod relay;

pub(crate) use carrier::{Carrier, Security, Server};
pub(crate) use relay::Relay;
