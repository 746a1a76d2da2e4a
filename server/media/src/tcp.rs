//! ICE-TCP (RFC 6544): many browsers on one listening port, packets framed as in RFC 4571.
use mio::{
    Interest, Registry, Token,
    net::{TcpListener, TcpStream},
};
use rtc::shared::tcp_framing::{TcpFrameDecoder, frame_packet};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Bytes waiting for one slow receiver; about 5 s of a 300 kbit/s stream. Whole packets are dropped above it.
const MAX_OUT_BYTES: usize = 192 << 10;
/// Bytes read from one connection per wake, so that one sender cannot hold the thread.
const MAX_READ_BYTES: usize = 128 << 10;
/// A connection that has not named its peer by then is closed.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(5);
/// Tokens below belong to the loop's own sources.
const FIRST_TOKEN: usize = 16;

struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    decoder: TcpFrameDecoder,
    out: VecDeque<u8>,
    writable: bool,
    accepted: Instant,
    identified: bool,
}

/// What reading a connection gave.
pub(crate) struct Read {
    pub(crate) address: SocketAddr,
    pub(crate) packets: Vec<Vec<u8>>,
    /// More is waiting: come again without waiting for the socket.
    pub(crate) more: bool,
    pub(crate) ended: bool,
}

pub(crate) struct Tcp {
    listener: TcpListener,
    registry: Registry,
    connections: HashMap<Token, Connection>,
    by_address: HashMap<SocketAddr, Token>,
    next_token: usize,
    max: usize,
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("connections", &self.connections.len()).finish_non_exhaustive()
    }
}

impl Tcp {
    pub(crate) fn new(
        mut listener: TcpListener,
        registry: Registry,
        token: Token,
        max: usize,
    ) -> io::Result<Self> {
        registry.register(&mut listener, token, Interest::READABLE)?;
        Ok(Self {
            listener,
            registry,
            connections: HashMap::new(),
            by_address: HashMap::new(),
            next_token: FIRST_TOKEN,
            max,
        })
    }

    /// Accepts everything that waits; above the limit connections are closed at once.
    pub(crate) fn accept(&mut self, now: Instant) {
        while let Ok((mut stream, address)) = self.listener.accept() {
            if self.connections.len() >= self.max {
                continue;
            }
            let token = Token(self.next_token);
            self.next_token += 1;
            let both = Interest::READABLE | Interest::WRITABLE;
            if stream.set_nodelay(true).is_err() || self.registry.register(&mut stream, token, both).is_err()
            {
                continue;
            }
            let (decoder, out) = (TcpFrameDecoder::new(), VecDeque::new());
            let connection = Connection {
                stream,
                address,
                decoder,
                out,
                writable: true,
                accepted: now,
                identified: false,
            };
            self.connections.insert(token, connection);
            self.by_address.insert(address, token);
        }
    }

    pub(crate) fn read(&mut self, token: Token, buffer: &mut [u8]) -> Option<Read> {
        let connection = self.connections.get_mut(&token)?;
        let (mut ended, mut more, mut taken) = (false, false, 0);
        loop {
            if taken >= MAX_READ_BYTES {
                more = true;
                break;
            }
            match connection.stream.read(buffer) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(length) => {
                    taken += length;
                    connection.decoder.extend_from_slice(&buffer[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    ended = true;
                    break;
                }
            }
        }
        let packets = std::iter::from_fn(|| connection.decoder.next_packet()).collect();
        let address = connection.address;
        if ended {
            self.close(address);
        }
        Some(Read { address, packets, more, ended })
    }

    /// The connection has named its peer and may stay.
    pub(crate) fn identified(&mut self, address: SocketAddr) {
        if let Some(connection) =
            self.by_address.get(&address).and_then(|token| self.connections.get_mut(token))
        {
            connection.identified = true;
        }
    }

    /// Queues a packet; `false` means that it was dropped.
    pub(crate) fn send(&mut self, address: SocketAddr, packet: &[u8]) -> bool {
        let Some(connection) =
            self.by_address.get(&address).and_then(|token| self.connections.get_mut(token))
        else {
            return false;
        };
        if connection.out.len() + packet.len() > MAX_OUT_BYTES {
            return false;
        }
        connection.out.extend(frame_packet(packet));
        connection.write();
        true
    }

    pub(crate) fn writable(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(&token) {
            connection.writable = true;
            connection.write();
        }
    }

    pub(crate) fn close(&mut self, address: SocketAddr) {
        if let Some(mut connection) =
            self.by_address.remove(&address).and_then(|token| self.connections.remove(&token))
        {
            // Dropping the stream closes it; deregistering first keeps the poll's set small.
            let _ = self.registry.deregister(&mut connection.stream);
        }
    }

    /// Closes those that never said who they are.
    pub(crate) fn expire(&mut self, now: Instant) {
        let expired = |connection: &&Connection| {
            !connection.identified && now.duration_since(connection.accepted) > IDENTIFY_WITHIN
        };
        let old: Vec<_> =
            self.connections.values().filter(expired).map(|connection| connection.address).collect();
        for address in old {
            self.close(address);
        }
    }
}

impl Connection {
    fn write(&mut self) {
        while self.writable && !self.out.is_empty() {
            let (front, _) = self.out.as_slices();
            match self.stream.write(front) {
                Ok(length) => {
                    self.out.drain(..length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A broken connection shows itself when it is read.
                Err(_) => self.writable = false,
            }
        }
    }
}
