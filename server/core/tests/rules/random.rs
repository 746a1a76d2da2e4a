//! Random sequences of valid and invalid inputs: what must hold whatever happens.

use crate::support::{
    DEVICE, Exam, OTHER_DEVICE, OTHER_TAB, PROCTOR, SECOND_PROCTOR, START, TAB, evidence, socket,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use synaq_core::form::Seed;
use synaq_core::ids::{Epoch, IncidentNo};
use synaq_core::proctoring::{Code, DetectorEvent, RuleTable, SignalPhase, Source};
use synaq_core::session::{
    ClientRef, Command, Consequence, Decision, Effect, Event, Fact, Input, MediaFact, StaffCommand,
    StaffEndReason, Stage,
};
use synaq_core::time::{At, Span};

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        4 => Just(Code::WindowBlur),
        2 => Just(Code::FullscreenExit),
        3 => Just(Code::CameraOff),
        2 => Just(Code::SecondPerson),
        2 => Just(Code::NoFace),
        2 => proptest::sample::select(Code::ALL),
    ]
}

fn phase() -> impl Strategy<Value = SignalPhase> {
    proptest::sample::select(vec![
        SignalPhase::Begin,
        SignalPhase::Begin,
        SignalPhase::Seen,
        SignalPhase::RestoreFailed,
        SignalPhase::End,
    ])
}

fn command() -> impl Strategy<Value = Command> {
    let ago = prop_oneof![3 => Just(0_i64), 2 => 0..120_000_i64, 1 => any::<i64>()];
    prop_oneof![
        6 => (0..11_u16, proptest::collection::btree_set(0..5_u8, 0..3))
            .prop_map(|(question, shown)| Command::Answer { question, shown }),
        6 => (code(), phase(), ago)
            .prop_map(|(code, phase, ago)| Command::Signal { code, phase, ago: Span(ago), note: None }),
        2 => (0..3_u32).prop_map(|ordinal| Command::WarningDisplayed { ordinal }),
        3 => (0..3_u32).prop_map(|ordinal| Command::AcknowledgeWarning { ordinal }),
        2 => any::<bool>().prop_map(|open| Command::Prompt { open }),
        1 => (0..11_u16, any::<bool>()).prop_map(|(question, on)| Command::Flag { question, on }),
        1 => Just(Command::CallProctor),
        1 => Just(Command::Ready { nonce: Seed([3; 32]) }),
        1 => Just(Command::Begin),
        1 => Just(Command::Drained),
        1 => Just(Command::SubmitIdentity),
    ]
}

fn staff() -> impl Strategy<Value = StaffCommand> {
    let span = prop_oneof![0..600_000_i64, any::<i64>()].prop_map(Span);
    let reason = || "reason".to_owned();
    let why = proptest::sample::select(vec![StaffEndReason::Safety, StaffEndReason::Impersonation]);
    prop_oneof![
        4 => (0..6_u32, 0..400_000_i64, 0..2_u32).prop_map(|(no, began, warnings_seen)| {
            let began_at = START + Span(began);
            StaffCommand::Confirm { incident: IncidentNo(no), began_at, warnings_seen, note: None }
        }),
        3 => (code(), 0..400_000_i64, 0..2_u32).prop_map(|(code, began, warnings_seen)| {
            StaffCommand::Record { code, began_at: START + Span(began), warnings_seen, note: None }
        }),
        2 => (0..6_u32).prop_map(|no| StaffCommand::Dismiss { incident: IncidentNo(no), note: None }),
        2 => Just(StaffCommand::Pause { reason: reason() }),
        3 => Just(StaffCommand::Resume),
        1 => span.clone().prop_map(move |span| StaffCommand::Credit { span, reason: reason() }),
        1 => span.prop_map(move |span| StaffCommand::Extend { span, reason: reason() }),
        1 => why.prop_map(move |why| StaffCommand::End { why, note: reason() }),
        2 => Just(StaffCommand::AdmitDevice { waiting: None }),
        1 => Just(StaffCommand::WithdrawEnd),
        1 => Just(StaffCommand::Admit { seen: None }),
    ]
}

