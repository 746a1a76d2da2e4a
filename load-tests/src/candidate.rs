//! A virtual candidate: does what the candidate's page does, as fast as the server answers.

use crate::picture::photo;
use crate::publisher::{Offered, Publisher};
use crate::site::{As, Site};
use crate::socket::Socket;
use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaq_wire::candidate::{
    AcknowledgedText, BindDevice, Bound, CandidateCommand, CandidateView, ClientFrame, DeviceReport,
    ItemView, Lang, LinkInfo, OpenLink, Receipt, ServerFrame, Ticket, TicketRequest,
};
use uuid::Uuid;

/// As `wire::limits::HEARTBEAT_MS`.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Longer than any answer of a healthy server on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the page would show; the number is recorded, not judged.
const TEXT_VERSION: &str = "virtual-1";

/// One candidate with one device.
#[derive(Debug)]
pub struct Candidate {
    site: Site,
    link: String,
    device_key: String,
    tab: Uuid,
    session: Uuid,
    line: Option<Line>,
    publisher: Option<Publisher>,
}

/// A living socket.
#[derive(Debug)]
struct Line {
    socket: Socket,
    epoch: u32,
    next_seq: u64,
    view: CandidateView,
    pinged: Instant,
}

/// What the server confirmed, and how long that took.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The device's number of the command
    pub client_seq: u64,
    /// Proof
    pub receipt: Receipt,
    /// From the frame handed to the socket to the acknowledgement read from it
    pub took: Duration,
}

