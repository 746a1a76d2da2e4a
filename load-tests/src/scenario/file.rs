//! Scenarios as files. Unknown keys are refused by name; what each key means stands here.

use crate::crowd::Think;
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// The scenarios that come with the program.
const BUILT_IN: [(&str, &str); 5] = [
    ("paced", include_str!("../../scenarios/paced.toml")),
    ("start", include_str!("../../scenarios/start.toml")),
    ("reconnect", include_str!("../../scenarios/reconnect.toml")),
    ("saturate", include_str!("../../scenarios/saturate.toml")),
    ("soak", include_str!("../../scenarios/soak.toml")),
];

/// A scenario: who comes, and what they do. Exactly one of the last five parts is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name, for the report
    pub name: String,
    /// One sentence on what it shows
    pub about: String,
    /// Who comes
    pub crowd: CrowdPlan,
    /// Instead of the above where the machine has no more than two cores
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_cores: Option<TwoCores>,
    /// Everybody answers at a given rate
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paced: Option<Paced>,
    /// Everybody begins at one bell
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// All sockets break; then the server is killed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<Reconnect>,
    /// Everybody answers as fast as answers become durable
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturate: Option<Saturate>,
    /// A long exam with broken lines
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
}

/// Who comes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdPlan {
    /// Candidates, each with a connection of its own
    pub candidates: usize,
    /// Candidates of one sitting; each sitting has a proctor who watches its wall
    pub per_sitting: usize,
    /// Over TLS
    pub tls: bool,
    /// Devices' clocks are wrong by up to this many seconds
    pub clock_skew_s: u64,
    /// Same seed, same keys, pauses and answers
    pub seed: u64,
    /// After the scenario so many candidates hand in, and their sealed logs are read back
    pub hand_in: usize,
}

/// A smaller crowd.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoCores {
    /// As above
    pub candidates: usize,
    /// As in `paced`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_per_s: Option<f64>,
}

/// `[paced]`: open loop; latency counts from the instant an answer is due.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paced {
    /// Of all candidates together
    pub answers_per_s: f64,
    /// Shape of the think time between two answers of one candidate
    pub think: Think,
    /// Answered, but not counted
    pub warm_up_s: u64,
    /// Counted
    pub seconds: u64,
}

/// Preparing takes its time for a few too.
const BELL_MIN_S: u64 = 20;

/// `[start]`: the papers are drawn before; at the bell the clocks start and everybody opens the first question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The bell is so long after the sittings are made; everybody must be prepared by then
    pub bell_after_s: u64,
    /// Everybody presses the button within this time after it
    pub spread_ms: u64,
}

/// `[reconnect]`: all sockets break at once; then the server is killed and started again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconnect {
    /// Answers of all candidates together before each break, so that there is something to lose
    pub answers_per_s: f64,
    /// For so long
    pub seconds: u64,
    /// Pages come back within this time after the break, each at its own instant
    pub jitter_ms: u64,
    /// Kill and restart the server too
    pub kill: bool,
}

/// `[saturate]`: closed loop, the capacity; latencies are those of a queue that is always full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saturate {
    /// Answered, but not counted
    pub warm_up_s: u64,
    /// Counted
    pub seconds: u64,
}

/// `[soak]`: as paced, for minutes or hours, with lines that break; memory, descriptors and threads must stay flat.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// Of all candidates together
    pub answers_per_s: f64,
    /// Shape of the think time
    pub think: Think,
    /// Not counted for the trend: caches fill
    pub warm_up_s: u64,
    /// Counted
    pub minutes: f64,
    /// Each candidate's line breaks this often on average
    pub breaks_every_s: u64,
}

