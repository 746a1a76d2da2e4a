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
/// Unidentified connections of one address; a school may have one for all its candidates.
const MAX_UNIDENTIFIED_PER_ADDRESS: usize = 64;
/// What a connection may send before it has named its peer: one STUN request is about 100 bytes.
const MAX_UNIDENTIFIED_BYTES: usize = 2 << 10;
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
            if self.connections.len() >= self.max || self.is_crowded(address) {
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

    fn is_crowded(&self, address: SocketAddr) -> bool {
        let alike =
            |connection: &&Connection| !connection.identified && connection.address.ip() == address.ip();
        self.connections.values().filter(alike).count() >= MAX_UNIDENTIFIED_PER_ADDRESS
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
        ended |= !connection.identified && connection.decoder.buffered_len() > MAX_UNIDENTIFIED_BYTES;
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

    /// Its first packet named nobody we know.
    pub(crate) fn close_unless_identified(&mut self, address: SocketAddr) {
        let connection = self.by_address.get(&address).and_then(|token| self.connections.get(token));
        if connection.is_some_and(|connection| !connection.identified) {
            self.close(address);
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

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::net::TcpStream as Plain;

    fn open(max: usize) -> (Tcp, Poll, SocketAddr) {
        let poll = Poll::new().unwrap();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let tcp = Tcp::new(listener, poll.registry().try_clone().unwrap(), Token(2), max).unwrap();
        (tcp, poll, address)
    }

    /// Accepts and reads until `done`.
    fn turn(tcp: &mut Tcp, poll: &mut Poll, mut done: impl FnMut(&mut Tcp, Vec<Read>) -> bool) {
        let (mut events, mut buffer) = (Events::with_capacity(64), vec![0; 65_536]);
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            assert!(Instant::now() < end);
            poll.poll(&mut events, Some(Duration::from_millis(10))).unwrap();
            tcp.accept(Instant::now());
            let tokens: Vec<_> = tcp.connections.keys().copied().collect();
            let reads = tokens.into_iter().filter_map(|token| tcp.read(token, &mut buffer)).collect();
            if done(tcp, reads) {
                return;
            }
        }
    }

    #[test]
    fn packet_split_over_two_writes_comes_out_whole() {
        let (mut tcp, mut poll, address) = open(8);
        let mut client = Plain::connect(address).unwrap();
        let framed = frame_packet(b"hello");
        client.write_all(&framed[..3]).unwrap();
        turn(&mut tcp, &mut poll, |tcp, _| tcp.connections.len() == 1);
        client.write_all(&framed[3..]).unwrap();
        turn(&mut tcp, &mut poll, |_, reads| reads.iter().any(|read| read.packets == [b"hello".to_vec()]));
    }

    #[test]
    fn stranger_with_too_much_to_say_is_closed() {
        let (mut tcp, mut poll, address) = open(8);
        let mut client = Plain::connect(address).unwrap();
        client.write_all(&[0xff; 4_096]).unwrap();
        turn(&mut tcp, &mut poll, |_, reads| reads.iter().any(|read| read.ended));
        assert!(tcp.connections.is_empty() && tcp.by_address.is_empty());
    }

    #[test]
    fn slow_receiver_loses_packets_but_takes_no_more_memory() {
        let (mut tcp, mut poll, address) = open(8);
        let client = Plain::connect(address).unwrap();
        turn(&mut tcp, &mut poll, |tcp, _| tcp.connections.len() == 1);
        let from = client.local_addr().unwrap();
        let sent = (0..20_000).take_while(|_| tcp.send(from, &[7; 1_200])).count();
        assert!(sent < 20_000, "nobody reads, so the buffer must fill");
        let connection = tcp.connections.values().next().unwrap();
        assert!(connection.out.len() <= MAX_OUT_BYTES + 2);
    }

    #[test]
    fn silent_and_surplus_connections_are_closed() {
        let (mut tcp, mut poll, address) = open(2);
        let clients: Vec<_> = (0..3).map(|_| Plain::connect(address).unwrap()).collect();
        turn(&mut tcp, &mut poll, |tcp, _| tcp.connections.len() == 2);
        tcp.identified(clients[0].local_addr().unwrap());
        tcp.expire(Instant::now() + IDENTIFY_WITHIN * 2);
        assert_eq!(tcp.connections.len(), 1);
    }
}
