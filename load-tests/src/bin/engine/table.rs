//! What the runs come to: a figure for each cell, and what the targets compare.

use crate::closed_loop::Measured;
use synaq_load_tests::report::{Figure, Run};

/// Rows of a run, in their order.
pub(crate) const RAW: &str = "raw log, group fdatasync";
pub(crate) const STORE: &str = "store alone, group commit";
pub(crate) const GROUPED: &str = "runtime, group commit";
pub(crate) const EACH: &str = "runtime, one transaction each (pool 10)";

/// Group commit over one transaction per answer.
const GROUPING_MIN: f64 = 10.0;
/// Of a raw log with one in flight, the p50.
const P50_MAX: f64 = 2.0;

/// One run of one cell.
struct Cell {
    row: &'static str,
    in_flight: usize,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// The cells of one run.
#[derive(Default)]
pub(crate) struct Table(Vec<Cell>);

impl Table {
    pub(crate) fn add(&mut self, row: &'static str, in_flight: usize, measured: &Measured) {
        let at = |quantile| measured.taken.value_at_quantile(quantile) as f64 / 1e6;
        self.0.push(Cell {
            row,
            in_flight,
            per_second: measured.taken.len() as f64 / measured.window.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        });
    }

    /// Every cell, then the targets: with the `most` in flight, and with one. `share` of the raw log's rate is to be
    /// reached.
    pub(crate) fn figures(&self, most: usize, share: f64, run: &mut Run) {
        for cell in &self.0 {
            let name = format!("{}, {} in flight", cell.row, cell.in_flight);
            run.figures.push(Figure::new(&name, "/s", cell.per_second));
            run.figures.push(Figure::new(&format!("{name}, p50"), "ms", cell.p50_ms));
            run.figures.push(Figure::new(&format!("{name}, p99"), "ms", cell.p99_ms));
        }
        let rate = |row| self.cell(row, most).map(|cell| cell.per_second);
        let p50 = |row| self.cell(row, 1).map(|cell| cell.p50_ms);
        let of_rates = [(GROUPED, EACH, GROUPING_MIN), (STORE, RAW, share), (GROUPED, RAW, share)];
        for (of, to, target) in of_rates {
            if let Some((of_rate, to_rate)) = rate(of).zip(rate(to)) {
                let name = format!("{of} / {to}, {most} in flight");
                run.figures.push(Figure::new(&name, "x", of_rate / to_rate).at_least(target));
            }
        }
        for of in [STORE, GROUPED] {
            if let Some((of_p50, to_p50)) = p50(of).zip(p50(RAW)) {
                let name = format!("p50 of {of} / {RAW}, 1 in flight");
                run.figures.push(Figure::new(&name, "x", of_p50 / to_p50).at_most(P50_MAX));
            }
        }
    }

    fn cell(&self, row: &str, in_flight: usize) -> Option<&Cell> {
        self.0.iter().find(|cell| cell.row == row && cell.in_flight == in_flight)
    }
}
