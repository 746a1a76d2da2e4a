//! The report as one page that needs nothing else: no script, no network, light and dark.

use super::plot::{Line, Plot};
use super::text::{bound, measured};
use super::{Report, Run, Second};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// The labels of a latency curve.
const QUANTILES: [(f64, &str); 6] =
    [(0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.999_9, "99.99 %"), (1.0, "all")];

/// A page over reports.
#[must_use]
pub fn page(reports: &[Report]) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>Synaq: load report</title><style>",
    );
    page.push_str(STYLE);
    page.push_str("</style><main><h1>Synaq: load report</h1>");
    if let Some(first) = reports.first() {
        page.push_str(&conditions(first));
    }
    for report in reports {
        page.push_str(&section(report));
    }
    if let Some(first) = reports.first() {
        page.push_str("<section><h2>How it was measured</h2><ul>");
        for line in &first.method {
            let _ = write!(page, "<li>{}</li>", escape(line));
        }
        page.push_str("</ul></section>");
    }
    page.push_str("</main></html>\n");
    page
}

fn conditions(report: &Report) -> String {
    let machine = &report.machine;
    let rows = [
        ("Machine", format!("{} cores, {}, {} MiB", machine.cores, machine.processor, machine.memory_mib)),
        ("System", format!("{}, kernel {}", machine.system, machine.kernel)),
        ("Disk", machine.disk.clone()),
        ("Open files", format!("{} for a process", machine.open_files)),
        ("Load when written", machine.load.clone()),
        ("Version", format!("{}, commit {}", report.version, report.commit.as_deref().unwrap_or("unknown"))),
        ("Written", instant(report.at_ms)),
    ];
    let rows: String =
        rows.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value))).collect();
    format!("<dl>{rows}</dl>")
}

fn section(report: &Report) -> String {
    let mut html = format!(
        "<section><h2>{} <small>{}</small></h2><p>{}</p><p><code>{}</code></p>",
        escape(&report.scenario),
        if report.met() { "all targets met" } else { "a target was missed" },
        escape(&report.about),
        escape(&report.command)
    );
    let _ = write!(
        html,
        "<div class=\"wide\"><table><caption>Median [least, most] of {} runs</caption><thead><tr><th>Figure<th>Target<th>Measured<th></tr></thead><tbody>",
        report.runs.len()
    );
    for median in &report.medians {
        let target = median.target.map_or_else(String::new, |target| bound(target, &median.unit));
        let verdict = match median.met {
            Some(true) => "<td class=\"met\">met",
            Some(false) => "<td class=\"missed\">missed",
            None => "<td>",
        };
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}<td>{}<td>{}{verdict}</tr>",
            escape(&median.name),
            escape(&target),
            escape(&measured(median))
        );
    }
    html.push_str("</tbody></table></div>");
    html.push_str(&plots(report));
    html.push_str(&words(&report.runs));
    let _ = write!(
        html,
        "<details><summary>The scenario as it was played</summary><pre>{}</pre></details></section>",
        escape(&report.settings)
    );
    html
}

fn plots(report: &Report) -> String {
    let of = |name: &str, points: fn(&Run) -> Vec<(f64, f64)>| -> Vec<Line> {
        let runs = report.runs.iter().enumerate();
        runs.map(|(index, run)| Line { name: format!("{name}, run {}", index + 1), points: points(run) })
            .collect()
    };
    let seconds = |value: fn(&Second) -> f64| {
        let lines = report.runs.iter().enumerate();
        lines
            .map(|(index, run)| Line {
                name: format!("run {}", index + 1),
                points: run
                    .seconds
                    .iter()
                    .map(|second| (second.at_s, value(second)))
                    // Before anything was counted there is no latency.
                    .filter(|(_, value)| *value > 0.0)
                    .collect(),
            })
            .collect::<Vec<_>>()
    };
    let marks = QUANTILES.iter().map(|(quantile, label)| (nines(*quantile), (*label).to_owned())).collect();
    let curve = Plot {
        title: "Latency by share of what was counted",
        x: "share that was at least as fast",
        y: "ms",
        marks: Some(marks),
        log_y: true,
        lines: of("latency", |run| run.curve.iter().map(|(quantile, ms)| (nines(*quantile), *ms)).collect()),
    };
    let over_time = [
        ("99th percentile of each second", "ms", true, (|second| second.p99_ms) as fn(&Second) -> f64),
        ("Counted", "a second", false, |second| second.rate),
        ("Processor time of the server", "cores", false, |second| second.cores),
        ("Memory of the server", "MiB", false, |second| second.rss_mib),
    ];
    let mut html = curve.svg();
    for (title, y, log_y, value) in over_time {
        let plot = Plot { title, x: "seconds", y, marks: None, log_y, lines: seconds(value) };
        html.push_str(&plot.svg());
    }
    html
}

/// The horizontal axis of a latency curve: one step for each further nine.
fn nines(quantile: f64) -> f64 {
    (1.0 / (1.0 - quantile).max(2e-5)).log10()
}

fn words(runs: &[Run]) -> String {
    let mut html = String::new();
    for (index, run) in runs.iter().enumerate() {
        for note in &run.notes {
            let _ = write!(html, "<li>Run {}: {}</li>", index + 1, escape(note));
        }
        for (error, count) in &run.errors {
            let _ = write!(
                html,
                "<li class=\"missed\">Error in run {}: {count} x {}</li>",
                index + 1,
                escape(error)
            );
        }
    }
    if html.is_empty() { html } else { format!("<ul>{html}</ul>") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `2026-11-21 04:30 UTC`, by the civil calendar (Howard Hinnant, days_from_civil reversed).
fn instant(at_ms: i64) -> String {
    let minutes = at_ms.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_by_the_civil_calendar() {
        assert_eq!(instant(0), "1970-01-01 00:00 UTC");
        assert_eq!(instant(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(instant(1_795_237_500_000), "2026-11-21 05:05 UTC");
    }

    #[test]
    fn nothing_of_a_report_becomes_markup() {
        assert_eq!(escape("<b>&\"x\""), "&lt;b&gt;&amp;&quot;x&quot;");
    }
}
