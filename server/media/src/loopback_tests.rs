//! Whole rooms over loopback sockets: publishers and viewers played by the WebRTC core itself.
use crate::{
    Error, EvidenceStore, EvidenceWriter, Fact, Finished, Gone, Handle, JoinGuard, NotFound, OfferError,
    Options, Service, Sink, fuzz::binding_request, hostile_tests::line, loopback_client::Client,
};
use rtc::shared::tcp_framing::frame_packet;
use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const SESSION: Uuid = Uuid::from_u128(7);

/// Sink and store in one.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) facts: Mutex<Vec<Fact>>,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Held by a test: the disk hangs.
    hang: Mutex<()>,
}

struct Witness(Arc<Ledger>);
struct BlobWriter(Arc<Ledger>, String);

impl Sink for Witness {
    fn report(&self, session: Uuid, fact: Fact) {
        assert_eq!(session, SESSION);
        self.0.facts.lock().unwrap().push(fact);
    }
}

impl EvidenceStore for Witness {
    fn create(&self, _: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        let mut blobs = self.0.blobs.lock().unwrap();
        if blobs.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        blobs.insert(name.to_owned(), Vec::new());
        Ok(Box::new(BlobWriter(self.0.clone(), name.to_owned())))
    }
}

impl EvidenceWriter for BlobWriter {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        let _hang = self.0.hang.lock().unwrap();
        self.0.blobs.lock().unwrap().get_mut(&self.1).unwrap().extend_from_slice(chunk);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        let bytes = self.0.blobs.lock().unwrap()[&self.1].len() as u64;
        Ok(Finished { sha256: "00".into(), bytes })
    }
}

pub(crate) struct Hall {
    pub(crate) handle: Handle,
    guard: JoinGuard,
    ledger: Arc<Ledger>,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl Hall {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let ledger = Arc::new(Ledger::default());
        let mut options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        options.tcp = false;
        // What most of them look at is behind the door: the session is the second thread's.
        options.threads = 2;
        change(&mut options);
        let witness = Arc::new(Witness(ledger.clone()));
        let (handle, guard) = Service::start(options, witness.clone(), witness).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { handle, guard, ledger, runtime }
    }

    pub(crate) fn publish(&self, client: &mut Client) -> crate::ResourceId {
        let answer = self.runtime.block_on(self.handle.publish(SESSION, client.offer())).unwrap();
        client.accept(answer.sdp);
        answer.resource
    }

    pub(crate) fn view(&self, client: &mut Client) -> crate::ResourceId {
        let answer = self.runtime.block_on(self.handle.view(SESSION, client.offer())).unwrap();
        client.accept(answer.sdp);
        answer.resource
    }

    fn publish_with_screen(&self, client: &mut Client) {
        let answer = self.handle.publish_with_screen(SESSION, client.offer());
        client.accept(self.runtime.block_on(answer).unwrap().sdp);
    }

    fn view_screen(&self, client: &mut Client) {
        let answer = self.handle.view_screen(SESSION, client.offer());
        client.accept(self.runtime.block_on(answer).unwrap().sdp);
    }

    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.ledger.facts.lock().unwrap().clone()
    }

    /// Drives the clients until `done`, which sees them.
    pub(crate) fn drive<const N: usize>(
        &self,
        what: &str,
        mut clients: [&mut Client; N],
        mut done: impl FnMut(&mut [&mut Client; N]) -> bool,
    ) {
        let end = Instant::now() + PATIENCE;
        while !done(&mut clients) {
            assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}; {:#?}", self.facts());
            for client in &mut clients {
                client.turn();
            }
        }
    }

    /// Stops the service; everything is recorded then.
    pub(crate) fn stop(self) -> Arc<Ledger> {
        self.guard.stop();
        self.ledger
    }
}

pub(crate) fn videos(client: &Client) -> Vec<u16> {
    client.got.iter().filter(|got| got.video).map(|got| got.sequence).collect()
}

pub(crate) fn flows(facts: &[Fact]) -> Vec<(bool, bool)> {
    let flow = |fact: &Fact| match fact {
        Fact::Flow { video, audio } => Some((*video, *audio)),
        _ => None,
    };
    facts.iter().filter_map(flow).collect()
}