impl Candidate {
    /// Opens a personal link (`https://host/c/LINK`, or its last part) and binds this device.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn open(site: Site, link: &str) -> anyhow::Result<Self> {
        let link = link.rsplit('/').next().unwrap_or(link).to_owned();
        let _: LinkInfo =
            site.post("/api/v1/candidate/open", As::Anyone, &OpenLink { link: link.clone() }).await?;
        let device_key = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let tab = Uuid::now_v7();
        let bind = BindDevice { link: link.clone(), device_key: device_key.clone(), tab };
        let bound: Bound = site.post("/api/v1/candidate/bind", As::Anyone, &bind).await?;
        ensure!(bound.in_charge, "another device holds this link");
        Ok(Self { site, link, device_key, tab, session: bound.session, line: None, publisher: None })
    }

    /// Whose exam.
    #[must_use]
    pub const fn session(&self) -> Uuid {
        self.session
    }

    /// The tab that tickets are asked for.
    #[must_use]
    pub const fn tab(&self) -> Uuid {
        self.tab
    }

    /// The personal link's last part.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }

    /// The newest view.
    ///
    /// # Errors
    /// If there is no connection.
    pub fn view(&self) -> anyhow::Result<&CandidateView> {
        Ok(&self.line.as_ref().context("not connected")?.view)
    }

    /// Opens a socket, also after the last one broke, and reads the welcome.
    ///
    /// # Errors
    /// If the server refuses or does not answer.
    pub async fn connect(&mut self) -> anyhow::Result<()> {
        self.line = None;
        let ticket: Ticket = self
            .site
            .post(
                "/api/v1/candidate/ticket",
                As::Device(&self.credential()),
                &TicketRequest { tab: self.tab },
            )
            .await?;
        let mut socket =
            Socket::connect(&self.site, &format!("/api/v1/candidate/socket?ticket={}", ticket.ticket))
                .await?;
        match socket.next(PATIENCE).await?.context("no welcome came")? {
            ServerFrame::Welcome { epoch: Some(epoch), last_client_seq, view, .. } => {
                let (next_seq, pinged) = (last_client_seq + 1, Instant::now());
                self.line = Some(Line { socket, epoch, next_seq, view: *view, pinged });
                Ok(())
            }
            other => bail!("instead of a welcome in charge: {other:?}"),
        }
    }

    /// Publishes camera and microphone, instead of an earlier publisher.
    ///
    /// # Errors
    /// If the server refuses the offer.
    pub async fn publish(&mut self) -> anyhow::Result<()> {
        let offered = Offered::new().await?;
        let offer = offered.sdp.clone().into_bytes();
        let (answer, _) = self
            .site
            .send(
                Method::POST,
                "/api/v1/candidate/whip",
                As::Device(&self.credential()),
                "application/sdp",
                offer,
            )
            .await?;
        self.publisher = Some(offered.publish(answer)?);
        Ok(())
    }

    /// Switches camera and microphone off.
    pub fn stop_publishing(&mut self) {
        self.publisher = None;
    }

    /// Everything up to the proctor's admission: language, consent, devices, photos.
    ///
    /// # Errors
    /// If the server refuses a step.
    pub async fn prepare(&mut self, lang: Lang) -> anyhow::Result<()> {
        let version = || TEXT_VERSION.to_owned();
        self.command(CandidateCommand::ChooseLanguage { lang }).await?;
        self.command(CandidateCommand::Consent { text_version: version(), lang }).await?;
        self.publish().await?;
        let report = DeviceReport {
            camera: true,
            microphone: true,
            connection: true,
            round_trip_ms: 1,
            camera_label: "virtual".to_owned(),
            browser: "virtual".to_owned(),
            second_screen: Some(false),
            screen: None,
            clock_behind_ms: None,
        };
        self.command(CandidateCommand::CheckDevice { report }).await?;
        for kind in ["face", "document"] {
            let path = format!("/api/v1/candidate/photos/{kind}");
            self.site
                .send(
                    Method::PUT,
                    &path,
                    As::Device(&self.credential()),
                    "image/jpeg",
                    photo(if kind == "face" { 90 } else { 200 })?,
                )
                .await?;
        }
        self.command(CandidateCommand::SubmitIdentity).await?;
        Ok(())
    }

    /// Waits for the admission, confirms the four texts and begins.
    ///
    /// # Errors
    /// If the server refuses or nobody admits.
    pub async fn begin(&mut self, lang: Lang) -> anyhow::Result<()> {
        self.until("the admission", |view| view.steps.identity == synaq_wire::candidate::Identity::Admitted)
            .await?;
        for text in [
            AcknowledgedText::Methodology,
            AcknowledgedText::AppealProcedure,
            AcknowledgedText::ForbiddenItems,
            AcknowledgedText::Conduct,
        ] {
            self.command(CandidateCommand::Acknowledge { text, text_version: TEXT_VERSION.to_owned(), lang })
                .await?;
        }
        let nonce: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.command(CandidateCommand::Ready { nonce }).await?;
        self.until("picture and sound at the server", |view| view.media.video && view.media.audio).await?;
        self.command(CandidateCommand::Begin).await?;
        self.until("the paper", |view| !view.questions.is_empty()).await
    }

    /// The text of a question.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn question(&mut self, index: u16) -> anyhow::Result<ItemView> {
        let line = self.line.as_mut().context("not connected")?;
        line.socket.send(&ClientFrame::Question { index }).await?;
        loop {
            match line.next().await? {
                ServerFrame::Question { question } if question.index == index => return Ok(question),
                ServerFrame::Refused { problem, .. } => bail!("question {index}: {problem:?}"),
                _ => {}
            }
        }
    }

    /// Gives a command and waits for its durable acknowledgement.
    ///
    /// # Errors
    /// If the server refuses or the socket breaks.
    pub async fn command(&mut self, command: CandidateCommand) -> anyhow::Result<Acknowledged> {
        let line = self.line.as_mut().context("not connected")?;
        let (client_seq, epoch) = (line.next_seq, line.epoch);
        let frame = ClientFrame::Command { client_seq, epoch, client_at: now_ms(), command: command.clone() };
        let sent = Instant::now();
        line.socket.send(&frame).await?;
        line.next_seq += 1;
        loop {
            match line.next().await? {
                ServerFrame::Ack { client_seq: got, receipt, .. } if got == client_seq => {
                    return Ok(Acknowledged { client_seq, receipt, took: sent.elapsed() });
                }
                ServerFrame::Refused { client_seq: Some(got), problem } if got == client_seq => {
                    bail!("{command:?} was refused: {problem:?}")
                }
                _ => {}
            }
        }
    }

    /// Reads frames until the view is as wanted.
    ///
    /// # Errors
    /// If that does not happen in time or the socket breaks.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&CandidateView) -> bool) -> anyhow::Result<()> {
        let line = self.line.as_mut().context("not connected")?;
        let end = Instant::now() + PATIENCE;
        while !wanted(&line.view) {
            ensure!(Instant::now() < end, "{what} did not come; the view is {:?}", line.view);
            line.read(Duration::from_millis(500)).await?;
        }
        Ok(())
    }

    /// Reads what the server has to say within `patience`, and pings when it is time.
    ///
    /// # Errors
    /// If the socket breaks.
    pub async fn idle(&mut self, patience: Duration) -> anyhow::Result<()> {
        let line = self.line.as_mut().context("not connected")?;
        while line.read(patience).await?.is_some() {}
        Ok(())
    }

    /// What this device proves itself with, after `Bearer`.
    #[must_use]
    pub fn credential(&self) -> String {
        format!("{}.{}", self.session, self.device_key)
    }
}

impl Line {
    async fn next(&mut self) -> anyhow::Result<ServerFrame> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(frame) = self.read(Duration::from_secs(1)).await? {
                return Ok(frame);
            }
        }
        bail!("the server said nothing for {} s", PATIENCE.as_secs())
    }

    async fn read(&mut self, patience: Duration) -> anyhow::Result<Option<ServerFrame>> {
        if self.pinged.elapsed() >= PING_EVERY {
            self.pinged = Instant::now();
            self.socket.send(&ClientFrame::Ping { n: 1, battery: None }).await?;
        }
        let frame: Option<ServerFrame> = self.socket.next(patience).await?;
        match &frame {
            Some(ServerFrame::State { view, .. }) if view.version >= self.view.version => {
                self.view = (**view).clone();
            }
            Some(ServerFrame::Bye { problem }) => bail!("the server said good-bye: {problem:?}"),
            _ => {}
        }
        Ok(frame)
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
