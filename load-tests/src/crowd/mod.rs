//! Thousands of light candidates in one process, taken through an exam step by step.
//!
//! In every step each candidate is a task of its own; whoever is through stays connected until all are.

mod back;
mod candidate;
mod frames;
mod pace;
mod seats;
mod tally;
mod wall;

pub use candidate::Light;
pub(crate) use pace::Pace;
pub use pace::Think;
pub(crate) use seats::Centre;
pub use tally::{Latencies, Tally, latencies};
pub use wall::Walls;

use crate::line::Target;
use crate::picture;
use anyhow::{Context as _, bail};
use rand::RngExt as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// Source addresses: 127.0.0.2 and on. Each has 28,000 ports, and at the server 3,000 personal links at once.
const SOURCES: u8 = 200;
/// Candidates who prepare at once: the rest has not opened its link yet.
const PREPARING: usize = 400;
/// Connections being opened at once: an operating system's backlog is 4,096, and open files are bounded.
const DIALLING: usize = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a crowd shares.
#[derive(Debug)]
pub struct Shared {
    pub(crate) target: Target,
    pub(crate) seed: u64,
    pub(crate) skew: Duration,
    pub(crate) photo: Vec<u8>,
    pub(crate) tally: Tally,
    pub(crate) preparing: Semaphore,
    pub(crate) dialling: Semaphore,
}

impl Shared {
    /// `skew`: devices' clocks are wrong by up to this much.
    ///
    /// # Errors
    /// If no picture can be made.
    pub fn new(target: Target, seed: u64, skew: Duration) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            target,
            seed,
            skew,
            photo: picture::photo(120)?,
            tally: Tally::default(),
            preparing: Semaphore::new(PREPARING),
            dialling: Semaphore::new(DIALLING),
        }))
    }

    fn source(&self, index: usize) -> Ipv4Addr {
        let sources = usize::from(SOURCES);
        let last = u8::try_from(index % sources).expect("below the number of sources");
        Ipv4Addr::new(127, 0, 0, last + 2)
    }

    /// Counters and latencies.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// All candidates of a run.
#[derive(Debug)]
pub struct Crowd {
    shared: Arc<Shared>,
    candidates: Vec<Light>,
}

/// One step of one candidate: what it came to, and the candidate back.
type Stepped<T> = (Light, anyhow::Result<T>);

