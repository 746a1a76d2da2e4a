//! A whole installation: two centres with staff, a bank, a programme, a sitting and candidates each.

use super::clock::{HandClock, START};
use super::source::{NoPlatform, Shelf, Source};
use crate::{Doors, LinkKey, Options};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use ring::rand::SystemRandom;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::session::Input;
use synaq_core::time::Span;
use synaq_media::{Fact, JoinGuard, Service, Sink};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_runtime::{Clock as _, Handle, Ports, Running, SealingKeys};
use synaq_seal::key::{Algorithm, Purpose, SigningKey, TrustSet, TrustedKey};
use synaq_seal::secret::InstallationKey;
use synaq_store::{
    BankRow, CentreRow, Directory, NewCandidate, ProgrammeRow, Role, SimStore, SittingRow, StaffRow,
    StaffSession,
};
use tower::ServiceExt;
use uuid::Uuid;

pub(super) const ORIGIN: &str = "http://exam.test";
pub(super) const SESSIONS: u128 = 4;

/// Numbers of the first centre's rows; those of the second are [`OTHER`] higher.
pub(super) const CENTRE: u128 = 1;
pub(super) const BANK: u128 = 20;
pub(super) const PROGRAMME: u128 = 30;
pub(super) const SITTING: u128 = 40;
pub(super) const SESSION: u128 = 100;
pub(super) const OTHER: u128 = 10_000;

struct Quiet;

impl Sink for Quiet {
    fn report(&self, _: Uuid, _: Fact) {}
}

struct SmallDisk;

impl crate::Room for SmallDisk {
    fn left(&self) -> crate::Left {
        crate::Left::Disk { free: 10_000_000_000 }
    }
}

pub(super) struct House {
    pub(super) router: Router,
    pub(super) runtime: Handle,
    pub(super) clock: Arc<HandClock>,
    pub(super) store: Arc<SimStore>,
    pub(super) shelf: Shelf,
    pub(super) links: LinkKey,
    /// What a verifier of this installation's bundles trusts
    pub(super) trust: TrustSet,
    _running: Running,
    _media: JoinGuard,
}

impl House {
    pub(super) async fn open() -> Self {
        Self::open_for(crate::Limits::default()).await
    }

    /// With so many seats.
    pub(super) async fn open_for(limits: crate::Limits) -> Self {
        let (store, clock, shelf) =
            (Arc::new(SimStore::new()), Arc::new(HandClock::default()), Shelf::default());
        for base in [0, OTHER] {
            furnish(&store, base).await;
        }
        let random = Arc::new(SystemRandom::new());
        let key = || Arc::new(SigningKey::generate(Algorithm::Ed25519, &SystemRandom::new()).unwrap());
        let (seal, approval) = (key(), key());
        let trusted = [(&seal, Purpose::Seal), (&approval, Purpose::Approval)].map(|(key, purpose)| {
            TrustedKey { key: key.public().clone(), purpose, use_from: 0, use_to: None }
        });
        let ports = Ports {
            log: store.clone(),
            outbox: store.clone(),
            source: Arc::new(Source(store.clone())),
            platform: Arc::new(NoPlatform),
            keys: SealingKeys {
                seal,
                approval,
                trust: Arc::new(TrustSet::default()),
                random: random.clone(),
            },
            clock: clock.clone(),
        };
        let (runtime, running) =
            Running::start(synaq_runtime::Options::default(), ports, Uuid::from_u128(9)).await.unwrap();
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = synaq_media::Options { tcp: false, ..synaq_media::Options::new(bind) };
        let (media, guard) = Service::start(options, Arc::new(Quiet), Arc::new(shelf.clone())).unwrap();
        let links = LinkKey::new(&[3; 32]);
        let trust = TrustSet::new(trusted.into()).unwrap();
        let doors = Doors {
            runtime: runtime.clone(),
            media,
            directory: store.clone(),
            log: store.clone(),
            lists: store.clone(),
            room: Arc::new(SmallDisk),
            outbox: store.clone(),
            evidence: Arc::new(shelf.clone()),
            retention: store.clone(),
            terms: synaq_core::retention::Terms::default(),
            mail: crate::PostOffice { rows: store.clone(), filled: Arc::default(), open: true },
            personnel: store.clone(),
            clocks: store.clone(),
            sight: None,
            links: links.clone(),
            session_keys: Arc::new(InstallationKey::from_bytes(&[5; 32]).unwrap()),
            jwks: Bytes::from_static(b"{\"keys\":[]}"),
            clock: clock.clone(),
            random,
        };
        let mut options = Options { limits, ..Options::for_origin(ORIGIN) };
        options.hosts.push("127.0.0.1".to_owned());
        let router = crate::router(options, doors);
        Self { router, runtime, clock, store, shelf, links, trust, _running: running, _media: guard }
    }

