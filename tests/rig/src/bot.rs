//! A virtual candidate that behaves as the page does: what it says stays in its outbox until the acknowledgement, a
//! broken socket is opened again, and the outbox is sent again in order under the same numbers.

use crate::journal::{Answer, Entry, Journal, now_ms};
use crate::line::{Line, code_in};
use crate::watch::{Watched, lock};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::site::{As, Site};
use tokio::sync::watch;

/// Every question of the demo's programme has at least this many options.
const OPTIONS: u64 = 3;
/// Answers on their way at once: a quick candidate does not wait for the acknowledgement of the one before.
const WINDOW: usize = 2;
/// As the page.
const PING_EVERY: Duration = Duration::from_secs(5);
/// As the page: silence after which it opens another socket.
const SILENCE: Duration = Duration::from_secs(15);
/// The page waits longer with every try; here the time until everybody is back is measured, so the wait is short.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// How long a frame that was refused for now waits.
const RESEND_AFTER: Duration = Duration::from_millis(300);
/// Refusals that mean "later": the answer stays in the outbox.
const FOR_NOW: [&str; 4] = ["busy", "store_unavailable", "shutting_down", "too_many_requests"];

/// What a candidate does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One answer about every so many milliseconds
    Answer(u64),
    /// Delivers what is left and listens
    Listen,
    /// Delivers what is left and hands in
    HandIn,
    /// Goes away
    Leave,
}

/// One candidate.
#[derive(Debug)]
pub struct Bot {
    site: Site,
    credential: String,
    tab: String,
    session: String,
    journal: Journal,
    outbox: VecDeque<Answer>,
    /// Newest acknowledged number of each question
    acked: BTreeMap<u64, u64>,
    epoch: Option<u64>,
    next_seq: u64,
    questions: u64,
    watched: Arc<Watched>,
}

/// What the inner loop of one socket keeps.
struct Sitting {
    line: Line,
    pinged: Instant,
    heard: Instant,
    next_answer: Instant,
    resend_at: Option<Instant>,
    sent: BTreeMap<u64, Instant>,
    hand_in: Option<u64>,
}

impl Bot {
    /// Takes over the socket of a candidate whose exam has begun.
    ///
    /// # Errors
    /// If the journal cannot be opened.
    pub fn of(
        candidate: &Candidate,
        site: Site,
        journals: &Path,
        watched: Arc<Watched>,
    ) -> anyhow::Result<Self> {
        let session = candidate.session().to_string();
        Ok(Self {
            site,
            credential: candidate.credential(),
            tab: candidate.tab().to_string(),
            journal: Journal::open(journals, &session)?,
            session,
            outbox: VecDeque::new(),
            acked: BTreeMap::new(),
            epoch: None,
            next_seq: 0,
            questions: 0,
            watched,
        })
    }

    /// Lives until it has handed in or is told to leave.
    pub async fn run(mut self, mut mode: watch::Receiver<Mode>) {
        loop {
            match self.sit(&mut mode).await {
                Ok(()) => {
                    lock(&self.watched.bot(&self.session)).connected = false;
                    return;
                }
                Err(error) => self.watched.broke(&self.session, &format!("{error:#}")),
            }
            tokio::time::sleep(TRY_AGAIN).await;
            if *mode.borrow() == Mode::Leave {
                return;
            }
        }
    }

