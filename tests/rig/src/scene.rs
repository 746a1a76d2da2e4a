//! A sitting on a real server: candidates who answer, a proctor who looks, and at the end the judgement.

use crate::bot::{Bot, Mode};
use crate::check::{self, Case, Count, Findings, Outage};
use crate::house::House;
use crate::journal::now_ms;
use crate::process::http_get;
use crate::report::Report;
use crate::wall::Wall;
use crate::watch::{Seen, Watched, lock};
use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::site::{As, Site};
use synaq_load_tests::staff::Centre;
use synaq_wire::candidate::Lang;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// P3: everybody is back this long after the server answers.
pub const RESUME: Duration = Duration::from_secs(10);
/// Sealing, delivery with its waits after failures, and a machine that has other work.
const SEALED_AND_DELIVERED: Duration = Duration::from_secs(120);
const HAND_IN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a centre looks at.
#[derive(Clone, Debug)]
pub struct Look {
    site: Site,
    cookie: String,
}

impl Look {
    /// The bundle as it is downloaded.
    ///
    /// # Errors
    /// If it is not sealed yet, or not handed out.
    pub async fn bundle(&self, session: &str) -> anyhow::Result<Vec<u8>> {
        self.get(&format!("/api/v1/centre/sessions/{session}/bundle")).await
    }

    /// A piece of evidence.
    ///
    /// # Errors
    /// If it is not handed out.
    pub async fn evidence(&self, session: &str, name: &str) -> anyhow::Result<usize> {
        Ok(self.get(&format!("/api/v1/centre/sessions/{session}/evidence/{name}")).await?.len())
    }

    /// JSON below the centre's address.
    ///
    /// # Errors
    /// If it is not handed out.
    pub async fn json(&self, path: &str) -> anyhow::Result<Value> {
        self.site.get(path, As::Staff(&self.cookie)).await
    }

    /// What a path answers, whole or this range of it: status and bytes.
    ///
    /// # Errors
    /// If nothing answers.
    pub async fn bytes(&self, path: &str, range: Option<Range<usize>>) -> anyhow::Result<(u16, Vec<u8>)> {
        let url = format!("{}{path}", self.site.base());
        let mut asked = reqwest::Client::new().get(url).header("cookie", &self.cookie);
        if let Some(Range { start, end }) = range {
            asked = asked.header("range", format!("bytes={start}-{}", end.saturating_sub(1)));
        }
        let answer = asked.send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
    }

    async fn get(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let who = As::Staff(&self.cookie);
        let (text, _) = self.site.send(Method::GET, path, who, "application/json", Vec::new()).await?;
        Ok(text.into_bytes())
    }
}

/// A running sitting.
#[derive(Debug)]
pub struct Scene {
    pub house: House,
    pub watched: Arc<Watched>,
    pub wall: Option<Wall>,
    /// Cameras; dropped, the candidates vanish from the picture
    pub candidates: Vec<Candidate>,
    outages: Vec<Outage>,
    /// Events of all logs by their kind, after the judgement
    counted: Arc<Mutex<BTreeMap<String, usize>>>,
    site: Site,
    sitting: String,
    journals: PathBuf,
    mode: watch::Sender<Mode>,
    /// Stopped with the scene
    _bots: JoinSet<()>,
    cookie: String,
}

impl Scene {
    /// So many candidates up to their first question; nobody answers yet. The server and the platform run.
    ///
    /// # Errors
    /// If the server refuses anything.
    pub async fn begin(house: House, folder: &Path, candidates: usize) -> anyhow::Result<Self> {
        let site = Site::new(&house.base())?;
        let account = house.accounts.centre.clone();
        let centre = Centre::sign_in(site.clone(), &account.login, &account.password).await?;
        let cookie = site.sign_in(&account.login, &account.password).await?;
        let sitting = centre.sitting(candidates).await?;
        let links: Vec<String> = sitting.candidates.iter().map(|row| row.link.clone()).collect();
        let proctor = house.accounts.proctor.clone();
        let admit = Proctor::watch(&site, &proctor.login, &proctor.password, sitting.sitting).await?;
        let candidates = up_to_the_paper(&site, &links, admit).await?;
        let sitting = sitting.sitting.to_string();
        let wall = Some(Wall::watch(site.clone(), proctor, sitting.clone()));
        let journals = folder.join("journals");
        fs::create_dir_all(&journals)?;
        let (mode, _) = watch::channel(Mode::Listen);
        let watched = Arc::new(Watched::default());
        let mut bots = JoinSet::new();
        for candidate in &candidates {
            let bot = Bot::of(candidate, site.clone(), &journals, Arc::clone(&watched))?;
            bots.spawn(bot.run(mode.subscribe()));
        }
        let scene = Self {
            house,
            watched,
            wall,
            candidates,
            outages: Vec::new(),
            counted: Arc::default(),
            site,
            sitting,
            journals,
            mode,
            _bots: bots,
            cookie,
        };
        scene.everybody_back(RESUME).await?;
        Ok(scene)
    }