pub(crate) fn finished(facts: &[Fact]) -> Vec<(u64, u32)> {
    facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::SegmentFinished { duration_ms, gaps, .. } => Some((*duration_ms, *gaps)),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_published_is_recorded_and_its_newest_still_kept() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("two seconds of frames", [&mut camera], |_| {
        hall.handle
            .status(SESSION)
            .is_some_and(|status| status.video_live && status.audio_live && status.fps > 10)
    });
    let still = hall.handle.still(SESSION).unwrap();
    assert_eq!((still.width, still.height), (640, 480));
    assert!(still.number >= 1);
    assert_eq!(&still.webp[..4], b"RIFF");
    camera.close();
    hall.drive("the farewell", [&mut camera], |_| {
        hall.facts().contains(&Fact::PublisherGone { how: Gone::ByPeer })
    });
    assert_eq!(hall.handle.status(SESSION), None);
    assert_eq!(hall.handle.stats().publishers, 0);
    let ledger = hall.stop();
    let facts = ledger.facts.lock().unwrap();
    let place = |wanted: &dyn Fn(&Fact) -> bool| facts.iter().position(wanted).unwrap();
    let connected = place(&|fact| *fact == Fact::PublisherConnected);
    assert!(connected < place(&|fact| matches!(fact, Fact::Flow { .. })));
    assert!(
        place(&|fact| *fact == Fact::RecordingBegan)
            < place(&|fact| matches!(fact, Fact::SegmentStarted { .. }))
    );
    assert_eq!(flows(&facts).last(), Some(&(false, false)));
    assert_eq!(facts.last(), Some(&Fact::RecordingEnded));
    assert_eq!(finished(&facts).len(), 1);
    assert!(finished(&facts)[0].0 > 300 && finished(&facts)[0].1 == 0, "{facts:?}");
    let blobs = ledger.blobs.lock().unwrap();
    assert!(blobs["webcam-0001.webm"].len() > 10_000);
    assert!(blobs["stills-0001"].windows(4).any(|window| window == b"RIFF"));
}

#[test]
fn viewer_stays_while_the_publisher_is_replaced() {
    let hall = Hall::new();
    let (mut first, mut second, mut proctor) =
        (Client::publisher(1, true), Client::publisher(2, true), Client::viewer());
    hall.publish(&mut first);
    hall.drive("the first publisher", [&mut first], |[first]| first.keys > 0);
    hall.view(&mut proctor);
    hall.drive("a late picture", [&mut first, &mut proctor], |[_, proctor]| videos(proctor).len() > 30);
    let begins_with = proctor.got.iter().find(|got| got.video).unwrap();
    assert!(crate::vp8::starts_key_frame(&begins_with.payload), "a viewer begins with a key frame");
    let before = proctor.got.len();
    hall.publish(&mut second);
    hall.drive(
        "the second publisher's picture",
        [&mut first, &mut second, &mut proctor],
        |[_, _, proctor]| {
            proctor.got[before..].iter().filter(|got| got.video && got.payload[2] == 2).count() > 30
        },
    );
    assert!(proctor.connected);
    let sequences = videos(&proctor);
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{sequences:?}");
    let times: Vec<_> = proctor.got.iter().filter(|got| got.video).map(|got| got.timestamp).collect();
    assert!(times.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 90_000 * 5), "{times:?}");
    let from_second: Vec<_> = proctor.got.iter().filter(|got| got.video && got.payload[2] == 2).collect();
    assert!(crate::vp8::starts_key_frame(&from_second[0].payload));
    let ledger = hall.stop();
    let facts = ledger.facts.lock().unwrap();
    let replaced = facts.iter().position(|fact| *fact == Fact::PublisherGone { how: Gone::Replaced });
    let connected = facts.iter().rposition(|fact| *fact == Fact::PublisherConnected);
    assert!(replaced < connected, "{facts:?}");
    assert_eq!(finished(&facts).len(), 2);
}

