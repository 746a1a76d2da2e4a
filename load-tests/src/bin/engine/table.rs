//! Medians with ranges, and what the targets compare.

use crate::closed_loop::Measured;
use std::collections::BTreeMap;

/// One run of one cell.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Cell {
    pub(crate) fn of(measured: &Measured) -> Self {
        let at = |quantile| measured.taken.value_at_quantile(quantile) as f64 / 1e6;
        Self {
            per_second: measured.taken.len() as f64 / measured.window.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        }
    }
}

/// Rows in the order they came, columns by sessions in flight.
pub(crate) struct Table<const COLUMNS: usize> {
    columns: [usize; COLUMNS],
    rows: Vec<(&'static str, BTreeMap<usize, Vec<Cell>>)>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(crate) fn new(columns: [usize; COLUMNS]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, column: usize, cell: Cell) {
        let row = match self.rows.iter().position(|(of, _)| *of == name) {
            Some(row) => row,
            None => {
                self.rows.push((name, BTreeMap::new()));
                self.rows.len() - 1
            }
        };
        self.rows[row].1.entry(column).or_default().push(cell);
    }

    pub(crate) fn print(&self) {
        println!("durable appends per second, median [range]; p50 / p99 of one in ms");
        for column in self.columns {
            println!("\n{column} in flight");
            for (name, cells) in &self.rows {
                let Some(runs) = cells.get(&column) else { continue };
                let (least, middle, most) = spread(runs, |cell| cell.per_second);
                let (_, p50, _) = spread(runs, |cell| cell.p50_ms);
                let (_, p99, _) = spread(runs, |cell| cell.p99_ms);
                println!("  {name:<32}{middle:>9.0} [{least:.0}-{most:.0}]   {p50:.2} / {p99:.2}");
            }
        }
        println!();
        self.compare("runtime, group commit", "runtime, one transaction each", 10.0);
        self.compare("store alone, group commit", "raw log, group fdatasync", 0.05);
        self.compare("runtime, group commit", "raw log, group fdatasync", 0.05);
        self.compare_p50("store alone, group commit", "raw log, group fdatasync", 2.0);
        self.compare_p50("runtime, group commit", "raw log, group fdatasync", 2.0);
    }

    /// Throughput with the most in flight.
    fn compare(&self, of: &str, to: &str, target: f64) {
        let column = self.columns[COLUMNS - 1];
        if let (Some(of_cells), Some(to_cells)) = (self.cells(of, column), self.cells(to, column)) {
            let ratio = spread(of_cells, |c| c.per_second).1 / spread(to_cells, |c| c.per_second).1;
            println!("{of} / {to}, {column} in flight: {ratio:.3} (target at least {target})");
        }
    }

    /// Latency with one in flight.
    fn compare_p50(&self, of: &str, to: &str, target: f64) {
        let column = self.columns[0];
        if let (Some(of_cells), Some(to_cells)) = (self.cells(of, column), self.cells(to, column)) {
            let ratio = spread(of_cells, |c| c.p50_ms).1 / spread(to_cells, |c| c.p50_ms).1;
            println!("p50 of {of} / {to}, {column} in flight: {ratio:.2} (target at most {target})");
        }
    }

    fn cells(&self, name: &str, column: usize) -> Option<&[Cell]> {
        let (_, cells) = self.rows.iter().find(|(of, _)| *of == name)?;
        cells.get(&column).map(Vec::as_slice)
    }
}

/// Least, median, most.
fn spread(runs: &[Cell], of: impl Fn(&Cell) -> f64) -> (f64, f64, f64) {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}