/// A step: how much later, and what.
#[derive(Clone, Debug)]
enum Step {
    Candidate { stale: bool, seq: u64, command: Command },
    Input(Input),
    Crash { lost: i64 },
    Stood { lost: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let detect = (code(), phase(), 0..=101_u8).prop_map(|(code, phase, confidence_pct)| {
        let at = START;
        Input::Detect(DetectorEvent {
            code,
            phase,
            source: Source::Model,
            confidence_pct,
            at,
            note: None,
            measured: None,
        })
    });
    let attach = (any::<bool>(), any::<bool>(), 0..6_u128).prop_map(|(device, tab, n)| Input::Attach {
        device: if device { DEVICE } else { OTHER_DEVICE },
        tab: if tab { TAB } else { OTHER_TAB },
        socket: socket(n),
    });
    let staff = (any::<bool>(), staff()).prop_map(|(first, command)| Input::Staff {
        by: if first { PROCTOR } else { SECOND_PROCTOR },
        command,
    });
    prop_oneof![
        20 => (proptest::bool::weighted(0.1), 1..400_u64, command())
            .prop_map(|(stale, seq, command)| Step::Candidate { stale, seq, command }),
        8 => staff.prop_map(Step::Input),
        5 => detect.prop_map(Step::Input),
        4 => attach.prop_map(Step::Input),
        4 => (0..6_u128).prop_map(|n| Step::Input(Input::Detach { socket: socket(n), reason: "lost".to_owned() })),
        3 => (any::<bool>(), any::<bool>())
            .prop_map(|(video, audio)| Step::Input(Input::Media(MediaFact::Flow { video, audio }))),
        3 => media().prop_map(|fact| Step::Input(Input::Media(fact))),
        6 => Just(Step::Input(Input::Tick)),
        1 => Just(Step::Input(Input::Sealed { sha256: "ab".repeat(32), kid: "k".to_owned() })),
        2 => (0..100_000_i64).prop_map(|lost| Step::Crash { lost }),
        2 => (3_000..100_000_i64).prop_map(|lost| Step::Stood { lost }),
        1 => Just(Step::Candidate { stale: false, seq: 1_000, command: Command::HandIn }),
    ]
}

fn media() -> impl Strategy<Value = MediaFact> {
    let gap = |name: Option<&str>| MediaFact::Gap {
        span: Span::ZERO,
        why: "lost".to_owned(),
        name: name.map(str::to_owned),
    };
    prop_oneof![
        any::<bool>().prop_map(MediaFact::Recording),
        (0..3).prop_map(|n| MediaFact::Opened { name: format!("clip-{n}") }),
        (0..3).prop_map(|n| MediaFact::Stored(evidence(&format!("clip-{n}")))),
        (0..3).prop_map(move |n| gap(Some(&format!("clip-{n}")))),
        Just(gap(None)),
    ]
}

fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..3_000_i64, 4 => 3_000..20_000_i64, 1 => 20_000..200_000_i64, 1 => -5_000..0_i64]
}

fn check_decision(exam: &Exam, before: &Stage, decision: &Decision) {
    if matches!(before, Stage::Closed { .. }) {
        let put = |event: &Event| matches!(event.fact, Fact::AnswerPut { .. } | Fact::Closed { .. });
        assert!(!decision.events.iter().any(put), "nothing is scored after the end");
    }
    let refused = decision.effects.iter().any(|effect| matches!(effect, Effect::Refused(_)));
    let acted = decision
        .events
        .iter()
        .any(|event| event.client.is_some() && !matches!(event.fact, Fact::AnswerSuperseded { .. }));
    assert!(!(refused && acted), "a refusal changes nothing");
    assert!(exam.session.unsupervised(exam.log.last().expect("created").at) >= Span::ZERO);
}

fn check_log(exam: &Exam) {
    let closed = exam.log.iter().filter(|event| matches!(event.fact, Fact::Closed { .. })).count();
    let is_closed = matches!(exam.session.state().stage, Stage::Closed { .. });
    assert_eq!(closed, usize::from(is_closed), "exactly one end");
    check_termination(&exam.log);
    check_answers(exam);
    check_budget(exam);
    let replayed = exam.replayed();
    assert_eq!(replayed.state(), exam.session.state(), "the log alone gives the state");
}

/// NB-20: an automatic end implies a warning that took effect before the second violation began.
fn check_termination(log: &[Event]) {
    let mut effective: Option<At> = None;
    let mut confirmed = BTreeMap::new();
    let (mut warnings, mut terminations) = (0, 0);
    for event in log {
        match &event.fact {
            Fact::WarningEffective { effective_at, .. } => effective = Some(*effective_at),
            Fact::IncidentConfirmed { no, began_at, .. } => {
                assert!(confirmed.insert(*no, *began_at).is_none(), "confirmed twice");
            }
            Fact::ViolationCounted { consequence: Consequence::Warning, .. } => warnings += 1,
            Fact::ViolationCounted { consequence: Consequence::Termination, incident, .. } => {
                terminations += 1;
                assert!(confirmed[incident] >= effective.expect("warned and known"));
            }
            _ => {}
        }
    }
    assert!(warnings <= 1 && terminations <= warnings);
}

