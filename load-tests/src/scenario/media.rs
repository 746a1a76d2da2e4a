//! `media`: cameras and microphones of a whole crowd through the product's own WHIP, recorded, sealed and hashed.

use super::Place;
use super::field::{Field, say};
use super::file::CrowdPlan;
use crate::cameras::junk::Junk;
use crate::cameras::viewer::Viewer;
use crate::cameras::{Cameras, Profile, Waiting};
use crate::crowd::{Pace, Shared, Think, latencies};
use crate::line::http::{Http, Who};
use crate::metrics::Counters;
use crate::report::{Figure, Report, Run, medians, ms};
use crate::usage::{Machine, Usage, folder_bytes, udp_drops};
use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// Offers under way at once.
const OFFERING: usize = 8;
/// Until an offer is answered and its connection up, on a busy machine.
const EACH_OFFER: Duration = Duration::from_millis(40);
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);
/// Handshakes are over and the reports of the first second are out.
const SETTLE: Duration = Duration::from_secs(5);
/// ICE gives a vanished camera up after ten seconds.
const FORGET: Duration = Duration::from_secs(15);
/// One after the other: click, picture, and room before the next.
const EACH_LOOK: Duration = Duration::from_secs(2);
/// Everybody answers this often on average while junk is thrown.
const THINK: Duration = Duration::from_secs(4);
/// A proctor comes from an address of its own.
const PROCTOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const CPU_PERCENT: f64 = 0.20;
const KIB: f64 = 300.0;
const FIRST_FRAME_MS: f64 = 1_000.0;
const ACK_RATIO: f64 = 2.0;
/// Above this the largest number is not looked for any further.
pub(super) const MACHINE_PERCENT: f64 = 80.0;

/// What is measured.
#[derive(Clone, Debug, Serialize)]
pub struct MediaPlan {
    /// Cameras of each step, rising; a step that loses packets, or takes four fifths of the machine, is the last
    pub steps: Vec<usize>,
    /// What they send
    #[serde(skip)]
    pub profile: Profile,
    /// Beyond the last step as many more as this at a time, until a step loses a packet or takes four fifths of the
    /// machine; 0 leaves that out
    pub rise: usize,
    /// But not more than this
    pub most: usize,
    /// Counted seconds of a step
    pub seconds: u64,
    /// Candidates who begin to publish while a proctor already looks at them
    pub first_frames: usize,
    /// Meaningless datagrams a second at the media port while half publish and everybody answers; 0 leaves that out
    pub junk_per_s: u32,
    /// Threads of the generator
    pub threads: usize,
}

/// What one step came to.
struct Step {
    cpu_percent: f64,
    machine_percent: f64,
    rss_kib: f64,
    packets_per_s: f64,
    kbit_per_s: f64,
    recorded_bytes_per_s: f64,
    /// The kernel had no room for them, the server gave them up, the recorder's queue refused their frames
    dropped: u64,
    given_up: u64,
    refused: u64,
}

impl Place {
    /// Runs of one plan, each in a room of its own.
    ///
    /// # Errors
    /// If the server or the crowd did not come to the end of it.
    pub async fn play_media(&self, plans: &[MediaPlan], runs: usize) -> anyhow::Result<Report> {
        let plan = plans.first().context("something is measured")?;
        let mut all = Vec::new();
        for number in 1..=runs {
            let mut whole = Run::default();
            for plan in plans {
                say!("run {number} of {runs}, {:?} profile", plan.profile);
                whole.join(run(self, plan).await?, &format!("{:?}: ", plan.profile).to_lowercase());
            }
            all.push(whole);
        }
        Ok(Report {
            scenario: "media".to_owned(),
            about: format!("cameras of {:?} candidates", plan.steps),
            at_ms: crate::staff::now_ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: self.commit.clone(),
            command: self.command.clone(),
            machine: crate::report::Machine::here(&self.folder, self.open_files),
            settings: toml::to_string(plan)?,
            method: METHOD.map(str::to_owned).to_vec(),
            medians: medians(&all),
            runs: all,
        })
    }
}

const METHOD: [&str; 5] = [
    "Server and generator share the machine and its cores; nothing is pinned. The server is the program's own binary on a scratch folder, with its usual settings: what comes is recorded, sealed under each session's key, chained and synced.",
    "Cameras speak real ICE, DTLS and SRTP, with transport-wide congestion feedback, NACK and sound levels; pictures are shaped like VP8 and show nothing.",
    "Processor time per publisher: of the server's whole process while they publish, less the same with everybody's sockets alone, divided by the number of publishers. Memory likewise.",
    "Lost: what the kernel dropped at the media port, what the server gave up after waiting for repairs, frames that the recorder's queue refused.",
    "First picture: from the proctor's click, at the same time as the candidate's offer, to the last packet of the first key frame.",
];