#[test]
fn twenty_lost_packets_are_asked_for_again_and_reach_viewer_and_recording() {
    let hall = Hall::new();
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    hall.publish(&mut camera);
    hall.view(&mut proctor);
    hall.drive("frames", [&mut camera, &mut proctor], |[_, proctor]| videos(proctor).len() > 10);
    camera.lose = 20;
    hall.drive("the loss", [&mut camera, &mut proctor], |[camera, _]| camera.lose == 0);
    let lossy = proctor.got.len();
    hall.drive("a picture without holes", [&mut camera, &mut proctor], |[_, proctor]| {
        let first = videos(proctor)[0];
        let mut places: Vec<_> =
            videos(proctor).iter().map(|sequence| sequence.wrapping_sub(first)).collect();
        places.sort_unstable();
        proctor.got.len() > lossy + 50 && places.windows(2).all(|pair| pair[1] <= pair[0] + 1)
    });
    let ledger = hall.stop();
    let facts = ledger.facts.lock().unwrap();
    assert_eq!(finished(&facts).len(), 1, "{facts:?}");
    assert!(finished(&facts)[0].0 > 1_000, "{facts:?}");
}

#[test]
fn recording_goes_on_after_a_gap_that_nobody_repairs() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, false);
    hall.publish(&mut camera);
    hall.drive("frames", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    let keys = camera.keys;
    camera.lose = 20;
    let mut gap = 0;
    hall.drive("a key frame that ends the gap", [&mut camera], |[camera]| {
        let facts = hall.facts();
        let found = facts.iter().find_map(|fact| if let Fact::Gap { ms } = fact { Some(*ms) } else { None });
        gap = found.unwrap_or(0);
        camera.lose == 0 && camera.keys > keys && found.is_some()
    });
    assert!((500..10_000).contains(&gap), "{gap} ms");
    let end = Instant::now() + Duration::from_secs(1);
    hall.drive("another second", [&mut camera], |_| Instant::now() > end);
    let ledger = hall.stop();
    let facts = ledger.facts.lock().unwrap();
    let segments = finished(&facts);
    assert!(segments.len() == 1 && segments[0].0 > gap + 700 && segments[0].1 >= 1, "{facts:?}");
}

#[test]
fn what_flows_is_reported_at_every_change_and_each_kind_for_itself() {
    let hall = Hall::with(|options| {
        options.bind.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
        options.advertise = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    });
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("frames", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    // Not driving it is what a frozen browser looks like.
    let flow = || flows(&hall.facts()).last().copied();
    hall.drive("both", [&mut camera], |_| flow() == Some((true, true)));
    // Not driving it is what a frozen browser looks like.
    hall.drive("the stall", [], |_| flow() == Some((false, false)));
    camera.muted = true;
    hall.drive("the picture alone", [&mut camera], |_| flow() == Some((true, false)));
    camera.muted = false;
    hall.drive("the sound again", [&mut camera], |_| flow() == Some((true, true)));
    let ledger = hall.stop();
    let flows = flows(&ledger.facts.lock().unwrap());
    assert!(flows.windows(2).all(|pair| pair[0] != pair[1]), "{flows:?}");
    assert_eq!(flows.last(), Some(&(false, false)), "nothing flows once it has gone");
}

#[test]
fn picture_without_sound_never_counts_as_both() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    camera.muted = true;
    hall.publish(&mut camera);
    hall.drive("the picture", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    // The stall and the return are where sound could be made up.
    hall.drive("the stall", [], |_| flows(&hall.facts()).last() == Some(&(false, false)));
    hall.drive("the return", [&mut camera], |_| flows(&hall.facts()).last() == Some(&(true, false)));
    let ledger = hall.stop();
    assert!(flows(&ledger.facts.lock().unwrap()).iter().all(|(_, audio)| !audio));
}

#[test]
fn the_end_of_a_session_finishes_its_recording_at_once() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    assert!(hall.handle.publishing().is_empty());
    hall.publish(&mut camera);
    assert_eq!(hall.handle.publishing(), [SESSION], "from the answer on");
    hall.drive("a still on disk", [&mut camera], |_| {
        hall.facts().iter().any(|fact| matches!(fact, Fact::StillKept { .. }))
    });
    hall.runtime.block_on(hall.handle.close_session(SESSION));
    assert!(hall.handle.publishing().is_empty());
    hall.drive("the last word", [], |_| hall.facts().last() == Some(&Fact::RecordingEnded));
    let facts = hall.facts();
    assert_eq!(finished(&facts).len(), 1);
    assert!(facts.iter().any(|fact| matches!(fact, Fact::StillsFinished { .. })), "{facts:?}");
    hall.stop();
}