    /// What the candidates do from now on.
    pub fn do_now(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Waits until so many more answers were acknowledged.
    ///
    /// # Errors
    /// If that takes longer.
    pub async fn more_acks(&self, count: u64, patience: Duration) -> anyhow::Result<()> {
        let until = self.watched.acks() + count;
        let end = Instant::now() + patience;
        while self.watched.acks() < until {
            let texts = lock(&self.watched.texts).join("; ");
            ensure!(
                Instant::now() < end,
                "only {} of {until} acknowledgements came: {texts}",
                self.watched.acks()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// How many were acknowledged meanwhile.
    pub async fn acks_within(&self, span: Duration) -> u64 {
        let before = self.watched.acks();
        tokio::time::sleep(span).await;
        self.watched.acks() - before
    }

    /// Waits until every candidate has an open socket; says how long that took.
    ///
    /// # Errors
    /// If that takes longer.
    pub async fn everybody_back(&self, patience: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let all = self.watched.all();
            let away = all.iter().filter(|(_, seen)| !lock(seen).connected).count();
            if away == 0 && all.len() == self.candidates.len().max(all.len()) && !all.is_empty() {
                return Ok(began.elapsed());
            }
            let texts =
                lock(&self.watched.texts).iter().rev().take(3).cloned().collect::<Vec<_>>().join("; ");
            ensure!(began.elapsed() < patience, "{away} candidates are not back: {texts}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// SIGKILL, then a new process; the time between is an outage. Gives the time until everybody was back.
    ///
    /// # Errors
    /// If the server does not come back, or somebody does not within P3's time.
    pub async fn kill_and_restart(&mut self) -> anyhow::Result<Duration> {
        let from = now_ms();
        self.house.kill()?;
        let gone = Instant::now();
        self.house.start()?;
        self.outage_since(from);
        self.back_since(gone).await
    }

    /// Waits until everybody has a socket that is newer than `old`; says how long that took.
    ///
    /// # Errors
    /// If that takes longer than P3 allows.
    pub async fn back_since(&self, old: Instant) -> anyhow::Result<Duration> {
        self.back_within(old, RESUME).await
    }

    /// The same with another patience.
    ///
    /// # Errors
    /// If that takes longer.
    pub async fn back_within(&self, old: Instant, patience: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let all = self.watched.all();
            let is_away = |seen: &Seen| !seen.connected || seen.back_at.is_none_or(|back| back < old);
            let away = all.iter().filter(|(_, seen)| is_away(&lock(seen))).count();
            if away == 0 {
                return Ok(began.elapsed());
            }
            ensure!(
                began.elapsed() < patience,
                "{away} candidates are not back after {} s",
                patience.as_secs()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The server was gone or held from then until now.
    pub fn outage_since(&mut self, from: i64) {
        self.outages.push(Outage { from, to: now_ms(), dead: true });
    }

    /// The server ran and could store nothing from then until now.
    pub fn store_outage_since(&mut self, from: i64) {
        self.outages.push(Outage { from, to: now_ms(), dead: false });
    }

    /// Everybody delivers what is left and hands in.
    ///
    /// # Errors
    /// If somebody cannot.
    pub async fn everybody_hands_in(&self) -> anyhow::Result<()> {
        self.do_now(Mode::HandIn);
        let end = Instant::now() + HAND_IN;
        let open = || self.watched.all().into_iter().filter(|(_, seen)| !lock(seen).handed_in).count();
        while Instant::now() < end && open() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let texts = lock(&self.watched.texts).iter().rev().take(3).cloned().collect::<Vec<_>>().join("; ");
        ensure!(open() == 0, "{} candidates could not hand in: {texts}", open());
        Ok(())
    }

    /// How many records the platform holds.
    ///
    /// # Errors
    /// If its archive cannot be read.
    pub fn held_at_platform(&self) -> anyhow::Result<usize> {
        Ok(self.at_platform()?.values().map(Vec::len).sum())
    }

    /// How many records the server thinks delivered.
    pub async fn receipts_accepted(&self) -> usize {
        let mut accepted = 0;
        for (session, _) in self.watched.all() {
            let bundle =
                self.bundle(&session).await.ok().and_then(|bundle| check::Bundle::read(&bundle).ok());
            accepted += usize::from(bundle.is_some_and(|bundle| bundle.receipt.is_some()));
        }
        accepted
    }

    /// Everybody delivers what is left and hands in; then all sides are compared.
    ///
    /// # Errors
    /// If a record is not sealed or not delivered in time.
    pub async fn judge(mut self, report: &mut Report) -> anyhow::Result<House> {
        self.everybody_hands_in().await?;
        self.candidates.clear();
        let cases = self.cases().await?;
        for event in cases.iter().flat_map(|case| &case.bundle.events) {
            *lock(&self.counted).entry(event.kind.clone()).or_default() += 1;
        }
        let mut findings = Findings::default();
        let count = check::judge(&cases, &self.outages, &mut findings);
        let welcomes = std::mem::take(&mut *lock(&self.watched.missing));
        findings.looked("welcome_shows_every_acknowledged_answer");
        for missing in welcomes {
            findings.broken("welcome_shows_every_acknowledged_answer", missing);
        }
        report.findings(findings, count);
        let Count { acked, lost } = count;
        ensure!(
            acked >= self.watched.acks(),
            "journals lack acknowledgements: {acked} of {}, lost {lost}",
            self.watched.acks()
        );
        Ok(self.house)
    }

    async fn cases(&self) -> anyhow::Result<Vec<Case>> {
        let end = Instant::now() + SEALED_AND_DELIVERED;
        let mut cases = Vec::new();
        for (session, _) in self.watched.all() {
            let bundle = loop {
                match self.bundle(&session).await {
                    Ok(bundle) if check::Bundle::read(&bundle)?.receipt.is_some() => break bundle,
                    Ok(bundle) if Instant::now() > end => break bundle,
                    Err(error) if Instant::now() > end => return Err(error.context("no sealed record")),
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            };
            cases.push((session, bundle));
        }
        let held = self.at_platform()?;
        cases
            .into_iter()
            .map(|(session, bundle)| {
                let digests = held.get(&session).cloned().unwrap_or_default();
                Case::read(&self.journals, &session, &bundle, digests)
            })
            .collect()
    }

    /// What the centre sees, also after the judgement.
    #[must_use]
    pub fn look(&self) -> Look {
        Look { site: self.site.clone(), cookie: self.cookie.clone() }
    }

    async fn bundle(&self, session: &str) -> anyhow::Result<Vec<u8>> {
        self.look().bundle(session).await
    }

    /// The judgement, and how many events of a kind all logs together hold.
    ///
    /// # Errors
    /// As [`Scene::judge`].
    pub async fn judge_and_count(self, report: &mut Report, kind: &'static str) -> anyhow::Result<usize> {
        let counted = Arc::clone(&self.counted);
        self.judge(report).await?;
        Ok(lock(&counted).get(kind).copied().unwrap_or(0))
    }

    /// From now on credited time needs no outage of ours: the clock of the server was moved.
    pub fn forgive_credits(&mut self) {
        self.outages = vec![Outage { from: 0, to: i64::MAX, dead: false }];
    }

    /// The sitting's id.
    #[must_use]
    pub fn sitting(&self) -> &str {
        &self.sitting
    }

    /// Digests of the records that the platform holds, by the session that the record itself names.
    fn at_platform(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in fs::read_dir(self.house.platform_folder.join("archive"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let kept: Value = serde_json::from_slice(&fs::read(&path)?)?;
            if kept["kind"] == "record" {
                let session =
                    check::session_of(&kept["message"]).context("the platform holds a strange record")?;
                held.entry(session).or_default().push(kept["sha256"].as_str().unwrap_or_default().to_owned());
            }
        }
        Ok(held)
    }

    /// What the server's HTTP says at a path, directly.
    #[must_use]
    pub fn http(&self, path: &str) -> Option<String> {
        http_get(([127, 0, 0, 1], self.house.ports.http).into(), path)
    }
}

async fn up_to_the_paper(
    site: &Site,
    links: &[String],
    mut proctor: Proctor,
) -> anyhow::Result<Vec<Candidate>> {
    let mut preparing = JoinSet::new();
    for link in links {
        let (site, link) = (site.clone(), link.clone());
        preparing.spawn(async move {
            let mut candidate = Candidate::open(site, &link).await?;
            candidate.connect().await?;
            candidate.prepare(Lang::Kk).await?;
            anyhow::Ok(candidate)
        });
    }
    let mut candidates = Vec::new();
    while let Some(candidate) = preparing.join_next().await {
        candidates.push(candidate??);
    }
    let sessions: BTreeSet<_> = candidates.iter().map(Candidate::session).collect();
    proctor.admit(&sessions).await?;
    let mut beginning = JoinSet::new();
    for mut candidate in candidates {
        beginning.spawn(async move {
            candidate.begin(Lang::Kk).await?;
            anyhow::Ok(candidate)
        });
    }
    let mut begun = Vec::new();
    while let Some(candidate) = beginning.join_next().await {
        begun.push(candidate??);
    }
    Ok(begun)
}
