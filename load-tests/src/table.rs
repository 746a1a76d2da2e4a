//! The measuring programs beside the scenarios: `table` runs them too, so that one command prints every row.

use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use synaq_load_tests::report::{Report, Run};
use synaq_load_tests::scenario::Place;
use synaq_load_tests::single;

/// The engine without sockets, on either store: name, what, options.
const ENGINES: [(&str, &str, &[&str]); 2] = [
    (
        "engine, SQLite",
        "The real runtime over SQLite without sockets, beside a raw log of the same disk",
        &[],
    ),
    (
        "engine, PostgreSQL",
        "The real runtime over a private PostgreSQL cluster without sockets, beside a raw log of the same disk",
        &["--store", "postgres"],
    ),
];

/// One candidate alone, and the engine on both stores.
pub(crate) fn beside(
    place: &Place,
    runtime: &tokio::runtime::Runtime,
    runs: u32,
    engine: &[String],
) -> anyhow::Result<Vec<Report>> {
    let mut reports = vec![alone(place, runtime, runs)?];
    for (name, about, store) in ENGINES {
        eprintln!("{name}");
        let measured = engine_runs(&place.folder, runs, store, engine).context(name)?;
        reports.push(place.beside(name, about, measured));
    }
    Ok(reports)
}

/// One candidate alone.
pub(crate) fn alone(place: &Place, runtime: &tokio::runtime::Runtime, runs: u32) -> anyhow::Result<Report> {
    let mut alone = Vec::new();
    for number in 1..=runs {
        eprintln!("one candidate, run {number} of {runs}");
        alone.push(runtime.block_on(single::run(&place.folder)).context("one candidate")?);
    }
    Ok(place.beside("one candidate", single::ABOUT, alone))
}

/// The program beside this one.
fn engine_program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own file cannot be found")?;
    let file = own.with_file_name("engine").with_extension(std::env::consts::EXE_EXTENSION);
    ensure!(
        file.is_file(),
        "{} is missing; cargo build --release -p synaq-app -p synaq-load-tests makes it",
        file.display()
    );
    Ok(file)
}

fn engine_runs(folder: &Path, runs: u32, store: &[&str], more: &[String]) -> anyhow::Result<Vec<Run>> {
    let json = tempfile::NamedTempFile::new()?;
    // Its scratch folders, and the cluster's, lie where it is started: on the disk that is measured.
    let status = Command::new(engine_program()?)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .args(["--runs", &runs.to_string(), "--json"])
        .arg(json.path())
        .args(store)
        .args(more)
        .stdout(std::io::stderr())
        .status()
        .context("the engine's program cannot be started")?;
    ensure!(status.success(), "it ended with {status}");
    serde_json::from_slice(&std::fs::read(json.path())?).context("its runs are not understood")
}