#[test]
fn closing_by_resource_tells_the_browser_and_works_once() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    let resource = hall.publish(&mut camera);
    hall.drive("frames", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    assert_eq!(hall.runtime.block_on(hall.handle.close(resource)), Ok(()));
    assert_eq!(hall.runtime.block_on(hall.handle.close(resource)), Err(NotFound));
    assert!(hall.facts().contains(&Fact::PublisherGone { how: Gone::ByServer }));
    assert!(hall.handle.still(SESSION).is_some(), "the last still remains");
    hall.runtime.block_on(hall.handle.close_session(SESSION));
    assert!(hall.handle.still(SESSION).is_none());
    hall.stop();
}

#[test]
fn room_and_service_limits_answer_full_and_a_stopped_service_says_so() {
    let hall = Hall::with(|options| {
        options.limits.peers = 3;
        options.limits.viewers_per_room = 1;
    });
    let offer = |client: &mut Client| client.offer();
    hall.view(&mut Client::viewer());
    let refused = hall.runtime.block_on(hall.handle.view(SESSION, offer(&mut Client::viewer())));
    assert_eq!(refused.unwrap_err(), OfferError::Full);
    hall.publish(&mut Client::publisher(1, true));
    let other = Uuid::from_u128(8);
    hall.runtime.block_on(hall.handle.view(other, offer(&mut Client::viewer()))).unwrap();
    let refused = hall.runtime.block_on(hall.handle.view(other, offer(&mut Client::viewer())));
    assert_eq!(refused.unwrap_err(), OfferError::Full);
    hall.publish(&mut Client::publisher(1, true));
    assert_eq!(
        hall.handle.stats().publishers,
        1,
        "the second replaced the first, although the house is full"
    );
    let handle = hall.handle.clone();
    let late = offer(&mut Client::publisher(1, true));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    hall.stop();
    assert_eq!(runtime.block_on(handle.publish(SESSION, late)).unwrap_err(), OfferError::Stopped);
}

#[test]
fn rooms_are_spread_over_threads_behind_one_port_and_resources_find_their_way_back() {
    let hall = Hall::new();
    let port = hall.handle.address().port();
    for session in [Uuid::from_u128(10), Uuid::from_u128(11)] {
        let answer = hall.runtime.block_on(hall.handle.view(session, Client::viewer().offer())).unwrap();
        assert!(answer.sdp.contains(&format!(" 127.0.0.1 {port} typ host")), "{}", answer.sdp);
        assert_eq!(hall.handle.stats().viewers, 1);
        let resource = answer.resource.to_string().parse().unwrap();
        assert_eq!(hall.runtime.block_on(hall.handle.close(resource)), Ok(()));
    }
    assert_eq!(hall.handle.stats().viewers, 0);
    hall.stop();
}

/// What another thread's peer gets over TCP goes through the door, and so does what it answers.
#[test]
fn request_over_tcp_reaches_the_thread_of_its_peer_and_is_answered() {
    let hall = Hall::with(|options| options.tcp = true);
    let offer = Client::publisher(1, true).offer();
    let answer = hall.runtime.block_on(hall.handle.publish(SESSION, offer.clone())).unwrap().sdp;
    let [ours, theirs] = [&answer, &offer].map(|sdp| line(sdp, "a=ice-ufrag:"));
    let name = format!("{ours}:{theirs}");
    // PRIORITY and ICE-CONTROLLING (RFC 8445, section 16.1).
    let attributes = [[0, 0x24, 0, 4], [110, 0, 0, 1], [0x80, 0x2a, 0, 8], [0; 4], [0, 0, 0, 1]].concat();
    let request = binding_request(&name, &attributes, line(&answer, "a=ice-pwd:").as_bytes());
    let mut stream = std::net::TcpStream::connect(hall.handle.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&frame_packet(&request)).unwrap();
    let mut response = [0; 4];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(response[2..], [1, 1], "a success response (RFC 8489, section 5)");
    hall.runtime.block_on(hall.handle.close_session(SESSION));
    // The room's end is the connection's.
    let rest = stream.read_to_end(&mut Vec::new());
    assert!(rest.is_ok(), "{rest:?}");
    hall.stop();
}

