//! Breaks, checks of the identity and gestures: each in its order, a break as long as the programme says, and the clock
//! stopped by what may stop it and by nothing else.

use super::{Exam, Fact};
use crate::history::History;
use crate::plan::Plan;
use crate::ports::{BREAK_MIN, breaks_stop};

#[derive(Default)]
struct Model {
    break_asked: bool,
    on_break: bool,
    recheck_asked: bool,
    photos: u8,
    submitted: bool,
    due_at: Option<i64>,
    gesture_asked: bool,
    answered: bool,
    stopped_by_break: bool,
    stopped_by_check: bool,
    stopped: usize,
}

pub(super) fn judge(exam: &Exam, plan: &Plan, history: &History) {
    let (mut model, stops) = (Model::default(), breaks_stop(plan.minutes));
    for (place, fact) in exam.facts.iter().enumerate() {
        let next = exam.facts.get(place + 1);
        if let Err((oracle, detail)) = model.take(fact, next, stops) {
            history.find(oracle, Some(exam.session), format!("event {} {}: {detail}", fact.seq, fact.kind));
        }
        if fact.kind == "closed" {
            break;
        }
    }
    sealed(exam, history);
}

/// The record names every break that was granted, and that the attempt does not count if that was said before.
fn sealed(exam: &Exam, history: &History) {
    let (Some(record), Some(sealed)) = (&exam.record, exam.first("record_sealed")) else { return };
    let said = record.json["breaks"].as_array().map_or(0, Vec::len);
    let granted = exam.all("break_granted").count();
    if said != granted {
        history.find("record_misses_breaks", Some(exam.session), format!("{granted} granted, {said} sealed"));
    }
    let voided = exam.first("attempt_voided").is_some_and(|fact| fact.seq < sealed.seq);
    if record.json["voided"].is_object() != voided {
        history.find("record_misses_void", Some(exam.session), format!("{}", record.json["voided"]));
    }
}

type Verdict = Result<(), (&'static str, String)>;

fn must(holds: bool, oracle: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err((oracle, String::new())) }
}

impl Model {
    fn take(&mut self, fact: &Fact, next: Option<&Fact>, stops: bool) -> Verdict {
        match fact.kind.as_str() {
            "break_asked" => {
                let free = !self.break_asked && !self.on_break;
                self.break_asked = true;
                must(free, "break_out_of_order")
            }
            "break_withdrawn" | "break_refused" => {
                must(std::mem::take(&mut self.break_asked), "break_out_of_order")
            }
            "break_granted" => self.granted(fact, next, stops),
            "break_ended" => {
                let next_resumes = next.is_some_and(|next| resumes(next, "break"));
                must(std::mem::take(&mut self.on_break), "break_out_of_order")?;
                // What the server said of a break that lasted too long ends with it, before the clock goes on.
                let told = next.is_some_and(|next| next.kind == "incident_seen");
                must(self.stopped_by_break == next_resumes || told, "break_clock_wrong")
            }
            "recheck_asked" => {
                let again = self.recheck_asked && !self.submitted;
                (self.recheck_asked, self.photos, self.submitted) = (true, 0, false);
                must(!again, "recheck_out_of_order")
            }
            "photo_stored" if self.recheck_asked => {
                self.photos |= if fact.text("kind") == "face" { 1 } else { 2 };
                must(!self.submitted, "recheck_out_of_order")
            }
            "identity_submitted" if self.recheck_asked => {
                self.submitted = true;
                must(self.photos == 3, "recheck_without_photos")
            }
            "recheck_ruled" => {
                let waited = std::mem::take(&mut self.recheck_asked) && std::mem::take(&mut self.submitted);
                must(waited, "recheck_out_of_order")
            }
            "recheck_withdrawn" => {
                self.submitted = false;
                must(std::mem::take(&mut self.recheck_asked), "recheck_out_of_order")
            }
            "gesture_planned" => {
                let free = self.due_at.is_none();
                self.due_at = Some(fact.int("due_at"));
                must(free, "gesture_out_of_order")
            }
            "gesture_asked" => {
                let due = self.due_at.is_some_and(|due_at| fact.at >= due_at) && !self.gesture_asked;
                self.gesture_asked = true;
                must(due, "gesture_out_of_order")?;
                must(self.stopped == 0 && !self.on_break, "gesture_asked_of_nobody")
            }
            "gesture_answered" => {
                let first = self.gesture_asked && !self.answered;
                self.answered = true;
                must(first, "gesture_out_of_order")
            }
            "gesture_judged" | "gesture_withdrawn" => {
                let asked = fact.kind == "gesture_withdrawn" || self.gesture_asked;
                let planned = self.due_at.take().is_some();
                (self.gesture_asked, self.answered) = (false, false);
                must(asked && planned, "gesture_out_of_order")
            }
            "paused" => self.paused(fact),
            "resumed" => self.resumed(fact),
            _ => Ok(()),
        }
    }

    fn granted(&mut self, fact: &Fact, next: Option<&Fact>, stops: bool) -> Verdict {
        let asked = std::mem::take(&mut self.break_asked);
        self.on_break = true;
        must(asked, "break_out_of_order")?;
        let lasts = fact.int("until") - fact.at;
        if lasts != i64::from(BREAK_MIN) * 60_000 {
            return Err(("break_length_wrong", format!("{lasts} ms")));
        }
        let stopped = next.is_some_and(|next| next.kind == "paused" && next.text("cause") == "break");
        let credited = next.is_some_and(|next| next.kind == "downtime_credited");
        must(stopped == stops || (stops && credited), "break_clock_wrong")
    }

    fn paused(&mut self, fact: &Fact) -> Verdict {
        self.stopped += 1;
        match fact.text("cause") {
            "break" => {
                self.stopped_by_break = true;
                must(self.on_break, "break_clock_wrong")
            }
            "recheck" => {
                self.stopped_by_check = true;
                must(self.recheck_asked, "recheck_clock_wrong")
            }
            _ => Ok(()),
        }
    }

    fn resumed(&mut self, fact: &Fact) -> Verdict {
        self.stopped = self.stopped.saturating_sub(1);
        match fact.text("cause") {
            "break" => {
                must(std::mem::take(&mut self.stopped_by_break) && !self.on_break, "break_clock_wrong")
            }
            "recheck" => {
                must(std::mem::take(&mut self.stopped_by_check) && !self.recheck_asked, "recheck_clock_wrong")
            }
            _ => Ok(()),
        }
    }
}

fn resumes(fact: &Fact, cause: &str) -> bool {
    fact.kind == "resumed" && fact.text("cause") == cause
}
