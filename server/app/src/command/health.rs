//! `synaq health`: asks a running server on this machine, for a container that has no other program to ask with.

use crate::ops::USUAL;
use anyhow::Context as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than a healthy process ever needs.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than `/readyz` ever says.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Whom to ask, and what.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The operators' address of the configuration
    #[arg(long, default_value_t = USUAL)]
    ops: SocketAddr,
    /// Ask whether candidates may be sent there, instead of whether it is alive
    #[arg(long)]
    ready: bool,
}

/// Prints the answer; an error when there is none, or not a good one.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let path = if options.ready { "/readyz" } else { "/healthz" };
    let address = options.ops;
    let silent = || format!("http://{address}{path} does not answer");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(silent)?;
    stream.set_read_timeout(Some(PATIENCE)).with_context(silent)?;
    stream.set_write_timeout(Some(PATIENCE)).with_context(silent)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").with_context(silent)?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).with_context(silent)?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(silent)?;
    let good = head.split(' ').nth(1) == Some("200");
    anyhow::ensure!(good, "http://{address}{path}: {}", body.trim());
    super::print(&format!("{}\n", body.trim()))
}
