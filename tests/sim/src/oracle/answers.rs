//! P1: every acknowledged answer is in the log exactly once and in the record last; nothing is taken after the end.

use super::{Exam, Fact};
use crate::history::{History, Told, Verdict};
use crate::ports::{RIGHT, THRESHOLD_PCT};
use serde_json::Value;
use std::collections::BTreeMap;

/// Answers made before the deadline are taken for so long after it.
const LATE_MS: i64 = 600_000;
/// What may still be written about an exam that has ended.
const AFTER_THE_END: &[&str] = &[
    "answer_late",
    "answer_superseded",
    "outbox_drained",
    "late_window_ended",
    "incident_opened",
    "incident_seen",
    "incident_ended",
    "incident_recorded",
    "incident_confirmed",
    "incident_dismissed",
    "detector_reported",
    "violation_counted",
    "record_sealed",
    "record_approved",
    "attempt_voided",
    "evidence_opened",
    "evidence_stored",
    "evidence_gap",
    "evidence_awaited",
    "recording_began",
    "recording_ended",
    "media_changed",
    "screen_changed",
    "media_stepped",
    "local_kept",
    "local_stored",
    "message_sent",
    "help_asked",
    "help_answered",
    "connected",
    "disconnected",
    "device_bound",
    "device_waiting",
    "clock_stepped",
    "end_withdrawn",
];
/// What may not change any more once the record is sealed.
const NEVER_AFTER_SEALING: &[&str] = &[
    "answer_put",
    "answer_late",
    "answer_superseded",
    "violation_counted",
    "incident_confirmed",
    "incident_dismissed",
    "record_sealed",
    "closed",
];

pub(super) fn judge(exam: &Exam, history: &History) {
    let told: Vec<Told> =
        history.notes().told.iter().filter(|told| told.session == exam.session).cloned().collect();
    for told in &told {
        acknowledged(exam, told, history);
    }
    once(exam, history);
    order(exam, history);
    after_the_end(exam, history);
    shown(exam, history);
    sealed(exam, history);
}

fn is_answer(fact: &Fact) -> bool {
    matches!(fact.kind.as_str(), "answer_put" | "answer_late")
}

