//! The 70 % rule (NB-22, Q-01, Q-02) and what an end means for the theory stage.

use crate::bank::Bank;
use crate::form::ExamForm;
use crate::session::{Answer, Finish, StaffEndReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Right answers out of all questions in the form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Score {
    /// Exactly the right options, and no other
    pub correct: u32,
    /// Every question of the form; unanswered is wrong
    pub total: u32,
}

/// Counts the right answers, each question all-or-nothing.
#[must_use]
pub fn score(bank: &Bank, form: &ExamForm, answers: &BTreeMap<u16, Answer>) -> Score {
    let right = (0..=u16::MAX).zip(&form.questions).filter(|(place, question)| {
        let given = answers.get(place).and_then(|answer| question.authors(&answer.shown));
        let item = bank.item(&question.item);
        given.zip(item).is_some_and(|(given, item)| !given.is_empty() && item.key.accepts(&given))
    });
    let count = |n: usize| u32::try_from(n).expect("a form has at most 65,535 questions");
    Score { correct: count(right.count()), total: count(form.questions.len()) }
}

/// NB-22, Q-01: strictly more than `threshold_pct` of all questions, in integers. Exactly 70 % fails.
#[must_use]
pub const fn passed(correct: u64, total: u64, threshold_pct: u8) -> bool {
    100 * correct > threshold_pct as u64 * total
}

/// What the theory stage came to. Never "the procedure passed": that needs practice and a commission (LAW-04).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", content = "why", rename_all = "snake_case")]
pub enum TheoryOutcome {
    /// More than the threshold
    Passed,
    /// The theory stage was not passed
    NotPassed(NotPassedWhy),
    /// The attempt is void of a result; the commission rules on it
    NoResult(NoResultWhy),
}

/// Why the theory stage was not passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotPassedWhy {
    /// Too few right answers
    BelowThreshold,
    /// A repeated violation, whatever the score so far
    Violation,
    /// The candidate gave up
    CandidateRequest,
    /// Somebody else sat the exam
    Impersonation,
}

/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoResultWhy {
    /// It could not go on technically
    Technical,
    /// Danger to a person
    Safety,
}

/// What an end and a score mean. Only a hand-in and the end of time are scored.
#[must_use]
pub fn outcome(finish: &Finish, score: Score, threshold_pct: u8) -> TheoryOutcome {
    match finish {
        Finish::Submitted | Finish::TimeExpired => {
            if passed(u64::from(score.correct), u64::from(score.total), threshold_pct) {
                TheoryOutcome::Passed
            } else {
                TheoryOutcome::NotPassed(NotPassedWhy::BelowThreshold)
            }
        }
        Finish::Violation { .. } => TheoryOutcome::NotPassed(NotPassedWhy::Violation),
        Finish::Staff { why, .. } => match why {
            StaffEndReason::Safety => TheoryOutcome::NoResult(NoResultWhy::Safety),
            StaffEndReason::Technical => TheoryOutcome::NoResult(NoResultWhy::Technical),
            StaffEndReason::CandidateRequest => TheoryOutcome::NotPassed(NotPassedWhy::CandidateRequest),
            StaffEndReason::Impersonation => TheoryOutcome::NotPassed(NotPassedWhy::Impersonation),
        },
    }
}
