//! Chores of the project. Standard library only, so that it builds in a second on a fresh machine.
//!
//! `cargo xtask test` installs what the tests need and runs all of them; `--only STEP` runs one step, `browser
//! [--name TEXT]` the browser tests alone, `rig [OPTION...]` the whole fault matrix. A missing service is red, never skipped.

mod command;
mod needs;
mod steps;

use command::Tally;
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use steps::{Place, Step};

const USAGE: &str = "usage: cargo xtask test [--only STEP] | cargo xtask browser [--name TEXT] | cargo xtask rig [--help] | cargo xtask steps";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => run(&Place::find(None), steps::ALL),
        ["test", "--only", name] => match steps::ALL.iter().find(|step| step.name == *name) {
            Some(step) => run(&Place::find(None), std::slice::from_ref(step)),
            None => usage(&format!("there is no step {name:?}; `cargo xtask steps` lists them")),
        },
        ["browser"] => run(&Place::find(None), &[steps::BUILD, steps::BROWSER]),
        ["browser", "--name", text] => {
            run(&Place::find(Some((*text).to_owned())), &[steps::BUILD, steps::BROWSER])
        }
        ["rig", ..] => {
            let mut place = Place::find(None);
            place.rig_options = arguments.iter().skip(1).cloned().collect();
            run(&place, &[steps::NEEDS, steps::RIG])
        }
        ["steps"] => {
            for step in steps::ALL {
                println!("{:10} {}", step.name, step.what);
            }
            ExitCode::SUCCESS
        }
        _ => usage("the command is missing or unknown"),
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}\n{USAGE}");
    ExitCode::FAILURE
}

/// Runs every step even after a red one, so that one run tells everything; the closing line sums up the tests.
fn run(place: &Place, steps: &[Step]) -> ExitCode {
    let started = Instant::now();
    let mut whole = Tally::default();
    let mut lines = Vec::new();
    for step in steps {
        println!("\n=== {}: {}", step.name, step.what);
        let began = Instant::now();
        let tally = (step.run)(place).unwrap_or_else(|problem| {
            println!("{problem}");
            Tally::failed()
        });
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        let line = format!("{verdict:6} {:10} {}", step.name, seconds(began.elapsed()));
        println!("--- {line}");
        lines.push(line);
        whole.add(tally);
    }
    println!("\n{}\nall in {}", lines.join("\n"), seconds(started.elapsed()));
    println!("{} passed, {} failed", whole.passed, whole.failed);
    if whole.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// Top folder of the workspace.
fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("tests/xtask lies two folders below the top").to_path_buf()
}
