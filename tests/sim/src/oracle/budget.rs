//! P2: the budget, added up anew from the log. Pauses, credits and our downtime move the deadline, nothing else does.

use super::{Exam, Fact};
use crate::history::{Down, History};
use crate::plan::{Fault, Plan};
use crate::ports::START;
use std::collections::BTreeSet;

/// No page is waited for longer after a downtime of ours.
const RETURN_MS: i64 = 15_000;

/// How old the last time mark of a process may be when it goes: one second, and the commit it waits for.
const MARK_MS: i64 = 1_100;

#[derive(Clone, Default)]
struct Clock {
    deadline: i64,
    /// It stands while any of them holds, and that time is given back once
    causes: BTreeSet<String>,
    paused_since: Option<i64>,
    running: bool,
    /// A page that our downtime took away is waited for, and nothing expires meanwhile
    awaited_until: Option<i64>,
}

impl Clock {
    fn ends(&self) -> i64 {
        self.awaited_until.map_or(self.deadline, |until| until.max(self.deadline))
    }
}

#[derive(Default)]
struct Sums {
    planned: i64,
    extra: i64,
    credited: i64,
}

/// A pause of a proctor for this candidate alone names none.
fn cause(fact: &Fact) -> String {
    fact.value("cause").as_str().unwrap_or("staff").to_owned()
}

pub(super) fn judge(exam: &Exam, plan: &Plan, history: &History) {
    let find = |oracle, detail: String| history.find(oracle, Some(exam.session), detail);
    let (mut clock, mut sums) = (Clock::default(), Sums::default());
    // Position in the log to the clock after it.
    let mut clocks = Vec::with_capacity(exam.facts.len());
    for fact in &exam.facts {
        let kind = fact.kind.as_str();
        let counts = clock.running && clock.paused_since.is_none();
        if counts && kind != "downtime_credited" && fact.at > clock.ends() {
            find(
                "served_after_the_deadline",
                format!("{kind} at {}, the deadline was {}", fact.at, clock.ends()),
            );
        }
        let moved = match kind {
            "session_created" => {
                sums.planned = fact.int("planned");
                sums.extra = fact.int("extra");
                0
            }
            "started" => {
                clock = Clock { deadline: fact.int("deadline"), running: true, ..Clock::default() };
                if clock.deadline != fact.at + sums.planned + sums.extra {
                    find("budget_wrong", format!("started at {} until {}", fact.at, clock.deadline));
                }
                0
            }
            "time_extended" => {
                sums.extra += fact.int("span");
                if clock.running { fact.int("span") } else { 0 }
            }
            "time_credited" => fact.int("span"),
            "downtime_credited" => {
                let (from, to) = (&fact.value("span")["from"], &fact.value("span")["to"]);
                clock.awaited_until = fact.value("awaited_until").as_i64();
                if clock.awaited_until.is_some_and(|until| until - fact.at != RETURN_MS) {
                    find(
                        "budget_wrong",
                        format!("at {} a page is waited for until {:?}", fact.at, clock.awaited_until),
                    );
                }
                to.as_i64().unwrap_or(0) - from.as_i64().unwrap_or(0)
            }
            "paused" => {
                clock.paused_since = clock.paused_since.or(Some(fact.at));
                if !clock.causes.insert(cause(fact)) {
                    find("paused_twice", format!("at {} for {}", fact.at, cause(fact)));
                }
                0
            }
            "resumed" => {
                if !clock.causes.remove(&cause(fact)) {
                    find("resumed_without_pause", format!("at {} from {}", fact.at, cause(fact)));
                }
                let stands = !clock.causes.is_empty();
                clock.paused_since.take_if(|_| !stands).map_or(0, |since| fact.at - since)
            }
            "closed" => {
                clock.causes.clear();
                let given_back = clock.paused_since.take().map_or(0, |since| fact.at - since);
                let expired = exam.finish() == Some("time_expired");
                if expired && fact.at != clock.ends() + given_back {
                    find(
                        "budget_wrong",
                        format!("expired at {}, the deadline was {}", fact.at, clock.ends()),
                    );
                }
                clock.running = false;
                given_back
            }
            _ => 0,
        };
        if kind == "connected" || fact.client.is_some() {
            clock.awaited_until = None;
        }
        clock.deadline += moved;
        if kind != "time_extended" {
            sums.credited += moved;
        }
        clocks.push(clock.clone());
    }
    shown(exam, &clocks, history);
    sealed(exam, &sums, history);
    if !plan.steps_clocks() {
        downtimes(exam, plan, &clocks, history);
    }
}