#[test]
fn impossible_options_are_refused_with_a_reason() {
    let witness = Arc::new(Witness(Arc::default()));
    let start = |options| Service::start(options, witness.clone(), witness.clone()).map(|_| ()).unwrap_err();
    let everywhere = Options::new(SocketAddr::from(([0, 0, 0, 0], 0)));
    assert!(matches!(start(everywhere), Error::AdvertiseMissing(_)));
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(matches!(start(Options::new(taken.local_addr().unwrap())), Error::Bind { .. }));
    let mut none = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    none.threads = 0;
    assert!(matches!(start(none), Error::Threads { got: 0, .. }));
}

#[test]
fn advertised_address_is_the_one_in_the_answer() {
    let hall = Hall::with(|options| {
        options.bind.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
        options.advertise = Some(SocketAddr::from(([192, 0, 2, 9], 4_433)));
        options.tcp = true;
    });
    let answer = hall.runtime.block_on(hall.handle.view(SESSION, Client::viewer().offer())).unwrap().sdp;
    let candidates: Vec<_> = answer.lines().filter(|line| line.starts_with("a=candidate")).collect();
    assert!(candidates.iter().all(|line| line.contains(" 192.0.2.9 ")), "{candidates:?}");
    assert!(candidates.iter().any(|line| line.contains(" 4433 typ host tcptype passive")), "{candidates:?}");
    hall.stop();
}

/// Every 13th datagram lost on all four ways, from the first STUN request on.
#[test]
fn lossy_line_connects_and_is_recorded_without_a_pause() {
    let hall = Hall::new();
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    camera.lose_every = 13;
    proctor.lose_every = 13;
    hall.publish(&mut camera);
    hall.view(&mut proctor);
    hall.drive("a picture", [&mut camera, &mut proctor], |[_, proctor]| videos(proctor).len() > 100);
    let ledger = hall.stop();
    let facts = ledger.facts.lock().unwrap();
    assert!(finished(&facts)[0].0 > 2_000, "{facts:?}");
    let flows = flows(&facts);
    assert!(flows.len() == 3 && flows[1] == (true, true), "from nothing to both to nothing: {flows:?}");
}

#[test]
fn who_made_an_offer_learns_when_the_picture_stands_and_when_it_is_gone() {
    let hall = Hall::new();
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    hall.publish(&mut camera);
    let offer = proctor.offer();
    let answer = hall.runtime.block_on(hall.handle.view(SESSION, offer)).unwrap();
    proctor.accept(answer.sdp);
    let mut stays = answer.stays;
    assert!(!*stays.borrow_and_update(), "offered is not connected");
    hall.drive("a picture", [&mut camera, &mut proctor], |[_, proctor]| !videos(proctor).is_empty());
    assert!(*stays.borrow_and_update());
    hall.runtime.block_on(hall.handle.close(answer.resource)).unwrap();
    assert!(hall.runtime.block_on(stays.changed()).is_err(), "the channel closes with the peer");
    hall.stop();
}

#[test]
fn a_hundred_viewers_come_and_go_and_nothing_of_them_stays() {
    let hall = Hall::new();
    for _ in 0..100 {
        let resource = hall.view(&mut Client::viewer());
        hall.runtime.block_on(hall.handle.close(resource)).unwrap();
    }
    assert_eq!(hall.handle.stats().viewers, 0);
    hall.stop();
}

#[test]
fn hanging_disk_costs_frames_that_are_counted_and_stops_nothing_else() {
    let hall = Hall::with(|options| options.limits.recorder_queue_bytes = 8_000);
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    hall.publish(&mut camera);
    hall.view(&mut proctor);
    hall.drive("a picture", [&mut camera, &mut proctor], |[_, proctor]| videos(proctor).len() > 10);
    let ledger = hall.ledger.clone();
    let hang = ledger.hang.lock().unwrap();
    hall.drive("refused frames", [&mut camera, &mut proctor], |_| hall.handle.stats().dropped_frames > 20);
    let seen = videos(&proctor).len();
    hall.drive("the viewer's picture goes on", [&mut camera, &mut proctor], |[_, proctor]| {
        videos(proctor).len() > seen + 20
    });
    assert!(hall.handle.status(SESSION).is_some_and(|status| status.video_live));
    drop(hang);
    hall.drive("the hole is reported", [&mut camera, &mut proctor], |_| {
        hall.facts().iter().any(|fact| matches!(fact, Fact::Gap { .. }))
    });
    hall.stop();
    assert!(finished(&ledger.facts.lock().unwrap())[0].1 >= 1);
}

