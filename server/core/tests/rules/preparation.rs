use crate::support::{
    DEVICE, Exam, PREPARED, TAB, bank, context, creation, evidence, plan, socket, t, working_device,
};
use synaq_core::bank::{Lang, PlanError};
use synaq_core::form::{Seed, draw, seed};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{
    AcknowledgedText, Command, DeviceReport, Event, ExamSession, Fact, Input, MessageFrom, PhotoKind,
    PhotosSeen, Refusal, StaffCommand, Stage,
};
use synaq_core::time::Span;

const READY: Command = Command::Ready { nonce: Seed([9; 32]) };
const BEGIN: Command = Command::Begin;

#[test]
fn a_threshold_below_the_law_is_refused() {
    let mut low = plan(&[1]);
    low.threshold_pct = 69;
    assert_eq!(low.check(&bank(1, 3)), Err(PlanError::ThresholdBelowLaw(69)));
    let mut rules = (*context(RuleTable::default())).clone();
    rules.programme.plan = low;
    let session = ExamSession::new(std::sync::Arc::new(rules));
    let decision = session.decide(PREPARED, Input::Create(Box::new(creation())));
    assert!(decision.events.is_empty());
}

#[test]
fn a_session_is_created_once() {
    let mut exam = Exam::created(RuleTable::default());
    assert_eq!(exam.refuse(PREPARED, Input::Create(Box::new(creation()))), Refusal::WrongStage);
    assert_eq!(exam.session.remaining(PREPARED), Span::mins(60));
}

#[test]
fn the_steps_have_an_order() {
    let mut exam = Exam::attached();
    let consent = Command::Consent { text_version: "1".to_owned(), lang: Lang::Ru };
    let check = Command::CheckDevice(working_device());
    let face = Input::Photo { kind: PhotoKind::Face, evidence: evidence("face-1") };
    let document = Input::Photo { kind: PhotoKind::Document, evidence: evidence("document-1") };
    let read = |text| Command::Acknowledge { text, text_version: "1".to_owned(), lang: Lang::Ru };
    let missing = Refusal::StepMissing;
    assert_eq!(exam.command_refused(t(-400), consent.clone()), missing);
    exam.command(t(-399), Command::ChooseLanguage(Lang::Ru));
    assert_eq!(exam.command_refused(t(-398), check.clone()), missing);
    exam.command(t(-397), consent);
    assert_eq!(exam.refuse(t(-396), face.clone()), missing);
    exam.command(t(-395), check);
    exam.accept(t(-394), face.clone());
    assert_eq!(exam.command_refused(t(-393), Command::SubmitIdentity), missing);
    exam.accept(t(-392), document.clone());
    assert_eq!(exam.staff_refused(t(-391), StaffCommand::Admit { seen: None }), Refusal::NothingWaits);
    exam.command(t(-390), Command::SubmitIdentity);
    assert_eq!(exam.refuse(t(-389), face.clone()), Refusal::WrongStage, "the proctor is looking at it");
    exam.staff(t(-388), StaffCommand::AskAgain { reason: "too dark".to_owned() });
    assert_eq!(exam.command_refused(t(-387), Command::SubmitIdentity), missing, "both photos again");
    exam.accept(t(-386), face);
    exam.accept(t(-385), document);
    exam.command(t(-384), Command::SubmitIdentity);
    assert_eq!(exam.command_refused(t(-383), read(AcknowledgedText::Conduct)), missing);
    exam.staff(t(-382), StaffCommand::Admit { seen: None });
    exam.flow(t(-381), true, true);
    for text in AcknowledgedText::ALL {
        assert_eq!(exam.command_refused(t(-380), READY), missing);
        exam.command(t(-379), read(text));
    }
    assert_eq!(exam.command_refused(t(-379), BEGIN), missing, "no paper to begin");
    exam.command(t(-378), READY);
    exam.command(t(-378), BEGIN);
    assert!(matches!(exam.session.state().stage, Stage::Running { .. }));
    assert_eq!(exam.session.state().evidence.len(), 4, "all four photos are evidence");
    assert_eq!(exam.command_refused(t(-377), Command::ChooseLanguage(Lang::Kk)), Refusal::WrongStage);
}