    async fn sit(&mut self, mode: &mut watch::Receiver<Mode>) -> anyhow::Result<()> {
        let mut at = self.connect().await?;
        self.watched.back(&self.session);
        if lock(&self.watched.bot(&self.session)).stage == "closed" && self.outbox.is_empty() {
            // The acknowledgement of the hand-in was lost, the hand-in was not.
            lock(&self.watched.bot(&self.session)).handed_in = true;
            return Ok(());
        }
        for answer in self.outbox.clone() {
            self.say(&mut at, &answer).await?;
        }
        loop {
            let now = *mode.borrow();
            match now {
                Mode::Leave => return Ok(()),
                Mode::Answer(every) if at.next_answer <= Instant::now() && self.outbox.len() < WINDOW => {
                    at.next_answer = Instant::now() + jittered(every);
                    self.answer(&mut at).await?;
                }
                Mode::HandIn if self.outbox.is_empty() && at.hand_in.is_none() => {
                    self.hand_in(&mut at).await?
                }
                _ => {}
            }
            if at.resend_at.is_some_and(|due| due <= Instant::now()) {
                at.resend_at = None;
                for answer in self.outbox.clone() {
                    self.say(&mut at, &answer).await?;
                }
                if at.hand_in.take().is_some() {
                    continue;
                }
            }
            if at.pinged.elapsed() >= PING_EVERY {
                at.pinged = Instant::now();
                at.line.send(&json!({ "type": "ping", "n": 1 })).await?;
            }
            ensure!(at.heard.elapsed() < SILENCE, "silence");
            let wait = match now {
                Mode::Answer(_) if self.outbox.len() < WINDOW => {
                    at.next_answer.saturating_duration_since(Instant::now()).min(Duration::from_millis(200))
                }
                _ => Duration::from_millis(50),
            };
            let frame = tokio::select! {
                frame = at.line.next(wait.max(Duration::from_millis(1))) => frame?,
                _ = mode.changed() => None,
            };
            if let Some(frame) = frame {
                at.heard = Instant::now();
                if self.hear(&mut at, &frame)? {
                    return Ok(());
                }
            }
        }
    }

    async fn connect(&mut self) -> anyhow::Result<Sitting> {
        let ticket: Value = self
            .site
            .post("/api/v1/candidate/ticket", As::Device(&self.credential), &json!({ "tab": self.tab }))
            .await?;
        let ticket = ticket["ticket"].as_str().context("a ticket is text")?.to_owned();
        let path = format!("/api/v1/candidate/socket?ticket={ticket}");
        let mut line = Line::connect(self.site.base(), &path).await?;
        let welcome = line.next(SILENCE).await?.context("no welcome came")?;
        if welcome["type"] != "welcome" {
            bail!("instead of a welcome: {welcome}");
        }
        let epoch = welcome["epoch"].as_u64().context("the welcome says that another device is in charge")?;
        ensure!(self.epoch.is_none_or(|known| known == epoch), "the binding changed by itself");
        self.epoch = Some(epoch);
        let last = welcome["last_client_seq"].as_u64().context("last_client_seq")?;
        self.next_seq = self.next_seq.max(last + 1);
        self.look(&welcome["view"]);
        for answer in &self.outbox {
            let known =
                usize::try_from(answer.question).ok().map(|question| &welcome["view"]["questions"][question]);
            if known.is_some_and(|known| known["client_seq"] == answer.client_seq) {
                self.watched.note_stored_unacked();
            }
        }
        let now = Instant::now();
        Ok(Sitting {
            line,
            pinged: now,
            heard: now,
            next_answer: now,
            resend_at: None,
            sent: BTreeMap::new(),
            hand_in: None,
        })
    }

    /// What the page would show. Every acknowledged answer is in it, or a later one of ours.
    fn look(&mut self, view: &Value) {
        if let Some(questions) = view["questions"].as_array() {
            self.questions = questions.len() as u64;
            for (question, seq) in &self.acked {
                let known = usize::try_from(*question)
                    .ok()
                    .and_then(|question| questions.get(question)?["client_seq"].as_u64())
                    .unwrap_or(0);
                if known < *seq {
                    self.watched.missing(&self.session, *question, *seq, known);
                }
            }
        }
        let bot = self.watched.bot(&self.session);
        let mut bot = lock(&bot);
        bot.stage = view["stage"].as_str().unwrap_or_default().to_owned();
        if let Some(left) = view["clock"]["remaining_ms"].as_i64() {
            bot.remaining = Some((Instant::now(), left));
        }
        bot.deadline = view["clock"]["deadline"].as_i64();
        bot.video = view["media"]["video"] == true;
        bot.proctor_present = view["proctor_present"] == true;
    }