impl Crowd {
    /// A crowd of the holders of these personal links.
    #[must_use]
    pub fn new(shared: Arc<Shared>, links: Vec<String>) -> Self {
        let candidates = links
            .into_iter()
            .enumerate()
            .map(|(index, link)| {
                let token = link.rsplit('/').next().unwrap_or_default().to_owned();
                Light::new(Arc::clone(&shared), index, token)
            })
            .collect();
        Self { shared, candidates }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The candidates, by their place.
    #[must_use]
    pub fn candidates(&self) -> &[Light] {
        &self.candidates
    }

    /// Everybody up to the four texts.
    ///
    /// # Errors
    /// If somebody did not get there.
    pub async fn prepare(&mut self) -> anyhow::Result<()> {
        self.together("preparing", |light| Box::pin(async move { light.prepare().await })).await
    }

    /// Everybody begins as soon as they may, and opens the first question.
    ///
    /// # Errors
    /// If somebody could not.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        self.together("beginning", |light| {
            Box::pin(async move {
                light.until_ready().await?;
                light.begin().await
            })
        })
        .await
    }

    /// At the bell everybody presses the button within `spread`. Latencies: from the press to the first question.
    ///
    /// # Errors
    /// If somebody could not begin.
    pub(crate) async fn begin_at(&mut self, bell: Instant, spread: Duration) -> anyhow::Result<()> {
        self.together("the bell", move |light| {
            Box::pin(async move {
                let press = bell + spread.mul_f64(light.rng.random());
                light.rest(press).await?;
                light.begin().await?;
                light.shared.tally.took(light.index, press);
                Ok(())
            })
        })
        .await
    }

    /// Everybody stays connected and does nothing until then.
    ///
    /// # Errors
    /// If somebody's connection broke.
    pub(crate) async fn rest(&mut self, until: Instant) -> anyhow::Result<()> {
        self.together("resting", move |light| Box::pin(async move { light.rest(until).await })).await
    }

    /// Everybody answers.
    ///
    /// # Errors
    /// If somebody's connection broke and did not come back.
    pub(crate) async fn answer(&mut self, pace: &Pace) -> anyhow::Result<()> {
        let pace = Arc::new(pace.clone());
        self.together("answering", move |light| {
            let pace = Arc::clone(&pace);
            Box::pin(async move { light.answer(&pace).await })
        })
        .await
    }

    /// All connections break at once; everybody comes back after `jitter` at most, ticket request included. Latencies:
    /// from each one's own first try to the welcome. The time from the break to the last welcome.
    ///
    /// # Errors
    /// If somebody did not come back.
    pub(crate) async fn storm(&mut self, jitter: Duration) -> anyhow::Result<Duration> {
        self.hang_up();
        let broke = Instant::now();
        self.together("coming back", move |light| {
            Box::pin(async move {
                let due = broke + jitter.mul_f64(light.rng.random());
                sleep_until(due).await;
                if let Err(error) = light.connect().await {
                    match back::told(&error) {
                        Some(_) => light.shared.tally.count_told_to_wait(1),
                        None => light.shared.tally.error(&format!("coming back, {error}")),
                    }
                    light.come_back(due + Duration::from_secs(60)).await?;
                }
                light.shared.tally.took(light.index, due);
                Ok(())
            })
        })
        .await?;
        Ok(broke.elapsed())
    }

    /// The server is gone; everybody tries until it is back, each at the pace of its page.
    ///
    /// # Errors
    /// If somebody did not come back within `patience`.
    pub(crate) async fn return_after_crash(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.hang_up();
        let end = Instant::now() + patience;
        self.together("coming back after the crash", move |light| {
            Box::pin(async move { light.come_back(end).await.context("not back in time") })
        })
        .await
    }

    /// These hand in and wait until that is durable: the session and the numbers of its acknowledged answers.
    ///
    /// # Errors
    /// If somebody could not.
    pub(crate) async fn hand_in(&mut self, count: usize) -> anyhow::Result<Vec<(Uuid, Vec<u64>)>> {
        let mut handed_in = Vec::new();
        self.together("handing in", move |light| {
            Box::pin(async move { if light.index < count { light.hand_in().await } else { Ok(()) } })
        })
        .await?;
        for light in self.candidates.iter().take(count) {
            handed_in.push((light.session, light.acknowledged.clone()));
        }
        Ok(handed_in)
    }

    /// All sockets are dropped without a word.
    pub(crate) fn hang_up(&mut self) {
        for light in &mut self.candidates {
            light.socket = None;
        }
    }

    /// Runs one step of everybody; whoever is through stays connected until all are.
    async fn together<S>(&mut self, what: &'static str, step: S) -> anyhow::Result<()>
    where
        S: for<'a> Fn(
                &'a mut Light,
            ) -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        let total = u64::try_from(self.candidates.len())?;
        let tally = &self.shared.tally;
        tally.reset_done();
        let (tell, told) = watch::channel(false);
        let step = Arc::new(step);
        let mut tasks: JoinSet<Stepped<()>> = JoinSet::new();
        for mut light in std::mem::take(&mut self.candidates) {
            let (told, step) = (told.clone(), Arc::clone(&step));
            tasks.spawn(async move {
                let outcome = step(&mut light).await;
                light.shared.tally.count_done(1);
                let held = match outcome {
                    Ok(()) => light.hold(told).await,
                    Err(error) => Err(error),
                };
                (light, held)
            });
        }
        while tally.done() < total {
            sleep(LOOK_EVERY).await;
        }
        tell.send_replace(true);
        let mut failed = 0_u64;
        while let Some(joined) = tasks.join_next().await {
            let (light, outcome) = joined?;
            if let Err(error) = outcome {
                failed += 1;
                self.shared.tally.error(&format!("{what}, {error}"));
            }
            self.candidates.push(light);
        }
        self.candidates.sort_by_key(|light| light.index);
        if failed > 0 {
            bail!("{failed} of {total} candidates failed at {what}: {:?}", self.shared.tally.take_errors());
        }
        Ok(())
    }
}

impl Light {
    async fn rest(&mut self, until: Instant) -> anyhow::Result<()> {
        while Instant::now() < until {
            self.hear(until).await?;
        }
        Ok(())
    }

    /// What is left of the exam by the newest welcome, and when that was read.
    pub(crate) const fn remaining(&self) -> Option<(i64, Instant)> {
        self.remaining
    }
}
