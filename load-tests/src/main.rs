//! Load tests of Synaq: `synaq-load-tests --help`.

mod table;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use synaq_load_tests::cameras::Profile;
use synaq_load_tests::report::{Report, page};
use synaq_load_tests::scenario::{Place, ProctoredPlan, Scenario, commit, list};
use synaq_load_tests::server::Server;
use synaq_load_tests::usage::raise_open_files;

/// The scenarios of `table`.
const TABLE: [&str; 4] = ["paced", "start", "reconnect", "saturate"];

/// Load tests of Synaq: made-up candidates and proctors who speak the real protocol to the real server.
///
/// Each scenario starts the server `synaq` on a scratch folder (in the current folder, whose disk is measured), seats
/// its candidates, takes them through the preparation, plays, and checks that no acknowledged answer was lost. The
/// report says text to standard output, and JSON and one HTML page into a folder. Exit code 1: a target was missed.
///
/// Build the programs first: cargo build --release -p synaq-app -p synaq-load-tests
#[derive(Parser, Debug)]
#[command(name = "synaq-load-tests", version, about, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// 10,000 connections, 5,000 durable answers a second, latency from the instant each is due
    Paced(Options),
    /// 5,000 candidates begin at one bell and open their first question
    Start(Options),
    /// All sockets break at once; then the server is killed and everybody resumes
    Reconnect(Options),
    /// As many durable answers as the whole path takes
    Saturate(Options),
    /// A long exam with lines that break: memory, descriptors and threads stay flat
    Soak(Options),
    /// One candidate alone: the server's part of an answer, beside a raw log of the same disk
    One(Options),
    /// The complete exam: everybody answers and publishes, five proctors watch walls and live pictures; the most candidates
    /// that this machine holds
    Proctored(Proctored),
    /// A scenario of your own; the built-in ones are in load-tests/scenarios
    Play {
        /// TOML
        file: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// All figures of PERFORMANCE.md, runs interleaved; prints its rows. The scenarios (`reconnect` also without TLS), one
    /// candidate alone, and the engine on SQLite and on PostgreSQL
    Table {
        #[command(flatten)]
        options: Options,
        /// Only what is beside the scenarios: one candidate alone, and the engine
        #[arg(long)]
        only_beside: bool,
        /// An option for the engine's program, such as --engine=--window-ms=500
        #[arg(long, allow_hyphen_values = true)]
        engine: Vec<String>,
    },
    /// What the built-in scenarios are
    List,
}

#[derive(Args, Clone, Debug)]
struct Proctored {
    /// Candidates of the first trial
    #[arg(long, default_value_t = 100)]
    from: usize,
    /// No trial has more
    #[arg(long, default_value_t = 1_000)]
    most: usize,
    /// What cameras send
    #[arg(long, value_enum, default_value = "usual")]
    profile: Profile,
    /// Counted seconds of a trial
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Live pictures that each of the five proctors watches
    #[arg(long, default_value_t = 2)]
    live: usize,
    /// Threads of the generator's cameras
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Network threads of the server's media, `[media] threads`
    #[arg(long, default_value_t = 1)]
    media_threads: usize,
    /// Where scratch folders are made: its disk is the one that is measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Where the report goes
    #[arg(long, default_value = "load-report")]
    out: PathBuf,
}

#[derive(Args, Clone, Debug)]
struct Options {
    /// Runs; the report has their medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// Another number of candidates, each answering as often
    #[arg(long)]
    candidates: Option<usize>,
    /// Another length of what is counted
    #[arg(long, conflicts_with = "minutes")]
    seconds: Option<u64>,
    /// The same in minutes
    #[arg(long)]
    minutes: Option<f64>,
    /// Without TLS
    #[arg(long)]
    plain: bool,
    /// The server's store: a URL such as postgres://user:password@localhost/scratch (default: SQLite in the folder)
    #[arg(long)]
    store: Option<String>,
    /// Where scratch folders are made: its disk is the one that is measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Where the report goes
    #[arg(long, default_value = "load-report")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("synaq-load-tests: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<bool> {
    let (names, options): (Vec<String>, Options) = match command {
        Command::Paced(options) => (vec!["paced".into()], options),
        Command::Start(options) => (vec!["start".into()], options),
        Command::Reconnect(options) => (vec!["reconnect".into()], options),
        Command::Saturate(options) => (vec!["saturate".into()], options),
        Command::Soak(options) => (vec!["soak".into()], options),
        Command::Play { file, options } => (vec![file.display().to_string()], options),
        Command::Table { options, only_beside, engine } => return table(&options, only_beside, &engine),
        Command::One(options) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let report = table::alone(&place(&options)?, &runtime, options.runs)?;
            write(&options.out, std::slice::from_ref(&report))?;
            print!("{}", report.text());
            return Ok(report.met());
        }
        Command::Proctored(options) => return proctored(options),
        Command::List => {
            for (name, about) in list()? {
                println!("{name:<10} {about}");
            }
            return Ok(true);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let reports = play(&names, &options, &place(&options)?, &runtime)?;
    write(&options.out, &reports)?;
    for report in &reports {
        print!("{}", report.text());
    }
    Ok(reports.iter().all(Report::met))
}

fn proctored(options: Proctored) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let Proctored { from, most, profile, seconds, live, threads, media_threads, folder, out } = options;
    let plan = ProctoredPlan { from, most, profile, seconds, live, threads };
    let report =
        runtime.block_on(place_in(&folder, Place::media_threads(media_threads))?.play_proctored(&plan))?;
    write(&out, std::slice::from_ref(&report))?;
    print!("{}", report.text());
    Ok(report.met())
}

