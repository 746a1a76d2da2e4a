//! `proctored`: the complete exam. Everybody answers and publishes, proctors watch walls with stills and live pictures;
//! how many candidates the machine holds that way.

use super::Place;
use super::field::{Field, say};
use super::file::CrowdPlan;
use super::media::{House, MACHINE_PERCENT, MediaPlan, count, watch};
use super::paced::{closing, disk};
use crate::cameras::Profile;
use crate::cameras::viewer::Viewer;
use crate::crowd::{Pace, Shared, Think};
use crate::line::http::{Http, Who};
use crate::report::{Figure, Report, Run, ms};
use crate::usage::{Machine, Usage, folder_bytes, loopback_bytes};
use anyhow::ensure;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// One sitting each.
const PROCTORS: usize = 5;
/// Tiles of a page of the wall, and how often the page fetches their stills.
const TILES: usize = 60;
const STILLS_EVERY: Duration = Duration::from_secs(5);
/// Each candidate answers this often on average: a hurried exam.
const THINK: Duration = Duration::from_secs(10);
const ACK_P99_MS: f64 = 250.0;
/// Numbers of candidates that differ by less than this are one.
const GRAIN: usize = 50;
/// Sealed logs that are read back.
const HAND_IN: usize = 20;
/// Proctors come from addresses of their own, beyond those of the candidates.
const PROCTOR_FROM: u8 = 210;

/// What is looked for.
#[derive(Clone, Debug, Serialize)]
pub struct ProctoredPlan {
    /// Candidates of the first trial
    pub from: usize,
    /// No trial has more
    pub most: usize,
    /// What cameras send
    #[serde(skip)]
    pub profile: Profile,
    /// Counted seconds of a trial
    pub seconds: u64,
    /// Live pictures that each proctor watches
    pub live: usize,
    /// Threads of the generator's cameras
    pub threads: usize,
}

impl Place {
    /// Doubles the candidates until a trial fails, then halves the distance: the report is of the largest trial that met
    /// every target, or of the smallest if none did.
    ///
    /// # Errors
    /// If a room could not be opened or a crowd not be seated.
    pub async fn play_proctored(&self, plan: &ProctoredPlan) -> anyhow::Result<Report> {
        ensure!(plan.from >= PROCTORS && plan.from <= plan.most, "from {PROCTORS} candidates up to the most");
        let (mut good, mut bad, mut best, mut notes) = (0, plan.most + 1, None, Vec::new());
        let mut next = plan.from;
        while next > good && next < bad {
            say!("{next} candidates answer and publish");
            let run = trial(self, plan, next).await?;
            let missed = missed(&run);
            let came = if missed.is_empty() { "held".to_owned() } else { missed.join(", ") };
            say!("{next}: {came}");
            notes.push(format!("{next} candidates: {came}"));
            if missed.is_empty() {
                (good, best) = (next, Some(run));
            } else {
                bad = next;
                best = best.or(Some(run));
            }
            let doubled = (next * 2).min(plan.most);
            let between = good + (bad - good) / 2 / GRAIN * GRAIN;
            next = if bad > plan.most { doubled } else { between };
        }
        let mut run = best.unwrap_or_default();
        run.notes.extend(notes);
        run.figures.insert(0, Figure::new("candidates, the most that held", "", count(good as u64)));
        let about = "everybody answers and publishes, five proctors watch walls and live pictures";
        let settings = toml::to_string(plan)?;
        let method = METHOD.map(str::to_owned).to_vec();
        Ok(Report { settings, method, ..self.beside("proctored", about, vec![run]) })
    }
}

const METHOD: [&str; 4] = [
    "Server and generator share the machine and its cores; nothing is pinned. Over TLS; what cameras send is recorded, sealed under each session's key, chained and synced.",
    "Each trial has a room of its own. Candidates answer at random, every ten seconds on average; latency counts from the instant an answer was due. Cameras speak real ICE, DTLS and SRTP with congestion feedback.",
    "Each proctor watches the wall of one sitting, fetches the stills of its first sixty tiles every five seconds and watches live pictures of some of its candidates.",
    "A trial holds with no error, no lost answer, no lost media packet, and the acknowledgement's p99 within 250 ms. The next has twice as many, or lies half way between the largest that held and the smallest that did not.",
];

