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
use std::path::Path;
use std::time::Duration;
use store::{Opened, Place, Site};
use table::{Cell, Table};

/// Sessions that are in flight at once in each column of the table.
const IN_FLIGHT: [usize; 3] = [1, 100, 1_000];
/// One transaction per answer is measured with so many writers at once, as from a pool of ten connections.
const WRITERS: usize = 10;

/// Durable answers per second, and how long one takes.
#[derive(Debug, Parser)]
struct Options {
    /// `sqlite:FOLDER`, `postgres` (a private cluster in the folder for temporary files, see TMPDIR) or
    /// `postgres://...` (an empty database); without it SQLite in a new folder where the program was started
    #[arg(long)]
    store: Option<Place>,
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
    let place = options.store.clone().unwrap_or_else(|| Place::Sqlite(folder.path().to_owned()));
    let site = Site::new(place)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if !options.only_restart {
            answers(&options, &site, folder.path()).await?;
        }
        if options.restart > 0 {
            restart::measure(&site.fresh("restart")?, options.restart).await?;
        }
        Ok(())
    })
}

async fn answers(options: &Options, site: &Site, folder: &Path) -> anyhow::Result<()> {
    let load = Load {
        warm_up: Duration::from_millis(options.warm_up_ms),
        window: Duration::from_millis(options.window_ms),
    };
    let most = IN_FLIGHT.into_iter().max().context("a table has columns")?;
    // One after the other, because all may mean the same database, which has one holder of its lease.
    let mut table = Table::new(IN_FLIGHT);
    for run in 1..=options.runs {
        eprintln!("run {run} of {}", options.runs);
        for in_flight in IN_FLIGHT {
            let raw = raw_log::run(&folder.join("raw.log"), in_flight, load).await?;
            table.add("raw log, group fdatasync", in_flight, Cell::of(&raw));
        }
        let store = Opened::at(&site.fresh(&format!("append-{run}"))?).await?;
        for in_flight in IN_FLIGHT {
            let append = closed_loop::append(&store, in_flight, load).await?;
            table.add("store alone, group commit", in_flight, Cell::of(&append));
        }
        store.close().await;
        for (name, writers, batch_inputs) in
            [("runtime, group commit", None, None), ("runtime, one transaction each", Some(WRITERS), Some(1))]
        {
            let address = site.fresh(&format!("{run}-{}", writers.unwrap_or_default()))?;
            let shards = writers.unwrap_or_else(|| address.shards());
            let store = Opened::at(&address).await?;
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
