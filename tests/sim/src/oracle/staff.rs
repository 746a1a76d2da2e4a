//! P7: what staff ask is done at most once, and done when they were told so.

use super::{Exam, Fact};
use crate::history::{History, StaffTold};

pub(super) fn judge(exam: &Exam, history: &History) {
    let told: Vec<StaffTold> =
        history.notes().staff_told.iter().filter(|told| told.session == exam.session).cloned().collect();
    for StaffTold { label, accepted, .. } in told {
        let what = label.split(' ').next().unwrap_or_default();
        let Some(kinds) = kinds(what) else { continue };
        let done =
            exam.facts.iter().filter(|fact| kinds.contains(&fact.kind.as_str()) && carries(fact, &label));
        let done = done.count();
        let right = match accepted {
            Some(true) => done == 1,
            Some(false) => done == 0,
            None => done <= 1,
        };
        if !right {
            let detail = format!("{label} is in the log {done} times, told {accepted:?}");
            history.find("staff_command_not_once", Some(exam.session), detail);
        }
    }
}

/// In which events a command's label stands, if it has one.
fn kinds(what: &str) -> Option<&'static [&'static str]> {
    Some(match what {
        "pause" | "stop_all" => &["paused"],
        "refuse" => &["break_refused"],
        "recheck" => &["recheck_asked"],
        "ruled" => &["recheck_ruled"],
        "judge" => &["gesture_judged"],
        "credit" => &["time_credited"],
        "extend" => &["time_extended"],
        "say" | "answer" => &["message_sent"],
        "rule" => &["incident_confirmed", "incident_dismissed"],
        "record" => &["detector_reported"],
        "end" => &["end_proposed", "closed"],
        "photos" => &["identity_asked_again"],
        "void" => &["attempt_voided"],
        "approve" => &["record_approved"],
        _ => return None,
    })
}

fn carries(fact: &Fact, label: &str) -> bool {
    let claim = fact.value("event")["note"].as_str().unwrap_or_default();
    // Who agrees to a proposal adds a line to it: the first line was counted with the proposal.
    let note = fact.text("note").lines().next_back().unwrap_or_default();
    let voided = fact.value("voided")["reason"].as_str().unwrap_or_default();
    [voided, fact.text("reason"), fact.text("text"), note, claim].contains(&label)
}
