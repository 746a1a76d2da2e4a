use crate::{
    Error, EvidenceStore, Handle, Options, Sink,
    door::{self, Door},
    engine::{self, Engine, Ports},
    handle::Command,
    peer::Ground,
    recorder::{Queue, Recorder},
    shared::{Shared, Wake},
};
use mio::{Poll, Token, Waker};
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, mpsc},
    thread,
};

/// The first byte of a resource id names its thread; more would not help one machine.
const MAX_THREADS: usize = 64;
/// Offers waiting for one network thread: answering one takes about a millisecond.
const COMMAND_DEPTH: usize = 256;
/// A thousand publishers send 80 packets/s of 500 bytes: 100 ms of that.
const RECEIVE_BUFFER: usize = 4 << 20;
const SEND_BUFFER: usize = 1 << 20;
/// Free UDP ports tried until one is free for TCP too.
const PORT_TRIES: usize = 16;

/// Starts the media threads.
#[derive(Debug)]
pub struct Service;

/// Stops the service and waits for its threads, at the latest when dropped. Recordings are finished by then.
#[derive(Debug)]
pub struct JoinGuard {
    threads: Vec<thread::JoinHandle<()>>,
    handle: Handle,
}

impl JoinGuard {
    /// Says goodbye to all peers, finishes all recordings, and returns when everything is on disk. Blocks.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for JoinGuard {
    fn drop(&mut self) {
        for thread in self.handle.threads.iter() {
            // An error means that it has stopped. A full channel is waited for: nothing else may end the thread.
            let _ = thread.commands.send(Command::Stop);
            let _ = thread.waker.wake();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread panicked");
            }
        }
    }
}