async fn run(place: &Place, plan: &MediaPlan) -> anyhow::Result<Run> {
    let publishers = plan.steps().last().context("a plan has a step")?;
    let crowd = CrowdPlan {
        candidates: publishers + plan.first_frames,
        per_sitting: 200,
        tls: false,
        clock_skew_s: 0,
        seed: 7,
        hand_in: 0,
    };
    let mut field = Field::prepared(place, &crowd, None).await?;
    field.crowd.begin().await?;
    let idle = field.idle().await?;
    let mut house = House::of(field, plan)?;
    let mut run = Run::default();
    let quiet_ack = if plan.junk_per_s > 0 { Some(house.answers(Duration::ZERO).await?) } else { None };
    let alone = house.window().await?.0;
    say!("sockets alone: {:.2} % of a core", alone * 100.0);
    let mut largest = 0;
    for number in plan.steps() {
        house.publish(number).await?;
        let step = house.step(alone, &idle).await?;
        say!("{}", step.line(number));
        if plan.steps.contains(&number) {
            step.figures(&mut run, number);
        }
        if step.lost() > 0 || step.machine_percent > MACHINE_PERCENT {
            run.notes.push(format!("stopped after {number}: {}", step.line(number)));
            break;
        }
        largest = number;
    }
    if plan.rise > 0 {
        run.figures.push(Figure::new("most without loss, machine below 80 %", "", count(largest as u64)));
        run.notes.push(format!("looked for in steps of {} up to {}", plan.rise, plan.most));
    }
    if plan.first_frames > 0 {
        let taken = house.first_frames().await?;
        run.figures.push(Figure::new("first picture, p50", "ms", ms(&taken, 0.5)));
        run.figures.push(Figure::new("first picture, p95", "ms", ms(&taken, 0.95)).at_most(FIRST_FRAME_MS));
    }
    if let Some(quiet) = quiet_ack {
        house.under_fire(quiet, &mut run).await?;
    }
    run.errors = house.field.shared.tally().take_errors();
    let errors: f64 =
        run.errors.values().map(|count| f64::from(u32::try_from(*count).unwrap_or(u32::MAX))).sum();
    run.figures.push(Figure::new("errors", "", errors).at_most(0.0));
    Ok(run)
}

/// The field, and the cameras in it.
pub(super) struct House<'a> {
    pub(super) field: Field,
    plan: &'a MediaPlan,
    /// Half of the cameras each, so that half can be switched off
    halves: [Option<Cameras>; 2],
    publishing: usize,
    pub(super) devices: Vec<(Ipv4Addr, String, Uuid)>,
    media: SocketAddr,
    ops_url: String,
}

impl<'a> House<'a> {
    pub(super) fn of(field: Field, plan: &'a MediaPlan) -> anyhow::Result<Self> {
        let devices = field.crowd.candidates().iter().map(crate::crowd::Light::device).collect();
        let server = field.shared.target.address;
        // A room's media is two ports behind its pages.
        let media = SocketAddr::new(server.ip(), server.port() + 2);
        let ops_url = field.room.description.ops_url.clone().context("the room tells no metrics")?;
        let half = || Cameras::new(plan.threads.div_ceil(2));
        let halves = [Some(half()?), Some(half()?)];
        Ok(Self { field, plan, halves, publishing: 0, devices, media, ops_url })
    }

    /// As many cameras as that.
    pub(super) async fn publish(&mut self, number: usize) -> anyhow::Result<()> {
        let span = EACH_OFFER * u32::try_from(number - self.publishing)? + SETTLE;
        let shared = Arc::clone(&self.field.shared);
        let (profile, devices) = (self.plan.profile, &self.devices[self.publishing..number]);
        let halves = &mut self.halves;
        let offers = async {
            let mut offered = stream::iter(devices.iter().cloned())
                .map(|device| offer(&shared, profile, device))
                .buffer_unordered(OFFERING);
            let mut place = 0;
            while let Some(camera) = offered.try_next().await? {
                let half = halves[place % 2].as_mut().context("cameras were switched off")?;
                half.add(camera)?;
                place += 1;
            }
            anyhow::Ok(())
        };
        let (rested, offered) = tokio::join!(self.field.crowd.rest(Instant::now() + span), offers);
        rested?;
        offered?;
        self.publishing = number;
        let wanted = u64::try_from(number)?;
        let all = timeout(CONNECT_PATIENCE, async {
            while self.sent(|sent| &sent.connected) < wanted {
                sleep(Duration::from_millis(20)).await;
            }
        });
        ensure!(all.await.is_ok(), "{} of {number} cameras connected", self.sent(|sent| &sent.connected));
        Ok(())
    }