#[test]
fn photos_that_came_after_the_proctor_looked_are_not_admitted() {
    let mut exam = Exam::attached();
    let photo = |kind, digit: &str| {
        let photo = synaq_core::session::EvidenceRef { sha256: digit.repeat(64), ..evidence("photo") };
        Input::Photo { kind, evidence: photo }
    };
    let admit = |face: &str, document: &str| {
        let seen = PhotosSeen { face: Some(face.repeat(64)), document: Some(document.repeat(64)) };
        StaffCommand::Admit { seen: Some(seen) }
    };
    exam.command(t(-400), Command::ChooseLanguage(Lang::Kk));
    exam.command(t(-400), Command::Consent { text_version: "1".to_owned(), lang: Lang::Kk });
    exam.command(t(-400), Command::CheckDevice(working_device()));
    exam.accept(t(-399), photo(PhotoKind::Face, "1"));
    exam.accept(t(-399), photo(PhotoKind::Document, "2"));
    exam.command(t(-398), Command::SubmitIdentity);
    exam.staff(t(-397), StaffCommand::AskAgain { reason: "too dark".to_owned() });
    exam.accept(t(-396), photo(PhotoKind::Face, "3"));
    exam.accept(t(-396), photo(PhotoKind::Document, "2"));
    exam.command(t(-395), Command::SubmitIdentity);
    assert_eq!(exam.staff_refused(t(-394), admit("1", "2")), Refusal::PhotosChanged);
    let half = PhotosSeen { face: Some("3".repeat(64)), document: None };
    assert_eq!(exam.staff_refused(t(-394), StaffCommand::Admit { seen: Some(half) }), Refusal::PhotosChanged);
    exam.staff(t(-393), admit("3", "2"));
    assert!(exam.session.state().admitted.is_some());
}

#[test]
fn a_device_that_does_not_work_goes_no_further() {
    let mut exam = Exam::attached();
    exam.command(t(-400), Command::ChooseLanguage(Lang::Kk));
    exam.command(t(-400), Command::Consent { text_version: "1".to_owned(), lang: Lang::Kk });
    let silent = DeviceReport { microphone: false, ..working_device() };
    exam.command(t(-400), Command::CheckDevice(silent));
    let face = Input::Photo { kind: PhotoKind::Face, evidence: evidence("face-1") };
    assert_eq!(exam.refuse(t(-399), face), Refusal::StepMissing);
}

#[test]
fn camera_and_microphone_must_reach_the_server_to_start() {
    let mut exam = Exam::ready(RuleTable::default());
    for (video, audio) in [(false, true), (true, false)] {
        exam.flow(t(-10), video, audio);
        assert_eq!(exam.command_refused(t(-9), BEGIN), Refusal::MediaMissing);
    }
    exam.flow(t(-8), true, true);
    exam.command(t(-7), BEGIN);
}

#[test]
fn the_paper_is_drawn_once_before_the_start_and_survives_a_reload() {
    let mut exam = Exam::ready(RuleTable::default());
    let form = exam.session.state().form.clone();
    assert!(form.is_some() && exam.session.state().stage == Stage::Preparing);
    let other = Command::Ready { nonce: Seed([10; 32]) };
    assert_eq!(exam.command_refused(t(-20), other), Refusal::WrongStage, "no choice between papers");
    exam.disconnect(t(-19), 0);
    exam.input(t(-18), Input::Attach { device: DEVICE, tab: TAB, socket: socket(1) });
    assert_eq!(exam.session.state().form, form);
    let began = exam.command(t(-17), BEGIN);
    assert!(matches!(began.events[..], [Event { fact: Fact::Started { .. }, .. }]), "{began:?}");
    assert_eq!(exam.session.state().form, form);
    assert_eq!(exam.command_refused(t(-16), READY), Refusal::WrongStage);
}

/// Streams of releases that drew and started in one command.
#[test]
fn a_log_in_which_one_command_drew_and_started_replays() {
    let mut exam = Exam::running();
    let drawn = exam.log.iter().position(|event| matches!(event.fact, Fact::FormDrawn { .. })).unwrap();
    let drawing = exam.log.remove(drawn);
    let started = exam.log.iter_mut().find(|event| matches!(event.fact, Fact::Started { .. })).unwrap();
    let together = Event { at: started.at, client: started.client, ..drawing };
    let at = exam.log.iter().position(|event| matches!(event.fact, Fact::Started { .. })).unwrap();
    exam.log.insert(at, together);
    let mut replayed = ExamSession::new(exam.session.context().clone());
    exam.log.iter().for_each(|event| replayed.apply(event));
    assert_eq!(replayed.state().form, exam.session.state().form);
    assert_eq!(replayed.state().stage, exam.session.state().stage);
}