#[test]
fn peer_above_its_rate_is_cut_back_before_decryption() {
    let hall = Hall::with(|options| options.limits.packets_per_second = 40);
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("datagrams above the rate", [&mut camera], |_| hall.handle.stats().dropped_rate > 50);
    assert_eq!(hall.handle.stats().publishers, 1);
    hall.stop();
}

/// Offers as Chromium writes them.
#[test]
fn browser_offers_are_answered_with_vp8_and_opus_only() {
    let hall = Hall::new();
    let sections = |sdp: &str| {
        let directions = ["a=sendonly", "a=recvonly", "a=inactive", "a=sendrecv"];
        let kept =
            |line: &&str| line.starts_with("m=") || line.starts_with("b=") || directions.contains(line);
        sdp.lines()
            .filter(kept)
            .map(|line| line.replace("m=", "").replace(" UDP/TLS/RTP/SAVPF", ""))
            .collect::<Vec<_>>()
    };
    let publish = |offer: &str| hall.runtime.block_on(hall.handle.publish(SESSION, offer.to_owned()));
    let camera = publish(include_str!("../corpus/sdp/chromium-publish.sdp")).unwrap().sdp;
    assert_eq!(sections(&camera), ["audio 9 111", "a=recvonly", "video 9 96", "b=AS:300", "a=recvonly"]);
    let screen = publish(include_str!("../corpus/sdp/chromium-screen.sdp")).unwrap().sdp;
    assert_eq!(sections(&screen)[..5], sections(&camera));
    assert_eq!(sections(&screen)[5..], ["video 9 96", "a=inactive"]);
    let offer = include_str!("../corpus/sdp/chromium-screen.sdp").to_owned();
    let taken = hall.runtime.block_on(hall.handle.publish_with_screen(SESSION, offer)).unwrap().sdp;
    assert_eq!(sections(&taken)[..5], sections(&camera));
    assert_eq!(sections(&taken)[5..], ["video 9 96", "b=AS:250", "a=recvonly"]);
    let refused = publish(include_str!("../corpus/sdp/chromium-channel.sdp")).unwrap_err();
    assert_eq!(refused.code(), "sdp_media_lines");
    let offer = include_str!("../corpus/sdp/chromium-view.sdp").to_owned();
    let view = hall.runtime.block_on(hall.handle.view(SESSION, offer)).unwrap().sdp;
    assert_eq!(sections(&view), ["audio 9 111", "a=sendonly", "video 9 96", "a=sendonly"]);
    hall.stop();
}

#[test]
fn junk_is_dropped_before_decryption_and_harms_nobody() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("frames", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    let target = hall.handle.address();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in 0..2_000_u32 {
        let mut junk = number.to_be_bytes().repeat(20);
        junk[0] = u8::try_from(number % 256).unwrap();
        stranger.send_to(&junk, target).unwrap();
    }
    hall.drive("the junk to be counted", [&mut camera], |_| hall.handle.stats().dropped_unknown > 1_000);
    let end = Instant::now() + Duration::from_secs(1);
    hall.drive("a second more", [&mut camera], |_| Instant::now() > end);
    assert!(hall.handle.status(SESSION).unwrap().video_live);
    hall.stop();
}

/// The mark that a publisher puts into each of its pictures.
fn marks(client: &Client) -> Vec<u8> {
    let mut marks: Vec<_> = client.got.iter().filter(|got| got.video).map(|got| got.payload[2]).collect();
    marks.dedup();
    marks
}

