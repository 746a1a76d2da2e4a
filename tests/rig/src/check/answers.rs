//! P1: every acknowledged answer is in the log, once; what is sealed is the last one; and nobody else's is there.

use super::{Case, Count, Event, Findings};
use crate::journal::{Answer, Entry};
use std::collections::BTreeMap;

const LOST: &str = "no_acknowledged_answer_lost";
const ONCE: &str = "each_answer_once";
const FOREIGN: &str = "no_foreign_answer";
const SEALED: &str = "sealed_is_last_acknowledged";
const AFTER: &str = "nothing_after_the_end";

/// `(epoch, client_seq)`
type Name = (u64, u64);

pub(super) fn check(case: &Case, findings: &mut Findings) -> Count {
    for what in [LOST, ONCE, FOREIGN, SEALED, AFTER] {
        findings.looked(what);
    }
    let stored = stored(case, findings);
    let sent: BTreeMap<Name, &Answer> = case.journal.iter().filter_map(sent).collect();
    for (name, events) in &stored {
        if events.len() > 1 {
            findings
                .broken(ONCE, format!("{}: command {name:?} is stored {} times", case.session, events.len()));
        }
        for event in events {
            if sent.get(name).is_none_or(|answer| !same(answer, event)) {
                let fact = event.fact();
                findings.broken(FOREIGN, format!("{}: {name:?} {fact} was never sent", case.session));
            }
        }
    }
    let count = acknowledged(case, &stored, findings);
    sealed(case, &sent, &stored, findings);
    count
}

fn stored<'a>(case: &'a Case, findings: &mut Findings) -> BTreeMap<Name, Vec<&'a Event>> {
    let mut stored: BTreeMap<Name, Vec<&Event>> = BTreeMap::new();
    let mut over = false;
    for event in &case.bundle.events {
        over |= event.kind == "closed";
        if event.kind != "answer_put" {
            continue;
        }
        if over {
            findings.broken(AFTER, format!("{}: event {} is behind the end", case.session, event.seq));
        }
        match event.command() {
            Some(name) => stored.entry(name).or_default().push(event),
            None => findings.broken(FOREIGN, format!("{}: event {} is nobody's", case.session, event.seq)),
        }
    }
    stored
}

fn sent(entry: &Entry) -> Option<(Name, &Answer)> {
    match entry {
        Entry::Sent(answer) => Some(((answer.epoch, answer.client_seq), answer)),
        _ => None,
    }
}

fn acknowledged(case: &Case, stored: &BTreeMap<Name, Vec<&Event>>, findings: &mut Findings) -> Count {
    let mut count = Count::default();
    for entry in &case.journal {
        let Entry::Acked { answer, seq, at, hash, .. } = entry else { continue };
        count.acked += 1;
        let name = (answer.epoch, answer.client_seq);
        let event = stored.get(&name).and_then(|events| events.first());
        let Some(event) = event.filter(|event| same(answer, event)) else {
            count.lost += 1;
            findings.broken(LOST, format!("{}: {name:?} was acknowledged and is not there", case.session));
            continue;
        };
        if (event.seq, event.at, &event.hash) != (*seq, *at, hash) {
            let text =
                format!("{}: the receipt of {name:?} names another event than {}", case.session, event.seq);
            findings.broken(LOST, text);
        }
    }
    count
}

/// The newest acknowledged answer of each question, or one that was sent later and whose acknowledgement never came.
fn sealed(
    case: &Case,
    sent: &BTreeMap<Name, &Answer>,
    stored: &BTreeMap<Name, Vec<&Event>>,
    findings: &mut Findings,
) {
    let acked = case.journal.iter().filter_map(|entry| match entry {
        Entry::Acked { answer, .. } => Some((answer.epoch, answer.client_seq)),
        _ => None,
    });
    let mut newest: BTreeMap<u64, Name> = BTreeMap::new();
    for name in acked.chain(stored.keys().copied()) {
        if let Some(answer) = sent.get(&name) {
            let known = newest.entry(answer.question).or_insert(name);
            *known = (*known).max(name);
        }
    }
    let Some(questions) = case.bundle.record["questions"].as_array() else {
        findings.broken(SEALED, format!("{}: the record has no questions", case.session));
        return;
    };
    for (place, question) in questions.iter().enumerate() {
        let expected =
            newest.get(&(place as u64)).and_then(|name| sent.get(name)).map(|answer| &answer.value);
        let found: Option<Vec<u64>> = serde_json::from_value(question["answered"].clone()).ok();
        if found.as_ref() != Some(expected.unwrap_or(&Vec::new())) {
            findings.broken(
                SEALED,
                format!("{}, question {place}: {expected:?} was last, {found:?} is sealed", case.session),
            );
        }
    }
}

fn same(answer: &Answer, event: &Event) -> bool {
    let fact = event.fact();
    let value: Option<Vec<u64>> = serde_json::from_value(fact["shown"].clone()).ok();
    event.sid == answer.session
        && fact["question"].as_u64() == Some(answer.question)
        && value.as_ref() == Some(&answer.value)
}
