//! What cameras cost the server: processor time and memory per publisher, lost packets, recorded bytes, the proctor's
//! first picture, and answers while junk hits the media port.
//! `cargo build --release -p synaq-app && cargo run --release -p synaq-load-tests --bin media -- --help`

use anyhow::ensure;
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use synaq_load_tests::cameras::Profile;
use synaq_load_tests::scenario::{MediaPlan, Place, commit};
use synaq_load_tests::server::Server;
use synaq_load_tests::usage::raise_open_files;

/// Publishers added at a time in the search for the most.
const RISE: usize = 100;

/// Cameras and microphones through the product's own WHIP; the server is the binary beside this program.
#[derive(Debug, Parser)]
struct Options {
    /// Publishers of each step, rising; the first step that loses a packet, or takes four fifths of the machine, is the last
    #[arg(long, value_delimiter = ',', default_value = "100,300")]
    publishers: Vec<usize>,
    /// What they send; several are measured one after the other
    #[arg(long, value_enum, value_delimiter = ',', default_value = "small,usual")]
    profile: Vec<Profile>,
    /// Look for the largest number without loss too: beyond the last step, 100 more at a time up to this
    #[arg(long, default_value_t = 0)]
    largest: usize,
    /// Counted seconds of each step
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Runs; figures are their medians
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Candidates who begin to publish while a proctor looks; 0 leaves that out
    #[arg(long, default_value_t = 20)]
    first_frames: usize,
    /// Meaningless datagrams a second at the media port while half publish and everybody answers; 0 leaves that out
    #[arg(long, default_value_t = 0)]
    junk: u32,
    /// Threads of the generator
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Network threads of the server, `[media] threads`
    #[arg(long, default_value_t = 1)]
    media_threads: usize,
    /// Scratch folders are made in it: its disk is measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    ensure!(options.runs > 0, "a figure needs a run");
    ensure!(
        options.publishers.first().is_some_and(|first| *first > 0) && options.publishers.is_sorted(),
        "--publishers: rising numbers, such as 100,300"
    );
    let place = Place {
        binary: Server::binary()?,
        folder: options.folder,
        room_options: Place::media_threads(options.media_threads),
        open_files: raise_open_files(),
        command: std::env::args().skip(1).fold("media".to_owned(), |line, word| line + " " + &word),
        commit: commit(),
    };
    let plan = |profile| MediaPlan {
        steps: options.publishers.clone(),
        profile,
        rise: if options.largest > 0 { RISE } else { 0 },
        most: options.largest,
        seconds: options.seconds,
        first_frames: options.first_frames,
        junk_per_s: options.junk,
        threads: options.threads,
    };
    let plans: Vec<MediaPlan> = options.profile.iter().copied().map(plan).collect();
    let report = place.play_media(&plans, options.runs).await?;
    println!("{}", report.text());
    Ok(if report.met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
