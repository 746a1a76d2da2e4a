//! A light candidate: the real protocol without a camera, small enough for ten thousand in one process.

use super::Shared;
use super::frames::{self, Heard, View, Welcome};
use crate::line::http::{Http, Who};
use crate::line::socket::Socket;
use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use synaq_wire::candidate::{
    AcknowledgedText, BindDevice, Bound, CandidateCommand, ClientFrame, DeviceReport, Identity, Lang,
    LinkInfo, OpenLink, Ticket, TicketRequest,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

/// Longer than any answer of a server that still works.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// What the page would show; the number is recorded, not judged.
const TEXT_VERSION: &str = "virtual-1";
const TEXTS: [AcknowledgedText; 4] = [
    AcknowledgedText::Methodology,
    AcknowledgedText::AppealProcedure,
    AcknowledgedText::ForbiddenItems,
    AcknowledgedText::Conduct,
];
/// As the view writes it.
const READY: &str = r#""ready":true"#;
/// The proctor may have hundreds before this one.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(600);

/// An answer the server has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) client_seq: u64,
    pub(super) question: u16,
    pub(super) shown: Vec<u8>,
}

/// An answer on its way; latency counts from the instant it was due.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) given: Given,
    pub(super) due: Instant,
}

/// One candidate with one device.
pub struct Light {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
    source: Ipv4Addr,
    link: String,
    device_key: String,
    tab: Uuid,
    pub(super) session: Uuid,
    pub(super) rng: SmallRng,
    skew_ms: i64,
    pub(super) socket: Option<Socket>,
    pub(super) epoch: u32,
    pub(super) next_seq: u64,
    pub(super) questions: u16,
    /// The newest acknowledged answer of each question
    pub(super) held: BTreeMap<u16, Given>,
    /// Every acknowledged answer's number
    pub(super) acknowledged: Vec<u64>,
    pub(super) pending: VecDeque<Pending>,
    /// By the newest welcome: what was left, and when that was read
    pub(super) remaining: Option<(i64, Instant)>,
    /// The newest view said that `begin` would be taken
    ready: bool,
}

impl std::fmt::Debug for Light {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Light").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Light {
    pub(super) fn new(shared: Arc<Shared>, index: usize, link: String) -> Self {
        let mut rng =
            SmallRng::seed_from_u64(shared.seed.wrapping_add(u64::try_from(index).unwrap_or_default()));
        let device: [u8; 32] = rng.random();
        let skew = i64::try_from(shared.skew.as_millis()).unwrap_or(i64::MAX);
        let skew_ms = if skew == 0 { 0 } else { rng.random_range(-skew..=skew) };
        Self {
            source: shared.source(index),
            shared,
            index,
            link,
            device_key: URL_SAFE_NO_PAD.encode(device),
            tab: Uuid::now_v7(),
            session: Uuid::nil(),
            rng,
            skew_ms,
            socket: None,
            epoch: 0,
            next_seq: 1,
            questions: 1,
            held: BTreeMap::new(),
            acknowledged: Vec::new(),
            pending: VecDeque::new(),
            remaining: None,
            ready: false,
        }
    }

    /// Whose exam.
    #[must_use]
    pub const fn session(&self) -> Uuid {
        self.session
    }

