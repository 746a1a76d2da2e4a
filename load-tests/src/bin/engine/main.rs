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
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Opened, Place, Site};
use synaq_load_tests::report::{Run, medians};
use table::Table;

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
    /// Leaves the answers out
    #[arg(long)]
    only_restart: bool,
    /// Writes the runs to this file too, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    ensure!(options.runs > 0, "a figure needs a run");
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let place = options.store.clone().unwrap_or_else(|| Place::Sqlite(folder.path().to_owned()));
    let site = Site::new(place)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let runs = runtime.block_on(measure(&options, &site, folder.path()))?;
    for median in medians(&runs) {
        let verdict = median.met.map_or("", |met| if met { "  met" } else { "  MISSED" });
        println!("{:<72} {:>28}{verdict}", median.name, median.shown());
    }
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec(&runs)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

async fn measure(options: &Options, site: &Site, folder: &Path) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    if !options.only_restart {
        for number in 1..=options.runs {
            eprintln!("run {number} of {}", options.runs);
            runs.push(answers(options, site, folder, number).await?);
        }
    }
    if options.restart > 0 {
        let figures = restart::measure(&site.fresh("restart")?, options.restart).await?;
        if runs.is_empty() {
            runs.push(Run::default());
        }
        runs[0].figures.extend(figures);
    }
    Ok(runs)
}

async fn answers(options: &Options, site: &Site, folder: &Path, number: usize) -> anyhow::Result<Run> {
    let load = Load {
        warm_up: Duration::from_millis(options.warm_up_ms),
        window: Duration::from_millis(options.window_ms),
    };
    let most = IN_FLIGHT.into_iter().max().context("a table has columns")?;
    // One after the other, because all may mean the same database, which has one holder of its lease.
    let mut table = Table::default();
    for in_flight in IN_FLIGHT {
        table.add(table::RAW, in_flight, &raw_log::run(&folder.join("raw.log"), in_flight, load).await?);
    }
    let store = Opened::at(&site.fresh(&format!("append-{number}"))?).await?;
    for in_flight in IN_FLIGHT {
        table.add(table::STORE, in_flight, &closed_loop::append(&store, in_flight, load).await?);
    }
    store.close().await;
    for (name, writers, batch_inputs) in [(table::GROUPED, None, None), (table::EACH, Some(WRITERS), Some(1))]
    {
        let address = site.fresh(&format!("{number}-{}", writers.unwrap_or_default()))?;
        let shards = writers.unwrap_or_else(|| address.shards());
        let store = Opened::at(&address).await?;
        let house = House::start(&store, house::limits(&address, shards, None), most).await?;
        house.begin(most).await?;
        // Made ready in groups; measured as the mode says.
        let house = house.restart(&store, house::limits(&address, shards, batch_inputs)).await?;
        for in_flight in IN_FLIGHT {
            table.add(name, in_flight, &closed_loop::answers(&house, in_flight, load).await?);
        }
        house.stop().await;
        store.close().await;
    }
    let mut run = Run::default();
    table.figures(most, site.share_of_raw_log(), &mut run);
    Ok(run)
}
