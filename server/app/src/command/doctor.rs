//! `synaq doctor --config FILE`: what is wrong with a configuration, and what to do.

use crate::adapter::depot::Bucket;
use crate::config::{Config, Mail};
use crate::store::Place;
use crate::tls::Certificate;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use synaq_store_sqlite::backup::audit;

/// A thousand publishers send 80 packets of 500 bytes a second each: this holds 100 ms of them.
const RECEIVE_BUFFER: u64 = 4 * 1024 * 1024;
/// Where Linux says how large a receive buffer may be.
const RECEIVE_BUFFER_MAX: &str = "/proc/sys/net/core/rmem_max";

/// Said at each start, too.
pub(crate) const TEST_NUMBERS_TAKEN: &str = "test_numbers = true: the IIN and BIN of public test certificates are taken; remove it before a real exam";

/// Prints everything that speaks against a start; an error if there is anything.
pub(crate) async fn run(path: &Path, deep: bool) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let mut complaints = config.complaints();
    if deep {
        complaints.extend(damage(&config));
    }
    if let Some(files) = &config.tls
        && let Err(error) = Certificate::read(files).await
    {
        complaints.push(format!("[tls]: {error:#}; give the chain, leaf first, and the key it was made for"));
    }
    if let Ok(folders) = config.folders() {
        complaints.extend(folders.store().complaint().await.map(|why| format!("[store] url: {why}")));
    }
    complaints.extend(store_of_evidence(&config).await);
    // What is wrong with its configuration stands in the complaints already.
    if let Some(Ok(carrier)) = config.mail.as_ref().map(Mail::carrier) {
        complaints.extend(carrier.complaint().await.map(|why| format!("[mail]: {why}")));
    }
    complaints.extend(ports(&config));
    if config.test_numbers {
        println!("advice: {TEST_NUMBERS_TAKEN}");
    }
    for advice in advice() {
        println!("advice: {advice}");
    }
    if complaints.is_empty() {
        println!("{}: nothing speaks against a start", path.display());
        return Ok(());
    }
    for complaint in &complaints {
        println!("- {complaint}");
    }
    anyhow::bail!("{} does not bear a start", path.display())
}

/// What the store of evidence answers to what an exam asks of it; what is wrong with its settings was said before.
async fn store_of_evidence(config: &Config) -> Option<String> {
    let options = config.evidence.options().ok().flatten()?;
    let said = match Bucket::open(&options.place) {
        Ok(bucket) => bucket.probe().await.err()?.to_string(),
        Err(error) => format!("{error:#}"),
    };
    let url = config.evidence.url.as_deref().unwrap_or_default();
    Some(format!("[evidence] url = {url:?}: {said}"))
}

/// Everything that the database itself shows to be damaged.
fn damage(config: &Config) -> Vec<String> {
    let database = match config.folders().map(|folders| folders.store().clone()) {
        Ok(Place::File(file)) => file,
        Ok(Place::Database(_)) => {
            println!("advice: pg_amcheck reads the pages of PostgreSQL; --deep reads SQLite only");
            return Vec::new();
        }
        Err(error) => return vec![format!("{error:#}")],
    };
    let advice = "restore the newest backup that is whole (OPERATIONS.md, restore drill)";
    match audit(&database) {
        Ok(audit) => {
            let events: u64 = audit.heads.values().map(|(events, _)| events).sum();
            println!(
                "{}: {} sessions with {events} events and {} records were read",
                database.display(),
                audit.heads.len(),
                audit.records
            );
            audit.faults.into_iter().map(|fault| format!("{fault}; {advice}")).collect()
        }
        Err(error) => vec![format!("{}: {error}; {advice}", database.display())],
    }
}

fn ports(config: &Config) -> Vec<String> {
    let tcp = |address: SocketAddr| TcpListener::bind(address).map(drop);
    let udp = |address: SocketAddr| UdpSocket::bind(address).map(drop);
    let media = config.media.listen;
    let mut looks =
        vec![("listen", config.listen, tcp(config.listen)), ("[media] listen (UDP)", media, udp(media))];
    if config.media.tcp {
        looks.push(("[media] listen (TCP)", media, tcp(media)));
    }
    // Nobody asked for the usual one: when it is taken another is found.
    if let Some(ops) = config.ops.listen {
        looks.push(("[ops] listen", ops, tcp(ops)));
    }
    let complaint = |(name, address, error): (&str, SocketAddr, io::Error)| {
        let what_to_do = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "stop what uses it (this installation, if it runs), or choose another port"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need CAP_NET_BIND_SERVICE, or choose another port"
            }
            io::ErrorKind::AddrNotAvailable => "this machine has no such address; give one that it has",
            _ => "choose another address",
        };
        format!("{name} = {address}: {error}; {what_to_do}")
    };
    let failed = looks.into_iter().filter_map(|(name, address, look)| Some((name, address, look.err()?)));
    failed.map(complaint).collect()
}

/// What slows down but does not stop.
fn advice() -> Vec<String> {
    let allowed = std::fs::read_to_string(RECEIVE_BUFFER_MAX).ok();
    let allowed = allowed.and_then(|text| text.trim().parse::<u64>().ok());
    match allowed {
        Some(bytes) if bytes < RECEIVE_BUFFER => vec![format!(
            "net.core.rmem_max is {bytes}; for more than a hundred candidates: sysctl -w net.core.rmem_max={RECEIVE_BUFFER}"
        )],
        _ => Vec::new(),
    }
}
