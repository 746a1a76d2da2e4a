//! The whole way of evidence into a store and back, against an S3 server that answers, stalls, is away, or refuses.

use super::*;
use crate::adapter::evidence::EvidenceFolder;
use ring::rand::SystemRandom;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Instant;
use synaq_core::retention::DataClass;
use synaq_media::{EvidenceStore as _, EvidenceWriter};
use synaq_seal::blob::InstallationKey;
use synaq_seal::shares::wrap_fresh;
use synaq_test_s3::{BUCKET, KEY_ID, Mood, S3, SECRET};
use synaq_web::Evidence as _;
use tokio::task::{JoinHandle, spawn_blocking};

const SESSION: Uuid = Uuid::from_u128(0x5e55);
const WEBCAM: &str = "webcam-0001.webm";
const PATIENCE: Duration = Duration::from_secs(60);
const MIB: u64 = 1024 * 1024;
/// More than what makes a part due by itself.
const CHUNK: usize = 600 * 1024;

/// As an installation is told of it.
fn place(s3: &S3) -> Place {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Place {
        bucket: BUCKET.to_owned(),
        prefix: "2026/spring".to_owned(),
        endpoint: Some(s3.endpoint().to_owned()),
        region: "us-east-1".to_owned(),
        key_id: KEY_ID.to_owned(),
        secret: SECRET.to_owned(),
        path_style: true,
        allow_http: true,
        authority: s3.authority().map(|pem| pem.as_bytes().to_vec()),
    }
}

/// An installation's folder, which outlives its processes.
struct House {
    data: tempfile::TempDir,
    wrapped: Vec<u8>,
}

/// One process of it.
struct Process {
    evidence: Arc<EvidenceFolder>,
    courier: JoinHandle<()>,
}

impl House {
    fn new() -> Self {
        let key = InstallationKey::from_bytes(&[5; 32]).unwrap();
        let wrapped =
            wrap_fresh(DataClass::ALL.len(), &key, SESSION.as_bytes(), &SystemRandom::new()).unwrap();
        Self { data: tempfile::tempdir().unwrap(), wrapped }
    }

    fn root(&self) -> PathBuf {
        self.data.path().join("evidence")
    }

    /// Nothing stays here that the store has.
    fn start(&self, s3: &S3) -> Process {
        self.start_with(Options {
            part_every: Duration::from_millis(20),
            ..Options::new(place(s3), 64 * MIB, 0)
        })
    }

    fn start_with(&self, options: Options) -> Process {
        let depot = Depot::behind(self.root(), options).unwrap();
        let key = Arc::new(InstallationKey::from_bytes(&[5; 32]).unwrap());
        let store = Arc::new(synaq_store::SimStore::default());
        let evidence = EvidenceFolder::new(self.root(), key, store).carried_by(Some(Arc::clone(&depot)));
        evidence.introduce(SESSION, &self.wrapped).unwrap();
        Process { evidence: Arc::new(evidence), courier: tokio::spawn(depot.carry_on()) }
    }

    fn local(&self, ending: &str) -> usize {
        let entries = fs::read_dir(self.root().join(SESSION.to_string()));
        entries.map_or(0, |entries| {
            entries
                .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(ending))
                .count()
        })
    }

    /// Every file that was written is in the store, and none is here any more.
    async fn all_carried(&self) {
        until(|| self.local(SUFFIX) == 0).await;
    }
}

async fn until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "it did not come about in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Chunks that differ, and that nothing compresses.
fn chunk(number: u8) -> Vec<u8> {
    (0..CHUNK).map(|at| u8::try_from(at % 251).unwrap() ^ number).collect()
}

impl Process {
    fn create(&self, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        self.evidence.create(SESSION, name)
    }

    async fn read(&self, name: &str) -> io::Result<(Vec<u8>, bool)> {
        let (evidence, name) = (Arc::clone(&self.evidence), name.to_owned());
        let read = move || {
            let mut opened = evidence.open(SessionId(SESSION), &name)?;
            let mut plain = Vec::new();
            opened.plain.read_to_end(&mut plain)?;
            Ok((plain, opened.unfinished))
        };
        spawn_blocking(read).await.unwrap()
    }

    async fn remove(&self, class: DataClass) -> io::Result<usize> {
        let evidence = Arc::clone(&self.evidence);
        spawn_blocking(move || evidence.remove(SessionId(SESSION), class)).await.unwrap()
    }