/// Targets that a trial missed, each with its value.
fn missed(run: &Run) -> Vec<String> {
    let off = |figure: &&Figure| figure.target.is_some_and(|target| !target.met(figure.value));
    run.figures
        .iter()
        .filter(off)
        .map(|figure| format!("{} {:.0} {}", figure.name, figure.value, figure.unit))
        .collect()
}

async fn trial(place: &Place, plan: &ProctoredPlan, candidates: usize) -> anyhow::Result<Run> {
    let crowd = CrowdPlan {
        candidates,
        per_sitting: candidates.div_ceil(PROCTORS),
        tls: true,
        clock_skew_s: 0,
        seed: 7,
        hand_in: HAND_IN,
    };
    let mut field = Field::prepared(place, &crowd, None).await?;
    field.crowd.begin().await?;
    field.idle().await?;
    let media = MediaPlan {
        steps: vec![candidates],
        profile: plan.profile,
        rise: 0,
        most: 0,
        seconds: plan.seconds,
        first_frames: 0,
        junk_per_s: 0,
        threads: plan.threads,
    };
    let mut house = House::of(field, &media)?;
    let publishing = house.publish(candidates).await;
    if let Err(error) = publishing {
        // Too many for this machine is an answer, not a failure of the search.
        let mut run = Run::default();
        run.errors.insert(format!("{error:#}"), 1);
        closing(&mut run, 0, 0, 0);
        return Ok(run);
    }
    let proctors = Proctors::come(&house, plan, candidates);
    let run = exam(&mut house, plan, &proctors).await?;
    drop(proctors);
    Ok(run)
}