    pub(super) fn sent(&self, of: impl Fn(&crate::cameras::Sent) -> &std::sync::atomic::AtomicU64) -> u64 {
        self.halves.iter().flatten().map(|half| of(&half.sent).load(Relaxed)).sum()
    }

    /// Processor time of the server in cores, and how long was looked, while nobody does anything new.
    async fn window(&mut self) -> anyhow::Result<(f64, f64)> {
        let pid = self.field.room.pid();
        let (before, began) = (Usage::of(pid)?, Instant::now());
        self.field.crowd.rest(began + Duration::from_secs(self.plan.seconds)).await?;
        let span = began.elapsed().as_secs_f64();
        Ok(((Usage::of(pid)?.cpu_s - before.cpu_s) / span, span))
    }

    async fn step(&mut self, alone: f64, idle: &Usage) -> anyhow::Result<Step> {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let each = self.publishing as f64;
        let evidence = self.field.folder.path().join("room/evidence");
        let before = (self.counts().await?, self.sent(|sent| &sent.packets), self.sent(|sent| &sent.bytes));
        let (bytes_before, machine) = (folder_bytes(&evidence)?, Machine::now()?);
        let (cores, span) = self.window().await?;
        let machine_percent = machine.busy_percent_since()?;
        let after = self.counts().await?;
        let rate = |now: u64, before: u64| count(now.saturating_sub(before)) / span;
        Ok(Step {
            cpu_percent: (cores - alone) * 100.0 / each,
            machine_percent,
            rss_kib: (Usage::of(self.field.room.pid())?.rss_kib - idle.rss_kib) / each,
            packets_per_s: rate(self.sent(|sent| &sent.packets), before.1) / each,
            kbit_per_s: rate(self.sent(|sent| &sent.bytes), before.2) * 8.0 / 1_000.0 / each,
            recorded_bytes_per_s: rate(folder_bytes(&evidence)?, bytes_before) / each,
            dropped: after.0 - before.0.0,
            given_up: after.1 - before.0.1,
            refused: after.2 - before.0.2,
        })
    }

    /// Dropped by the kernel, given up by the server, refused by the recorder's queue, so far.
    pub(super) async fn counts(&self) -> anyhow::Result<(u64, u64, u64)> {
        let counters = Counters::read(&self.ops_url).await?;
        Ok((
            udp_drops(self.media.port())?,
            counters.value("synaq_media_lost_packets_total", ""),
            counters.value("synaq_media_dropped_total", "reason=\"recorder\""),
        ))
    }

    /// Fresh candidates publish one after the other, and at once a proctor looks.
    async fn first_frames(&mut self) -> anyhow::Result<crate::crowd::Latencies> {
        let fresh = self.devices.split_off(self.devices.len() - self.plan.first_frames);
        let span = EACH_LOOK * u32::try_from(fresh.len())?;
        let (shared, profile) = (Arc::clone(&self.field.shared), self.plan.profile);
        let cookie = self.field.centre.cookie.clone();
        let mut cameras = Cameras::new(1)?;
        let looks = async {
            let mut taken = latencies();
            for (number, device) in fresh.into_iter().enumerate() {
                let began = Instant::now();
                let session = device.2;
                let viewer = Viewer::new().await?;
                let watching = async {
                    let answer = watch(&shared, &cookie, session, &viewer.offer).await?;
                    viewer.first_frame(answer).await?;
                    anyhow::Ok(began.elapsed())
                };
                let publishing = async {
                    let camera = offer(&shared, profile, device).await?;
                    cameras.add(camera)
                };
                let (took, published) = tokio::join!(watching, publishing);
                published?;
                taken.record(u64::try_from(took?.as_micros())?)?;
                sleep((EACH_LOOK / 2).saturating_sub(began.elapsed())).await;
                say!("first picture {} after {:.0} ms", number + 1, ms(&taken, 1.0));
            }
            anyhow::Ok(taken)
        };
        let (rested, taken) = tokio::join!(self.field.crowd.rest(Instant::now() + span), looks);
        rested?;
        taken
    }

    /// Everybody answers for the length of a step: p99 of the acknowledgement in ms.
    async fn answers(&mut self, lead: Duration) -> anyhow::Result<f64> {
        drop(self.field.shared.tally().drain());
        let from = Instant::now() + lead;
        let until = from + Duration::from_secs(self.plan.seconds);
        let pace = Pace {
            mean: Some(THINK),
            think: Think::Uniform,
            from,
            count_from: from,
            until,
            breaks_every: None,
        };
        self.field.crowd.answer(&pace).await?;
        let taken = self.field.shared.tally().drain();
        ensure!(!taken.is_empty(), "nobody answered");
        Ok(ms(&taken, 0.99))
    }

