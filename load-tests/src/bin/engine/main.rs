//! Measures the engine without sockets: the real runtime (decide, apply, hash chain, group commit) over the chosen
//! store, beside a raw log of the same machine. Every figure is the median of interleaved runs, with its range.
//! `cargo run --release -p synaq-load-tests --bin engine -- --help`

mod closed_loop;
mod exam;
mod house;
mod raw_log;
mod restart;
mod store;
mod table;

use anyhow::{Context as _, ensure};
use clap::Parser;
use closed_loop::Load;
use house::House;
use std::path::PathBuf;
use std::time::Duration;
use store::{Address, Opened};
use table::{Cell, Table};

/// Sessions that are in flight at once in each column of the table.
const IN_FLIGHT: [usize; 3] = [1, 100, 1_000];
/// One transaction per answer is measured with so many writers at once, as from a pool of ten connections.
const WRITERS: usize = 10;

/// Durable answers per second, and how long one takes.
#[derive(Debug, Parser)]
struct Options {
    /// `sqlite:FOLDER` or `postgres://...`; without it a new folder where the program was started, on that disk
    #[arg(long)]
    store: Option<Address>,
    /// Runs of every cell; they take turns
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measured part of a run
    #[arg(long, default_value_t = 2_000)]
    window_ms: u64,
    /// Unmeasured part before it
    #[arg(long, default_value_t = 700)]
    warm_up_ms: u64,
    /// Running sessions of the restart; 0 leaves it out
    #[arg(long, default_value_t = 10_000)]
    restart: usize,
    /// Leaves the table out
    #[arg(long)]
    only_restart: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    ensure!(options.runs > 0, "a figure needs a run");
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if !options.only_restart {
            answers(&options, folder.path().to_owned()).await?;
        }
        if options.restart > 0 {
            let address =
                options.store.clone().unwrap_or_else(|| Address::in_folder(folder.path(), "restart"));
            restart::measure(&address, options.restart).await?;
        }
        Ok(())
    })
}

async fn answers(options: &Options, folder: PathBuf) -> anyhow::Result<()> {
    let load = Load {
        warm_up: Duration::from_millis(options.warm_up_ms),
        window: Duration::from_millis(options.window_ms),
    };
    let most = IN_FLIGHT.into_iter().max().context("a table has columns")?;
    let address = |name: &str| options.store.clone().unwrap_or_else(|| Address::in_folder(&folder, name));
    let shards = address("group").shards();

    // One after the other, because both may mean the same database, which has one holder of its lease.
    let mut table = Table::new(IN_FLIGHT);
    for run in 1..=options.runs {
        eprintln!("run {run} of {}", options.runs);
        for in_flight in IN_FLIGHT {
            let raw = raw_log::run(&folder.join("raw.log"), in_flight, load).await?;
            table.add("raw log, group fdatasync", in_flight, Cell::of(&raw));
        }
        let store = Opened::at(&address(&format!("append-{run}"))).await?;
        for in_flight in IN_FLIGHT {
            let append = closed_loop::append(&store, in_flight, load).await?;
            table.add("store alone, group commit", in_flight, Cell::of(&append));
        }
        store.close().await;
        for (name, shards, batch_inputs) in
            [("runtime, group commit", shards, None), ("runtime, one transaction each", WRITERS, Some(1))]
        {
            let store = Opened::at(&address(&format!("{shards}-{run}"))).await?;
            let house = House::start(&store, house::limits(shards, None), most).await?;
            house.begin(most).await?;
            // Made ready in groups; measured as the mode says.
            let house = house.restart(&store, house::limits(shards, batch_inputs)).await?;
            for in_flight in IN_FLIGHT {
                let answers = closed_loop::answers(&house, in_flight, load).await?;
                table.add(name, in_flight, Cell::of(&answers));
            }
            house.stop().await;
            store.close().await;
        }
    }
    table.print();
    Ok(())
}
