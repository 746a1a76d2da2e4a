//! Plays seeds or one plan; a failure is written down, shrunk, and told how to play again.

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use synaq_sim::{Plan, Suite, play, save, shrink};

/// Whole exams against the real core and runtime, in virtual time, with faults.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One seed alone
    #[arg(long)]
    seed: Option<u64>,
    /// A plan that was written down
    #[arg(long, conflicts_with = "seed")]
    plan: Option<PathBuf>,
    /// Threads; all processors without it
    #[arg(long)]
    threads: Option<usize>,
    /// Where the plans of failures are written
    #[arg(long, default_value = "target/sim-failures")]
    failures: PathBuf,
    /// Failures to shrink; each takes up to some hundred runs
    #[arg(long, default_value_t = 1)]
    shrink: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.plan {
        let plan: Plan = serde_json::from_slice(&std::fs::read(path)?)?;
        return one(&plan);
    }
    if let Some(seed) = arguments.seed {
        return one(&Plan::of(seed));
    }
    let threads = arguments.threads.map_or_else(std::thread::available_parallelism, |threads| {
        Ok(threads.try_into().unwrap_or(std::num::NonZero::<usize>::MIN))
    })?;
    let suite = Suite {
        from: arguments.from,
        seeds: arguments.seeds,
        threads: threads.get(),
        first_only: false,
        bug: None,
    };
    let began = Instant::now();
    let report = suite.run();
    println!("{report}in {:.1} s on {threads} threads", began.elapsed().as_secs_f64());
    let rare = report.too_rare();
    for line in &rare {
        println!("played too rarely: {line}");
    }
    for failure in report.failures.iter().take(arguments.shrink) {
        let plan = Plan::of(failure.seed);
        let whole = save(&plan, &arguments.failures, &format!("seed-{}", failure.seed))?;
        let oracle = failure.findings[0].oracle;
        let fails = |plan: &Plan| play(plan).findings.iter().any(|finding| finding.oracle == oracle);
        let (small, runs) = shrink(&plan, fails);
        let path = save(&small, &arguments.failures, &format!("seed-{}-small", failure.seed))?;
        println!("seed {} at commit {} broke {oracle}", failure.seed, commit());
        println!("  its {} items are in {}", plan.items.len(), whole.display());
        println!(
            "  {} of them break it alone ({runs} runs); again: synaq-sim --plan {}",
            small.items.len(),
            path.display()
        );
    }
    Ok(if report.failures.is_empty() && rare.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(plan: &Plan) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(plan)?);
    let outcome = play(plan);
    for (what, times) in &outcome.counts {
        println!("{times:>9}  {what}");
    }
    println!("{} ms of virtual time, log {}", outcome.lasted_ms, outcome.log_hash);
    for finding in &outcome.findings {
        let whose = finding.session.map(|session| session.to_string()).unwrap_or_default();
        println!("{} {whose}: {}", finding.oracle, finding.detail);
    }
    Ok(if outcome.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Of the tree that was built, as far as anybody knows.
fn commit() -> String {
    let git = std::process::Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    match git {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}
