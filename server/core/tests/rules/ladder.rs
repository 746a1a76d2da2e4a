//! Less picture by the ladder is technical: written down, never a violation, and what the device kept is waited for.

use crate::support::{Exam, evidence, t};
use synaq_core::session::limits::{EVIDENCE_WAIT, LOCAL_PIECES_MAX, LOCAL_SPAN_MAX};
use synaq_core::session::{Command, Fact, Input, MediaFact, MediaStep, Refusal, SealWaits, StepWhy};
use synaq_core::time::{At, Span};

fn step(step: MediaStep, why: StepWhy) -> Command {
    Command::StepMedia { step, why }
}

fn piece(number: u32, from: At, missing: Span) -> Input {
    let evidence = evidence(&format!("local-{number:04}.webm"));
    Input::Media(MediaFact::Local { evidence, from, span: Span::secs(10), missing })
}

fn keep(pieces: u16) -> Command {
    Command::KeepLocal { pieces }
}

#[test]
fn going_down_the_ladder_is_an_event_and_never_an_incident() {
    let mut exam = Exam::running();
    exam.command(t(10), step(MediaStep::Small, StepWhy::WeakLine));
    exam.command(t(20), step(MediaStep::Stills, StepWhy::AnswersFirst));
    exam.flow(t(20), false, true);
    assert_eq!(exam.session.media_step(), MediaStep::Stills);
    exam.run_to(t(300));
    assert!(exam.session.state().incidents.is_empty());
    assert_eq!(exam.session.unsupervised(t(300)), Span::secs(280), "stills are no video");
    exam.answer(t(300), 0, &[0]);
    exam.command(t(301), step(MediaStep::Small, StepWhy::Recovered));
    let steps: Vec<_> = exam.session.state().media_steps.iter().map(|one| (one.at, one.step)).collect();
    assert_eq!(steps, [(t(10), MediaStep::Small), (t(20), MediaStep::Stills), (t(301), MediaStep::Small)]);
    assert_eq!(exam.replayed().state(), exam.session.state());
}

#[test]
fn the_ladder_belongs_to_the_running_exam() {
    let mut exam = Exam::ready(synaq_core::proctoring::RuleTable::default());
    let down = || step(MediaStep::Small, StepWhy::WeakLine);
    assert_eq!(exam.command_refused(t(-100), down()), Refusal::WrongStage);
    let mut exam = Exam::running();
    exam.command(t(5), Command::HandIn);
    assert_eq!(exam.command_refused(t(6), down()), Refusal::ExamEnded);
}

#[test]
fn the_record_waits_for_what_the_device_kept_and_takes_it_late() {
    let mut exam = Exam::running();
    exam.command(t(30), keep(1));
    exam.command(t(40), keep(2));
    exam.command(t(41), Command::HandIn);
    assert_eq!(exam.session.seal_waits(t(41)), Some(SealWaits::Evidence(t(41) + EVIDENCE_WAIT)));
    exam.accept(t(42), piece(1, t(23), Span::secs(3)));
    exam.accept(t(42), piece(1, t(23), Span::secs(3)));
    exam.accept(t(43), piece(2, t(33), Span::ZERO));
    assert_eq!(exam.session.seal_waits(t(43)), None);
    let gaps: Vec<_> = exam.session.state().evidence_gaps.iter().map(|(_, span, _)| *span).collect();
    assert_eq!(gaps, [Span::secs(3)], "what was recorded nowhere is stated once");
    let names: Vec<_> = exam.session.state().evidence.iter().map(|held| held.name.as_str()).collect();
    assert!(names.ends_with(&["local-0001.webm", "local-0002.webm"]), "{names:?}");
    assert_eq!(exam.session.state().local_pieces, 2);
}

#[test]
fn what_the_device_lost_or_did_not_bring_in_time_is_named_as_missing() {
    let mut exam = Exam::running();
    exam.command(t(30), keep(3));
    exam.command(t(40), keep(1));
    let named = |exam: &Exam| {
        exam.session.state().evidence_gaps.iter().map(|(_, _, why)| why.clone()).collect::<Vec<_>>()
    };
    let lost = |number| format!("local-000{number}.webm was lost on the candidate's device");
    assert_eq!(named(&exam), [lost(2), lost(3)]);
    exam.command(t(41), Command::HandIn);
    let until = t(41) + EVIDENCE_WAIT;
    exam.run_to(until);
    assert_eq!(exam.session.seal_waits(until), None);
    assert_eq!(named(&exam)[2], "local-0001.webm was not finished in time");
}

#[test]
fn a_piece_says_nothing_of_a_time_that_was_not() {
    let mut exam = Exam::running();
    for (from, missing) in [(t(21), Span::ZERO), (t(5), Span(-1)), (t(5), Span::secs(21))] {
        assert_eq!(exam.refuse(t(20), piece(1, from, missing)), Refusal::OutOfLimits);
    }
    for span in [Span::ZERO, LOCAL_SPAN_MAX + Span(1)] {
        let evidence = evidence("local-0001.webm");
        let long = MediaFact::Local { evidence, from: t(1), span, missing: Span::ZERO };
        assert_eq!(exam.refuse(t(20), Input::Media(long)), Refusal::OutOfLimits);
    }
    let webcam = evidence("webcam-0009.webm");
    let foreign = MediaFact::Local { evidence: webcam, from: t(1), span: Span(1), missing: Span::ZERO };
    assert_eq!(exam.refuse(t(20), Input::Media(foreign)), Refusal::OutOfLimits, "the recorder's own names");
    let too_many = u16::try_from(LOCAL_PIECES_MAX + 1).unwrap();
    assert_eq!(exam.command_refused(t(20), keep(too_many)), Refusal::OutOfLimits);
}

#[test]
fn an_older_log_has_no_steps_and_a_newer_one_reads_its_own() {
    let fact = Fact::MediaStepped { step: MediaStep::Stills, why: StepWhy::NoPath };
    let text = serde_json::to_string(&fact).unwrap();
    assert_eq!(text, r#"{"type":"media_stepped","step":"stills","why":"no_path"}"#);
    assert_eq!(serde_json::from_str::<Fact>(&text).unwrap(), fact);
    assert_eq!(Exam::running().session.media_step(), MediaStep::Full);
}
