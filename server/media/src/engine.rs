//! The network thread: one loop over sockets, commands and timers.
use crate::{
    Answer, Fact, Gone, NotFound, OfferError, Options, Sink,
    demux::{Bucket, Handshake, Streams},
    door::{Door, Parcel},
    handle::{Command, ResourceId, Role},
    peer::{Ground, Part, Peer},
    publisher::{Publisher, Surroundings},
    recorder::Queue,
    room::Room,
    sdp,
    service::{TCP_LISTENER, UDP},
    shared::{Shared, count},
    tcp::Tcp,
    way::{End, Way},
};
use mio::{Events, Interest, Poll, Registry, Token, net};
use rtc::{sansio::Protocol, shared::TransportProtocol};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) const WAKER: Token = Token(1);
/// Largest UDP payload; ICE, DTLS and RTP stay far below.
const BUFFER_BYTES: usize = 65_536;
const EVENTS: usize = 256;
/// Datagrams taken before the peers they touched are served: each is served once for what came in a batch, and a
/// thousand publishers send 400 packets in [`BATCH`]. And such rounds per wake.
const BURST: usize = 512;
const ROUNDS: usize = 4;
const HOUSEKEEPING_EVERY: Duration = Duration::from_millis(250);
/// What has come within so long is taken in one go: at hundreds of publishers the waking costs more than the work, and
/// nobody sees five milliseconds (a recorder holds packets for forty times as long).
const BATCH: Duration = Duration::from_millis(5);

/// What the thread shares with others.
pub(crate) struct Around {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) options: Options,
    pub(crate) thread: u8,
}

/// The sockets of one thread: the keeper of the door has them, the others send over UDP.
pub(crate) struct Ports {
    pub(crate) udp: net::UdpSocket,
    pub(crate) tcp: Option<Tcp>,
}

impl Ports {
    /// For a thread that only sends.
    pub(crate) fn to_send(udp: std::net::UdpSocket) -> Self {
        Self { udp: net::UdpSocket::from_std(udp), tcp: None }
    }

    pub(crate) fn new(
        udp: std::net::UdpSocket,
        tcp: Option<std::net::TcpListener>,
        registry: &Registry,
        tcp_connections: usize,
    ) -> io::Result<Self> {
        let mut udp = net::UdpSocket::from_std(udp);
        registry.register(&mut udp, UDP, Interest::READABLE)?;
        let tcp = match tcp {
            Some(listener) => {
                let listener = net::TcpListener::from_std(listener);
                Some(Tcp::new(listener, registry.try_clone()?, TCP_LISTENER, tcp_connections)?)
            }
            None => None,
        };
        Ok(Self { udp, tcp })
    }
}

pub(crate) struct Engine {
    pub(crate) around: Around,
    pub(crate) ground: Ground,
    pub(crate) ports: Ports,
    pub(crate) door: Door,
    pub(crate) peers: HashMap<u64, Box<Peer>>,
    pub(crate) rooms: HashMap<Uuid, Room>,
    pub(crate) by_fragment: HashMap<String, u64>,
    pub(crate) by_address: HashMap<SocketAddr, u64>,
    by_resource: HashMap<ResourceId, u64>,
    pub(crate) timers: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Peers that took input since they were last served.
    pub(crate) dirty: Vec<u64>,
    last_id: u64,
    housekeeping_at: Instant,
    udp_waiting: bool,
    tcp_waiting: BTreeSet<Token>,
}

impl Engine {
    pub(crate) fn new(around: Around, ground: Ground, ports: Ports, door: Door) -> Self {
        let udp_waiting = door.is_keeper();
        Self {
            around,
            ground,
            ports,
            door,
            peers: HashMap::new(),
            rooms: HashMap::new(),
            by_fragment: HashMap::new(),
            by_address: HashMap::new(),
            by_resource: HashMap::new(),
            timers: BinaryHeap::new(),
            dirty: Vec::new(),
            last_id: 0,
            housekeeping_at: Instant::now(),
            udp_waiting,
            tcp_waiting: BTreeSet::new(),
        }
    }