#[test]
fn the_screen_is_recorded_by_itself_and_goes_to_whoever_asks_for_it() {
    let hall = Hall::new();
    let (mut camera, mut proctor, mut looker) = (Client::sharing(1), Client::viewer(), Client::viewer());
    hall.publish_with_screen(&mut camera);
    hall.view(&mut proctor);
    hall.view_screen(&mut looker);
    hall.drive("both pictures", [&mut camera, &mut proctor, &mut looker], |clients| {
        videos(clients[1]).len() > 20 && videos(clients[2]).len() > 5
    });
    assert_eq!((marks(&proctor), marks(&looker)), (vec![1], vec![2]));
    assert!(proctor.got.iter().any(|got| !got.video) && looker.got.iter().all(|got| got.video));
    assert!(hall.facts().contains(&Fact::Screen { live: true }));

    // A new publisher goes on in the same places.
    let mut again = Client::sharing(4);
    hall.publish_with_screen(&mut again);
    hall.drive("the new publisher's pictures", [&mut again, &mut proctor, &mut looker], |clients| {
        marks(clients[1]).contains(&4) && marks(clients[2]).contains(&5)
    });
    assert_eq!((marks(&proctor), marks(&looker)), (vec![1, 4], vec![2, 5]));
    hall.runtime.block_on(hall.handle.close_session(SESSION));
    let ledger = hall.stop();
    let blobs = ledger.blobs.lock().unwrap();
    for name in ["screen-0001.webm", "screen-0002.webm", "webcam-0001.webm", "webcam-0002.webm"] {
        let blob = &blobs[name];
        let index = crate::Index::of(&mut io::Cursor::new(blob), blob.len() as u64).unwrap();
        assert!(index.is_pictured() && index.began_at_ms().is_some(), "{name}");
    }
    let facts = ledger.facts.lock().unwrap();
    let place = |wanted: &dyn Fn(&Fact) -> bool| facts.iter().rposition(wanted).unwrap();
    let screen =
        |fact: &Fact| matches!(fact, Fact::SegmentFinished { name, .. } if name.starts_with("screen"));
    assert!(
        place(&screen) < place(&|fact| *fact == Fact::RecordingEnded),
        "the recording ends with the webcam's"
    );
    assert_eq!(facts.iter().filter(|fact| **fact == Fact::RecordingBegan).count(), 2);
    assert_eq!(
        facts.iter().rfind(|fact| matches!(fact, Fact::Screen { .. })),
        Some(&Fact::Screen { live: false })
    );
}

#[test]
fn a_screen_that_nobody_asked_for_is_neither_recorded_nor_forwarded() {
    let hall = Hall::new();
    let (mut camera, mut looker) = (Client::sharing(1), Client::viewer());
    hall.publish(&mut camera);
    hall.view_screen(&mut looker);
    hall.drive("the webcam", [&mut camera, &mut looker], |clients| {
        clients[1].connected && hall.handle.status(SESSION).is_some_and(|status| status.fps > 10)
    });
    assert!(looker.got.is_empty());
    let ledger = hall.stop();
    assert!(ledger.blobs.lock().unwrap().keys().all(|name| !name.starts_with("screen")));
    assert!(!ledger.facts.lock().unwrap().iter().any(|fact| matches!(fact, Fact::Screen { .. })));
}

#[test]
fn nothing_is_forwarded_before_anybody_watches_and_after_the_last_one_left() {
    let hall = Hall::new();
    let mut camera = Client::sharing(1);
    hall.publish_with_screen(&mut camera);
    let seen = || hall.handle.still(SESSION).map_or(0, |still| still.number);
    hall.drive("pictures that nobody watches", [&mut camera], |clients| clients[0].connected && seen() > 0);
    let later = Instant::now() + Duration::from_secs(1);
    hall.drive("a second of them", [&mut camera], |_| Instant::now() > later);
    assert_eq!(hall.handle.stats().forwarded, 0);

    let mut proctor = Client::viewer();
    let resource = hall.view(&mut proctor);
    hall.drive("a picture", [&mut camera, &mut proctor], |clients| videos(clients[1]).len() > 5);
    hall.runtime.block_on(hall.handle.close(resource)).unwrap();
    let left = hall.handle.stats().forwarded;
    assert!(left > 0 && marks(&proctor) == [1], "the webcam alone was asked for");
    let later = Instant::now() + Duration::from_secs(1);
    hall.drive("a second after the last has left", [&mut camera], |_| Instant::now() > later);
    assert_eq!(hall.handle.stats().forwarded, left);
    hall.stop();
}
