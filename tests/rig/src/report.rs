//! What one row found.

use crate::check::{Count, Findings};
use std::collections::BTreeMap;

/// Most faults of one assertion that are printed.
const FAULTS_SHOWN: usize = 3;

/// Results of one row by the names of its assertions.
#[derive(Debug, Default)]
pub struct Report {
    results: BTreeMap<String, Vec<String>>,
    notes: Vec<String>,
    count: Count,
}

impl Report {
    /// One assertion; made again, it must hold again.
    pub fn that(&mut self, name: &str, holds: bool, otherwise: impl FnOnce() -> String) {
        let faults = self.results.entry(name.to_owned()).or_default();
        if !holds {
            faults.push(otherwise());
        }
    }

    /// What happened, for the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// What the checker found.
    pub fn findings(&mut self, findings: Findings, count: Count) {
        for (name, faults) in findings.all() {
            self.results.entry(name.to_owned()).or_default().extend(faults);
        }
        self.count.acked += count.acked;
        self.count.lost += count.lost;
    }

    /// Acknowledged answers, and those that were lost.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count
    }

    /// In one line.
    #[must_use]
    pub fn happened(&self) -> String {
        self.notes.join("; ")
    }

    /// What speaks against the row: broken assertions, those that the matrix names and nobody made, and those that
    /// were made without being named.
    #[must_use]
    pub fn faults(&self, named: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, broken) in &self.results {
            for fault in broken.iter().take(FAULTS_SHOWN) {
                faults.push(format!("{name}: {fault}"));
            }
            if broken.len() > FAULTS_SHOWN {
                faults.push(format!("{name}: and {} more", broken.len() - FAULTS_SHOWN));
            }
            if !named.contains(name) {
                faults.push(format!("{name} is not in the matrix"));
            }
        }
        for name in named.iter().filter(|name| !self.results.contains_key(*name)) {
            faults.push(format!("{name} was not looked at"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_that_nobody_made_is_red() {
        let mut report = Report::default();
        report.that("a", true, String::new);
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(report.faults(&named(&["a"])).is_empty());
        assert_eq!(report.faults(&named(&["a", "b"])), ["b was not looked at"]);
        assert_eq!(report.faults(&named(&[])), ["a is not in the matrix"]);
        report.that("a", false, || "why".to_owned());
        assert_eq!(report.faults(&named(&["a"])), ["a: why"]);
    }
}