impl Scenario {
    /// A built-in scenario by name, or a file.
    ///
    /// # Errors
    /// If there is none, or it has a mistake.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::parse(text).with_context(|| format!("the scenario {name}"));
        }
        let path = Path::new(name);
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("there is no scenario or file called {name}; built in are {}", names())
        })?;
        Self::parse(&text).with_context(|| format!("{} has a mistake", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let scenario: Self = toml::from_str(text)?;
        let parts = [
            scenario.paced.is_some(),
            scenario.start.is_some(),
            scenario.reconnect.is_some(),
            scenario.saturate.is_some(),
            scenario.soak.is_some(),
        ];
        ensure!(
            parts.iter().filter(|part| **part).count() == 1,
            "exactly one of [paced], [start], [reconnect], [saturate] and [soak] must be there"
        );
        let crowd = &scenario.crowd;
        ensure!(crowd.candidates > 0, "candidates: at least one");
        ensure!((1..=2_000).contains(&crowd.per_sitting), "per_sitting: 1 to 2 000");
        Ok(scenario)
    }

    /// The smaller crowd where the machine is small.
    pub fn fit(&mut self, cores: usize) {
        let Some(small) = self.two_cores.take().filter(|_| cores <= 2) else { return };
        self.crowd.candidates = small.candidates;
        if let (Some(paced), Some(rate)) = (&mut self.paced, small.answers_per_s) {
            paced.answers_per_s = rate;
        }
    }

    /// Another number of candidates, who answer as often each.
    pub fn scale(&mut self, candidates: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let factor = candidates as f64 / self.crowd.candidates as f64;
        if candidates != self.crowd.candidates {
            self.about = format!("{} (here with {candidates} candidates)", self.about);
        }
        self.crowd.candidates = candidates;
        self.crowd.hand_in = self.crowd.hand_in.min(candidates);
        let rates = [
            self.paced.as_mut().map(|part| &mut part.answers_per_s),
            self.reconnect.as_mut().map(|part| &mut part.answers_per_s),
            self.soak.as_mut().map(|part| &mut part.answers_per_s),
        ];
        for rate in rates.into_iter().flatten() {
            *rate *= factor;
        }
        if let Some(part) = &mut self.start {
            #[expect(clippy::cast_precision_loss, reason = "seconds")]
            let bell = Duration::from_secs_f64(part.bell_after_s as f64 * factor);
            part.bell_after_s = bell.as_secs().max(BELL_MIN_S);
        }
    }

    /// Another length of what is counted.
    pub fn last(&mut self, span: Duration) {
        let seconds = span.as_secs().max(1);
        if let Some(part) = &mut self.paced {
            part.seconds = seconds;
            part.warm_up_s = part.warm_up_s.min(seconds);
        }
        if let Some(part) = &mut self.saturate {
            part.seconds = seconds;
            part.warm_up_s = part.warm_up_s.min(seconds);
        }
        if let Some(part) = &mut self.reconnect {
            part.seconds = seconds;
        }
        if let Some(part) = &mut self.soak {
            part.minutes = span.as_secs_f64() / 60.0;
            part.warm_up_s = part.warm_up_s.min(seconds);
        }
    }
}

/// All built-in names.
#[must_use]
pub fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

/// Every built-in name with its sentence.
///
/// # Errors
/// If a built-in file has a mistake.
pub fn list() -> anyhow::Result<Vec<(String, String)>> {
    BUILT_IN.iter().map(|(name, text)| Ok(((*name).to_owned(), Scenario::parse(text)?.about))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_is_found_by_its_name() {
        for (name, _) in BUILT_IN {
            assert_eq!(Scenario::find(name).unwrap().name, name);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = BUILT_IN[0].1.replace("tls =", "tlss =");
        let refused = format!("{:#}", Scenario::parse(&text).unwrap_err());
        assert!(refused.contains("tlss"), "{refused}");
    }

    #[test]
    fn a_file_with_two_parts_is_refused() {
        let text = format!("{}\n[saturate]\nwarm_up_s = 1\nseconds = 1\n", BUILT_IN[0].1);
        assert!(Scenario::parse(&text).unwrap_err().to_string().contains("exactly one"));
    }

    #[test]
    fn a_smaller_crowd_answers_as_often_each() {
        let mut scenario = Scenario::find("paced").unwrap();
        scenario.scale(100);
        assert!((scenario.paced.unwrap().answers_per_s - 50.0).abs() < 1e-9);
    }
}