    /// From the personal link up to the proctor's admission and the four texts.
    pub(super) async fn prepare(&mut self) -> anyhow::Result<()> {
        let shared = Arc::clone(&self.shared);
        let turn = shared.preparing.acquire().await?;
        let mut http = Http::connect(&shared.target, self.source).await?;
        let open = OpenLink { link: self.link.clone() };
        let info: LinkInfo = http.post("/api/v1/candidate/open", Who::Anyone, &open).await?;
        self.questions = info.questions;
        let bind = BindDevice { link: self.link.clone(), device_key: self.device_key.clone(), tab: self.tab };
        let bound: Bound = http.post("/api/v1/candidate/bind", Who::Anyone, &bind).await?;
        anyhow::ensure!(bound.in_charge, "another device holds this link");
        self.session = bound.session;
        self.connect().await?;
        let lang = if self.rng.random_bool(0.5) { Lang::Kk } else { Lang::Ru };
        self.command(CandidateCommand::ChooseLanguage { lang }).await?;
        self.command(CandidateCommand::Consent { text_version: TEXT_VERSION.to_owned(), lang }).await?;
        self.command(CandidateCommand::CheckDevice { report: device_report() }).await?;
        for kind in ["face", "document"] {
            let path = format!("/api/v1/candidate/photos/{kind}");
            let credential = self.credential();
            http.send("PUT", &path, Who::Device(&credential), "image/jpeg", &shared.photo).await?;
        }
        drop(http);
        self.command(CandidateCommand::SubmitIdentity).await?;
        drop(turn);
        self.until("the admission", |view| view.steps.identity == Identity::Admitted).await?;
        for text in TEXTS {
            self.command(CandidateCommand::Acknowledge { text, text_version: TEXT_VERSION.to_owned(), lang })
                .await?;
        }
        let nonce: [u8; 32] = self.rng.random();
        let nonce = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        self.command(CandidateCommand::Ready { nonce }).await
    }

    /// Picture and sound are known to flow and the sitting is open.
    pub(super) async fn until_ready(&mut self) -> anyhow::Result<()> {
        if self.ready {
            return Ok(());
        }
        self.until("everything being ready", |view| view.steps.ready).await
    }

    /// Begins the exam and opens the first question.
    pub(super) async fn begin(&mut self) -> anyhow::Result<()> {
        self.command(CandidateCommand::Begin).await?;
        self.question(0).await
    }

    async fn question(&mut self, index: u16) -> anyhow::Result<()> {
        self.socket()?.send(&ClientFrame::Question { index }).await?;
        let end = Instant::now() + PATIENCE;
        loop {
            match self.hear(end).await?.context("question: no answer in time")? {
                Heard::Question { index: got } if got == index => return Ok(()),
                Heard::Refused { client_seq: None, problem } => bail!("refused: {}", problem.code),
                _ => {}
            }
        }
    }

    /// A ticket over a connection of its own, then the socket over another, then its welcome.
    pub(super) async fn connect(&mut self) -> anyhow::Result<Box<Welcome>> {
        self.socket = None;
        let shared = Arc::clone(&self.shared);
        let turn = shared.dialling.acquire().await?;
        let credential = self.credential();
        let mut http = Http::connect(&shared.target, self.source).await?;
        let ticket: Ticket = http
            .post("/api/v1/candidate/ticket", Who::Device(&credential), &TicketRequest { tab: self.tab })
            .await?;
        drop(http);
        let path = format!("/api/v1/candidate/socket?ticket={}", ticket.ticket);
        self.socket = Some(Socket::connect(&shared.target, self.source, &path).await?);
        drop(turn);
        let welcome = self.welcome().await?;
        shared.tally.count_connected(1);
        Ok(welcome)
    }