fn acknowledged(exam: &Exam, told: &Told, history: &History) {
    let command = Some((u64::from(told.epoch), told.client_seq));
    match &told.verdict {
        Verdict::Acknowledged { seq, hash, again } => {
            history.count(if *again { "acknowledged again" } else { "acknowledged" });
            if told.answer.is_some() {
                history.count("answers acknowledged");
            }
            let place = usize::try_from(*seq).unwrap_or(usize::MAX).saturating_sub(1);
            let Some(fact) = exam.facts.get(place) else {
                let detail = format!("event {seq} was acknowledged at {} ms and is gone", told.at_ms);
                return history.find("acknowledged_and_lost", Some(exam.session), detail);
            };
            if fact.client != command || fact.hash.to_string() != *hash {
                let detail =
                    format!("event {seq} is a {} of {:?}, not of {command:?}", fact.kind, fact.client);
                return history.find("acknowledged_and_lost", Some(exam.session), detail);
            }
            let Some((question, shown)) = &told.answer else { return };
            let said: Vec<u64> = shown.iter().map(|place| u64::from(*place)).collect();
            let kept: Vec<u64> = numbers(fact.value("shown"));
            if !is_answer(fact) || fact.int("question") != i64::from(*question) || kept != said {
                let detail = format!("event {seq} is not the answer that was acknowledged");
                history.find("acknowledged_and_changed", Some(exam.session), detail);
            }
        }
        Verdict::Refused(why) => {
            history.count(&format!("refused {}", why.split(['(', ' ']).next().unwrap_or_default()));
            if told.answer.is_some()
                && exam.facts.iter().any(|fact| fact.client == command && is_answer(fact))
            {
                let detail = format!("{command:?} was refused ({why}), yet it is in the log");
                history.find("refused_and_stored", Some(exam.session), detail);
            }
        }
        Verdict::Failed => history.count("failed to be told"),
    }
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// A command has one event.
fn once(exam: &Exam, history: &History) {
    let mut seen: BTreeMap<(u64, u64), &str> = BTreeMap::new();
    for fact in &exam.facts {
        let Some(command) = fact.client else { continue };
        if let Some(before) = seen.insert(command, &fact.kind) {
            let detail = format!("{command:?} is a {before} and a {}", fact.kind);
            history.find("command_applied_twice", Some(exam.session), detail);
        }
    }
}

fn order(exam: &Exam, history: &History) {
    for pair in exam.facts.windows(2) {
        if pair[1].seq != pair[0].seq + 1 || pair[1].at < pair[0].at {
            let detail = format!("event {} is out of order", pair[1].seq);
            history.find("log_out_of_order", Some(exam.session), detail);
        }
    }
}

fn after_the_end(exam: &Exam, history: &History) {
    let find = |oracle, detail: String| history.find(oracle, Some(exam.session), detail);
    let ends = exam.all("closed").count();
    if ends > 1 {
        find("ended_twice", format!("{ends} terminal events"));
    }
    for once in ["started", "form_drawn", "record_sealed", "record_approved"] {
        if exam.all(once).count() > 1 {
            find("done_twice", format!("{once} stands in the log more than once"));
        }
    }
    let Some(closed) = exam.first("closed") else { return };
    for fact in exam.facts.iter().filter(|fact| fact.seq > closed.seq) {
        if !AFTER_THE_END.contains(&fact.kind.as_str()) {
            find("taken_after_the_end", format!("{} at {} after the end", fact.kind, fact.seq));
        }
        let late = exam.finish() == Some("time_expired") && fact.at <= closed.at + LATE_MS;
        if fact.kind == "answer_late" && !late {
            find("taken_after_the_end", format!("a late answer at {} outside its window", fact.seq));
        }
    }
    let Some(sealed) = exam.first("record_sealed") else { return };
    for fact in exam.facts.iter().filter(|fact| fact.seq > sealed.seq) {
        if NEVER_AFTER_SEALING.contains(&fact.kind.as_str()) {
            find("changed_after_sealing", format!("{} at {}", fact.kind, fact.seq));
        }
    }
}

/// What somebody was shown is in the log for ever: effects leave after the commit.
fn shown(exam: &Exam, history: &History) {
    let gone: Vec<u64> = history
        .notes()
        .shown
        .iter()
        .filter(|shown| shown.session == exam.session && shown.seq > 0)
        .filter(|shown| {
            let place = usize::try_from(shown.seq - 1).unwrap_or(usize::MAX);
            exam.facts.get(place).is_none_or(|fact| fact.hash != shown.head)
        })
        .map(|shown| shown.seq)
        .collect();
    if let Some(seq) = gone.first() {
        let detail =
            format!("a view of event {seq} was shown, which the log does not have ({} views)", gone.len());
        history.find("shown_and_lost", Some(exam.session), detail);
    }
}

/// The record holds, per question, what was acknowledged last, and counts it rightly.
fn sealed(exam: &Exam, history: &History) {
    let Some(record) = &exam.record else { return };
    let find = |detail: String| history.find("sealed_wrongly", Some(exam.session), detail);
    let mut last: BTreeMap<u64, (&(u64, u64), Vec<u64>)> = BTreeMap::new();
    for fact in exam.all("answer_put") {
        let (Some(given), Some(question)) = (&fact.client, fact.value("question").as_u64()) else { continue };
        if last.get(&question).is_none_or(|(held, _)| *held < given) {
            last.insert(question, (given, numbers(fact.value("shown"))));
        }
    }
    let empty = Vec::new();
    let questions = record.json["questions"].as_array().unwrap_or(&empty);
    let mut correct = 0_u64;
    for (question, entry) in (0..).zip(questions) {
        let answered = numbers(&entry["answered"]);
        let said = last.get(&question).map(|(_, shown)| shown.clone()).unwrap_or_default();
        if answered != said {
            find(format!("question {question}: {answered:?} is sealed, {said:?} was put last"));
        }
        let options = numbers(&entry["options"]);
        let authors: Vec<_> =
            answered.iter().filter_map(|place| options.get(usize::try_from(*place).ok()?)).collect();
        correct += u64::from(authors == [&u64::from(RIGHT)]);
    }
    let total = questions.len() as u64;
    let theory = &record.json["theory"];
    let scored = matches!(exam.finish(), Some("submitted" | "time_expired"));
    let passed = scored && 100 * correct > u64::from(THRESHOLD_PCT) * total;
    history.count(if passed { "passed" } else { "not passed" });
    if theory["scored"].as_bool() != Some(scored) || theory["passed"].as_bool() != Some(passed) {
        find(format!("scored {scored}, passed {passed}, the record says {theory}"));
    }
    if scored && theory["correct"].as_u64() != Some(correct) {
        find(format!("{correct} of {total} are right, the record says {}", theory["correct"]));
    }
    if record.json["event_log"]["count"].as_u64() != exam.first("record_sealed").map(|sealed| sealed.seq - 1)
    {
        find("the record is not folded from everything before it".to_owned());
    }
}