fn check_answers(exam: &Exam) {
    let mut newest: BTreeMap<u16, ((Epoch, u64), BTreeSet<u8>)> = BTreeMap::new();
    for event in &exam.log {
        if let (Fact::AnswerPut { question, shown }, Some(client)) = (&event.fact, event.client) {
            let given = (client.epoch, client.client_seq);
            if newest.get(question).is_none_or(|(held, _)| *held < given) {
                newest.insert(*question, (given, shown.clone()));
            }
        }
    }
    let held: BTreeMap<u16, BTreeSet<u8>> = exam
        .session
        .state()
        .answers
        .iter()
        .map(|(question, answer)| (*question, answer.shown.clone()))
        .collect();
    let wanted: BTreeMap<u16, BTreeSet<u8>> =
        newest.into_iter().map(|(question, (_, shown))| (question, shown)).collect();
    assert_eq!(held, wanted, "the newest acknowledged answer is the one in force");
}

fn check_budget(exam: &Exam) {
    let state = exam.session.state();
    if let Stage::Running { deadline, .. } = state.stage {
        let started = state.started_at.expect("running");
        assert_eq!(deadline, started + state.planned + state.extra + state.credited);
    }
    if let Some((synaq_core::session::Finish::TimeExpired, at)) = exam.finish() {
        let started = state.started_at.expect("it ran");
        assert_eq!(at, started + state.planned + state.extra + state.credited, "not a millisecond less");
    }
}

fn run(mut exam: Exam, steps: Vec<(i64, Step)>) {
    let mut at = START;
    for (later, step) in steps {
        at = at + Span(later);
        let before = exam.session.state().stage.clone();
        let epoch = exam.session.state().binding.as_ref().map_or(Epoch(1), |binding| binding.epoch);
        let input = match step {
            Step::Candidate { stale, seq, command } => {
                let epoch = if stale { Epoch(epoch.0.saturating_sub(1).max(1)) } else { epoch };
                let client = ClientRef { epoch, client_seq: 100 + seq, client_at: at };
                Input::Candidate { client, command }
            }
            Step::Input(Input::Detect(event)) => Input::Detect(DetectorEvent { at, ..event }),
            Step::Input(input) => input,
            Step::Crash { lost } => {
                exam.session = exam.replayed();
                let down_from = at;
                at = at + Span(lost);
                Input::Recover { down_from }
            }
            Step::Stood { lost } => {
                let since = at;
                at = at + Span(lost);
                Input::StoodStill { since }
            }
        };
        let decision = exam.session.decide(at, input);
        for event in &decision.events {
            assert!(exam.log.last().is_none_or(|last| last.at <= event.at), "the log runs forward");
            exam.session.apply(event);
            exam.log.push(event.clone());
        }
        let due = exam.session.next_deadline();
        assert!(due.is_none_or(|due| due > at), "nothing is left due: {due:?} at {at:?}");
        check_decision(&exam, &before, &decision);
    }
    check_log(&exam);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_a_running_exam_the_rules_hold(
        steps in proptest::collection::vec((pause(), step()), 1..120),
    ) {
        run(Exam::running(), steps);
    }

    #[test]
    fn whatever_happens_before_the_start_the_rules_hold(
        steps in proptest::collection::vec((pause(), step()), 1..40),
    ) {
        run(Exam::attached(), steps.clone());
        run(Exam::ready(RuleTable::default()), steps);
    }

    /// A tick that comes late yields the same history as ticks that come in time.
    #[test]
    fn a_late_timer_changes_nothing_but_when_it_is_told(
        began in 1..200_000_i64,
        acknowledged in proptest::option::of(20_000..60_000_i64),
        restored in proptest::option::of(1..60_000_i64),
    ) {
        let history = |punctual: bool| {
            let mut exam = Exam::running();
            let go = |exam: &mut Exam, at: At| if punctual { exam.run_to(at) };
            let began_at = START + Span(began);
            go(&mut exam, began_at);
            exam.signal(began_at, Code::WindowBlur, SignalPhase::Begin);
            if let Some(after) = acknowledged {
                let at = began_at + Span(after);
                go(&mut exam, at);
                exam.acknowledge(at);
            }
            if let Some(after) = restored {
                let at = began_at + Span(60_000 + after);
                go(&mut exam, at);
                let client = exam.client(at);
                let (code, phase) = (Code::WindowBlur, SignalPhase::End);
                let command = Command::Signal { code, phase, ago: Span::ZERO, note: None };
                exam.input(at, Input::Candidate { client, command });
            }
            exam.run_to(START + Span::mins(10));
            exam.log
        };
        prop_assert_eq!(history(true), history(false));
    }
}