    /// Half of the cameras, everybody's answers, and junk.
    async fn under_fire(&mut self, quiet: f64, run: &mut Run) -> anyhow::Result<()> {
        self.halves[1] = None;
        self.field.crowd.rest(Instant::now() + FORGET).await?;
        let before = Counters::read(&self.ops_url).await?;
        let junk = Junk::throw(self.media, self.plan.junk_per_s)?;
        let began = Instant::now();
        let loud = self.answers(Duration::from_secs(1)).await?;
        let thrown = count(junk.thrown.load(Relaxed)) / began.elapsed().as_secs_f64();
        drop(junk);
        let after = Counters::read(&self.ops_url).await?;
        let unknown =
            |counters: &Counters| counters.value("synaq_media_dropped_total", "reason=\"unknown_sender\"");
        let dropped = count(unknown(&after).saturating_sub(unknown(&before))) / began.elapsed().as_secs_f64();
        run.figures.push(Figure::new("answer, p99, no media", "ms", quiet));
        run.figures.push(Figure::new("answer, p99, half publish, junk", "ms", loud));
        run.figures.push(Figure::new("answer, p99, ratio", "x", loud / quiet).at_most(ACK_RATIO));
        run.figures.push(Figure::new("junk thrown", "/s", thrown));
        run.figures.push(Figure::new("junk recognised by the server", "/s", dropped));
        Ok(())
    }
}

impl MediaPlan {
    /// Rising: those asked for, then on to the most.
    fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        let last = self.steps.last().copied().unwrap_or_default();
        let beyond = if self.rise > 0 { self.most } else { 0 };
        let risen = (last + self.rise..=beyond).step_by(self.rise.max(1));
        self.steps.iter().copied().chain(risen)
    }
}

impl Step {
    fn lost(&self) -> u64 {
        self.dropped + self.given_up + self.refused
    }

    fn line(&self, number: usize) -> String {
        format!(
            "{number} publish: {:.3} % of a core and {:.0} KiB each, {:.1} packets/s, {:.0} kbit/s, machine {:.0} %, lost {} (kernel {}, given up {}, recorder {})",
            self.cpu_percent,
            self.rss_kib,
            self.packets_per_s,
            self.kbit_per_s,
            self.machine_percent,
            self.lost(),
            self.dropped,
            self.given_up,
            self.refused
        )
    }

    fn figures(&self, run: &mut Run, number: usize) {
        let mut put = |name: &str, unit: &str, value: f64, most: Option<f64>| {
            let figure = Figure::new(&format!("{name}, {number} publish"), unit, value);
            run.figures.push(match most {
                Some(most) => figure.at_most(most),
                None => figure,
            });
        };
        put("processor time each", "%", self.cpu_percent, Some(CPU_PERCENT));
        put("memory each", "KiB", self.rss_kib, Some(KIB));
        put("lost packets", "", count(self.lost()), Some(0.0));
        put("packets each", "/s", self.packets_per_s, None);
        put("payload each", "kbit/s", self.kbit_per_s, None);
        put("recorded each", "bytes/s", self.recorded_bytes_per_s, None);
        put("whole machine busy", "%", self.machine_percent, None);
    }
}

/// One candidate's offer and its answer, over the candidate's own address.
async fn offer(
    shared: &Shared,
    profile: Profile,
    (source, credential, _): (Ipv4Addr, String, Uuid),
) -> anyhow::Result<crate::cameras::Camera> {
    let waiting = tokio::task::spawn_blocking(move || Waiting::new(profile)).await??;
    let mut http = Http::connect(&shared.target, source).await?;
    let (path, who) = ("/api/v1/candidate/whip", Who::Device(&credential));
    let answer = http.send("POST", path, who, "application/sdp", waiting.offer.as_bytes()).await?;
    waiting.answered(String::from_utf8(answer.body)?)
}

pub(super) async fn watch(
    shared: &Shared,
    cookie: &str,
    session: Uuid,
    offer: &str,
) -> anyhow::Result<String> {
    let mut http = Http::connect(&shared.target, PROCTOR).await?;
    let path = format!("/api/v1/proctor/sessions/{session}/whep");
    let answer = http.send("POST", &path, Who::Staff(cookie), "application/sdp", offer.as_bytes()).await?;
    Ok(String::from_utf8(answer.body)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
pub(super) fn count(value: u64) -> f64 {
    value as f64
}
