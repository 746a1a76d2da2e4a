//! How a candidate answers: with think time from a distribution, or as soon as the last answer is durable.

use super::back::{self, Attempts};
use super::candidate::{Given, Light, PATIENCE, Pending};
use super::frames::Heard;
use anyhow::bail;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use synaq_wire::candidate::{CandidateCommand, ClientFrame};
use tokio::time::{Instant, sleep, sleep_until};

/// Answers of one candidate on their way; the server reads no more than 64 at once.
const ON_THE_WAY_MAX: usize = 64;

/// Shape of the think time; its mean is given by the rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Think {
    /// Always the same: the smoothest load
    Constant,
    /// Between nothing and twice the mean
    Uniform,
    /// Without memory: the arrivals of many independent people
    Exponential,
}

impl Think {
    fn sample(self, mean: Duration, rng: &mut SmallRng) -> Duration {
        match self {
            Self::Constant => mean,
            Self::Uniform => mean.mul_f64(rng.random_range(0.0..2.0)),
            Self::Exponential => mean.mul_f64(-(1.0 - rng.random::<f64>()).ln()),
        }
    }
}

/// When to answer.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// None: closed loop, the next answer when the last is durable
    pub(crate) mean: Option<Duration>,
    pub(crate) think: Think,
    pub(crate) from: Instant,
    /// Latencies are taken of what is due from here on
    pub(crate) count_from: Instant,
    pub(crate) until: Instant,
    /// A line breaks by itself this often on average
    pub(crate) breaks_every: Option<Duration>,
}

impl Light {
    /// Answers until the end of the pace, coming back whenever the connection breaks, then waits for what is on its
    /// way.
    pub(super) async fn answer(&mut self, pace: &Pace) -> anyhow::Result<()> {
        let first = pace.mean.unwrap_or(Duration::from_millis(100));
        let mut due = pace.from + first.mul_f64(self.rng.random());
        let mut break_at = self.next_break(pace);
        let end = pace.until + PATIENCE;
        // Nothing is said before the first answer but the heartbeat.
        loop {
            let now = Instant::now();
            if now >= end {
                self.shared.tally.error("answers: not acknowledged in time");
                return Ok(());
            }
            let over = now >= pace.until;
            if over && self.pending.is_empty() {
                return Ok(());
            }
            if break_at.is_some_and(|at| now >= at) && !over {
                self.socket = None;
                self.come_back(end).await?;
                break_at = self.next_break(pace);
            }
            let outcome = self.step(pace, &mut due, over, break_at, end).await;
            if let Err(error) = outcome {
                self.shared.tally.error(&error.to_string());
                self.come_back(end).await?;
            }
        }
    }

    async fn step(
        &mut self,
        pace: &Pace,
        due: &mut Instant,
        over: bool,
        break_at: Option<Instant>,
        end: Instant,
    ) -> anyhow::Result<()> {
        let may_send = !over
            && *due < pace.until
            && self.pending.len() < ON_THE_WAY_MAX
            && (pace.mean.is_some() || self.pending.is_empty());
        let now = Instant::now();
        if may_send && now >= *due {
            let given_due = if pace.mean.is_some() { *due } else { now };
            self.send_answer(given_due).await?;
            if let Some(mean) = pace.mean {
                *due += pace.think.sample(mean, &mut self.rng);
            }
            return Ok(());
        }
        let mut wake = end;
        if may_send {
            wake = wake.min(*due);
        }
        if !over {
            wake = wake.min(break_at.unwrap_or(pace.until)).min(pace.until);
        }
        match self.hear(wake).await? {
            Some(Heard::Ack { client_seq }) => self.acknowledged(client_seq, pace),
            Some(Heard::Refused { client_seq: Some(client_seq), problem }) => {
                let Some(wait) = problem.retry_after_ms else { bail!("refused: {}", problem.code) };
                self.shared.tally.count_told_to_wait(1);
                sleep(Duration::from_millis(wait)).await;
                self.send_again(Some(client_seq)).await
            }
            Some(Heard::Refused { client_seq: None, problem }) => bail!("refused: {}", problem.code),
            _ => Ok(()),
        }
    }

    fn next_break(&mut self, pace: &Pace) -> Option<Instant> {
        let mean = pace.breaks_every?;
        Some(Instant::now().max(pace.from) + Think::Exponential.sample(mean, &mut self.rng))
    }

    async fn send_answer(&mut self, due: Instant) -> anyhow::Result<()> {
        let client_seq = self.next_seq;
        self.next_seq += 1;
        let question = u16::try_from(client_seq % u64::from(self.questions)).unwrap_or_default();
        let shown = vec![u8::from(self.rng.random::<bool>())];
        let given = Given { client_seq, question, shown };
        let frame = self.frame(&given);
        self.pending.push_back(Pending { given, due });
        self.socket()?.send(&frame).await
    }

    fn frame(&self, given: &Given) -> ClientFrame {
        let Given { client_seq, question, shown } = given.clone();
        let command = CandidateCommand::Answer { question, shown };
        ClientFrame::Command { client_seq, epoch: self.epoch, client_at: self.clock_ms(), command }
    }

    /// One answer, or everything that is on its way.
    async fn send_again(&mut self, only: Option<u64>) -> anyhow::Result<()> {
        let wanted = |pending: &&Pending| only.is_none_or(|only| only == pending.given.client_seq);
        let again: Vec<Given> =
            self.pending.iter().filter(wanted).map(|pending| pending.given.clone()).collect();
        for given in again {
            let frame = self.frame(&given);
            self.socket()?.send(&frame).await?;
        }
        Ok(())
    }

    fn acknowledged(&mut self, client_seq: u64, pace: &Pace) -> anyhow::Result<()> {
        let place = self.pending.iter().position(|pending| pending.given.client_seq == client_seq);
        let Some(Pending { given, due }) = place.and_then(|place| self.pending.remove(place)) else {
            // The answer to an earlier copy of it came too.
            return Ok(());
        };
        if due >= pace.count_from {
            self.shared.tally.took(self.index, due);
        }
        self.shared.tally.count_acknowledged(1);
        self.acknowledged.push(client_seq);
        let newest = self.held.get(&given.question).is_none_or(|held| held.client_seq < client_seq);
        if newest {
            self.held.insert(given.question, given);
        }
        Ok(())
    }

    /// Connects again and again with growing, jittered pauses, as a page does, then sends everything that is on its way.
    /// A server that says when to come again is obeyed, and one that is gone refuses the connection: neither is an error.
    pub(super) async fn come_back(&mut self, end: Instant) -> anyhow::Result<()> {
        let (shared, mut attempts, mut told) = (Arc::clone(&self.shared), Attempts::default(), None);
        loop {
            let pause = attempts.of_a_candidate(told, &mut self.rng);
            sleep_until((Instant::now() + pause).min(end)).await;
            let error = match self.connect().await {
                Ok(_) => return self.send_again(None).await,
                Err(error) if Instant::now() >= end => return Err(error),
                Err(error) => error,
            };
            told = back::told(&error);
            if told.is_some() {
                shared.tally.count_told_to_wait(1);
            } else if !error.to_string().starts_with("connect: refused") {
                shared.tally.error(&format!("coming back, {error}"));
            }
        }
    }
}