/// The deadline on every screen is the log's.
fn shown(exam: &Exam, clocks: &[Clock], history: &History) {
    let wrong = history.notes().shown.iter().find_map(|shown| {
        let (deadline, paused_since) = shown.clock.filter(|_| shown.session == exam.session)?;
        let clock = clocks.get(usize::try_from(shown.seq).ok()?.checked_sub(1)?)?;
        let same = clock.running && (deadline, paused_since) == (clock.deadline, clock.paused_since);
        (!same).then(|| format!("event {}: {deadline} is shown, {} is right", shown.seq, clock.deadline))
    });
    if let Some(detail) = wrong {
        history.find("deadline_shown_wrongly", Some(exam.session), detail);
    }
}

fn sealed(exam: &Exam, sums: &Sums, history: &History) {
    let Some(record) = &exam.record else { return };
    let theory = &record.json["theory"];
    let said = ["planned_ms", "extra_ms", "credited_ms"].map(|name| theory[name].as_i64().unwrap_or(-1));
    if said != [sums.planned, sums.extra, sums.credited] {
        let detail = format!("sealed {said:?}, added up {:?}", (sums.planned, sums.extra, sums.credited));
        history.find("budget_wrong", Some(exam.session), detail);
    }
}

/// What nobody served is given back whole, and little more than that.
fn downtimes(exam: &Exam, plan: &Plan, clocks: &[Clock], history: &History) {
    let downs: Vec<Down> = history.notes().downs.clone();
    for down in downs {
        let (from, to) = (START.0 + down.from_ms, START.0 + down.to_ms);
        let known = exam.facts.iter().take_while(|fact| fact.at <= from).count();
        let Some(clock) = known.checked_sub(1).and_then(|newest| clocks.get(newest)) else { continue };
        let over = exam.first("closed").is_some_and(|closed| closed.at <= from);
        if !clock.running || clock.paused_since.is_some() || over {
            continue;
        }
        let span =
            |fact: &Fact| Some((fact.value("span")["from"].as_i64()?, fact.value("span")["to"].as_i64()?));
        let credits: Vec<(i64, i64)> = exam.all("downtime_credited").filter_map(span).collect();
        let credit = credits.iter().find(|span| span.0 <= from && span.1 >= to);
        match credit {
            None if to > from => {
                let near: Vec<_> = credits.iter().filter(|span| span.1 >= from && span.0 <= to).collect();
                let detail = format!("down from {from} to {to}, given back {near:?}");
                history.find("downtime_charged", Some(exam.session), detail);
            }
            Some(span) if from - span.0 > MARK_MS && !may_give_more(plan) => {
                let detail = format!("down from {from} to {to}, given back from {}", span.0);
                history.find("downtime_given_twice", Some(exam.session), detail);
            }
            _ => history.count("downtimes judged"),
        }
    }
}

/// Where marks come late, or nobody was served before the process went, more than a second is given back.
fn may_give_more(plan: &Plan) -> bool {
    plan.faults().any(|(_, fault)| {
        !matches!(
            fault,
            Fault::Crash { .. }
                | Fault::Stop { .. }
                | Fault::AppendFails
                | Fault::AppendUnknown
                | Fault::PlatformDown { .. }
                | Fault::PlatformSlow { .. }
                | Fault::PlatformLies { .. }
                | Fault::PlatformForgets { .. }
                | Fault::PlatformRefuses { .. }
                | Fault::ClaimsFail { .. }
                | Fault::SettlesFail { .. }
        )
    })
}
