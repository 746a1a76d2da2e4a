//! Datagrams that mean nothing, thrown at the media port.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const BURST_EVERY: Duration = Duration::from_millis(1);
/// Strangers; each has a port of its own.
const SOCKETS: usize = 16;
/// As long as a packet of sound.
const BYTES: usize = 120;
/// First bytes of what a demultiplexer (RFC 7983) has to tell apart: STUN, DTLS, RTP, RTCP, nothing.
const FIRST: [u8; 5] = [0x00, 0x16, 0x90, 0x80, 0xff];

/// Someone who throws; stops when dropped.
#[derive(Debug)]
pub(crate) struct Junk {
    over: Arc<AtomicBool>,
    pub(crate) thrown: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Junk {
    pub(crate) fn throw(target: SocketAddr, per_second: u32) -> anyhow::Result<Self> {
        let sockets = (0..SOCKETS)
            .map(|_| {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        let (over, thrown) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, count) = (Arc::clone(&over), Arc::clone(&thrown));
        let run = move || throw(&sockets, target, per_second, &stop, &count);
        let thread = Some(std::thread::Builder::new().name("junk".to_owned()).spawn(run)?);
        Ok(Self { over, thrown, thread })
    }
}

impl Drop for Junk {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only throws.
            let _ = thread.join();
        }
    }
}

fn throw(sockets: &[UdpSocket], target: SocketAddr, per_second: u32, over: &AtomicBool, thrown: &AtomicU64) {
    let (began, mut number) = (Instant::now(), 0_u64);
    while !over.load(Ordering::Relaxed) {
        let due = began.elapsed().as_micros() * u128::from(per_second) / 1_000_000;
        while u128::from(number) < due {
            let mut bytes: [u8; BYTES] = rand::random();
            let place = usize::try_from(number % 80).unwrap_or_default();
            bytes[0] = FIRST[place % FIRST.len()];
            if bytes[0] == 0 {
                // A binding request (RFC 8489) with its cookie, from nobody.
                bytes[..8].copy_from_slice(&[0, 1, 0, 100, 0x21, 0x12, 0xa4, 0x42]);
            }
            // The kernel may refuse: then it was not thrown.
            if sockets[place % SOCKETS].send_to(&bytes, target).is_ok() {
                thrown.fetch_add(1, Ordering::Relaxed);
            }
            number += 1;
        }
        std::thread::sleep(BURST_EVERY);
    }
}