    async fn answer(&mut self, at: &mut Sitting) -> anyhow::Result<()> {
        ensure!(self.questions > 0, "the paper is not there");
        let answer = Answer {
            session: self.session.clone(),
            question: rand::random_range(0..self.questions),
            value: vec![rand::random_range(0..OPTIONS)],
            client_seq: self.next_seq,
            epoch: self.epoch.context("connected")?,
        };
        self.next_seq += 1;
        self.journal.write(&Entry::Sent(answer.clone()))?;
        self.outbox.push_back(answer.clone());
        self.say(at, &answer).await
    }

    async fn say(&self, at: &mut Sitting, answer: &Answer) -> anyhow::Result<()> {
        at.sent.entry(answer.client_seq).or_insert_with(Instant::now);
        let command = json!({ "do": "answer", "question": answer.question, "shown": answer.value });
        at.line.send(&frame(answer.client_seq, answer.epoch, &command)).await
    }

    async fn hand_in(&mut self, at: &mut Sitting) -> anyhow::Result<()> {
        let seq = self.next_seq;
        self.next_seq += 1;
        at.hand_in = Some(seq);
        let epoch = self.epoch.context("connected")?;
        at.line.send(&frame(seq, epoch, &json!({ "do": "hand_in" }))).await
    }

    /// True when the exam is over for this candidate.
    fn hear(&mut self, at: &mut Sitting, frame: &Value) -> anyhow::Result<bool> {
        match frame["type"].as_str().unwrap_or_default() {
            "ack" => return self.acked(at, frame),
            "refused" => self.refused(at, frame)?,
            "state" | "welcome" => {
                self.look(&frame["view"]);
                if frame["view"]["stage"] == "closed" && self.outbox.is_empty() {
                    lock(&self.watched.bot(&self.session)).handed_in = true;
                    return Ok(true);
                }
            }
            "bye" => bail!("bye: {}", frame["problem"]),
            _ => {}
        }
        Ok(false)
    }

    fn acked(&mut self, at: &mut Sitting, frame: &Value) -> anyhow::Result<bool> {
        let seq = frame["client_seq"].as_u64().context("an ack has a number")?;
        if at.hand_in == Some(seq) {
            self.journal.write(&Entry::HandedIn { at: now_ms() })?;
            lock(&self.watched.bot(&self.session)).handed_in = true;
            return Ok(true);
        }
        let Some(place) = self.outbox.iter().position(|answer| answer.client_seq == seq) else {
            return Ok(false);
        };
        let answer = self.outbox.remove(place).context("just found")?;
        let receipt = &frame["receipt"];
        let newest = self.acked.entry(answer.question).or_default();
        *newest = (*newest).max(seq);
        self.journal.write(&Entry::Acked {
            answer,
            acked_at: now_ms(),
            seq: receipt["seq"].as_u64().context("a receipt has a position")?,
            at: receipt["at"].as_i64().context("a receipt has an instant")?,
            hash: receipt["hash"].as_str().context("a receipt has a hash")?.to_owned(),
        })?;
        let took = at.sent.remove(&seq).map(|sent| sent.elapsed());
        self.watched.acked(&self.session, took.unwrap_or_default());
        Ok(false)
    }

    fn refused(&mut self, at: &mut Sitting, frame: &Value) -> anyhow::Result<()> {
        let text = frame["problem"].to_string();
        let code = code_in(&text).unwrap_or("unknown").to_owned();
        self.watched.refused(&self.session, &code);
        if FOR_NOW.contains(&code.as_str()) {
            at.resend_at = Some(Instant::now() + RESEND_AFTER);
            return Ok(());
        }
        let seq = frame["client_seq"].as_u64().unwrap_or(0);
        if at.hand_in == Some(seq) {
            bail!("the hand-in was refused: {code}");
        }
        self.outbox.retain(|answer| answer.client_seq != seq);
        let epoch = self.epoch.unwrap_or(0);
        self.journal.write(&Entry::Refused { client_seq: seq, epoch, code })
    }
}

fn frame(client_seq: u64, epoch: u64, command: &Value) -> Value {
    json!({ "type": "command", "client_seq": client_seq, "epoch": epoch, "client_at": now_ms(), "command": command })
}

fn jittered(every_ms: u64) -> Duration {
    Duration::from_millis(rand::random_range(every_ms / 2..=every_ms + every_ms / 2))
}