    pub(crate) fn run(mut self, mut poll: Poll, inbox: &Receiver<Command>) {
        let mut events = Events::with_capacity(EVENTS);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            if let Err(error) = poll.poll(&mut events, Some(self.pause(Instant::now())))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the media event loop failed");
                break;
            }
            let woken = Instant::now();
            self.note(&events);
            if self.commands(inbox) {
                break;
            }
            self.receive_udp(&mut buffer);
            self.receive_tcp(&mut buffer);
            self.expire_timers(Instant::now());
            self.housekeeping(Instant::now());
            self.door.post(&self.around.shared.counters);
            self.around.queue.ring();
            if !self.udp_waiting {
                std::thread::sleep(BATCH.saturating_sub(woken.elapsed()));
            }
        }
        self.stop();
    }

    /// How long the loop may sleep.
    fn pause(&self, now: Instant) -> Duration {
        if self.udp_waiting || !self.tcp_waiting.is_empty() {
            return Duration::ZERO;
        }
        let timer = self.timers.peek().map_or(self.housekeeping_at, |Reverse((at, _))| *at);
        timer.min(self.housekeeping_at).saturating_duration_since(now)
    }

    /// Events are edges: what is not read to the end now must be remembered.
    fn note(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                UDP => self.udp_waiting = true,
                WAKER => {}
                TCP_LISTENER => {
                    if let Some(tcp) = &mut self.ports.tcp {
                        tcp.accept(Instant::now());
                    }
                }
                token => {
                    if event.is_writable()
                        && let Some(tcp) = &mut self.ports.tcp
                    {
                        tcp.writable(token);
                    }
                    if event.is_readable() || event.is_read_closed() || event.is_error() {
                        self.tcp_waiting.insert(token);
                    }
                }
            }
        }
    }

    /// Carries out what the handles asked for; `true` means stop.
    fn commands(&mut self, inbox: &Receiver<Command>) -> bool {
        loop {
            match inbox.try_recv() {
                // The asker may have given up waiting; the peer then times out by itself.
                Ok(Command::Offer { session, role, sdp, reply }) => {
                    let _ = reply.send(self.offer(session, role, &sdp));
                }
                Ok(Command::Close { resource, reply }) => {
                    let peer = self.by_resource.get(&resource).copied();
                    let _ = reply.send(peer.map(|id| self.close(id, Gone::ByServer)).ok_or(NotFound));
                }
                Ok(Command::Resize { resource, small, reply }) => {
                    let _ = reply.send(self.resize(resource, small));
                }
                Ok(Command::CloseSession { session, reply }) => {
                    self.close_session(session);
                    let _ = reply.send(());
                }
                Ok(Command::Inward(parcel)) => self.take_in(&parcel),
                Ok(Command::Outward(parcel)) => self.put_out(&parcel),
                Ok(Command::Route { address, thread, here }) => self.route(address, thread, here),
                Ok(Command::Ended { address }) => self.hung_up(address),
                Err(TryRecvError::Empty) => break,
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return true,
            }
        }
        self.serve_dirty();
        false
    }

    fn offer(&mut self, session: Uuid, role: Role, offer: &sdp::Offer) -> Result<Answer, OfferError> {
        let limits = &self.around.options.limits;
        let refused = match (role, self.rooms.get(&session)) {
            // A candidate who comes back takes the old place, also in a full house.
            (Role::Publisher, Some(room)) if room.publisher.is_some() => false,
            (Role::Viewer, Some(room)) if room.viewers.len() >= limits.viewers_per_room => true,
            _ => self.peers.len() >= limits.peers,
        };
        if refused {
            return Err(OfferError::Full);
        }
        let now = Instant::now();
        let bucket = Bucket::new(limits.packets_per_second, limits.bytes_per_second, now);
        // The offer is a stranger's; a panic in the core's SDP code must not end the other sessions.
        let ground = &self.ground;
        let answered =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ground.answer(offer, role, now)))
                .unwrap_or_else(|_| {
                    count(&self.around.shared.counters.panics);
                    Err(OfferError::Malformed("the WebRTC core failed on it"))
                })?;
        let resource = ResourceId::new(self.around.thread, &self.ground.entropy).ok_or(OfferError::Full)?;
        self.last_id += 1;
        let id = self.last_id;
        let part = match role {
            Role::Viewer => Part::Viewer(Box::new(answered.viewer)),
            Role::Publisher => Part::Publisher(self.publisher(id, session, offer, now)),
        };
        let (here, stays) = watch::channel(false);
        let peer = Peer {
            core: answered.core,
            id,
            session,
            resource,
            part,
            created: now,
            connected: false,
            here,
            bucket,
            handshake: Handshake::default(),
            password: answered.password,
            streams: Streams::offered(offer.streams.clone()),
            addresses: Vec::new(),
            way: Way::default(),
            their_password: offer.password.clone(),
            over_tcp: false,
            armed: None,
            ticked: now,
            dirty: false,
            stirred: true,
            alerted: false,
        };
        self.admit(peer, answered.fragment, role);
        Ok(Answer { sdp: answered.sdp, resource, relay: None, stays })
    }

    fn resize(&mut self, resource: ResourceId, small: bool) -> Result<(), NotFound> {
        let peer = self.by_resource.get(&resource).and_then(|id| self.peers.get_mut(id)).ok_or(NotFound)?;
        let Part::Viewer(viewer) = &mut peer.part else { return Err(NotFound) };
        viewer.resize(small);
        Ok(())
    }

    fn publisher(&mut self, id: u64, session: Uuid, offer: &sdp::Offer, now: Instant) -> Box<Publisher> {
        // The old recording ends before the new one is opened, so that the segments are in order.
        if let Some(old) = self.rooms.get(&session).and_then(|room| room.publisher) {
            self.close(old, Gone::Replaced);
        }
        let view = self.room(session).view.clone();
        let (sink, queue) = (self.around.sink.clone(), self.around.queue.clone());
        let around = Surroundings::new(session, view, sink, queue, &self.around.options);
        Box::new(Publisher::new(id, around, offer, now))
    }

    fn room(&mut self, session: Uuid) -> &mut Room {
        self.rooms.entry(session).or_insert_with(|| Room::new(self.around.shared.open_room(session)))
    }

    fn admit(&mut self, peer: Peer, fragment: String, role: Role) {
        let (id, session) = (peer.id, peer.session);
        let room = self.room(session);
        room.empty_since = None;
        match role {
            Role::Publisher => room.publisher = Some(id),
            Role::Viewer => room.viewers.push(id),
        }
        let counters = &self.around.shared.counters;
        count(if role == Role::Publisher { &counters.publishers } else { &counters.viewers });
        self.by_fragment.insert(fragment, id);
        self.by_resource.insert(peer.resource, id);
        self.peers.insert(id, Box::new(peer));
        self.mark(id);
    }

    /// Says goodbye (DTLS close_notify) and forgets the peer.
    pub(crate) fn close(&mut self, id: u64, how: Gone) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Err(error) = Protocol::close(&mut peer.core) {
            tracing::debug!(%error, "closing a peer");
        }
        while let Some(datagram) = self.peers.get_mut(&id).and_then(|peer| rtc_poll_write(peer)) {
            self.send(&datagram);
        }
        self.forget(id, how);
    }

    /// Removes every trace of a peer.
    pub(crate) fn forget(&mut self, id: u64, how: Gone) {
        let Some(mut peer) = self.peers.remove(&id) else { return };
        let counters = &self.around.shared.counters;
        let now = Instant::now();
        if let Part::Publisher(publisher) = &mut peer.part {
            // In this order, so that the end of the recording always follows in the log.
            publisher.report(Fact::PublisherGone { how });
            publisher.end(counters, now);
            counters.publishers.fetch_sub(1, Relaxed);
        } else {
            counters.viewers.fetch_sub(1, Relaxed);
        }
        self.unlink(&peer.addresses, id, peer.session, now);
    }

    pub(crate) fn unlink(&mut self, addresses: &[SocketAddr], id: u64, session: Uuid, now: Instant) {
        for address in addresses {
            if self.by_address.get(address) == Some(&id) {
                self.by_address.remove(address);
                self.door.left(*address);
                if let Some(tcp) = &mut self.ports.tcp {
                    tcp.close(*address);
                }
            }
        }
        self.by_fragment.retain(|_, peer| *peer != id);
        self.by_resource.retain(|_, peer| *peer != id);
        if let Some(room) = self.rooms.get_mut(&session) {
            room.leave(id, now);
        }
    }

    fn close_session(&mut self, session: Uuid) {
        let Some(room) = self.rooms.get(&session) else { return };
        for id in room.publisher.into_iter().chain(room.viewers.clone()) {
            self.close(id, Gone::ByServer);
        }
        self.rooms.remove(&session);
        self.around.shared.close_room(session);
    }

    fn stop(&mut self) {
        let peers: Vec<_> = self.peers.keys().copied().collect();
        for id in peers {
            self.close(id, Gone::ByServer);
        }
    }

    fn receive_udp(&mut self, buffer: &mut [u8]) {
        for _ in 0..ROUNDS {
            if !self.udp_waiting {
                break;
            }
            let now = Instant::now();
            for _ in 0..BURST {
                match self.ports.udp.recv_from(buffer) {
                    Ok((length, from)) => drop(self.arrived(&buffer[..length], from, false, now)),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // The ICMP answer to an earlier send: it says nothing about what is still to read.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    Err(error) => {
                        if error.kind() != io::ErrorKind::WouldBlock {
                            tracing::warn!(%error, "reading the media port");
                        }
                        self.udp_waiting = false;
                        break;
                    }
                }
            }
            self.door.post(&self.around.shared.counters);
            self.serve_dirty();
        }
    }

    fn receive_tcp(&mut self, buffer: &mut [u8]) {
        for token in std::mem::take(&mut self.tcp_waiting) {
            let Some(read) = self.ports.tcp.as_mut().and_then(|tcp| tcp.read(token, buffer)) else {
                continue;
            };
            let now = Instant::now();
            let mut passed_on = false;
            for packet in &read.packets {
                passed_on |= self.arrived(packet, read.address, true, now);
            }
            if !read.packets.is_empty()
                && !passed_on
                && let Some(tcp) = &mut self.ports.tcp
            {
                tcp.close_unless_identified(read.address);
            }
            if read.more {
                self.tcp_waiting.insert(token);
            }
            self.serve_dirty();
            if read.ended {
                self.hung_up(read.address);
                self.door.ended(read.address);
            }
        }
    }

    /// What came to the port goes to its peer, here or in another thread (`true`).
    fn arrived(&mut self, bytes: &[u8], from: SocketAddr, tcp: bool, now: Instant) -> bool {
        let passed_on = self.door.pass_on(bytes, from, tcp);
        if !passed_on {
            self.datagram(bytes, from, tcp, now);
        }
        passed_on
    }

    /// What the door brings.
    fn take_in(&mut self, parcel: &Parcel) {
        let now = Instant::now();
        for (piece, bytes) in parcel.pieces() {
            if !piece.routed {
                // The door does not know it as ours, so it has to prove again that it is.
                self.by_address.remove(&piece.address);
            }
            self.datagram(bytes, piece.address, piece.tcp, now);
        }
    }

    /// What another thread sends over TCP.
    fn put_out(&mut self, parcel: &Parcel) {
        for (piece, bytes) in parcel.pieces() {
            if !self.ports.tcp.as_mut().is_some_and(|tcp| tcp.send(piece.address, bytes)) {
                count(&self.around.shared.counters.dropped_out);
            }
        }
    }

    /// A peer of another thread is at this address, or is so no longer.
    fn route(&mut self, address: SocketAddr, thread: usize, here: bool) {
        if !self.door.route(address, thread, here) {
            return;
        }
        self.by_address.remove(&address);
        match &mut self.ports.tcp {
            Some(tcp) if here => tcp.identified(address),
            Some(tcp) => tcp.close(address),
            None => {}
        }
    }

    /// A TCP connection is over, and with it the peer that had no other.
    fn hung_up(&mut self, address: SocketAddr) {
        if let Some(id) = self.by_address.get(&address).copied()
            && self.peers.get(&id).is_some_and(|peer| peer.over_tcp)
        {
            self.forget(id, Gone::Lost);
        }
    }

    fn expire_timers(&mut self, now: Instant) {
        while let Some(&Reverse((at, id))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.armed == Some(at)) else { continue };
            peer.armed = None;
            self.tick(id, now);
        }
        self.serve_dirty();
    }

    fn housekeeping(&mut self, now: Instant) {
        if now < self.housekeeping_at {
            return;
        }
        self.housekeeping_at = now + HOUSEKEEPING_EVERY;
        if let Some(tcp) = &mut self.ports.tcp {
            tcp.expire(now);
        }
        self.watch_publishers(now);
        let patience = self.around.options.limits.connect_within;
        let is_late = |peer: &Peer| !peer.connected && now.duration_since(peer.created) > patience;
        let late: Vec<_> = self.peers.values().filter(|peer| is_late(peer)).map(|peer| peer.id).collect();
        for id in late {
            self.close(id, Gone::NeverConnected);
        }
        let shared = &self.around.shared;
        self.rooms.retain(|session, room| {
            let keep = !room.is_stale(now);
            if !keep {
                shared.close_room(*session);
            }
            keep
        });
        self.serve_dirty();
    }
}

/// However the thread ends, the recorder must come to its end too.
impl Drop for Engine {
    fn drop(&mut self) {
        self.around.queue.close();
    }
}

/// The next datagram that the core wants sent, to where the peer is now.
pub(crate) fn rtc_poll_write(peer: &mut Peer) -> Option<rtc::shared::TaggedBytesMut> {
    let mut datagram = Protocol::poll_write(&mut peer.core)?;
    let transport = &mut datagram.transport;
    let to =
        End { address: transport.peer_addr, tcp: transport.transport_protocol == TransportProtocol::TCP };
    let End { address, tcp } = peer.way.outward(to, &datagram.message);
    (transport.peer_addr, transport.transport_protocol) = (address, protocol(tcp));
    Some(datagram)
}

pub(crate) const fn protocol(tcp: bool) -> TransportProtocol {
    if tcp { TransportProtocol::TCP } else { TransportProtocol::UDP }
}