#[test]
fn the_paper_can_be_drawn_before_the_sitting_opens_and_not_after_it() {
    let mut exam = Exam::ready(RuleTable::default());
    exam.session = ExamSession::new(context(RuleTable::default()));
    let late_opening = synaq_core::session::Creation { opens_at: t(100), ..creation() };
    let created = exam.session.decide(PREPARED, Input::Create(Box::new(late_opening)));
    let log = std::mem::take(&mut exam.log).into_iter().skip(1);
    let before_the_draw = log.filter(|event| !matches!(event.fact, Fact::FormDrawn { .. }));
    for event in created.events.into_iter().chain(before_the_draw) {
        exam.session.apply(&event);
        exam.log.push(event);
    }
    let mut late = exam.clone();
    exam.command(t(99), READY);
    assert_eq!(exam.command_refused(t(99), BEGIN), Refusal::NotOpenYet);
    let after = creation().closes_at + Span(1);
    assert_eq!(late.command_refused(after, READY), Refusal::LinkExpired);
}

#[test]
fn the_exam_starts_only_while_the_sitting_is_open() {
    let mut early = Exam::ready(RuleTable::default());
    // Ready is reached inside the window, so this one is created to open later.
    early.session = ExamSession::new(context(RuleTable::default()));
    let late_opening = synaq_core::session::Creation { opens_at: t(100), ..creation() };
    let created = early.session.decide(PREPARED, Input::Create(Box::new(late_opening)));
    let log = std::mem::take(&mut early.log);
    for event in created.events.into_iter().chain(log.into_iter().skip(1)) {
        early.session.apply(&event);
        early.log.push(event);
    }
    assert_eq!(early.command_refused(t(99), BEGIN), Refusal::NotOpenYet);
    early.command(t(100), BEGIN);

    let mut late = Exam::ready(RuleTable::default());
    let after = creation().closes_at + Span(1);
    assert_eq!(late.command_refused(after, BEGIN), Refusal::LinkExpired);
}

#[test]
fn the_form_is_drawn_from_both_halves_of_the_seed() {
    let exam = Exam::running();
    let context = exam.session.context();
    let both = seed(&[7; 32], &[9; 32]);
    let form =
        draw(&context.bank, &context.programme.plan, &std::collections::BTreeSet::new(), both).unwrap();
    assert_eq!(*exam.session.state().form.clone().unwrap(), form);
}

#[test]
fn english_readers_sit_the_russian_paper_where_it_is_offered() {
    let mut exam = Exam::attached();
    exam.command(t(-400), Command::ChooseLanguage(Lang::En));
    let mut kazakh = (*context(RuleTable::default())).clone();
    kazakh.programme.plan.languages = vec![Lang::Kk];
    exam.session = ExamSession::new(std::sync::Arc::new(kazakh));
    let log = exam.log.clone();
    log.iter().for_each(|event| exam.session.apply(event));
    for lang in [Lang::En, Lang::Ru] {
        assert_eq!(exam.command_refused(t(-399), Command::ChooseLanguage(lang)), Refusal::LanguageNotOffered);
    }
}

#[test]
fn the_proctor_can_be_called_at_every_step() {
    let mut exam = Exam::attached();
    exam.command(t(-400), Command::CallProctor);
    exam.command(t(-399), Command::Say("I cannot see my camera".to_owned()));
    assert!(exam.session.state().help_asked_at.is_some());
    exam.staff(t(-390), StaffCommand::Say("Please allow it again".to_owned()));
    assert_eq!(exam.session.state().help_asked_at, None);
    assert_eq!(exam.session.state().messages.len(), 2);
    assert_eq!(exam.session.state().messages[0].from, MessageFrom::Candidate);

    let mut closed = Exam::running();
    closed.command(t(10), Command::HandIn);
    closed.command(t(11), Command::CallProctor);
    assert!(matches!(closed.log.last().unwrap().fact, Fact::HelpAsked));
}

#[test]
fn texts_have_limits() {
    let mut exam = Exam::attached();
    for text in [String::new(), "  ".to_owned(), "ә".repeat(2_001)] {
        assert_eq!(exam.command_refused(t(-400), Command::Say(text)), Refusal::OutOfLimits);
    }
    exam.command(t(-399), Command::Say("ә".repeat(2_000)));
    let bad = synaq_core::session::EvidenceRef { sha256: "xyz".to_owned(), ..evidence("face-1") };
    let stored = Input::Media(synaq_core::session::MediaFact::Stored(bad));
    assert_eq!(exam.refuse(t(-398), stored), Refusal::OutOfLimits);
}
