//! UDP through this process.

use super::{Faults, Way};
use crate::watch::lock;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// No datagram of WebRTC is longer.
const DATAGRAM: usize = 2_048;

type Legs = Arc<Mutex<HashMap<SocketAddr, Leg>>>;

/// One candidate's way to the server.
#[derive(Debug)]
struct Leg {
    socket: Arc<UdpSocket>,
    back: JoinHandle<()>,
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.back.abort();
    }
}

/// A proxy for datagrams; ends when dropped.
#[derive(Debug)]
pub struct UdpProxy {
    port: u16,
    faults: watch::Sender<Faults>,
    legs: Legs,
    task: JoinHandle<()>,
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl UdpProxy {
    /// In front of a port of this machine.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn before(server: u16) -> anyhow::Result<Self> {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let port = front.local_addr()?.port();
        let (faults, seen) = watch::channel(Faults::default());
        let legs = Legs::default();
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
        let task = tokio::spawn(carry(front, server, seen, Arc::clone(&legs)));
        Ok(Self { port, faults, legs, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// Everybody speaks to the server from another port, as behind a NAT that forgot them.
    pub fn rebind(&self) {
        lock(&self.legs).clear();
    }
}

async fn carry(front: Arc<UdpSocket>, server: SocketAddr, faults: watch::Receiver<Faults>, legs: Legs) {
    let mut bytes = vec![0; DATAGRAM];
    loop {
        // An error here is about an earlier datagram (ICMP): the next one may pass.
        let Ok((count, candidate)) = front.recv_from(&mut bytes).await else { continue };
        let known = lock(&legs).get(&candidate).map(|leg| Arc::clone(&leg.socket));
        let socket = match known {
            Some(socket) => socket,
            None => {
                let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { continue };
                if socket.connect(server).await.is_err() {
                    continue;
                }
                let socket = Arc::new(socket);
                let back = tokio::spawn(bring_back(
                    Arc::clone(&socket),
                    Arc::clone(&front),
                    candidate,
                    faults.clone(),
                ));
                lock(&legs).insert(candidate, Leg { socket: Arc::clone(&socket), back });
                socket
            }
        };
        let way = faults.borrow().up;
        let datagram: Arc<[u8]> = bytes[..count].into();
        throw(way, move || {
            let (socket, datagram) = (Arc::clone(&socket), Arc::clone(&datagram));
            async move { socket.send(&datagram).await.map(drop) }
        });
    }
}

async fn bring_back(
    socket: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    candidate: SocketAddr,
    faults: watch::Receiver<Faults>,
) {
    let mut bytes = vec![0; DATAGRAM];
    loop {
        let Ok(count) = socket.recv(&mut bytes).await else {
            // Nobody listens at the server's port now: ICMP says so with every datagram.
            tokio::task::yield_now().await;
            continue;
        };
        let way = faults.borrow().down;
        let datagram: Arc<[u8]> = bytes[..count].into();
        let front = Arc::clone(&front);
        throw(way, move || {
            let (front, datagram) = (Arc::clone(&front), Arc::clone(&datagram));
            async move { front.send_to(&datagram, candidate).await.map(drop) }
        });
    }
}

/// Sends now, later, twice or never. Jitter reorders, as it does on the way.
fn throw<F>(way: Way, send: impl Fn() -> F)
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    if way.blocked || rand::random_bool(way.loss) {
        return;
    }
    for _ in 0..=usize::from(rand::random_bool(way.twice)) {
        let (late, send) = (way.lateness(), send());
        tokio::spawn(async move {
            if !late.is_zero() {
                tokio::time::sleep(late).await;
            }
            // A datagram that cannot be sent is a lost one.
            let _ = send.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn proxied() -> (UdpProxy, UdpSocket, UdpSocket) {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = UdpProxy::before(server.local_addr().unwrap().port()).await.unwrap();
        let candidate = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        candidate.connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        (proxy, server, candidate)
    }

    async fn arrived(server: &UdpSocket) -> usize {
        let (mut count, mut bytes) = (0, [0; 16]);
        while tokio::time::timeout(Duration::from_millis(200), server.recv(&mut bytes)).await.is_ok() {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn datagrams_pass_both_ways_and_from_another_port_after_a_rebind() {
        let (proxy, server, candidate) = proxied().await;
        let mut bytes = [0; 16];
        let mut sources = Vec::new();
        for _ in 0..2 {
            candidate.send(b"up").await.unwrap();
            let (_, source) = server.recv_from(&mut bytes).await.unwrap();
            server.send_to(b"down", source).await.unwrap();
            assert_eq!(candidate.recv(&mut bytes).await.unwrap(), 4);
            sources.push(source);
            proxy.rebind();
        }
        assert_ne!(sources[0], sources[1]);
    }

    #[tokio::test]
    async fn a_third_is_lost_and_some_come_twice() {
        let (proxy, server, candidate) = proxied().await;
        for (way, expected) in [
            (Way { loss: 0.3, ..Way::default() }, 150..=260),
            (Way { twice: 0.3, ..Way::default() }, 340..=440),
            (Way { blocked: true, ..Way::default() }, 0..=0),
        ] {
            proxy.set(Faults { up: way, ..Faults::default() });
            // Read meanwhile: a socket keeps only a few hundred small datagrams.
            let send = async {
                for _ in 0..300 {
                    candidate.send(b"x").await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let ((), count) = tokio::join!(send, arrived(&server));
            assert!(expected.contains(&count), "{count} with {way:?}");
        }
    }
}
