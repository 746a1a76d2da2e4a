//! The fault matrix: a file, so that one can read it without reading code.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;

const TEXT: &str = include_str!("../matrix.toml");

/// Where the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One fault with its one expected outcome.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Number of the fault matrix, with a letter where one fault has several injectors
    pub row: String,
    /// In one line
    pub fault: String,
    /// How it is made
    pub injector: String,
    /// What must happen
    pub expected: String,
    /// Engines that it runs on
    #[serde(default)]
    pub engines: Vec<Engine>,
    /// Names of what is asserted
    #[serde(default)]
    pub asserts: Vec<String>,
    /// Also in the short selection
    #[serde(default)]
    pub short: bool,
    /// Why it does not run here
    pub not_here: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    /// What every row asserts that ends with a judgement
    judgement: Vec<String>,
    row: Vec<Row>,
}

/// Stands for the assertions of a judgement in a row's list.
const JUDGED: &str = "judged";

/// Every row, in order.
///
/// # Errors
/// If the file has a mistake.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let Matrix { judgement, row: mut rows } = toml::from_str(TEXT).context("matrix.toml")?;
    let mut seen = BTreeSet::new();
    for row in &mut rows {
        ensure!(seen.insert(row.row.clone()), "row {} stands twice", row.row);
        let runs = row.not_here.is_none();
        ensure!(runs != row.engines.is_empty(), "row {}: engines or a reason, not both", row.row);
        ensure!(runs != row.asserts.is_empty(), "row {}: assertions or a reason, not both", row.row);
        if row.asserts.iter().any(|name| name == JUDGED) {
            row.asserts.retain(|name| name != JUDGED);
            row.asserts.extend(judgement.iter().cloned());
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::rows;
    use crate::rows::is_known;

    #[test]
    fn every_row_of_the_matrix_has_code_or_a_reason() {
        for row in rows().unwrap() {
            assert_eq!(is_known(&row.row), row.not_here.is_none(), "row {}", row.row);
        }
    }
}
