//! The time from opening the store to the last of many running sessions being there again.

use crate::exam;
use crate::house::{self, House};
use crate::store::{Address, Opened};
use anyhow::ensure;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::time::Instant;
use synaq_core::session::Stage;
use synaq_load_tests::report::Figure;
use synaq_runtime::Clock as _;

/// Answers in the log of each session.
const ANSWERS: u64 = 20;
/// Sessions in flight while the answers are given and looked at.
const AT_ONCE: usize = 500;
/// Everybody can go on so long after the start.
const RESUMABLE_MAX_S: f64 = 10.0;
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) async fn measure(address: &Address, sessions: usize) -> anyhow::Result<Vec<Figure>> {
    let store = Opened::at(address).await?;
    let before = resident()?;
    let house = House::start(&store, house::limits(address, address.shards(), None), sessions).await?;
    house.begin(sessions).await?;
    for _ in 0..ANSWERS {
        stream::iter(house.seats.iter())
            .map(|seat| async {
                house
                    .runtime
                    .submit(seat.session, exam::answer(seat.next(), house.clock.now()))
                    .await
                    .map(drop)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
    }
    let events = store.log.load(house.seats[0].session, synaq_core::ids::Seq(0)).await?.len();
    eprintln!("{sessions} running sessions of {events} events each");
    let memory_kib = (resident()? - before) * 1024.0 / sessions as f64;
    let seats = house.leave();
    store.close().await;

    let begun = Instant::now();
    let store = Opened::at(address).await?;
    let opened = begun.elapsed();
    let house = House::again(&store, house::limits(address, address.shards(), None), seats).await?;
    let ready = begun.elapsed();
    stream::iter(house.seats.iter())
        .map(|seat| async {
            let snapshot = house.runtime.look(seat.session).await?;
            let state = snapshot.session.state();
            ensure!(matches!(state.stage, Stage::Running { .. }), "a session does not run any more");
            ensure!(state.answer_events == ANSWERS, "an answer is missing");
            Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    let looked = begun.elapsed();
    house.stop().await;
    store.close().await;
    let named = |what: &str| format!("restart with {sessions} running sessions, {what}");
    Ok(vec![
        Figure::new(&named("memory of each before"), "KiB", memory_kib),
        Figure::new(&named("store open"), "s", opened.as_secs_f64()),
        Figure::new(&named("runtime started"), "s", ready.as_secs_f64()),
        Figure::new(&named("all resumable"), "s", looked.as_secs_f64()).at_most(RESUMABLE_MAX_S),
    ])
}

/// Resident memory of this process in MiB.
fn resident() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line.unwrap_or("0").trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / MIB)
}