/// The counted part.
async fn exam(house: &mut House<'_>, plan: &ProctoredPlan, proctors: &Proctors) -> anyhow::Result<Run> {
    let evidence = house.field.folder.path().join("room");
    let from = Instant::now() + Duration::from_secs(1);
    let until = from + Duration::from_secs(plan.seconds);
    let pace = Pace {
        mean: Some(THINK),
        think: Think::Exponential,
        from,
        count_from: from,
        until,
        breaks_every: None,
    };
    let before = (house.counts().await?, folder_bytes(&evidence)?, loopback_bytes()?, Machine::now()?);
    let (watching, began) = (house.field.watch(from, until)?, Instant::now());
    let acknowledged = house.field.shared.tally().acknowledged();
    let seen = proctors.seen();
    house.field.crowd.answer(&pace).await?;
    let (watched, span) = (watching.end().await?, began.elapsed().as_secs_f64());
    let machine = before.3.busy_percent_since()?;
    let after = house.counts().await?;
    let (written, carried) = (folder_bytes(&evidence)?, loopback_bytes()?);
    let (stills, pictures) = proctors.seen();
    let answered = house.field.shared.tally().acknowledged() - acknowledged;
    let usage = Usage::of(house.field.room.pid())?;
    let errors = house.field.shared.tally().take_errors();
    let waits = house.field.shared.tally().told_to_wait();
    let (lost, checked) = house.field.lost(HAND_IN).await?;

    let mut run = Run { errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    let rate = |now: u64, before: u64| count(now.saturating_sub(before)) / span;
    let packets = (after.0 - before.0.0) + (after.1 - before.0.1) + (after.2 - before.0.2);
    let mut put = |name: &str, unit: &str, value: f64| run.figures.push(Figure::new(name, unit, value));
    put("candidates", "", count(house.devices.len() as u64));
    put("durable answers", "/s", count(answered) / span);
    put("answer, p50", "ms", ms(&watched.latencies, 0.5));
    put("server, processor time", "cores", watched.server_cores);
    put("generator, processor time", "cores", watched.own_cores);
    put("whole machine busy", "%", machine);
    put("server, memory", "MiB", usage.rss_kib / 1_024.0);
    put("written to disk", "MB/s", rate(written, before.1) / 1e6);
    put("through the loopback network", "MB/s", rate(carried, before.2) / 1e6);
    put("stills fetched by proctors", "/s", rate(stills, seen.0));
    put("live key frames that proctors saw", "/s", rate(pictures, seen.1));
    run.figures.push(Figure::new("answer, p99", "ms", ms(&watched.latencies, 0.99)).at_most(ACK_P99_MS));
    run.figures.push(Figure::new("lost media packets", "", count(packets)).at_most(0.0));
    if machine > MACHINE_PERCENT {
        run.notes.push("the machine was above 80 %: generator and server are in each other's way".to_owned());
    }
    disk(&mut run, &watched);
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

/// Five people before their walls. Dropped, they go home.
struct Proctors {
    _tasks: JoinSet<()>,
    stills: Arc<AtomicU64>,
    pictures: Arc<AtomicU64>,
}

impl Proctors {
    /// Candidates come in the order of the sittings: each proctor has as many in a row.
    fn come(house: &House<'_>, plan: &ProctoredPlan, candidates: usize) -> Self {
        let (stills, pictures) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let mut tasks = JoinSet::new();
        for (number, seats) in (0_u8..).zip(house.devices.chunks(candidates.div_ceil(PROCTORS))) {
            let source = Ipv4Addr::new(127, 0, 0, PROCTOR_FROM + number);
            let sessions: Vec<Uuid> = seats.iter().map(|(_, _, session)| *session).collect();
            let shared = Arc::clone(&house.field.shared);
            let cookie = house.field.centre.cookie.clone();
            for session in sessions.iter().copied().take(plan.live) {
                let (shared, cookie, seen) = (Arc::clone(&shared), cookie.clone(), Arc::clone(&pictures));
                tasks.spawn(async move {
                    if let Err(error) = look(&shared, &cookie, session, &seen).await {
                        shared.tally().error(&format!("a live picture, {error}"));
                    }
                });
            }
            let tiles: Vec<Uuid> = sessions.into_iter().take(TILES).collect();
            let seen = Arc::clone(&stills);
            tasks.spawn(async move {
                if let Err(error) = leaf(&shared, &cookie, source, &tiles, &seen).await {
                    shared.tally().error(&format!("a wall's stills, {error}"));
                }
            });
        }
        Self { _tasks: tasks, stills, pictures }
    }

    /// Stills and whole live pictures so far.
    fn seen(&self) -> (u64, u64) {
        (self.stills.load(Relaxed), self.pictures.load(Relaxed))
    }
}

/// One live picture, for as long as it comes.
async fn look(shared: &Shared, cookie: &str, session: Uuid, seen: &AtomicU64) -> anyhow::Result<()> {
    let viewer = Viewer::new().await?;
    let answer = watch(shared, cookie, session, &viewer.offer).await?;
    viewer.watch(answer, seen).await
}

/// The stills of these tiles, again and again.
async fn leaf(
    shared: &Shared,
    cookie: &str,
    source: Ipv4Addr,
    tiles: &[Uuid],
    seen: &AtomicU64,
) -> anyhow::Result<()> {
    let mut http = Http::connect(&shared.target, source).await?;
    let mut due = Instant::now();
    for round in 0_u64.. {
        for session in tiles {
            let path = format!("/api/v1/proctor/sessions/{session}/still?n={round}");
            http.send("GET", &path, Who::Staff(cookie), "application/json", &[]).await?;
            seen.fetch_add(1, Relaxed);
            // Spread over the time, as tiles change one by one.
            sleep(STILLS_EVERY / 4 / u32::try_from(TILES)?).await;
        }
        due += STILLS_EVERY;
        sleep_until(due).await;
    }
    Ok(())
}
