//! A whole installation out of its parts: store, keys, evidence, media, runtime, front door.

use crate::adapter::clip_keeper::ClipKeeper;
use crate::adapter::depot::{self, Depot};
use crate::adapter::detection::{self, Detection};
use crate::adapter::evidence::EvidenceFolder;
use crate::adapter::expired;
use crate::adapter::media_sink::{MediaSink, Recording};
use crate::adapter::media_watch::MediaWatch;
use crate::adapter::platform_client::PlatformClient;
use crate::adapter::salvage;
use crate::adapter::session_source::DirectorySource;
use crate::adapter::watched_log::{StoreWatch, WatchedLog};
use crate::clock::SystemClock;
use crate::keys::Keys;
use crate::mail::{Carrier, Relay};
use crate::ops::Watch;
use crate::ops::disk::EvidenceRoom;
use crate::private;
use crate::retention::{self, Eraser, Keeping, Ledger};
use crate::store::{Address, Place, Store};
use crate::timekeeping;
use anyhow::Context as _;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synaq_runtime::{Clock as _, Ports, Running, SealingKeys};
use synaq_seal::key::{SigningKey, TrustSet};
use uuid::Uuid;

/// Where an installation keeps what, below one folder.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    data: PathBuf,
    store: Place,
}

impl Folders {
    /// Below `data`, the rows in a file there too.
    pub(crate) fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), store: Place::File(data.join("synaq.db")) }
    }

    /// Below `data`, the rows where this address says.
    pub(crate) fn with_store(data: &Path, address: &Address, password: Option<&str>) -> anyhow::Result<Self> {
        let store = Place::of(address, &Self::new(data).database(), password)?;
        Ok(Self { data: data.to_owned(), store })
    }

    /// The database file of the embedded engine.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("synaq.db")
    }

    /// Where the rows are.
    pub(crate) const fn store(&self) -> &Place {
        &self.store
    }

    /// Private keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// Sealed evidence.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.data.join("evidence")
    }

    /// Everything else lies below it.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Public keys for verifiers: ours and the platform's.
    pub(crate) fn trust(&self) -> PathBuf {
        self.data.join("trust.json")
    }
}

/// Left by `synaq restore`: what happened between these two is missing here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restored {
    /// When the backup was taken, ms UTC
    pub(crate) taken_at: i64,
    /// When it was restored, ms UTC
    pub(crate) restored_at: i64,
}

impl Restored {
    fn path(folders: &Folders) -> PathBuf {
        folders.data.join("restored.json")
    }

    /// Marks a folder.
    pub(crate) fn write(&self, folders: &Folders) -> anyhow::Result<()> {
        private::write(&Self::path(folders), &serde_json::to_vec_pretty(self)?)
    }

    /// When this folder was restored, if it was.
    pub(crate) fn read(folders: &Folders) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(folders)).ok()?).ok()
    }

    /// Says at every start that this folder was restored: a record that the platform refuses as another content, or an
    /// answer that somebody misses, has its reason here.
    fn tell(folders: &Folders) {
        let Ok(bytes) = std::fs::read(Self::path(folders)) else { return };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(Self { taken_at, restored_at }) => tracing::warn!(
                taken_at,
                restored_at,
                "this installation was restored from a backup; what was acknowledged between these two is missing"
            ),
            Err(error) => tracing::warn!(%error, "restored.json cannot be read"),
        }
    }
}

/// What starting needs besides the folders.
pub(crate) struct Start {
    /// Where and how WebRTC is taken
    pub(crate) media: synaq_media::Options,
    /// Who looks at pictures; none: nobody
    pub(crate) detectors: Option<detection::Settings>,
    /// How the front door answers to the outside
    pub(crate) web: synaq_web::Options,
    /// Where evidence is carried to; none: nowhere
    pub(crate) evidence: Option<depot::Options>,
    /// For how long evidence is kept
    pub(crate) retention: Keeping,
    /// Time servers that the clock is compared with
    pub(crate) time_servers: Vec<String>,
    /// Who sends letters; none: links are handed over by people
    pub(crate) mail: Option<Carrier>,
    /// Base address of the platform, without trailing slash
    pub(crate) platform_url: String,
    /// The platform's public keys
    pub(crate) platform_trust: TrustSet,
}

