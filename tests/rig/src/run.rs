//! Runs rows and prints the table.

use crate::matrix::{self, Engine, Row};
use crate::report::Report;
use crate::rows::{self, Stage};
use anyhow::{Context as _, ensure};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_load_tests::server::Server;
use synaq_test_postgres::{Cluster, Options};

/// What to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only these rows
    pub rows: Vec<String>,
    /// Only this engine
    pub engine: Option<Engine>,
    /// Of every random choice
    pub seed: u64,
    /// The whole, or what the short selection has time for
    pub whole: bool,
}

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    pub row: String,
    pub engine: &'static str,
    pub faults: Vec<String>,
    pub happened: String,
    pub acked: u64,
    pub lost: u64,
    pub took: Duration,
}

/// Runs the selection; prints what happens as it happens, and the table. True if everything is as expected.
///
/// # Errors
/// If the selection names nothing.
pub async fn run(selection: &Selection) -> anyhow::Result<bool> {
    let began = Instant::now();
    let all = matrix::rows()?;
    let wanted = |row: &&Row| {
        let named = selection.rows.is_empty() || selection.rows.contains(&row.row);
        named && (selection.whole || row.short || !selection.rows.is_empty())
    };
    let chosen: Vec<&Row> = all.iter().filter(wanted).collect();
    ensure!(!chosen.is_empty(), "there is no such row");
    let mut lines = Vec::new();
    let mut cluster = None;
    for row in &chosen {
        for engine in row.engines.iter().filter(|engine| selection.engine.is_none_or(|only| only == **engine))
        {
            println!("=== row {} on {}: {}", row.row, engine.name(), row.fault);
            let store = match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(known_or_new(&mut cluster)?),
            };
            let line = one(row, *engine, selection, store).await?;
            print(row, &line);
            lines.push(line);
        }
    }
    Ok(table(&chosen, &lines, selection, began.elapsed()))
}

/// One private cluster for all rows; each row has a database of its own.
fn known_or_new(cluster: &mut Option<Arc<Cluster>>) -> anyhow::Result<Arc<Cluster>> {
    if let Some(known) = cluster {
        return Ok(Arc::clone(known));
    }
    let new = Cluster::start(Options::default()).map_err(anyhow::Error::msg).context("a private cluster")?;
    Ok(Arc::clone(cluster.insert(Arc::new(new))))
}

async fn one(
    row: &Row,
    engine: Engine,
    selection: &Selection,
    cluster: Option<Arc<Cluster>>,
) -> anyhow::Result<Line> {
    let began = Instant::now();
    // Beside the binary: the folder for temporary files is often kept in memory, and disks matter here.
    let place = Server::binary()?.parent().context("the binary lies in a folder")?.join("rig");
    fs::create_dir_all(&place)?;
    let folder = tempfile::Builder::new().prefix("row-").tempdir_in(place).context("a folder for the row")?;
    let stage = Stage {
        engine,
        seed: selection.seed,
        whole: selection.whole,
        folder: folder.path().to_owned(),
        cluster,
    };
    let mut report = Report::default();
    let played = rows::run(&row.row, &stage, &mut report).await;
    let mut faults = match &played {
        Ok(()) => report.faults(&row.asserts),
        // What was not reached is not worth a line each.
        Err(_) => {
            report.faults(&[]).into_iter().filter(|fault| !fault.ends_with("not in the matrix")).collect()
        }
    };
    if let Err(error) = played {
        faults.insert(0, format!("{error:#}"));
    }
    if !faults.is_empty() {
        println!("    kept for a look: {}", folder.keep().display());
    }
    let count = report.count();
    Ok(Line {
        row: row.row.clone(),
        engine: engine.name(),
        faults,
        happened: report.happened(),
        acked: count.acked,
        lost: count.lost,
        took: began.elapsed(),
    })
}

fn print(row: &Row, line: &Line) {
    println!("    injector: {}\n    expected: {}", row.injector, row.expected);
    println!("    happened: {}", line.happened);
    for fault in &line.faults {
        println!("    MISSED {fault}");
    }
    println!(
        "    {}: {} acknowledged, {} lost, {:.1} s",
        verdict(line),
        line.acked,
        line.lost,
        line.took.as_secs_f64()
    );
}

fn verdict(line: &Line) -> &'static str {
    if line.faults.is_empty() { "ok" } else { "RED" }
}

fn table(rows: &[&Row], lines: &[Line], selection: &Selection, took: Duration) -> bool {
    println!("\nrow  engine    result      acked  lost    time  injector -> expected -> happened");
    for row in rows {
        if let Some(why) = &row.not_here {
            println!("{:<4} {:<9} {:<40} {}; not injectable here: {why}", row.row, "-", "not run", row.fault);
        }
        for line in lines.iter().filter(|line| line.row == row.row) {
            println!(
                "{:<4} {:<9} {:<8} {:>8} {:>5} {:>5.1} s  {} -> {} -> {}",
                line.row,
                line.engine,
                verdict(line),
                line.acked,
                line.lost,
                line.took.as_secs_f64(),
                row.injector,
                row.expected,
                line.happened
            );
        }
    }
    let red = lines.iter().filter(|line| !line.faults.is_empty()).count();
    let sum = |of: fn(&Line) -> u64| lines.iter().map(of).sum::<u64>();
    println!(
        "\n{} rows run, {red} red, {} not injectable here, {} answers acknowledged, {} lost, seed {}, {:.0} s",
        lines.len(),
        rows.iter().filter(|row| row.not_here.is_some()).count(),
        sum(|line| line.acked),
        sum(|line| line.lost),
        selection.seed,
        took.as_secs_f64()
    );
    red == 0 && !lines.is_empty()
}
