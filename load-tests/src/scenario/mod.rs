//! Playing scenarios: one run each, and reports over several.

mod field;
mod file;
mod media;
mod paced;
mod proctored;
mod reconnect;
mod saturate;
mod soak;
mod start;

pub use file::{Scenario, list, names};
pub use media::MediaPlan;
pub use proctored::ProctoredPlan;

use crate::report::{Machine, Report, Run, medians};
use crate::staff::now_ms;
use std::path::PathBuf;
use std::process::Command;

/// Where scenarios are played.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program `synaq`
    pub binary: PathBuf,
    /// Scratch folders are made in it: it says which disk is measured
    pub folder: PathBuf,
    /// Options handed to the room
    pub room_options: Vec<String>,
    /// Limit of open files
    pub open_files: u64,
    /// For the report
    pub command: String,
    /// Of the server, for the report
    pub commit: Option<String>,
}

impl Place {
    /// Options of a room whose media has so many network threads.
    #[must_use]
    pub fn media_threads(number: usize) -> Vec<String> {
        vec!["--media-threads".to_owned(), number.to_string()]
    }

    /// Plays a scenario once.
    ///
    /// # Errors
    /// If the server or the crowd did not come to the end of it.
    pub async fn play(&self, scenario: &Scenario) -> anyhow::Result<Run> {
        if let Some(part) = &scenario.paced {
            return paced::run(self, &scenario.crowd, part).await;
        }
        if let Some(part) = &scenario.start {
            return start::run(self, &scenario.crowd, part).await;
        }
        if let Some(part) = &scenario.reconnect {
            return reconnect::run(self, &scenario.crowd, part).await;
        }
        if let Some(part) = &scenario.saturate {
            return saturate::run(self, &scenario.crowd, part).await;
        }
        let part = scenario.soak.as_ref().expect("a scenario has exactly one part");
        soak::run(self, &scenario.crowd, part).await
    }

    /// A report over runs of one scenario.
    ///
    /// # Errors
    /// If the scenario cannot be written down.
    pub fn report(&self, scenario: &Scenario, runs: Vec<Run>) -> anyhow::Result<Report> {
        let settings = toml::to_string(scenario)?;
        let method = METHOD.map(str::to_owned).to_vec();
        Ok(Report { settings, method, ..self.beside(&scenario.name, &scenario.about, runs) })
    }

    /// A report over runs of a measuring program.
    #[must_use]
    pub fn beside(&self, name: &str, about: &str, runs: Vec<Run>) -> Report {
        Report {
            scenario: name.to_owned(),
            about: about.to_owned(),
            at_ms: now_ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: self.commit.clone(),
            command: self.command.clone(),
            machine: Machine::here(&self.folder, self.open_files),
            settings: String::new(),
            method: Vec::new(),
            medians: medians(&runs),
            runs,
        }
    }
}

const METHOD: [&str; 8] = [
    "Server and generator share the machine and its cores; nothing is pinned. The server is the program's own binary on a scratch folder of the measured disk, with its usual settings.",
    "Candidates speak the real protocol: personal link, binding, ticket over a connection of its own, WebSocket over another, consent, device check, two photos, a proctor's admission, four texts, the draw, the answers. Every TLS handshake is a full one.",
    "Made-up candidates have no camera: a stand-in in the server's process reports that picture and sound flow. The cost of video is measured by `measure` and is not in these figures.",
    "Every sitting has a proctor who watches its wall and admits; what the walls cost the server is in the figures.",
    "Paced load is an open loop: latency counts from the instant an answer was due, not from when it was sent. The generator's own timers have a grain of 1 ms, which is in the figures.",
    "Lost: every candidate reconnects after the scenario and compares the server's view with every answer acknowledged to it; a sample hands in, and its sealed log, read as plain JSON, must hold each acknowledged answer exactly once.",
    "fdatasync: 4 KiB appended and synced, on the same disk, in the same run, beside the load.",
    "Processor time and memory are what the kernel says of the server's process alone. Medians over all runs, with the least and the most.",
];

/// The commit of the working tree this is run in, if it is one.
#[must_use]
pub fn commit() -> Option<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