/// Every row of the tables; what came out so far is kept should a later part fail.
fn table(options: &Options, only_beside: bool, engine: &[String]) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (place, mut reports) = (place(options)?, Vec::new());
    if !only_beside {
        reports = play(&TABLE.map(str::to_owned), options, &place, &runtime)?;
        write(&options.out, &reports)?;
    }
    reports.extend(table::beside(&place, &runtime, options.runs, engine)?);
    write(&options.out, &reports)?;
    for report in &reports {
        print!("{}", report.rows());
    }
    Ok(reports.iter().all(Report::met))
}

/// Plays everything in turns: first run of each, second run of each.
fn play(
    names: &[String],
    options: &Options,
    place: &Place,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<Vec<Report>> {
    let mut scenarios = Vec::new();
    for name in names {
        let scenario = fitted(name, options)?;
        if name == "reconnect" && names.len() > 1 {
            let mut plain = scenario.clone();
            plain.name = "reconnect, plain".to_owned();
            plain.crowd.tls = false;
            scenarios.push(plain);
        }
        scenarios.push(scenario);
    }
    let mut runs = vec![Vec::new(); scenarios.len()];
    for number in 1..=options.runs {
        for (scenario, runs) in scenarios.iter().zip(&mut runs) {
            eprintln!("{}, run {number} of {}", scenario.name, options.runs);
            let played = runtime.block_on(place.play(scenario));
            runs.push(played.with_context(|| format!("{}, run {number}", scenario.name))?);
        }
    }
    scenarios.iter().zip(runs).map(|(scenario, runs)| place.report(scenario, runs)).collect()
}

fn fitted(name: &str, options: &Options) -> anyhow::Result<Scenario> {
    let mut scenario = Scenario::find(name)?;
    scenario.fit(std::thread::available_parallelism()?.get());
    if let Some(candidates) = options.candidates {
        anyhow::ensure!(candidates > 0, "--candidates: at least one");
        scenario.scale(candidates);
    }
    let minutes = options.minutes.map(|minutes| Duration::from_secs_f64(minutes.max(0.0) * 60.0));
    if let Some(span) = options.seconds.map(Duration::from_secs).or(minutes) {
        scenario.last(span);
    }
    scenario.crowd.tls &= !options.plain;
    Ok(scenario)
}

fn place(options: &Options) -> anyhow::Result<Place> {
    place_in(
        &options.folder,
        options.store.iter().flat_map(|url| ["--store".to_owned(), url.clone()]).collect(),
    )
}

fn place_in(folder: &Path, room_options: Vec<String>) -> anyhow::Result<Place> {
    let open_files = raise_open_files();
    std::fs::create_dir_all(folder)?;
    Ok(Place {
        binary: Server::binary()?,
        folder: folder.canonicalize()?,
        room_options,
        open_files,
        command: command_line(),
        commit: commit(),
    })
}

/// As it was typed, but for the folder the program lies in and for a password.
fn command_line() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).map(|text| without_password(&text)).collect();
    format!("cargo run --release -p synaq-load-tests -- {}", arguments.join(" "))
}

/// `postgres://user:password@host` without its password.
fn without_password(text: &str) -> String {
    let parts = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match parts {
        Some((scheme, (account, place))) => {
            let user = account.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => text.to_owned(),
    }
}

fn write(out: &Path, reports: &[Report]) -> anyhow::Result<()> {
    let unwritten = || format!("the report cannot be written to {}", out.display());
    std::fs::create_dir_all(out).with_context(unwritten)?;
    let text: String = reports.iter().map(|report| report.text() + "\n").collect();
    std::fs::write(out.join("report.txt"), text).with_context(unwritten)?;
    std::fs::write(out.join("report.json"), serde_json::to_vec_pretty(reports)?).with_context(unwritten)?;
    std::fs::write(out.join("report.html"), page(reports)).with_context(unwritten)?;
    eprintln!("report.txt, report.json and report.html are in {}", out.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_report_never_holds_a_password() {
        for (typed, shown) in [
            ("--store=postgres://synaq:s3c:r@t@db:5432/x", "--store=postgres://synaq@db:5432/x"),
            ("postgres://synaq:s3cret@db/x", "postgres://synaq@db/x"),
            ("postgres://db/x", "postgres://db/x"),
            ("--minutes", "--minutes"),
        ] {
            assert_eq!(without_password(typed), shown);
        }
    }
}
