//! P2: the candidate's time is planned time plus what was given, and our downtime was given, and nothing else.

use super::{Case, Findings};
use std::fmt::Write as _;

const SUM: &str = "deadline_sum_exact";
const CREDIT: &str = "downtime_credited";
const AFTER: &str = "nothing_after_the_end";

/// The error that P2 allows: one heartbeat.
const TOLERANCE_MS: i64 = 5_000;
/// After an outage the way back of a page is the server's too, for so long.
const RETURN_MS: i64 = 15_000;
/// A shorter outage can fall between two looks of ours.
const NOTICED_MS: i64 = 500;
/// Between a session being back in memory and the front door answering.
const EACH_MS: i64 = 500;

/// A time when nobody was served, by this machine's clock, ms UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub from: i64,
    pub to: i64,
    /// The process was gone or held; otherwise it ran and could not store, which is given back only if it lasts
    pub dead: bool,
}

pub(super) fn check(case: &Case, outages: &[Outage], findings: &mut Findings) {
    findings.looked(SUM);
    findings.looked(CREDIT);
    let mut credited: Vec<(i64, i64)> = Vec::new();
    let (mut started, mut closed, mut given) = (None, None, 0);
    for event in &case.bundle.events {
        let fact = event.fact();
        match event.kind.as_str() {
            "started" => started = fact["deadline"].as_i64().map(|deadline| (event.at, deadline)),
            "downtime_credited" => {
                let span = (fact["span"]["from"].as_i64(), fact["span"]["to"].as_i64());
                let (Some(from), Some(to)) = span else {
                    findings.broken(SUM, format!("{}: a credit without a span", case.session));
                    continue;
                };
                given += to - from;
                // What is given for the way back follows what is given for the outage.
                match credited.last_mut().filter(|last| last.1 == from) {
                    Some(last) => last.1 = to,
                    None => credited.push((from, to)),
                }
            }
            "time_credited" | "time_extended" => given += fact["span"].as_i64().unwrap_or(0),
            "closed" => closed = Some(event.at),
            "answer_put" => {
                let deadline = started.map(|(_, deadline)| deadline + given);
                if deadline.is_none_or(|deadline| event.at > deadline) {
                    let text =
                        format!("{}: event {} is after the deadline {deadline:?}", case.session, event.seq);
                    findings.broken(AFTER, text);
                }
            }
            _ => {}
        }
    }
    sum(case, started, given, findings);
    let (mut error, mut concerned) = (0, 0);
    for outage in outages {
        // A session that had not begun or was over has nothing to get back.
        let runs = started.is_some_and(|(at, _)| at < outage.from) && closed.is_none_or(|at| at > outage.to);
        if runs {
            let wrong = credit(case, *outage, &credited, findings);
            if outage.dead {
                error += wrong;
                concerned += 1;
            }
        }
    }
    // Many short outages must not add up to what one of them may be wrong by.
    if error > TOLERANCE_MS + EACH_MS * concerned {
        let text = format!("{}: {error} ms of {concerned} outages were charged", case.session);
        findings.broken(CREDIT, text);
    }
    for (from, to) in &credited {
        let ours = outages.iter().any(|outage| overlap((*from, *to), (outage.from, outage.to)) > 0);
        if !ours && to - from > TOLERANCE_MS {
            let text = format!("{}: {} ms given back for nothing", case.session, to - from);
            findings.broken(CREDIT, text);
        }
    }
}

/// What the record says of the time, against our own sum over the log.
fn sum(case: &Case, started: Option<(i64, i64)>, given: i64, findings: &mut Findings) {
    let theory = &case.bundle.record["theory"];
    let Some((at, deadline)) = started else {
        return findings.broken(SUM, format!("{}: the exam never started", case.session));
    };
    let planned = theory["planned_ms"].as_i64().unwrap_or(-1) + theory["extra_ms"].as_i64().unwrap_or(-1);
    if deadline - at != planned {
        findings
            .broken(SUM, format!("{}: {} ms at the start, {planned} planned", case.session, deadline - at));
    }
    if theory["credited_ms"].as_i64() != Some(given) {
        let mut text = format!("{}: the log gives {given} ms, the record says ", case.session);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", theory["credited_ms"]);
        findings.broken(SUM, text);
    }
}

/// The error of each outage, in ms: positive if the candidate paid for it.
fn credit(case: &Case, outage: Outage, credited: &[(i64, i64)], findings: &mut Findings) -> i64 {
    let lost = outage.to - outage.from;
    let touching = credited.iter().filter(|credit| overlap(**credit, (outage.from, outage.to)) > 0);
    let (mut back, mut given) = (0, 0);
    for span in touching {
        back += overlap(*span, (outage.from, outage.to));
        given += span.1 - span.0;
    }
    let how = format!("{}: down for {lost} ms at {}, {back} ms of it given back", case.session, outage.from);
    if (outage.dead && back == 0 && lost > NOTICED_MS) || lost - back > TOLERANCE_MS {
        findings.broken(CREDIT, how);
    } else if given - lost > TOLERANCE_MS + RETURN_MS {
        findings.broken(CREDIT, format!("{how}, {given} ms in all"));
    }
    lost - back
}

fn overlap(a: (i64, i64), b: (i64, i64)) -> i64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0)
}
