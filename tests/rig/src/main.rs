//! `synaq-rig`: the fault matrix on the real binary.

use clap::Parser;
use std::process::ExitCode;
use synaq_rig::matrix::Engine;
use synaq_rig::run::{Selection, run};

/// Runs the fault matrix (tests/rig/matrix.toml) on the real binary and prints a table; red on any miss.
#[derive(Parser, Debug)]
struct Options {
    /// Only this row, by its name in the matrix; can be given several times
    #[arg(long)]
    row: Vec<String>,
    /// Only this engine
    #[arg(long, value_parser = engine)]
    engine: Option<Engine>,
    /// Of the random choices; a random one by default
    #[arg(long)]
    seed: Option<u64>,
    /// Only the short selection that also runs as a test
    #[arg(long)]
    short: bool,
}

fn engine(name: &str) -> Result<Engine, String> {
    let both = [Engine::Sqlite, Engine::Postgres];
    both.into_iter().find(|engine| engine.name() == name).ok_or("sqlite or postgres".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let selection = Selection {
        rows: options.row,
        engine: options.engine,
        seed: options.seed.unwrap_or_else(|| rand::random_range(0..1_000_000)),
        whole: !options.short,
    };
    match run(&selection).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("synaq-rig: {error:#}");
            ExitCode::FAILURE
        }
    }
}