/// A started installation.
pub(crate) struct Installation {
    /// All HTTP and WebSocket routes
    pub(crate) router: axum::Router,
    /// Shards, timers, relay
    pub(crate) running: Running,
    /// Media threads and what carries their facts on
    pub(crate) media: Recording,
    /// The way in, for what stands in for cameras at a rehearsal
    pub(crate) runtime: synaq_runtime::Handle,
    /// For operators
    pub(crate) watch: Watch,
}

/// Opens the store and keys of an installation.
pub(crate) async fn open(folders: &Folders) -> anyhow::Result<(Arc<dyn Store>, Keys)> {
    private::folder(&folders.data)
        .with_context(|| format!("the data folder {} cannot be made", folders.data.display()))?;
    let keys = Keys::open(&folders.keys(), &SystemRandom::new())?;
    Ok((folders.store.open().await?, keys))
}

fn sealing_keys(keys: &Keys, platform: TrustSet, random: Arc<SystemRandom>) -> SealingKeys {
    let (seal, approval) = (keys.seal.clone(), keys.approval.clone());
    SealingKeys { seal, approval, trust: Arc::new(platform), random }
}

fn runtime_options(folders: &Folders) -> synaq_runtime::Options {
    synaq_runtime::Options {
        shards: folders.store.shards(),
        appends_in_place: folders.store.appends_in_place(),
        ..Default::default()
    }
}

/// Starts everything but the listener.
pub(crate) async fn start(
    folders: &Folders,
    store: Arc<dyn Store>,
    keys: Keys,
    start: Start,
) -> anyhow::Result<Installation> {
    Restored::tell(folders);
    let clock = Arc::new(SystemClock::start());
    let random = Arc::new(SystemRandom::new());
    let depot = start.evidence.map(|options| Depot::behind(folders.evidence(), options)).transpose()?;
    let evidence = EvidenceFolder::new(folders.evidence(), Arc::clone(&keys.installation), store.clone());
    let evidence = Arc::new(evidence.carried_by(depot.clone()));
    let jwks = publish(folders, &keys, &start.platform_trust)?;

    let sink = Arc::new(MediaSink::default());
    let detection = Arc::new(Detection::new(clock.clone()));
    let reports =
        Arc::new(detection::Beside::new(sink.clone(), start.detectors.is_some().then(|| detection.clone())));
    let (media, threads) = synaq_media::Service::start(start.media, reports, evidence.clone())
        .context("the media service cannot start; is its port taken?")?;
    let watched = Arc::new(StoreWatch::default());
    let ports = Ports {
        log: Arc::new(WatchedLog::new(store.clone(), Arc::clone(&watched))),
        outbox: store.clone(),
        source: source(&store, &evidence, keys.derivation),
        platform: platform(start.platform_url)?,
        keys: sealing_keys(&keys, start.platform_trust, random.clone()),
        clock: clock.clone(),
    };
    let unread = "the sessions cannot be brought back";
    // Before anybody can publish: what lies there when a session is opened was left by the process before.
    let left = store.live().await.context(unread)?;
    evidence.expect(&left);
    let cut_off = salvage::CutOff { live: left, began: clock.now() };
    let started = Running::start(runtime_options(folders), ports, Uuid::now_v7()).await;
    let (runtime, running) = started.context(unread)?;
    let watch = Watch {
        store: watched,
        runtime: runtime.clone(),
        drain: start.web.drain.clone(),
        queue: start.web.queue.clone(),
        media: media.clone(),
        outbox: store.clone(),
        mail: store.clone(),
        clock: clock.clone(),
        depot: depot.clone(),
        folders: [("data", folders.data.clone()), ("evidence", folders.evidence())],
    };
    let detectors = start.detectors.as_ref().map(|settings| detection.watch_over(settings, &runtime));
    let detectors = detectors.transpose().context("the detectors cannot start")?;
    let clips = ClipKeeper::new(runtime.clone(), Arc::clone(&evidence), Arc::clone(&sink), clock.clone());
    let recording = Recording {
        threads,
        detectors,
        delivery: tokio::spawn(Arc::clone(&sink).deliver(runtime.clone(), Arc::clone(&evidence))),
        watch: tokio::spawn(MediaWatch::new(media.clone(), runtime.clone(), Arc::clone(&sink), clips).run()),
        sink,
        tasks: tokio::runtime::Handle::current(),
    };
    tokio::spawn(cut_off.find_and_measure(runtime.clone(), Arc::clone(&recording.sink), evidence.clone()));
    depot.map(|depot| tokio::spawn(depot.carry_on()));
    tokio::spawn(expired::purge(store.clone(), clock.clone()));
    tokio::spawn(timekeeping::watch(store.clone(), *clock, start.time_servers));
    let eraser = eraser(folders, &store, &evidence, &keys.seal);
    tokio::spawn(retention::daily(eraser, start.retention, Restored::read(folders), clock.clone()));
    let mail = post_office(start.mail, &store, &keys, clock.clone());
    let doors = synaq_web::Doors {
        runtime: runtime.clone(),
        media,
        directory: store.clone(),
        log: store.clone(),
        lists: store.clone(),
        room: Arc::new(EvidenceRoom { folder: folders.evidence(), in_store: watch.depot.is_some() }),
        outbox: store.clone(),
        retention: store.clone(),
        terms: start.retention.terms,
        mail,
        personnel: store.clone(),
        clocks: store.clone(),
        evidence,
        sight: start.detectors.is_some().then(|| detection::sight(Arc::clone(&detection))),
        links: synaq_web::LinkKey::new(&keys.derivation),
        session_keys: keys.installation.clone(),
        jwks: jwks.into(),
        clock,
        random,
    };
    Ok(Installation {
        router: synaq_web::router(start.web, doors),
        running,
        media: recording,
        watch,
        runtime,
    })
}

