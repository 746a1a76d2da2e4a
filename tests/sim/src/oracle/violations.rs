//! NB-20 and Q-04, counted anew: the first violation warns, and only what itself began at or after the moment the
//! warning took effect ends the exam.

use super::{Exam, Fact};
use crate::history::History;
use std::collections::{BTreeMap, BTreeSet};

const GRACE_MS: i64 = 10_000;
const LIVE_MS: i64 = 30_000;
const TECHNICAL: [&str; 4] = ["NETWORK_LOST", "DEVICE_FAILURE", "POWER_LOSS", "SERVER_FAULT"];

#[derive(Default)]
struct Warning {
    given_at: i64,
    displayed_at: Option<i64>,
    acknowledged_at: Option<i64>,
    effective_at: Option<i64>,
    live_ms: i64,
}

#[derive(Default)]
struct Model {
    running: bool,
    /// The live socket and since when
    socket: Option<(String, i64)>,
    warning: Option<Warning>,
    codes: BTreeMap<i64, String>,
    /// Incident to its confirmed beginning
    confirmed: BTreeMap<i64, i64>,
    dismissed: BTreeSet<i64>,
    violations: i64,
    /// The incident that ended the exam, until the end is seen
    terminated_by: Option<(i64, i64)>,
}

pub(super) fn judge(exam: &Exam, history: &History) {
    let mut model = Model::default();
    for fact in &exam.facts {
        if let Err((oracle, detail)) = model.take(fact) {
            history.find(oracle, Some(exam.session), format!("event {}: {detail}", fact.seq));
        }
    }
    if let Some((incident, _)) = model.terminated_by {
        let detail = format!("incident {incident} was the second violation, and the exam went on");
        history.find("second_violation_without_end", Some(exam.session), detail);
    }
}

type Verdict = Result<(), (&'static str, String)>;

impl Model {
    fn take(&mut self, fact: &Fact) -> Verdict {
        match fact.kind.as_str() {
            "started" => self.running = true,
            "connected" => {
                self.lose_socket(fact.at);
                self.socket = Some((fact.text("socket").to_owned(), fact.at));
            }
            "disconnected" if self.socket.as_ref().is_some_and(|(live, _)| live == fact.text("socket")) => {
                self.lose_socket(fact.at);
            }
            "incident_opened" => {
                self.codes.insert(fact.int("no"), fact.text("code").to_owned());
            }
            "incident_dismissed" => {
                self.dismissed.insert(fact.int("no"));
            }
            "incident_confirmed" => return self.confirmed(fact),
            "violation_counted" => return self.counted(fact),
            "warning_displayed" => {
                if let Some(warning) = &mut self.warning {
                    warning.displayed_at = warning.displayed_at.or(Some(fact.at));
                }
            }
            "warning_acknowledged" => {
                if let Some(warning) = &mut self.warning {
                    warning.acknowledged_at = warning.acknowledged_at.or(Some(fact.at));
                }
            }
            "warning_effective" => return self.effective(fact),
            "closed" => return self.closed(fact),
            _ => {}
        }
        Ok(())
    }

    fn lose_socket(&mut self, at: i64) {
        if let Some((_, since)) = self.socket.take()
            && let Some(warning) = &mut self.warning
        {
            warning.live_ms += (at - since.max(warning.given_at)).max(0);
        }
    }

    fn confirmed(&mut self, fact: &Fact) -> Verdict {
        let no = fact.int("no");
        let code = self.codes.get(&no).cloned().unwrap_or_default();
        if self.confirmed.insert(no, fact.int("began_at")).is_some() {
            return Err(("confirmed_twice", format!("incident {no}")));
        }
        if self.dismissed.contains(&no) {
            return Err(("confirmed_after_dismissal", format!("incident {no}")));
        }
        if TECHNICAL.contains(&code.as_str()) {
            return Err(("technical_fault_counted", format!("incident {no} is {code}")));
        }
        Ok(())
    }

    fn counted(&mut self, fact: &Fact) -> Verdict {
        let incident = fact.int("incident");
        self.violations += 1;
        if fact.int("ordinal") != self.violations {
            return Err((
                "violations_miscounted",
                format!("the {}. is called {}", self.violations, fact.int("ordinal")),
            ));
        }
        let Some(began_at) = self.confirmed.get(&incident).copied() else {
            return Err(("violation_unconfirmed", format!("incident {incident}")));
        };
        let effective = self.warning.as_ref().and_then(|warning| warning.effective_at);
        let repeated = effective.is_some_and(|effective| began_at >= effective);
        let expected = match (self.running, self.warning.is_some()) {
            (true, false) => "warning",
            (true, true) if repeated => "termination",
            _ => "none",
        };
        let said = fact.text("consequence");
        if said == "warning" && expected == "warning" {
            self.warning = Some(Warning { given_at: fact.at, ..Warning::default() });
        }
        if said == "termination" {
            self.terminated_by = Some((incident, fact.at));
        }
        let detail = format!(
            "incident {incident} began at {began_at}, the warning took effect at {effective:?}: {said}, not {expected}"
        );
        match (said, expected) {
            (said, expected) if said == expected => Ok(()),
            ("warning", _) => Err(("second_warning", detail)),
            ("termination", _) => Err(("end_without_effective_warning", detail)),
            _ => Err(("wrong_consequence", detail)),
        }
    }

    /// At the earliest of acknowledgement, 10 s on screen, and 30 s of live socket.
    fn effective(&mut self, fact: &Fact) -> Verdict {
        let live_since = self.socket.as_ref().map(|(_, since)| *since);
        let Some(warning) = &mut self.warning else {
            return Err(("warning_effective_wrongly", "there is no warning".to_owned()));
        };
        let live = live_since.map(|since| since.max(warning.given_at) + (LIVE_MS - warning.live_ms).max(0));
        let shown = warning.displayed_at.map(|at| at + GRACE_MS);
        let how = [("acknowledged", warning.acknowledged_at), ("displayed", shown), ("live_socket", live)];
        let expected = how.iter().filter_map(|(_, at)| *at).min();
        let said = fact.int("effective_at");
        let reason = how.iter().any(|(name, at)| *name == fact.text("how") && *at == Some(said));
        if warning.effective_at.replace(said).is_some() || expected != Some(said) || !reason || said > fact.at
        {
            let detail = format!("{} at {said}, expected {expected:?} of {how:?}", fact.text("how"));
            return Err(("warning_effective_wrongly", detail));
        }
        Ok(())
    }

    fn closed(&mut self, fact: &Fact) -> Verdict {
        self.running = false;
        let finish = fact.value("finish");
        let by_violation = finish["reason"] == "violation";
        match self.terminated_by.take() {
            Some((incident, at)) if by_violation && finish["incident"] == incident && fact.at == at => Ok(()),
            None if !by_violation => Ok(()),
            cause => {
                Err(("ended_for_another_reason", format!("{finish}, the second violation is {cause:?}")))
            }
        }
    }
}
