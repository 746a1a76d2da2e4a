//! Where a scenario is played: a room, a crowd, proctors, and what is read of the server meanwhile.

use super::Place;
use super::file::CrowdPlan;
use crate::crowd::{Centre, Crowd, Latencies, Shared, Walls, latencies};
use crate::probe::Probe;
use crate::report::Second;
use crate::room::{Room, Start};
use crate::staff::now_ms;
use crate::usage::Usage;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// The server settles: what the last step left behind is under way no more.
const SETTLE: Duration = Duration::from_secs(5);
/// Lines of progress go to standard error; reports go elsewhere.
macro_rules! say {
    ($($words:tt)*) => { eprintln!("    {}", format_args!($($words)*)) };
}
pub(super) use say;

/// A scenario's whole field.
pub(super) struct Field {
    pub(super) room: Room,
    pub(super) shared: std::sync::Arc<Shared>,
    pub(super) centre: Centre,
    pub(super) crowd: Crowd,
    /// Proctors watch for as long as the field is there
    pub(super) walls: Walls,
    /// Before anybody connected
    pub(super) empty: Usage,
    /// Everybody from the first link to the four texts
    pub(super) preparation: Duration,
    pub(super) folder: TempDir,
}

/// What was seen second by second.
pub(super) struct Watched {
    pub(super) latencies: Latencies,
    pub(super) seconds: Vec<Second>,
    /// Processor time of the server while answers were counted, in cores
    pub(super) server_cores: f64,
    /// Of the generator
    pub(super) own_cores: f64,
    pub(super) disk: Latencies,
}

impl Field {
    /// Opens a room on a fresh folder, seats everybody and takes them through the preparation.
    pub(super) async fn prepared(
        place: &Place,
        plan: &CrowdPlan,
        opens_at: Option<i64>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(&place.folder)?;
        let start = Start {
            binary: place.binary.clone(),
            data: folder.path().join("room"),
            tls: plan.tls,
            more: place.room_options.clone(),
        };
        let room = tokio::task::spawn_blocking(move || Room::open(start)).await??;
        say!("the room is open after {:.0} ms", room.took.as_secs_f64() * 1_000.0);
        let shared = Shared::new(room.target()?, plan.seed, Duration::from_secs(plan.clock_skew_s))?;
        let centre = Centre::sign_in(&shared, &room.description.account).await?;
        let opens_at = opens_at.unwrap_or_else(|| now_ms() - 1_000);
        let seats = centre.seats(&shared, plan.candidates, plan.per_sitting, opens_at).await?;
        sleep(Duration::from_secs(1)).await;
        let empty = Usage::of(room.pid())?;
        let walls = Walls::watch(&shared, &centre.cookie, &seats.sittings);
        let mut crowd = Crowd::new(shared.clone(), seats.links);
        say!("{} candidates prepare, {} proctors watch", crowd.len(), walls.len());
        let began = Instant::now();
        crowd.prepare().await?;
        let preparation = began.elapsed();
        say!("everybody is prepared after {:.1} s", preparation.as_secs_f64());
        Ok(Self { room, shared, centre, crowd, walls, empty, preparation, folder })
    }

    /// Nobody does anything but say that they are there: the server's memory then.
    pub(super) async fn idle(&mut self) -> anyhow::Result<Usage> {
        self.crowd.rest(Instant::now() + SETTLE).await?;
        // Waiting for the admission and for the bell is not what is measured.
        drop(self.shared.tally().drain());
        Usage::of(self.room.pid())
    }

    /// What one connected candidate costs in KiB.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    pub(super) fn kib_each(&self, usage: &Usage) -> f64 {
        (usage.rss_kib - self.empty.rss_kib) / self.crowd.len() as f64
    }

    /// Begins to look at the server once a second; processor time counts from `from` to `until`.
    pub(super) fn watch(&self, from: Instant, until: Instant) -> anyhow::Result<Watch> {
        let (tell, told) = watch::channel(false);
        let probe = Probe::beside(self.folder.path())?;
        let (shared, pid) = (self.shared.clone(), self.room.pid());
        let task = tokio::spawn(look(shared, pid, from, until, told));
        Ok(Watch { tell, probe, task })
    }

    /// Everybody reconnects and finds every acknowledged answer; some hand in, and their sealed logs are read: how many
    /// acknowledged answers are missing anywhere, and how many were looked for.
    pub(super) async fn lost(&mut self, hand_in: usize) -> anyhow::Result<(u64, u64)> {
        self.crowd.storm(Duration::from_secs(3)).await?;
        drop(self.shared.tally().drain());
        let mut lost = self.shared.tally().lost();
        let mut checked = self.shared.tally().checked();
        for (session, numbers) in self.crowd.hand_in(hand_in).await? {
            checked += u64::try_from(numbers.len())?;
            lost += self.centre.missing(&self.shared, session, &numbers).await?;
        }
        say!("{checked} acknowledged answers were looked for, {lost} are lost");
        Ok((lost, checked))
    }
}

/// A look that goes on.
pub(super) struct Watch {
    tell: watch::Sender<bool>,
    probe: Probe,
    task: JoinHandle<anyhow::Result<Watched>>,
}

impl Watch {
    pub(super) async fn end(self) -> anyhow::Result<Watched> {
        self.tell.send_replace(true);
        let mut watched = self.task.await??;
        watched.disk = tokio::task::spawn_blocking(move || self.probe.end()).await??;
        Ok(watched)
    }
}

async fn look(
    shared: std::sync::Arc<Shared>,
    pid: u32,
    from: Instant,
    until: Instant,
    mut told: watch::Receiver<bool>,
) -> anyhow::Result<Watched> {
    let began = Instant::now();
    let mut watched = Watched {
        latencies: latencies(),
        seconds: Vec::new(),
        server_cores: 0.0,
        own_cores: 0.0,
        disk: latencies(),
    };
    let mut last = (Instant::now(), Usage::of(pid)?);
    let (mut at_from, mut at_until) = (None, None);
    let mut next = Instant::now() + Duration::from_secs(1);
    loop {
        let mut wake = next;
        if at_from.is_none() {
            wake = wake.min(from);
        }
        if at_until.is_none() {
            wake = wake.min(until);
        }
        let over = tokio::select! {
            _ = told.wait_for(|told| *told) => true,
            () = sleep_until(wake) => false,
        };
        let now = Instant::now();
        let usage = Usage::of(pid)?;
        if at_from.is_none() && now >= from {
            at_from = Some((now, usage, Usage::own()?));
        }
        if at_until.is_none() && (now >= until || over) {
            at_until = Some((now, usage, Usage::own()?));
        }
        if now >= next || over {
            next = now + Duration::from_secs(1);
            let taken = shared.tally().drain();
            let span = (now - last.0).as_secs_f64().max(1e-3);
            watched.seconds.push(Second::of(
                &taken,
                &usage,
                now - began,
                (usage.cpu_s - last.1.cpu_s) / span,
                span,
            ));
            watched.latencies.add(&taken)?;
            last = (now, usage);
        }
        if over {
            break;
        }
    }
    if let (Some((from, server, own)), Some((until, server_end, own_end))) = (at_from, at_until) {
        let span = (until - from).as_secs_f64().max(1e-3);
        watched.server_cores = (server_end.cpu_s - server.cpu_s) / span;
        watched.own_cores = (own_end.cpu_s - own.cpu_s) / span;
    }
    Ok(watched)
}