    async fn welcome(&mut self) -> anyhow::Result<Box<Welcome>> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Heard::Welcome(welcome) = self.hear(end).await?.context("welcome: none in time")? {
                self.epoch = welcome.epoch.context("welcome: not in charge")?;
                self.next_seq = self.next_seq.max(welcome.last_client_seq + 1);
                self.remaining =
                    welcome.view.clock.as_ref().map(|clock| (clock.remaining_ms, Instant::now()));
                self.look_for_answers(&welcome.view);
                return Ok(welcome);
            }
        }
    }

    /// Every question must hold its newest acknowledged answer, or a later one that is on its way.
    fn look_for_answers(&self, view: &View) {
        for given in self.held.values() {
            self.shared.tally.count_checked(1);
            let mark = view.questions.get(usize::from(given.question));
            let there = mark.is_some_and(|mark| {
                mark.client_seq > given.client_seq
                    || (mark.client_seq == given.client_seq && mark.shown == given.shown)
            });
            if !there {
                self.shared.tally.count_lost(1);
            }
        }
    }

    /// Gives a command and waits for its acknowledgement; told to wait, it waits and sends the same again.
    pub(super) async fn command(&mut self, command: CandidateCommand) -> anyhow::Result<()> {
        let client_seq = self.next_seq;
        self.next_seq += 1;
        let end = Instant::now() + PATIENCE;
        let mut frame =
            ClientFrame::Command { client_seq, epoch: self.epoch, client_at: self.clock_ms(), command };
        loop {
            self.socket()?.send(&frame).await?;
            match self.answer_to(client_seq, end).await? {
                None => return Ok(()),
                Some(wait) => sleep(wait).await,
            }
            if let ClientFrame::Command { client_at, .. } = &mut frame {
                *client_at = self.clock_ms();
            }
        }
    }

    async fn answer_to(&mut self, client_seq: u64, end: Instant) -> anyhow::Result<Option<Duration>> {
        loop {
            match self.hear(end).await?.context("command: no answer in time")? {
                Heard::Ack { client_seq: got } if got == client_seq => {
                    self.shared.tally.count_acknowledged(1);
                    return Ok(None);
                }
                Heard::Refused { client_seq: Some(got), problem } if got == client_seq => {
                    let wait =
                        problem.retry_after_ms.with_context(|| format!("refused: {}", problem.code))?;
                    self.shared.tally.count_told_to_wait(1);
                    return Ok(Some(Duration::from_millis(wait)));
                }
                _ => {}
            }
        }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&View) -> bool) -> anyhow::Result<()> {
        let end = Instant::now() + ADMISSION_PATIENCE;
        loop {
            let heard = self.hear(end).await?.with_context(|| format!("{what} did not come"))?;
            let reached = match heard {
                Heard::State(state) => wanted(&frames::view(&state)?),
                Heard::Welcome(welcome) => wanted(&welcome.view),
                _ => false,
            };
            if reached {
                return Ok(());
            }
        }
    }

    /// Stays connected until told.
    pub(super) async fn hold(&mut self, mut over: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                _ = over.wait_for(|over| *over) => return Ok(()),
                heard = hear(&mut self.socket, Instant::now() + PATIENCE) => {
                    let heard = heard?;
                    self.note(heard.as_ref());
                }
            }
        }
    }

    pub(super) async fn hear(&mut self, until: Instant) -> anyhow::Result<Option<Heard>> {
        let heard = hear(&mut self.socket, until).await?;
        self.note(heard.as_ref());
        Ok(heard)
    }

    /// What must not be missed because nobody waited for it yet.
    fn note(&mut self, heard: Option<&Heard>) {
        match heard {
            Some(Heard::State(state)) => self.ready = state.contains(READY),
            Some(Heard::Welcome(welcome)) => self.ready = welcome.view.steps.ready,
            _ => {}
        }
    }

    pub(super) fn socket(&mut self) -> anyhow::Result<&mut Socket> {
        self.socket.as_mut().ok_or_else(|| anyhow!("socket: none"))
    }

    /// Hands in and waits until that is durable.
    pub(super) async fn hand_in(&mut self) -> anyhow::Result<()> {
        self.command(CandidateCommand::HandIn).await?;
        self.command(CandidateCommand::Drained).await
    }

    /// This device's clock, which is wrong by its skew.
    pub(super) fn clock_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX - self.skew_ms.abs()) + self.skew_ms
    }

    /// Where this device comes from, what it proves itself with, and whose exam it is.
    pub(crate) fn device(&self) -> (Ipv4Addr, String, Uuid) {
        (self.source, self.credential(), self.session)
    }

    fn credential(&self) -> String {
        format!("{}.{}", self.session, self.device_key)
    }
}

/// Cancel-safe: what was read is either handed out or stays in the socket.
async fn hear(socket: &mut Option<Socket>, until: Instant) -> anyhow::Result<Option<Heard>> {
    let socket = socket.as_mut().ok_or_else(|| anyhow!("socket: none"))?;
    // The socket's own limit is at its next heartbeat; this one is for a connection that hangs while it is written to.
    let heard = timeout_at(until + PATIENCE, socket.hear(until)).await.context("socket: hangs")??;
    heard.map(frames::read).transpose()
}

fn device_report() -> DeviceReport {
    DeviceReport {
        camera: true,
        microphone: true,
        connection: true,
        round_trip_ms: 1,
        camera_label: "virtual".to_owned(),
        browser: "virtual".to_owned(),
        second_screen: Some(false),
        screen: None,
        clock_behind_ms: None,
    }
}