    /// As `kill -9` would.
    fn kill(self, writer: Box<dyn EvidenceWriter>) {
        self.courier.abort();
        // Nothing of it is told to anybody.
        std::mem::forget(writer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_in_the_store_while_it_goes_on_and_is_read_from_there_when_it_is_over() {
    let (s3, house) = (S3::start().await, House::new());
    let process = house.start(&s3);
    let mut writer = process.create(WEBCAM).unwrap();
    let mut plain = Vec::new();
    for number in 0..3 {
        writer.append(&chunk(number)).unwrap();
        plain.extend(chunk(number));
        until(|| s3.objects().len() > usize::from(number)).await;
    }
    assert_eq!(process.read(WEBCAM).await.unwrap(), (plain.clone(), true), "while it goes on");
    writer.finish().unwrap();
    house.all_carried().await;
    assert!(
        !s3.bytes().windows(32).any(|window| window == &plain[..32]),
        "only sealed bytes leave this machine"
    );

    assert_eq!(process.create(WEBCAM).err().map(|error| error.kind()), Some(io::ErrorKind::AlreadyExists));
    assert_eq!(process.read(WEBCAM).await.unwrap(), (plain.clone(), false));
    let evidence = Arc::clone(&process.evidence);
    let range = spawn_blocking(move || {
        let mut opened = evidence.open(SessionId(SESSION), WEBCAM).unwrap();
        opened.plain.seek(SeekFrom::Start(CHUNK as u64 - 2)).unwrap();
        let mut four = [0; 4];
        opened.plain.read_exact(&mut four).unwrap();
        (four, opened.bytes, evidence.names(SessionId(SESSION)).unwrap())
    });
    let (four, bytes, names) = range.await.unwrap();
    assert_eq!((&four[..], bytes), (&plain[CHUNK - 2..CHUNK + 2], plain.len() as u64));
    assert_eq!((names, house.local(NOTE)), (vec![WEBCAM.to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_or_stalls_costs_nothing_and_what_waited_goes_up_when_it_is_back() {
    for mood in [Mood::Away, Mood::Stalled] {
        let (s3, house) = (S3::start().await, House::new());
        let process = house.start(&s3);
        let mut writer = process.create(WEBCAM).unwrap();
        writer.append(&chunk(0)).unwrap();
        until(|| !s3.objects().is_empty()).await;
        s3.is(mood);
        let mut plain = chunk(0);
        for number in 1..6 {
            writer.append(&chunk(number)).unwrap();
            plain.extend(chunk(number));
        }
        writer.finish().unwrap();
        process.evidence.store(SessionId(SESSION), "face-1", b"a photo meanwhile").unwrap();
        assert_eq!(process.read(WEBCAM).await.unwrap().0, plain, "what is here is read here");
        s3.is(Mood::Up);
        house.all_carried().await;
        assert_eq!(process.read(WEBCAM).await.unwrap(), (plain, false), "{mood:?}");
        assert_eq!(process.read("face-1").await.unwrap().0, b"a photo meanwhile");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_and_the_next_one_goes_on_where_the_store_ends() {
    let (s3, house) = (S3::start().await, House::new());
    let process = house.start(&s3);
    let mut writer = process.create(WEBCAM).unwrap();
    writer.append(&chunk(0)).unwrap();
    until(|| !s3.objects().is_empty()).await;
    let before = s3.objects();
    s3.is(Mood::Away);
    writer.append(&chunk(1)).unwrap();
    process.kill(writer);

    s3.is(Mood::Up);
    let process = house.start(&s3);
    assert_eq!(process.evidence.names_here(SessionId(SESSION)).unwrap(), [WEBCAM]);
    house.all_carried().await;
    assert!(before.iter().all(|part| s3.objects().contains(part)), "nothing is carried twice");
    assert_eq!(process.read(WEBCAM).await.unwrap(), ([chunk(0), chunk(1)].concat(), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_file_stays_as_long_as_the_store_lacks_a_byte_of_it() {
    let (s3, house) = (S3::start().await, House::new());
    let process = house.start(&s3);
    let mut writer = process.create(WEBCAM).unwrap();
    writer.append(&chunk(0)).unwrap();
    until(|| !s3.objects().is_empty()).await;
    s3.is(Mood::Away);
    s3.lose(&s3.objects()[0]);
    writer.append(&chunk(1)).unwrap();
    writer.finish().unwrap();
    s3.is(Mood::Up);
    house.all_carried().await;
    assert_eq!(process.read(WEBCAM).await.unwrap(), ([chunk(0), chunk(1)].concat(), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_refuses_what_is_new_as_a_full_disk_does_and_takes_it_again_afterwards() {
    let (s3, house) = (S3::start().await, House::new());
    s3.is(Mood::Away);
    let process = house.start_with(Options {
        part_every: Duration::from_millis(20),
        ..Options::new(place(&s3), CHUNK as u64 / 2, 0)
    });
    let mut writer = process.create(WEBCAM).unwrap();
    writer.append(&chunk(0)).unwrap();
    assert_eq!(writer.append(&chunk(1)).unwrap_err().kind(), io::ErrorKind::StorageFull);
    drop(writer);
    let next = "webcam-0002.webm";
    assert_eq!(process.create(next).err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    s3.is(Mood::Up);
    house.all_carried().await;
    process.create(next).unwrap().append(&chunk(2)).unwrap();
    assert_eq!(process.read(WEBCAM).await.unwrap(), (chunk(0), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_removes_every_object_of_the_class_and_waits_for_a_store_that_is_away() {
    let (s3, house) = (S3::start().await, House::new());
    let process = house.start(&s3);
    for name in [WEBCAM, "clip-0001.webm", "stills-0001", "face-1"] {
        process.evidence.store(SessionId(SESSION), name, name.as_bytes()).unwrap();
    }
    house.all_carried().await;
    assert_eq!(process.remove(DataClass::Recordings).await.unwrap(), 2);
    let left = s3.objects();
    assert!(
        left.len() == 2 && left.iter().all(|name| name.contains("stills-") || name.contains("face-")),
        "{left:?}"
    );
    assert_eq!(process.evidence.names_here(SessionId(SESSION)).unwrap(), ["face-1", "stills-0001"]);
    s3.is(Mood::Away);
    assert!(process.remove(DataClass::Photos).await.is_err(), "it is not said to be gone");
    s3.is(Mood::Up);
    process.remove(DataClass::Photos).await.unwrap();
    assert!(s3.objects().iter().all(|name| name.contains("stills-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_disk_finds_everything_in_the_store() {
    let (s3, house) = (S3::start().await, House::new());
    let process = house.start(&s3);
    process.evidence.store(SessionId(SESSION), WEBCAM, &chunk(0)).unwrap();
    house.all_carried().await;
    process.courier.abort();
    fs::remove_dir_all(house.root()).unwrap();

    let process = house.start(&s3);
    let evidence = Arc::clone(&process.evidence);
    let names = spawn_blocking(move || evidence.names(SessionId(SESSION))).await.unwrap();
    assert_eq!(names.unwrap(), [WEBCAM]);
    assert_eq!(process.read(WEBCAM).await.unwrap(), (chunk(0), false));
    assert_eq!(process.read("webcam-0002.webm").await.unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_store_is_said() {
    let s3 = S3::start().await;
    let said = async |place: Place| {
        Bucket::open(&place).unwrap().probe().await.err().map(|fault| {
            println!("{fault}");
            fault.label()
        })
    };
    assert_eq!(said(place(&s3)).await, None);
    assert!(s3.objects().is_empty(), "a probe leaves nothing behind");
    assert_eq!(said(Place { secret: "south".to_owned(), ..place(&s3) }).await, Some("denied"));
    assert_eq!(said(Place { key_id: "nobody".to_owned(), ..place(&s3) }).await, Some("denied"));
    assert_eq!(said(Place { bucket: "another".to_owned(), ..place(&s3) }).await, Some("missing"));
    assert_eq!(said(Place { allow_http: false, ..place(&s3) }).await, Some("away"));
    s3.is(Mood::Away);
    assert_eq!(said(place(&s3)).await, Some("away"));

    let (s3, stranger) = (S3::start_secure().await, S3::start_secure().await);
    assert_eq!(said(place(&s3)).await, None);
    let of_another = place(&stranger).authority;
    assert!(of_another.is_some());
    for authority in [None, of_another] {
        assert_eq!(said(Place { authority, ..place(&s3) }).await, Some("away"));
    }
}
