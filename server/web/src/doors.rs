//! What the front door leads to, and how it is configured.

use crate::admission::{Admission, Limits, Queue};
use crate::auth::device::KnownDevices;
use crate::auth::link::LinkKey;
use crate::auth::password::Passwords;
use crate::auth::rate::Rates;
use crate::auth::ticket::Tickets;
use crate::candidate::Batteries;
use crate::centre::Library;
use crate::evidence::Evidence;
use crate::line_stills::LineStills;
use crate::mail::PostOffice;
use crate::meters::Meters;
use crate::ops::Drain;
use crate::peers::Peers;
use crate::playback::{Clips, Indexes, Views};
use crate::proctor::{Lookers, Presence};
use crate::room::Room;
use crate::sight::Sight;
use axum::extract::FromRef;
use bytes::Bytes;
use ring::rand::SecureRandom;
use std::net::IpAddr;
use std::sync::Arc;
use synaq_core::identity::Numbers;
use synaq_core::retention::Terms;
use synaq_runtime::Clock;
use synaq_seal::secret::InstallationKey;
use synaq_store::{Clocks, Directory, EventLog, Lists, Outbox, Personnel, Retention};

/// How the front door answers to the outside.
#[derive(Clone, Debug)]
pub struct Options {
    /// Exact origins of our own pages, such as `https://exam.example.kz`; the first one stands in personal links.
    pub public_origins: Vec<String>,
    /// Host names requests may come for: `exam.example.kz`, or `127.0.0.1:8080` to name the port too.
    pub hosts: Vec<String>,
    /// Cookies are `Secure` and carry the `__Host-` prefix. Browsers take such cookies over plain HTTP from
    /// localhost only.
    pub secure_cookies: bool,
    /// Addresses of proxies whose last `X-Forwarded-For` entry is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Says when sockets must leave.
    pub drain: Drain,
    /// How many candidates may be here at once.
    pub limits: Limits,
    /// Says whether anybody more would get a place.
    pub queue: Queue,
    /// Which IINs candidates may have.
    pub numbers: Numbers,
}

impl Options {
    /// For one origin: its host is the only one answered.
    #[must_use]
    pub fn for_origin(origin: &str) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        Self {
            public_origins: vec![origin.to_owned()],
            hosts: vec![host.to_owned()],
            secure_cookies: true,
            trusted_proxies: Vec::new(),
            drain: Drain::default(),
            limits: Limits::default(),
            queue: Queue::default(),
            numbers: Numbers::default(),
        }
    }

    /// The origin that stands in links.
    pub(crate) fn public_origin(&self) -> &str {
        self.public_origins.first().map_or("", String::as_str)
    }
}

/// Entropy, from the binary.
pub type Random = Arc<dyn SecureRandom + Send + Sync>;

/// Everything behind the front door.
#[derive(Clone)]
pub struct Doors {
    /// Sessions
    pub runtime: synaq_runtime::Handle,
    /// Pictures and sound
    pub media: synaq_media::Handle,
    /// Centres, staff, banks, sittings, candidates
    pub directory: Arc<dyn Directory>,
    /// Logs of sessions, for reading
    pub log: Arc<dyn EventLog>,
    /// Long lists, for reading
    pub lists: Arc<dyn Lists>,
    /// Room for recordings
    pub room: Arc<dyn Room>,
    /// Fate of deliveries, for reading
    pub outbox: Arc<dyn Outbox>,
    /// Sealed evidence
    pub evidence: Arc<dyn Evidence>,
    /// Holds on it, and what became of it
    pub retention: Arc<dyn Retention>,
    /// For how long it is kept
    pub terms: Terms,
    /// Where letters are posted
    pub mail: PostOffice,
    /// Who works at a centre
    pub personnel: Arc<dyn Personnel>,
    /// How the clock stood beside others
    pub clocks: Arc<dyn Clocks>,
    /// Who looks at pictures, if anybody does
    pub sight: Option<Arc<dyn Sight>>,
    /// Key of personal links
    pub links: LinkKey,
    /// Wraps the data key of each new session
    pub session_keys: Arc<InstallationKey>,
    /// Public keys as a JWK set, JSON; served at `/.well-known/jwks.json`
    pub jwks: Bytes,
    /// The clock
    pub clock: Arc<dyn Clock>,
    /// Entropy
    pub random: Random,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doors(..)")
    }
}

