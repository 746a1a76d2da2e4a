//! `synaq doctor --config FILE`: what is wrong with a configuration, and what to do.

use crate::config::Config;
use std::path::Path;

/// Prints every complaint; an error if there is one.
pub fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let mut complaints = config.complaints();
    let ports = [("listen", config.listen), ("[media] listen", config.media.listen)];
    for (name, address) in ports {
        if let Err(error) = std::net::TcpListener::bind(address) {
            complaints
                .push(format!("{name} = {address}: {error}; stop the other program or choose another port"));
        }
    }
    if let Err(error) = std::net::UdpSocket::bind(config.media.listen) {
        complaints.push(format!("[media] listen = {} (UDP): {error}", config.media.listen));
    }
    if complaints.is_empty() {
        println!("{}: nothing speaks against a start", path.display());
        return Ok(());
    }
    for complaint in &complaints {
        println!("- {complaint}");
    }
    anyhow::bail!("{} things speak against a start", complaints.len())
}