impl Service {
    /// Opens the ports and starts the threads.
    ///
    /// # Errors
    /// [`Error`]; no thread is left behind.
    pub fn start(
        options: Options,
        sink: Arc<dyn Sink>,
        store: Arc<dyn EvidenceStore>,
    ) -> Result<(Handle, JoinGuard), Error> {
        if options.threads == 0 || options.threads > MAX_THREADS {
            return Err(Error::Threads { got: options.threads, max: MAX_THREADS });
        }
        if options.bind.ip().is_unspecified() && options.advertise.is_none() {
            return Err(Error::AdvertiseMissing(options.bind));
        }
        let certificate = certificate()?;
        let shared = Arc::new(Shared::default());
        let entrance =
            Entrance::open(&options).map_err(|source| Error::Bind { address: options.bind, source })?;
        let address = entrance.advertised;
        let (mut wakes, mut starts) = (Vec::new(), Vec::new());
        for ports in entrance.shared_by(options.threads).map_err(Error::Loop)? {
            let number = u8::try_from(starts.len()).expect("at most MAX_THREADS");
            let start =
                Start::new(&options, number, ports, address, certificate.clone()).map_err(Error::Loop)?;
            let (commands, inbox) = mpsc::sync_channel(COMMAND_DEPTH);
            wakes.push(Wake { commands, waker: start.waker.clone() });
            starts.push((start, inbox));
        }
        let threads: Arc<[Wake]> = wakes.into();
        let turn = options.turn.clone().map(Arc::new);
        let handle = Handle { shared: shared.clone(), threads: threads.clone(), turn, address };
        let mut guard = JoinGuard { threads: Vec::new(), handle: handle.clone() };
        for (index, (start, inbox)) in starts.into_iter().enumerate() {
            let queue = Arc::new(Queue::new(options.limits.recorder_queue_bytes));
            let recorder = Recorder {
                store: store.clone(),
                sink: sink.clone(),
                segment_max: options.segment_max,
                clock: options.clock,
                recordings: HashMap::new(),
            };
            let jobs = queue.clone();
            let door = Door::of(index, threads.clone());
            let around = engine::Around {
                shared: shared.clone(),
                sink: sink.clone(),
                queue,
                options: options.clone(),
                thread: start.ground.thread,
            };
            guard.threads.push(spawn(format!("media-net-{index}"), move || {
                Engine::new(around, start.ground, start.ports, door).run(start.poll, &inbox);
            })?);
            // Second, because it ends when the engine closes the queue.
            guard.threads.push(spawn(format!("media-rec-{index}"), move || recorder.run(&jobs))?);
        }
        Ok((handle, guard))
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, Error> {
    thread::Builder::new().name(name).spawn(work).map_err(Error::Loop)
}

/// The one port that all threads share.
struct Entrance {
    udp: UdpSocket,
    tcp: Option<TcpListener>,
    advertised: SocketAddr,
}

impl Entrance {
    fn open(options: &Options) -> io::Result<Self> {
        let (udp, tcp) = open_ports(options.bind, options.tcp)?;
        let bound = udp.local_addr()?;
        let mut advertised = options.advertise.unwrap_or(bound);
        if advertised.port() == 0 {
            advertised.set_port(bound.port());
        }
        Ok(Self { udp, tcp, advertised })
    }

    /// Sockets of the thread that keeps the door, then of those that only send.
    fn shared_by(self, threads: usize) -> io::Result<Vec<(UdpSocket, Option<TcpListener>)>> {
        let others: Vec<_> =
            (1..threads).map(|_| Ok((self.udp.try_clone()?, None))).collect::<io::Result<_>>()?;
        Ok(std::iter::once((self.udp, self.tcp)).chain(others).collect())
    }
}

/// What a network thread begins with.
struct Start {
    poll: Poll,
    waker: Arc<Waker>,
    ports: Ports,
    ground: Ground,
}

impl Start {
    fn new(
        options: &Options,
        thread: u8,
        (udp, tcp): (UdpSocket, Option<TcpListener>),
        advertised: SocketAddr,
        certificate: RTCCertificate,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), engine::WAKER)?);
        let ports = if usize::from(thread) == door::KEEPER {
            Ports::new(udp, tcp, poll.registry(), options.limits.tcp_connections)?
        } else {
            Ports::to_send(udp)
        };
        let ground = Ground {
            certificate,
            thread,
            advertised,
            tcp: options.tcp,
            video_kbps: options.video_kbps,
            screen_kbps: options.screen_kbps,
            entropy: ring::rand::SystemRandom::new(),
        };
        Ok(Self { poll, waker, ports, ground })
    }
}

fn open_ports(bind: SocketAddr, tcp: bool) -> io::Result<(UdpSocket, Option<TcpListener>)> {
    let mut tries = if bind.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        let udp = open_udp(bind)?;
        if !tcp {
            return Ok((udp, None));
        }
        tries -= 1;
        match TcpListener::bind(SocketAddr::new(bind.ip(), udp.local_addr()?.port())) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok((udp, Some(listener)));
            }
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn open_udp(bind: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(bind), socket2::Type::DGRAM, None)?;
    // The kernel caps both silently (net.core.rmem_max, wmem_max); asking is all that can be done without rights.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let granted = socket.recv_buffer_size()?;
    if granted < RECEIVE_BUFFER {
        tracing::warn!(granted, wanted = RECEIVE_BUFFER, "small UDP receive buffer; raise net.core.rmem_max");
    }
    socket.set_nonblocking(true)?;
    socket.bind(&bind.into())?;
    Ok(socket.into())
}

pub(crate) fn certificate() -> Result<RTCCertificate, Error> {
    let provider = rtc::crypto::default_provider().map_err(|error| Error::Certificate(error.into()))?;
    let params =
        CertificateParams::new(vec!["synaq".to_owned()]).map_err(|error| Error::Certificate(error.into()))?;
    RTCCertificate::generate(provider.crypto(), rtc::crypto::SignatureScheme::EcdsaP256Sha256, params)
        .map_err(|error| Error::Certificate(error.into()))
}

/// Tokens of the loop's own sources.
pub(crate) const UDP: Token = Token(0);
pub(crate) const TCP_LISTENER: Token = Token(2);
