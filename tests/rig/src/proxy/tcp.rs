//! TCP through this process.

use super::{Faults, Way};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// One read: about what a receive window of a slow line holds.
const CHUNK: usize = 4 * 1024;
/// Chunks on their way in one direction: bounded, so that a blocked direction pushes back on its sender.
const ON_THE_WAY: usize = 64;

/// How long the silent side of a cut connection is held.
const HELD: Duration = Duration::from_secs(180);

/// How connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// RST to both sides
    Reset,
    /// RST to the candidate; the server hears nothing, as when a laptop loses its network and comes back elsewhere
    HalfOpen,
    /// FIN to the server, the candidate hears nothing of it
    HalfClose,
}

/// A listening proxy; it ends with everything it carries when dropped.
#[derive(Debug)]
pub struct TcpProxy {
    port: u16,
    faults: watch::Sender<Faults>,
    cuts: watch::Sender<(u64, Cut)>,
    task: JoinHandle<()>,
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TcpProxy {
    /// In front of a port of this machine.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn before(server: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (faults, seen) = watch::channel(Faults::default());
        let (cuts, cut) = watch::channel((0, Cut::Reset));
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
        let task = tokio::spawn(async move {
            // Accepting fails when descriptors run out; the rig's own shortage ends the row by silence.
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, server, seen.clone(), cut.clone()));
            }
        });
        Ok(Self { port, faults, cuts, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, also for open connections.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// RST on every open connection, to both sides.
    pub fn reset(&self) {
        self.cut(Cut::Reset);
    }

    /// The candidates' side of every open connection breaks, the server is told nothing.
    pub fn leave_half_open(&self) {
        self.cut(Cut::HalfOpen);
    }

    /// The server sees the end of every open connection's input; the candidates see nothing.
    pub fn half_close(&self) {
        self.cut(Cut::HalfClose);
    }

    fn cut(&self, cut: Cut) {
        self.cuts.send_modify(|(count, how)| {
            *count += 1;
            *how = cut;
        });
    }
}

async fn carry(
    mut candidate: TcpStream,
    server: SocketAddr,
    faults: watch::Receiver<Faults>,
    mut cuts: watch::Receiver<(u64, Cut)>,
) {
    let stuck = faults.borrow().no_new;
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        // Dropped, it ends as behind a load balancer without a server.
        return;
    };
    let _ = (candidate.set_nodelay(true), upstream.set_nodelay(true));
    cuts.mark_unchanged();
    let cut = {
        let (from_candidate, to_candidate) = candidate.split();
        let (from_server, to_server) = upstream.split();
        let up = pump(from_candidate, to_server, faults.clone(), |faults| faults.up, stuck);
        let down = pump(from_server, to_candidate, faults, |faults| faults.down, stuck);
        tokio::select! {
            _ = async { tokio::join!(up, down) } => None,
            _ = cuts.changed() => Some(cuts.borrow().1),
        }
    };
    match cut {
        None => {}
        Some(Cut::Reset) => {
            let _ = (candidate.set_zero_linger(), upstream.set_zero_linger());
        }
        Some(Cut::HalfOpen) => {
            let _ = candidate.set_zero_linger();
            drop(candidate);
            hold(&mut upstream).await;
        }
        Some(Cut::HalfClose) => {
            let _ = upstream.shutdown().await;
            hold(&mut upstream).await;
        }
    }
}

/// Keeps a connection open until the other side ends it, at most for [`HELD`]. What comes is thrown away.
async fn hold(stream: &mut TcpStream) {
    let mut bytes = vec![0; CHUNK];
    let ended = async { while matches!(stream.read(&mut bytes).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(HELD, ended).await;
}

/// One direction: read, be late, be slow, wait while blocked, write. An end is handed on like bytes.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut faults: watch::Receiver<Faults>,
    way: fn(&Faults) -> Way,
    stuck: bool,
) {
    let (queue, mut queued) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let late = faults.clone();
    let read = async move {
        let mut bytes = vec![0; CHUNK];
        let mut last = Instant::now();
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            // In order, however the jitter falls.
            last = last.max(Instant::now() + way(&late.borrow()).lateness());
            if queue.send((last, bytes[..count].to_owned())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = queued.recv().await {
            tokio::time::sleep_until(due.into()).await;
            let open =
                faults.wait_for(|faults| !stuck && !way(faults).blocked).await.map(|faults| way(&faults));
            let Ok(Way { rate, .. }) = open else { return };
            if rate > 0 {
                tokio::time::sleep(Duration::from_secs_f64(bytes.len() as f64 / rate as f64)).await;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The end passes a blocked direction no more than bytes do.
        if faults.wait_for(|faults| !stuck && !way(faults).blocked).await.is_ok() {
            let _ = to.shutdown().await;
        }
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An echo behind a proxy, and a connection to it.
    async fn echo() -> (TcpProxy, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        let proxy = TcpProxy::before(port).await.unwrap();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        (proxy, stream)
    }

    async fn round_trip(stream: &mut TcpStream, count: usize) -> std::io::Result<Duration> {
        let began = Instant::now();
        stream.write_all(&vec![7; count]).await?;
        let mut back = vec![0; count];
        stream.read_exact(&mut back).await?;
        assert!(back.iter().all(|byte| *byte == 7));
        Ok(began.elapsed())
    }

    #[tokio::test]
    async fn bytes_pass_whole_late_and_slowly() {
        let (proxy, mut stream) = echo().await;
        round_trip(&mut stream, 100_000).await.unwrap();
        let way = Way { delay: Duration::from_millis(60), ..Way::default() };
        proxy.set(Faults::both(way));
        assert!(round_trip(&mut stream, 10).await.unwrap() >= Duration::from_millis(120));
        proxy.set(Faults { up: Way { rate: 50_000, ..Way::default() }, ..Faults::default() });
        assert!(round_trip(&mut stream, 10_000).await.unwrap() >= Duration::from_millis(190));
    }

    #[tokio::test]
    async fn a_blocked_direction_keeps_bytes_for_later() {
        let (proxy, mut stream) = echo().await;
        proxy.set(Faults { down: Way { blocked: true, ..Way::default() }, ..Faults::default() });
        stream.write_all(b"late").await.unwrap();
        let mut back = [0; 4];
        let wait = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut back)).await;
        assert!(wait.is_err(), "it came through a blocked direction");
        proxy.set(Faults::default());
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"late");
    }

    #[tokio::test]
    async fn a_reset_is_an_error_and_a_new_connection_works() {
        let (proxy, mut stream) = echo().await;
        round_trip(&mut stream, 10).await.unwrap();
        proxy.reset();
        let error = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        round_trip(&mut stream, 10).await.unwrap();
    }

    #[tokio::test]
    async fn half_open_is_told_to_one_side_only() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = TcpProxy::before(listener.local_addr().unwrap().port()).await.unwrap();
        let mut candidate = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        candidate.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0; 1]).await.unwrap();
        proxy.leave_half_open();
        assert!(candidate.read(&mut [0; 1]).await.is_err());
        let heard = tokio::time::timeout(Duration::from_millis(100), server.read(&mut [0; 1])).await;
        assert!(heard.is_err(), "the server was told");
    }
}