    /// The personal link's token of a candidate, by number from 0.
    pub(super) fn link(&self, candidate: u128) -> String {
        self.links.token(session(candidate))
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A request of our own page.
    pub(super) fn request(method: &Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", "exam.test");
        request.header("origin", ORIGIN)
    }

    pub(super) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (StatusCode, Value) {
        let mut request = Self::request(&Method::POST, path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        json(self.send(request.body(Body::from(body.to_string())).unwrap()).await).await
    }

    /// As staff of the first centre.
    pub(super) async fn get_as(&self, role: Role, path: &str) -> (StatusCode, Value) {
        let request = Self::request(&Method::GET, path).header("cookie", cookie(0, role));
        json(self.send(request.body(Body::empty()).unwrap()).await).await
    }

    pub(super) async fn post_as(
        &self,
        role: Role,
        path: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let request = Self::request(&Method::POST, path).header("cookie", cookie(0, role));
        let request = request.header("content-type", media_type).body(Body::from(body)).unwrap();
        json(self.send(request).await).await
    }

    /// Time goes by with the server at work: a clock that jumps is a machine that stood still.
    pub(super) async fn pass(&self, session: SessionId, span: Span) {
        let until = self.clock.now() + span;
        while self.clock.now() < until {
            self.clock.advance(Span::secs(2).min(until - self.clock.now()));
            self.runtime.submit(session, Input::Tick).await.unwrap();
        }
    }

    /// Listens on a real port, for sockets.
    pub(super) async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        address
    }
}

pub(super) fn session(candidate: u128) -> SessionId {
    SessionId(Uuid::from_u128(SESSION + candidate))
}

/// The cookie of the member of staff with that role, `base` 0 or [`OTHER`].
pub(super) fn cookie(base: u128, role: Role) -> String {
    format!("__Host-synaq=cookie-{base}-{}", role.as_str())
}

pub(super) fn staff(base: u128, role: Role) -> StaffId {
    StaffId(Uuid::from_u128(base + 10 + role as u128))
}

pub(super) async fn json(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 32 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::String(text)))
}

async fn furnish(store: &SimStore, base: u128) {
    let id = |number: u128| Uuid::from_u128(base + number);
    let centre = CentreId(id(CENTRE));
    let bin = format!("{:012}", 100 + base);
    store
        .add_centre(CentreRow {
            id: centre, bin, name_kk: "Орталық".into(), name_ru: "Центр".into()
        })
        .await
        .unwrap();
    for role in Role::ALL {
        let login = format!("{}-{base}", role.as_str());
        let row = StaffRow {
            id: staff(base, role),
            centre,
            name: format!("Name of {login}"),
            login,
            mail: None,
            roles: vec![role],
            password_hash: None,
            disabled: false,
        };
        store.add_staff(row).await.unwrap();
        let value = format!("cookie-{base}-{}", role.as_str());
        let session = StaffSession {
            token_hash: crate::auth::hash(&value),
            staff: staff(base, role),
            expires_at: START + Span::mins(24 * 60),
        };
        store.add_staff_session(session).await.unwrap();
    }
    let (bank, programme, sitting) = (BankId(id(BANK)), ProgrammeId(id(PROGRAMME)), SittingId(id(SITTING)));
    let (read, report) = synaq_question_banks::read(DEMO_BANK).unwrap();
    let row = BankRow {
        id: bank,
        centre,
        slug: read.slug,
        version: read.version,
        source: DEMO_BANK.to_owned(),
        sha256: report.sha256,
        imported_at: START,
    };
    store.add_bank(row).await.unwrap();
    let (read, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME).unwrap();
    let row = ProgrammeRow {
        id: programme,
        centre,
        slug: read.slug,
        version: read.version,
        source: DEMO_PROGRAMME.to_owned(),
        bank,
        created_at: START,
    };
    store.add_programme(row).await.unwrap();
    let row = SittingRow {
        id: sitting,
        centre,
        programme,
        title: "Morning".to_owned(),
        opens_at: START - Span::mins(10),
        closes_at: START + Span::mins(180),
        standing: synaq_store::SittingStanding::default(),
    };
    store.add_sitting(row).await.unwrap();
    let candidate = |number: u128| NewCandidate {
        session: SessionId(id(SESSION + number)),
        name: format!("Candidate {number}"),
        identity: format!("{:012}", 1_000 + number),
        extra_minutes: 0,
        switched_off: Vec::new(),
        more: synaq_store::CandidateMore::default(),
        wrapped_key: vec![1; 61],
    };
    store.add_candidates(centre, sitting, (0..SESSIONS).map(candidate).collect()).await.unwrap();
}
