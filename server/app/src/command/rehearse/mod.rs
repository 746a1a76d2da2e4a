//! `synaq rehearse`: an exam day with made-up candidates on the operator's own machine, disk and store. It plays on a
//! scratch folder beside the real one, with keys of its own, removes it, and signs what it measured.

mod cameras;
mod content;
pub(crate) mod room;
mod signed;

pub(crate) use signed::verify;

use crate::config::Config;
use crate::installation::Folders;
use crate::{keys, private};
use anyhow::Context as _;
use ring::rand::SystemRandom;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use synaq_load_tests::report::{Report, page};
use synaq_load_tests::scenario::{Place, Scenario};
use synaq_load_tests::usage::raise_open_files;

/// What an operator has to know: the steady exam, the start, the break.
const SCENARIOS: [&str; 3] = ["paced", "start", "reconnect"];
/// Scratch folders lie in it, below the data folder, so that the same disk is measured.
const SCRATCH: &str = "rehearsal";
/// Candidates whose sealed logs are read back.
const HAND_IN: usize = 50;

/// Options of a rehearsal.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// TOML, as of `serve`
    #[arg(long)]
    config: PathBuf,
    /// Made-up candidates
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=18_000))]
    candidates: u32,
    /// Length of the paced exam
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// For an installation on PostgreSQL: an empty database of the same server, its name beginning with synaq_rehearsal
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Where the report goes
    #[arg(long, default_value = "rehearsal-report")]
    out: PathBuf,
}

/// Rehearses; the exit code says whether every target was met.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let config = Config::read(&options.config)?;
    room::scratch_store(&options.store).map_err(anyhow::Error::msg)?;
    let folders = Folders::new(&config.data);
    let scratch = Scratch::make(&config.data)?;
    let scenarios = scenarios(options)?;
    let place = Place {
        binary: std::env::current_exe().context("this program's own file cannot be found")?,
        folder: scratch.0.clone(),
        room_options: vec!["--store".to_owned(), options.store.clone()],
        open_files: raise_open_files(),
        command: format!(
            "synaq rehearse --candidates {} --minutes {} --store {}",
            options.candidates,
            options.minutes,
            if options.store == "sqlite" { "sqlite" } else { "postgres" }
        ),
        commit: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut reports = Vec::new();
    for scenario in &scenarios {
        eprintln!("{}: {}", scenario.name, scenario.about);
        let run = runtime.block_on(place.play(scenario)).with_context(|| scenario.name.clone())?;
        reports.push(place.report(scenario, vec![run])?);
    }
    drop(scratch);
    let random = SystemRandom::new();
    private::folder(&folders.keys())?;
    let key = keys::rehearsal(&folders.keys(), &random)?;
    let statement = signed::sign(&reports, &key, &random)?;
    announce(&folders, &key)?;
    write(&options.out, &reports, &statement, &key)?;
    let text: String = reports.iter().map(Report::text).collect();
    super::print(&text)?;
    Ok(if reports.iter().all(Report::met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Puts the public half beside the installation's other keys; a server that starts does the same.
fn announce(folders: &Folders, key: &synaq_seal::key::SigningKey) -> anyhow::Result<()> {
    let file = folders.trust();
    if !file.is_file() {
        return Ok(());
    }
    let mut known: Vec<_> = keys::read_trust(&file)?.iter().cloned().collect();
    if !known.iter().any(|trusted| trusted.key.kid() == key.public().kid()) {
        known.push(signed::trusted(key));
        keys::write_trust(&file, known)?;
    }
    Ok(())
}

fn scenarios(options: &Options) -> anyhow::Result<Vec<Scenario>> {
    let candidates = usize::try_from(options.candidates)?;
    let mut all = Vec::new();
    for name in SCENARIOS {
        let mut scenario = Scenario::find(name)?;
        scenario.scale(candidates);
        scenario.crowd.hand_in = HAND_IN.min(candidates);
        scenario.about = about(name, candidates);
        let span = Duration::from_secs_f64(options.minutes.max(0.0) * 60.0);
        if name == "paced" {
            scenario.last(span);
        }
        if let Some(part) = &mut scenario.reconnect {
            part.seconds = part.seconds.min(span.as_secs().max(1));
        }
        all.push(scenario);
    }
    Ok(all)
}

fn about(name: &str, candidates: usize) -> String {
    match name {
        "paced" => format!("{candidates} candidates sit an exam and answer every two seconds on average"),
        "start" => format!("{candidates} candidates begin at one bell and open their first question"),
        _ => {
            format!("all {candidates} connections break at once; then the server is killed and started again")
        }
    }
}

/// The folder that is gone afterwards, however the rehearsal ended; what a killed one left is removed first.
struct Scratch(PathBuf);

impl Scratch {
    fn make(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join(SCRATCH);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("{} of an earlier rehearsal cannot be removed", folder.display()))?;
        }
        private::folder(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} was not removed: {error}; remove it by hand", self.0.display());
        }
    }
}

fn write(
    out: &Path,
    reports: &[Report],
    statement: &[u8],
    key: &synaq_seal::key::SigningKey,
) -> anyhow::Result<()> {
    let unwritten = || format!("the report cannot be written to {}", out.display());
    fs::create_dir_all(out).with_context(unwritten)?;
    fs::write(out.join("report.jws.json"), statement).with_context(unwritten)?;
    fs::write(out.join("report.html"), page(reports)).with_context(unwritten)?;
    let text: String = reports.iter().map(|report| report.text() + "\n").collect();
    fs::write(out.join("report.txt"), text).with_context(unwritten)?;
    let trusted = keys::write_trust(&out.join("trust.json"), vec![signed::trusted(key)])?;
    eprintln!(
        "the report is in {}; synaq verify {} --trust {} checks it ({} key)",
        out.display(),
        out.join("report.jws.json").display(),
        out.join("trust.json").display(),
        trusted.iter().count()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_leaves_no_trace_and_clears_an_earlier_one() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(SCRATCH)).unwrap();
        fs::write(data.path().join(SCRATCH).join("left-over"), b"of a killed one").unwrap();
        let scratch = Scratch::make(data.path()).unwrap();
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
        drop(scratch);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
