use crate::support::{Exam, t};
use std::collections::BTreeSet;
use synaq_core::bank::AnswerKey;
use synaq_core::decision::{NoResultWhy, NotPassedWhy, Score, TheoryOutcome, outcome, passed, score};
use synaq_core::ids::{IncidentNo, StaffId};
use synaq_core::session::{Finish, StaffEndReason};
use uuid::Uuid;

/// domain.md section 10: minimum correct for 70 %.
#[test]
fn least_passing_counts_are_those_of_the_law() {
    for (total, least) in [(10, 8), (20, 15), (25, 18), (30, 22), (40, 29), (50, 36), (60, 43), (100, 71)] {
        assert!(passed(least, total, 70), "{least} of {total} passes");
        assert!(!passed(least - 1, total, 70), "{} of {total} fails", least - 1);
        assert_eq!(least, 70 * total / 100 + 1);
    }
}

#[test]
fn exactly_seventy_per_cent_fails() {
    for total in (10..=1_000).step_by(10) {
        assert!(!passed(total * 7 / 10, total, 70));
        assert!(passed(total * 7 / 10 + 1, total, 70));
    }
}

#[test]
fn an_empty_form_never_passes() {
    assert!(!passed(0, 0, 70));
}

#[test]
fn unanswered_is_wrong_and_every_question_is_all_or_nothing() {
    let mut exam = Exam::running();
    let form = exam.session.state().form.clone().unwrap();
    let multi =
        (0..10).find(|n| exam.right(*n).len() == 2).expect("the form of this seed has a multi question");
    for question in 0..9 {
        exam.answer_right(t(1), question);
    }
    assert_eq!(exam.session.score(), Some(Score { correct: 9, total: 10 }));
    let half: Vec<u8> = exam.right(multi).into_iter().take(1).collect();
    exam.answer(t(2), multi, &half);
    let lost = u32::from(multi < 9);
    assert_eq!(exam.session.score().unwrap().correct, 9 - lost);
    assert_eq!(form.questions.len(), 10);
}

#[test]
fn only_hand_in_and_expiry_are_scored() {
    let full = Score { correct: 10, total: 10 };
    let by = StaffId(Uuid::nil());
    let staff = |why| Finish::Staff { why, by, second: None };
    let not = TheoryOutcome::NotPassed;
    for (finish, wanted) in [
        (Finish::Submitted, TheoryOutcome::Passed),
        (Finish::TimeExpired, TheoryOutcome::Passed),
        (Finish::Violation { incident: IncidentNo(2) }, not(NotPassedWhy::Violation)),
        (staff(StaffEndReason::CandidateRequest), not(NotPassedWhy::CandidateRequest)),
        (staff(StaffEndReason::Impersonation), not(NotPassedWhy::Impersonation)),
        (staff(StaffEndReason::Technical), TheoryOutcome::NoResult(NoResultWhy::Technical)),
        (staff(StaffEndReason::Safety), TheoryOutcome::NoResult(NoResultWhy::Safety)),
    ] {
        assert_eq!(outcome(&finish, full, 70), wanted);
    }
    let seven = Score { correct: 7, total: 10 };
    assert_eq!(outcome(&Finish::Submitted, seven, 70), not(NotPassedWhy::BelowThreshold));
}

#[test]
fn a_cleared_answer_is_wrong_even_where_a_key_is_empty() {
    let mut exam = Exam::running();
    exam.answer(t(1), 0, &[]);
    let mut broken = (*exam.session.context().bank).clone();
    broken.items.iter_mut().for_each(|item| item.key = AnswerKey::new(BTreeSet::new()));
    let form = exam.session.state().form.clone().unwrap();
    assert_eq!(score(&broken, &form, &exam.session.state().answers).correct, 0);
}