/// The doors and what the front door itself remembers; all of it may be lost without losing a fact.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    options: Arc<Options>,
    doors: Doors,
    tickets: Arc<Tickets>,
    devices: Arc<KnownDevices>,
    presence: Arc<Presence>,
    lookers: Arc<Lookers>,
    batteries: Arc<Batteries>,
    stills: Arc<LineStills>,
    rates: Arc<Rates>,
    passwords: Arc<Passwords>,
    library: Arc<Library>,
    peers: Arc<Peers>,
    admission: Arc<Admission>,
    meters: Arc<Meters>,
    indexes: Arc<Indexes>,
    clips: Arc<Clips>,
    views: Arc<Views>,
}

/// Who looks at pictures, for `FromRef`.
#[derive(Clone)]
pub(crate) struct Watching(pub(crate) Option<Arc<dyn Sight>>);

impl FromRef<App> for Watching {
    fn from_ref(app: &App) -> Self {
        Self(app.0.doors.sight.clone())
    }
}

/// The public keys, for `FromRef`.
#[derive(Clone)]
pub(crate) struct Jwks(pub(crate) Bytes);

impl App {
    pub(crate) fn new(options: Options, doors: Doors) -> Self {
        let admission = Arc::new(Admission::new(options.limits, Arc::clone(&doors.clock)));
        options.queue.follow(&admission);
        Self(Arc::new(Inner {
            admission,
            meters: Arc::new(Meters::default()),
            indexes: Arc::default(),
            clips: Arc::default(),
            views: Arc::new(Views::new(Arc::clone(&doors.clock))),
            options: Arc::new(options),
            tickets: Arc::new(Tickets::new(Arc::clone(&doors.clock), Arc::clone(&doors.random))),
            devices: Arc::new(KnownDevices::default()),
            presence: Arc::new(Presence::default()),
            lookers: Arc::default(),
            batteries: Arc::default(),
            stills: Arc::new(LineStills::default()),
            rates: Arc::new(Rates::new(&doors.clock)),
            passwords: Arc::new(Passwords::new(Arc::clone(&doors.random))),
            library: Arc::new(Library::new(Arc::clone(&doors.directory))),
            peers: Arc::new(Peers::new(doors.media.clone())),
            doors,
        }))
    }
}

impl App {
    pub(crate) fn retention(&self) -> (Arc<dyn Retention>, Terms) {
        (Arc::clone(&self.0.doors.retention), self.0.doors.terms)
    }
}

macro_rules! parts {
    ($($type:ty: |$inner:ident| $part:expr;)+) => {$(
        impl FromRef<App> for $type {
            fn from_ref(app: &App) -> Self {
                let $inner = &app.0;
                $part.clone()
            }
        }
    )+};
}

parts! {
    synaq_runtime::Handle: |inner| inner.doors.runtime;
    synaq_media::Handle: |inner| inner.doors.media;
    Arc<dyn Directory>: |inner| inner.doors.directory;
    Arc<dyn EventLog>: |inner| inner.doors.log;
    Arc<dyn Lists>: |inner| inner.doors.lists;
    Arc<dyn Room>: |inner| inner.doors.room;
    Arc<dyn Outbox>: |inner| inner.doors.outbox;
    Arc<dyn Evidence>: |inner| inner.doors.evidence;
    Arc<dyn Clock>: |inner| inner.doors.clock;
    Arc<dyn Clocks>: |inner| inner.doors.clocks;
    Random: |inner| inner.doors.random;
    LinkKey: |inner| inner.doors.links;
    PostOffice: |inner| inner.doors.mail;
    Arc<dyn Personnel>: |inner| inner.doors.personnel;
    Arc<InstallationKey>: |inner| inner.doors.session_keys;
    Arc<Options>: |inner| inner.options;
    Drain: |inner| inner.options.drain;
    Arc<Tickets>: |inner| inner.tickets;
    Arc<KnownDevices>: |inner| inner.devices;
    Arc<Presence>: |inner| inner.presence;
    Arc<Lookers>: |inner| inner.lookers;
    Arc<Batteries>: |inner| inner.batteries;
    Arc<LineStills>: |inner| inner.stills;
    Arc<Rates>: |inner| inner.rates;
    Arc<Passwords>: |inner| inner.passwords;
    Arc<Library>: |inner| inner.library;
    Arc<Peers>: |inner| inner.peers;
    Arc<Admission>: |inner| inner.admission;
    Arc<Meters>: |inner| inner.meters;
    Arc<Indexes>: |inner| inner.indexes;
    Arc<Clips>: |inner| inner.clips;
    Arc<Views>: |inner| inner.views;
}

impl FromRef<App> for Jwks {
    fn from_ref(app: &App) -> Self {
        Self(app.0.doors.jwks.clone())
    }
}