fn source(
    store: &Arc<dyn Store>,
    evidence: &Arc<EvidenceFolder>,
    derivation: [u8; 32],
) -> Arc<DirectorySource> {
    Arc::new(DirectorySource::new((store.clone(), store.clone()), Arc::clone(evidence), derivation))
}

fn platform(url: String) -> anyhow::Result<Arc<PlatformClient>> {
    Ok(Arc::new(PlatformClient::new(url).context("the platform's address is not usable")?))
}

/// Where letters are posted; with a carrier somebody sends them too.
fn post_office(
    carrier: Option<Carrier>,
    store: &Arc<dyn Store>,
    keys: &Keys,
    clock: Arc<SystemClock>,
) -> synaq_web::PostOffice {
    let filled = Arc::new(tokio::sync::Notify::new());
    let open = carrier.is_some();
    if let Some(carrier) = carrier {
        let (rows, key) = (store.clone(), Arc::clone(&keys.installation));
        tokio::spawn(Relay { rows, filled: Arc::clone(&filled), carrier, key, clock }.run());
    }
    synaq_web::PostOffice { rows: store.clone(), filled, open }
}

/// Writes the public keys for verifiers: ours and the platform's.
fn publish(folders: &Folders, keys: &Keys, platform: &TrustSet) -> anyhow::Result<Vec<u8>> {
    let mut trusted = keys.trust(0);
    trusted.extend(platform.iter().cloned());
    Ok(crate::keys::write_trust(&folders.trust(), trusted)?.to_json())
}

/// What erases in this installation, by itself or by hand.
pub(crate) fn eraser(
    folders: &Folders,
    store: &Arc<dyn Store>,
    evidence: &Arc<EvidenceFolder>,
    seal: &Arc<SigningKey>,
) -> Eraser {
    Eraser {
        store: Arc::clone(store),
        evidence: Arc::clone(evidence),
        ledger: Ledger::below(folders.data()),
        seal: Arc::clone(seal),
    }
}
