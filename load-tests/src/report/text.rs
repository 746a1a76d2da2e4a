//! The report for a terminal, and rows for a document.

use super::{Median, Report, Target};
use std::fmt::Write as _;

impl Report {
    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", self.scenario, self.about);
        let _ = writeln!(
            text,
            "  {} cores, {}, {} MiB, {}, kernel {}, disk {}, load {}",
            self.machine.cores,
            self.machine.processor,
            self.machine.memory_mib,
            self.machine.system,
            self.machine.kernel,
            self.machine.disk,
            self.machine.load
        );
        let commit = self.commit.as_deref().unwrap_or("unknown");
        let _ = writeln!(text, "  version {}, commit {commit}\n  {}", self.version, self.command);
        let _ = writeln!(text, "  median [least, most] of {} runs", self.runs.len());
        for median in &self.medians {
            let verdict = match (median.target, median.met) {
                (Some(target), Some(met)) => {
                    format!("  {} {}", bound(target, &median.unit), if met { "met" } else { "MISSED" })
                }
                _ => String::new(),
            };
            let _ = writeln!(text, "  {:<52} {:>24}{verdict}", median.name, measured(median));
        }
        for (number, run) in self.runs.iter().enumerate() {
            for (error, count) in &run.errors {
                let _ = writeln!(text, "  error in run {}: {count} x {error}", number + 1);
            }
            for note in &run.notes {
                let _ = writeln!(text, "  run {}: {note}", number + 1);
            }
        }
        text
    }

    /// Rows of a Markdown table: figure, target, measured, command.
    #[must_use]
    pub fn rows(&self) -> String {
        let mut rows = String::new();
        for median in &self.medians {
            let target = median.target.map_or_else(String::new, |target| bound(target, &median.unit));
            let missed = if median.met == Some(false) { " **missed**" } else { "" };
            let _ = writeln!(
                rows,
                "| {} | {} | {target} | {}{missed} | `{}` |",
                self.scenario,
                median.name,
                measured(median),
                self.command
            );
        }
        rows
    }
}

pub(super) fn bound(target: Target, unit: &str) -> String {
    match target {
        Target::AtMost(limit) => format!("<= {} {unit}", number(limit)),
        Target::AtLeast(limit) => format!(">= {} {unit}", number(limit)),
    }
}

pub(super) fn measured(median: &Median) -> String {
    let Median { median: value, least, most, unit, .. } = median;
    if least == most {
        return format!("{} {unit}", number(*value));
    }
    format!("{} {unit} [{}, {}]", number(*value), number(*least), number(*most))
}

/// Three digits that count, large numbers whole.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if size >= 100.0 || (value.fract() == 0.0 && size < 1e9) {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_count() {
        let shown = [0.0, 0.123_4, 1.234, 12.34, 123.4, 5_000.0].map(number);
        assert_eq!(shown, ["0", "0.123", "1.23", "12.3", "123", "5000"]);
    }
}
