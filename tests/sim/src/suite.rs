//! Many seeds on all processors, added up: what was played, and what failed.

use crate::history::Finding;
use crate::journal::Bug;
use crate::plan::Plan;
use crate::world::play_with;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Which seeds to play.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The first
    pub from: u64,
    /// How many
    pub seeds: u64,
    /// Threads
    pub threads: usize,
    /// Stops at the first seed that fails
    pub first_only: bool,
    /// Planted into the log
    pub bug: Option<Bug>,
}

/// A seed that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Which
    pub seed: u64,
    /// What must never be
    pub findings: Vec<Finding>,
}

/// What the seeds came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Seeds played
    pub seeds: u64,
    /// Virtual milliseconds played
    pub lasted_ms: i64,
    /// How often what was played
    pub counts: BTreeMap<String, u64>,
    /// By seed
    pub failures: Vec<Failure>,
}

/// What 1,000 seeds play at least: a suite that never exercises a thing proves nothing about it. About a third of what
/// they play today.
pub const MINIMA: &[(&str, u64)] = &[
    ("exams", 1_000),
    ("answers acknowledged", 7_000),
    ("acknowledged again", 1_000),
    ("connections", 5_000),
    ("commits", 30_000),
    ("starts", 1_200),
    ("starts_failed", 200),
    ("served while sessions came back", 500),
    ("append_disk_full", 1_000),
    ("append_fenced", 60),
    ("append_unavailable", 300),
    ("crashed_in_append", 120),
    ("downtimes judged", 300),
    ("live states compared", 900),
    ("event answer_put", 6_000),
    ("event answer_late", 30),
    ("event answer_superseded", 150),
    ("event downtime_credited", 900),
    ("event paused", 150),
    ("event break_asked", 150),
    ("event break_withdrawn", 15),
    ("event break_granted", 100),
    ("event break_refused", 25),
    ("event break_ended", 80),
    ("event recheck_asked", 100),
    ("event recheck_ruled", 50),
    ("event gesture_asked", 80),
    ("event gesture_answered", 50),
    ("event gesture_judged", 60),
    ("event attempt_voided", 40),
    ("staff stop_all", 80),
    ("staff resume_all", 60),
    ("event time_credited", 150),
    ("event time_extended", 100),
    ("event clock_stepped", 20),
    ("event incident_dismissed", 200),
    ("event end_proposed", 25),
    ("event evidence_gap", 60),
    ("event record_sealed", 1_000),
    ("event record_approved", 1_000),
    ("ended submitted", 180),
    ("ended time_expired", 120),
    ("ended violation", 250),
    ("ended safety", 15),
    ("ended technical", 15),
    ("ended candidate_request", 15),
    ("ended impersonation", 15),
    ("violation warning", 400),
    ("violation termination", 250),
    ("violation none", 60),
    ("warning effective acknowledged", 50),
    ("warning effective displayed", 300),
    ("warning effective live_socket", 50),
    ("passed", 120),
    ("not passed", 400),
    ("records delivered", 600),
    ("approvals delivered", 600),
    ("delivered after a failure", 300),
    ("messages refused", 80),
    ("platform_saw_again", 1_000),
    ("refused ExamEnded", 200),
    ("refused SupersededEpoch", 300),
    ("sealing waited for a person", 15),
    ("sealing waited for late answers", 30),
    ("sealing waited for evidence", 80),
    ("trouble cut", 300),
    ("trouble half_open", 300),
    ("trouble slow", 300),
    ("trouble send_twice", 300),
    ("trouble reload", 300),
    ("trouble second_tab", 300),
    ("trouble second_device", 300),
    ("trouble picture_lost", 300),
    ("fault append_fails", 250),
    ("fault append_unknown", 250),
    ("fault disk_full", 250),
    ("fault slow_appends", 250),
    ("fault held_appends", 250),
    ("fault held_answer", 250),
    ("fault take_over", 250),
    ("fault crash", 250),
    ("fault crash_in_append", 250),
    ("fault crash_after_commit", 250),
    ("fault stop", 250),
    ("fault loads_fail", 250),
    ("fault starts_fail", 250),
    ("fault marks_fail", 250),
    ("fault source_fails", 250),
    ("fault claims_fail", 250),
    ("fault settles_fail", 250),
    ("fault clock_jump", 250),
    ("fault platform_down", 250),
    ("fault platform_slow", 250),
    ("fault platform_lies", 250),
    ("fault platform_forgets", 250),
    ("fault platform_refuses", 250),
];

impl Suite {
    /// Plays them all.
    #[must_use]
    pub fn run(&self) -> Report {
        let next = AtomicU64::new(self.from);
        let found = AtomicBool::new(false);
        let report = Mutex::new(Report::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        let enough = self.first_only && found.load(Ordering::SeqCst);
                        if seed >= self.from + self.seeds || enough {
                            return;
                        }
                        let outcome = play_with(&Plan::of(seed), self.bug);
                        let mut report = report.lock().expect("no panic while locked");
                        report.seeds += 1;
                        report.lasted_ms += outcome.lasted_ms;
                        for (what, times) in outcome.counts {
                            *report.counts.entry(what).or_default() += times;
                        }
                        if !outcome.findings.is_empty() {
                            found.store(true, Ordering::SeqCst);
                            report.failures.push(Failure { seed, findings: outcome.findings });
                        }
                    }
                });
            }
        });
        let mut report = report.into_inner().expect("no panic while locked");
        report.failures.sort_by_key(|failure| failure.seed);
        report
    }
}

impl Report {
    /// What was played too rarely, for so many seeds.
    #[must_use]
    pub fn too_rare(&self) -> Vec<String> {
        let least = |least: u64| least * self.seeds / 1_000;
        MINIMA
            .iter()
            .map(|(what, of_thousand)| {
                (what, least(*of_thousand), self.counts.get(*what).copied().unwrap_or(0))
            })
            .filter(|(_, least, played)| played < least)
            .map(|(what, least, played)| format!("{what}: {played} of at least {least}"))
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.lasted_ms / 3_600_000;
        writeln!(f, "{} seeds, {hours} hours of virtual time", self.seeds)?;
        for (what, times) in &self.counts {
            writeln!(f, "{times:>9}  {what}")?;
        }
        for failure in &self.failures {
            writeln!(f, "seed {}: {}", failure.seed, failure.summary())?;
        }
        Ok(())
    }
}

impl Failure {
    /// Every broken promise once.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut kinds: BTreeMap<&str, (&Finding, u32)> = BTreeMap::new();
        for finding in &self.findings {
            kinds.entry(finding.oracle).or_insert((finding, 0)).1 += 1;
        }
        kinds.values().fold(String::new(), |mut text, (first, times)| {
            let whose = first.session.map(|session| session.to_string()).unwrap_or_default();
            write!(
                text,
                "\n    {} x{times} {}: {}",
                first.oracle,
                &whose[whose.len().min(28)..],
                first.detail
            )
            .expect("writing to a String cannot fail");
            text
        })
    }
}

/// Writes a plan so that it can be played again; the path.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn save(plan: &Plan, folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, serde_json::to_vec_pretty(plan)?)?;
    Ok(path)
}
