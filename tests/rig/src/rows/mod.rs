//! One function per row of the matrix.

mod depot;
mod kill;
mod machine;
mod network;
mod platform;
mod postgres;
mod power;
mod rot;
mod storage;

use crate::house::House;
use crate::matrix::Engine;
use crate::report::Report;
use crate::scene::Scene;
use anyhow::bail;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use synaq_test_postgres::Cluster;

/// What a row runs with.
#[derive(Debug)]
pub struct Stage {
    pub engine: Engine,
    pub seed: u64,
    /// The whole row; otherwise what the short selection has time for
    pub whole: bool,
    /// A folder of its own
    pub folder: PathBuf,
    /// The cluster of PostgreSQL's rows
    pub cluster: Option<Arc<Cluster>>,
}

impl Stage {
    /// `whole` for the whole rig, `short` for the short selection.
    #[must_use]
    pub const fn of<T: Copy>(&self, whole: T, short: T) -> T {
        if self.whole { whole } else { short }
    }

    /// Chance of this row.
    #[must_use]
    pub fn chance(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// A founded installation, platform running, server not.
    ///
    /// # Errors
    /// If the binary does not come up.
    pub fn house(&self) -> anyhow::Result<House> {
        self.house_in(&self.folder.join("data"))
    }

    fn store(&self) -> anyhow::Result<Option<String>> {
        let fresh = self.cluster.as_ref().map(|cluster| cluster.fresh_database());
        fresh.transpose().map_err(anyhow::Error::msg)
    }

    /// The same in a folder that the row has prepared.
    ///
    /// # Errors
    /// If the binary does not come up.
    pub fn house_in(&self, data: &std::path::Path) -> anyhow::Result<House> {
        let mut house = House::found(data, self.folder.join("server.log"), self.store()?)?;
        house.start_platform()?;
        Ok(house)
    }

    /// A running sitting.
    ///
    /// # Errors
    /// If anything refuses.
    pub async fn scene(&self, candidates: usize) -> anyhow::Result<Scene> {
        let mut house = self.house()?;
        house.start()?;
        Scene::begin(house, &self.folder, candidates).await
    }
}

type Run<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

macro_rules! rows {
    ($($row:literal => $run:path,)+) => {
        const KNOWN: &[&str] = &[$($row),+];

        fn begin<'a>(row: &str, stage: &'a Stage, report: &'a mut Report) -> Option<Run<'a>> {
            match row {
                $($row => Some(Box::pin($run(stage, report))),)+
                _ => None,
            }
        }
    };
}

rows! {
    "1" => kill::at_random_moments,
    "2" => kill::between_commit_and_ack,
    "3" => power::drops_what_was_not_synced,
    "4" => power::tears_what_was_not_synced,
    "4b" => power::while_cameras_record,
    "6" => storage::sync_fails,
    "7" => storage::sync_is_slow,
    "8" => storage::database_disk_full,
    "9" => storage::recording_disk_full,
    "9a" => depot::is_away,
    "10" => machine::descriptors_run_out,
    "11" => machine::memory_runs_out,
    "12" => machine::processor_is_scarce,
    "13" => postgres::ends,
    "14" => postgres::stands_still,
    "17" => platform::down_and_slow,
    "18" => platform::lies,
    "19" => network::packets_are_lost,
    "20" => network::latency,
    "21" => network::narrow,
    "22" => network::partition,
    "23" => network::rebind,
    "24" => network::half_open,
    "25" => machine::clock_jumps,
    "26" => machine::suspended,
    "27" => kill::drained,
    "28" => rot::bytes_change,
    "31" => network::proctors_leave,
    "33" => network::junk,
}

/// Whether there is code for a row.
#[must_use]
pub fn is_known(row: &str) -> bool {
    KNOWN.contains(&row)
}

/// Runs one row.
///
/// # Errors
/// If the row cannot be played to its end; what it asserts is in the report.
pub async fn run(row: &str, stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    match begin(row, stage, report) {
        Some(run) => run.await,
        None => bail!("there is no code for row {row}"),
    }
}
