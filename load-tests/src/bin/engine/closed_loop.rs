//! Closed loops: everybody sends the next as soon as the last is durable. That measures capacity; latencies are those
//! of a saturated queue, except with one in flight.

use crate::exam;
use crate::house::House;
use crate::store::Opened;
use anyhow::ensure;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::Effect;
use synaq_core::time::At;
use synaq_runtime::Clock as _;
use synaq_seal::sha256;
use synaq_store::{Append, Batch};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Longest time a figure can have.
const MOST_US: u64 = 60_000_000;
/// Largest group of the loop over the store alone, as in the runtime.
const GROUP: usize = 1_024;
/// About the body of one answer.
const BODY: &str = r#"{"at":1795161600000,"client":{"client_at":1795161600000,"client_seq":123,"epoch":1},"fact":{"question":12,"shown":[2],"standing":"counted","type":"answer_put"}}"#;

/// How long a run warms up, and how long it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

impl Load {
    /// Repeats an operation until the time is over and measures what falls into the window.
    pub(crate) async fn measure<F>(self, mut operation: impl FnMut() -> F) -> anyhow::Result<Histogram<u64>>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let mut taken = Histogram::new_with_max(MOST_US * 1_000, 3)?;
        let from = Instant::now() + self.warm_up;
        let until = from + self.window;
        loop {
            let begun = Instant::now();
            operation().await?;
            let ended = Instant::now();
            if ended >= until {
                return Ok(taken);
            }
            if ended >= from {
                taken.saturating_record(u64::try_from((ended - begun).as_nanos())?);
            }
        }
    }
}

/// What a run came to.
pub(crate) struct Measured {
    pub(crate) taken: Histogram<u64>,
    pub(crate) window: Duration,
}

pub(crate) async fn gather(
    loops: Vec<tokio::task::JoinHandle<anyhow::Result<Histogram<u64>>>>,
    load: Load,
) -> anyhow::Result<Measured> {
    let mut taken = Histogram::new_with_max(MOST_US * 1_000, 3)?;
    for one in loops {
        taken.add(one.await??)?;
    }
    Ok(Measured { taken, window: load.window })
}

/// Answers through the runtime; a client goes from one of its sessions to the next, so that none is exhausted.
pub(crate) async fn answers(house: &House, in_flight: usize, load: Load) -> anyhow::Result<Measured> {
    let loops = (0..in_flight).map(|client| {
        let (runtime, clock, seats) = (house.runtime.clone(), house.clock.clone(), house.seats.clone());
        tokio::spawn(async move {
            let mut own = (client..seats.len()).step_by(in_flight).cycle();
            load.measure(|| {
                let seat = &seats[own.next().expect("every client has a session")];
                let answer = exam::answer(seat.next(), clock.now());
                let submitted = runtime.submit(seat.session, answer);
                async move {
                    let done = submitted.await?;
                    ensure!(done.effects == [Effect::Accepted], "an answer led to {:?}", done.effects);
                    Ok(())
                }
            })
            .await
        })
    });
    gather(loops.collect(), load).await
}

/// Ready-made events into the store, grouped by what arrived during the last commit.
pub(crate) async fn append(store: &Opened, in_flight: usize, load: Load) -> anyhow::Result<Measured> {
    type Waiting = (Append, oneshot::Sender<()>);
    let (queue, mut arrived) = mpsc::channel::<Waiting>(in_flight);
    let lease = store.log.take_lease(Uuid::now_v7(), At(0)).await?;
    let log = store.log.clone();
    let tasks = tokio::runtime::Handle::current();
    let writer = std::thread::spawn(move || {
        tasks.block_on(async move {
            let mut group = Vec::with_capacity(GROUP);
            while arrived.recv_many(&mut group, GROUP).await > 0 {
                let (events, replies): (Vec<_>, Vec<_>) = group.drain(..).unzip();
                log.append(lease, Arc::new(Batch { events, ..Batch::default() })).await?;
                for reply in replies {
                    // Whose time is over does not wait for it.
                    let _ = reply.send(());
                }
            }
            anyhow::Ok(())
        })
    });
    let loops = (0..in_flight).map(|_| {
        let (queue, stream) = (queue.clone(), SessionId(Uuid::now_v7()));
        let mut seq = 0;
        tokio::spawn(async move {
            load.measure(|| {
                seq += 1;
                let event = Append {
                    stream,
                    seq: Seq(seq),
                    at: At(1_795_161_600_000),
                    kind: "answer_put".to_owned(),
                    body: BODY.to_owned(),
                    hash: sha256(BODY.as_bytes()),
                };
                let (reply, stored) = oneshot::channel();
                let queue = queue.clone();
                async move {
                    queue.send((event, reply)).await?;
                    Ok(stored.await?)
                }
            })
            .await
        })
    });
    let measured = gather(loops.collect(), load).await?;
    drop(queue);
    writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    Ok(measured)
}
