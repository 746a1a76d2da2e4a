use crate::support::{Exam, START, t};
use synaq_core::proctoring::{Code, SignalPhase};
use synaq_core::session::{Command, Fact, Finish, Input, Refusal, StaffCommand};
use synaq_core::time::Span;

fn reason() -> String {
    "power cut at the centre".to_owned()
}

#[test]
fn a_pause_stops_the_clock_and_moves_the_deadline() {
    let mut exam = Exam::running();
    let version = exam.session.state().deadline_version;
    exam.staff(t(600), StaffCommand::Pause { reason: reason() });
    assert_eq!(exam.session.remaining(t(900)), Span::mins(50));
    assert_eq!(exam.staff_refused(t(901), StaffCommand::Pause { reason: reason() }), Refusal::WrongStage);
    exam.run_to(t(7_200));
    assert_eq!(exam.finish(), None, "a stopped clock does not expire");
    exam.staff(t(7_200), StaffCommand::Resume);
    assert_eq!(exam.deadline(), t(7_200 + 3_000));
    assert_eq!(exam.session.remaining(t(7_200)), Span::mins(50));
    assert!(exam.session.state().deadline_version > version);
    assert_eq!(exam.staff_refused(t(7_201), StaffCommand::Resume), Refusal::WrongStage);
}

#[test]
fn credits_and_extensions_move_the_deadline_within_limits() {
    let mut exam = Exam::running();
    exam.staff(t(10), StaffCommand::Credit { span: Span::mins(5), reason: reason() });
    exam.staff(t(11), StaffCommand::Extend { span: Span::mins(30), reason: reason() });
    assert_eq!(exam.deadline(), t(3_600 + 300 + 1_800));
    assert_eq!(exam.session.state().credited, Span::mins(5));
    assert_eq!(exam.session.state().extra, Span::mins(30));
    for span in [Span::ZERO, Span(-1), Span(999), Span::mins(121), Span(i64::MAX)] {
        let credit = StaffCommand::Credit { span, reason: reason() };
        assert_eq!(exam.staff_refused(t(12), credit), Refusal::OutOfLimits);
    }
    let silent = StaffCommand::Extend { span: Span::mins(1), reason: String::new() };
    assert_eq!(exam.staff_refused(t(12), silent), Refusal::OutOfLimits);
}

#[test]
fn all_time_given_by_hand_has_a_sum() {
    let mut exam = Exam::running();
    for _ in 0..4 {
        exam.staff(t(10), StaffCommand::Credit { span: Span::mins(120), reason: reason() });
    }
    let more = StaffCommand::Credit { span: Span::secs(1), reason: reason() };
    assert_eq!(exam.staff_refused(t(11), more), Refusal::OutOfLimits);
}

#[test]
fn an_accommodation_approved_late_can_still_be_added_before_the_start() {
    let mut exam = Exam::ready(synaq_core::proctoring::RuleTable::default());
    exam.staff(t(-60), StaffCommand::Extend { span: Span::mins(30), reason: reason() });
    exam.command(START, Command::Begin);
    assert_eq!(exam.deadline(), t(5_400));
}

#[test]
fn our_downtime_is_never_charged() {
    let mut exam = Exam::running();
    exam.answer(t(600), 0, &[1]);
    exam.accept(t(900), Input::Recover { down_from: t(601) });
    assert_eq!(exam.deadline(), t(3_600 + 299));
    assert_eq!(exam.session.remaining(t(900)), Span::secs(3_600 - 601));
    assert_eq!(exam.session.state().socket, None);
    assert_eq!(exam.session.state().interruptions, 0);
    assert_eq!(exam.session.unsupervised(t(900)), Span::ZERO);
    exam.reconnect(t(905), 1);
    exam.flow(t(910), true, true);
    assert_eq!(exam.deadline(), t(3_600 + 304), "the way back to us is ours too");
    assert_eq!(exam.session.unsupervised(t(1_000)), Span::secs(5));
}

#[test]
fn the_way_back_after_our_downtime_is_ours_and_no_longer_than_a_page_needs() {
    let back_after = |seconds: i64| {
        let mut exam = Exam::running();
        exam.accept(t(200), Input::Recover { down_from: t(100) });
        exam.reconnect(t(200 + seconds), 1);
        exam.session.state().credited
    };
    assert_eq!(back_after(14), Span::secs(114));
    assert_eq!(back_after(16), Span::secs(100));
}

#[test]
fn the_way_back_is_ours_once() {
    let mut exam = Exam::running();
    exam.accept(t(200), Input::Recover { down_from: t(100) });
    exam.reconnect(t(205), 1);
    exam.disconnect(t(206), 1);
    exam.reconnect(t(210), 2);
    assert_eq!(exam.session.state().credited, Span::secs(105));
}

#[test]
fn a_second_fall_before_the_page_is_back_leaves_nothing_out() {
    let mut exam = Exam::running();
    exam.accept(t(200), Input::Recover { down_from: t(100) });
    exam.accept(t(230), Input::Recover { down_from: t(210) });
    exam.reconnect(t(233), 1);
    assert_eq!(exam.session.state().credited, Span::secs(133));
}

#[test]
fn a_page_that_was_away_by_itself_is_not_waited_for() {
    let mut exam = Exam::running();
    exam.disconnect(t(50), 0);
    exam.accept(t(200), Input::Recover { down_from: t(100) });
    exam.reconnect(t(205), 1);
    assert_eq!(exam.session.state().credited, Span::secs(100));
}

#[test]
fn a_pause_in_which_the_page_comes_back_is_given_back_once() {
    let mut exam = Exam::running();
    exam.accept(t(200), Input::Recover { down_from: t(100) });
    exam.staff(t(204), StaffCommand::Pause { reason: reason() });
    exam.reconnect(t(206), 1);
    exam.staff(t(210), StaffCommand::Resume);
    assert_eq!(exam.session.state().credited, Span::secs(110));
}

#[test]
fn time_in_which_a_machine_stood_still_is_given_back_and_the_page_stays() {
    let mut exam = Exam::running();
    exam.answer(t(600), 0, &[1]);
    exam.accept(t(900), Input::StoodStill { since: t(602) });
    assert_eq!(exam.deadline(), t(3_600 + 298));
    assert!(exam.session.state().socket.is_some());
    exam.answer(t(901), 1, &[1]);
    exam.reconnect(t(905), 1);
    assert_eq!(exam.deadline(), t(3_600 + 298), "who answers was never away");
}

#[test]
fn a_deadline_that_passed_while_a_machine_stood_still_has_not_passed() {
    let mut exam = Exam::running();
    exam.accept(t(9_000), Input::StoodStill { since: t(3_590) });
    assert_eq!(exam.finish(), None);
    exam.answer(t(9_001), 0, &[1]);
    exam.run_to(t(9_010));
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, t(9_010))));
}

#[test]
fn a_stand_still_gives_a_stopped_clock_nothing() {
    let mut exam = Exam::running();
    exam.staff(t(600), StaffCommand::Pause { reason: reason() });
    exam.accept(t(900), Input::StoodStill { since: t(700) });
    assert!(exam.session.state().downtimes.is_empty());
}

#[test]
fn a_deadline_that_passed_while_we_were_down_has_not_passed() {
    let mut exam = Exam::running();
    exam.accept(t(9_000), Input::Recover { down_from: t(3_590) });
    assert_eq!(exam.finish(), None);
    assert_eq!(exam.session.remaining(t(9_000)), Span::secs(10));
    exam.run_to(t(9_014));
    assert_eq!(exam.finish(), None, "the page is waited for");
    exam.run_to(t(9_015));
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, t(9_015))));
}

#[test]
fn the_last_seconds_are_still_there_when_the_page_is_back() {
    let mut exam = Exam::running();
    exam.accept(t(9_000), Input::Recover { down_from: t(3_590) });
    exam.reconnect(t(9_012), 1);
    assert_eq!(exam.session.remaining(t(9_012)), Span::secs(10));
    exam.run_to(t(9_022));
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, t(9_022))));
}

#[test]
fn a_deadline_that_passed_before_we_went_down_has_passed() {
    let mut exam = Exam::running();
    exam.accept(t(9_000), Input::Recover { down_from: t(3_601) });
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, t(3_600))));
}

#[test]
fn a_time_mark_older_than_the_log_does_not_give_time_away() {
    let mut exam = Exam::running();
    exam.answer(t(600), 0, &[1]);
    exam.accept(t(610), Input::Recover { down_from: t(599) });
    assert_eq!(exam.session.state().credited, Span::secs(10));
}

#[test]
fn a_paused_session_gets_nothing_for_our_downtime() {
    let mut exam = Exam::running();
    exam.staff(t(600), StaffCommand::Pause { reason: reason() });
    exam.accept(t(900), Input::Recover { down_from: t(700) });
    assert!(exam.session.state().downtimes.is_empty());
    exam.staff(t(1_000), StaffCommand::Resume);
    assert_eq!(exam.deadline(), t(4_000), "the pause gives all of it back, once");
}

#[test]
fn what_the_browser_saw_while_we_were_down_is_not_held_against_the_candidate() {
    let mut exam = Exam::running();
    exam.accept(t(700), Input::Recover { down_from: t(600) });
    exam.reconnect(t(701), 1);
    exam.signal_ago(t(702), Code::WindowBlur, SignalPhase::Begin, Span::secs(80));
    exam.signal_ago(t(702), Code::WindowBlur, SignalPhase::End, Span::ZERO);
    exam.run_to(t(800));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn losing_the_picture_is_summed_and_never_ends_anything() {
    let mut exam = Exam::running();
    exam.flow(t(100), false, true);
    let decision =
        exam.input(t(110), Input::Media(synaq_core::session::MediaFact::Flow { video: false, audio: true }));
    assert!(decision.events.is_empty(), "only changes are written");
    exam.staff(t(160), StaffCommand::Pause { reason: reason() });
    exam.staff(t(460), StaffCommand::Resume);
    exam.flow(t(500), true, true);
    assert_eq!(exam.session.unsupervised(t(900)), Span::secs(100));
    exam.flow(t(1_000), false, false);
    exam.run_to(t(3_900));
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, t(3_900))));
    assert_eq!(exam.session.unsupervised(t(9_999)), Span::secs(3_000));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn a_clock_that_steps_back_does_not_reorder_the_log() {
    let mut exam = Exam::running();
    exam.answer(t(100), 0, &[1]);
    assert_eq!(exam.session.decide(t(99), Input::Tick).events, []);
    let decision = exam.session.decide(
        t(99),
        Input::Staff { by: crate::support::PROCTOR, command: StaffCommand::Pause { reason: reason() } },
    );
    assert_eq!(decision.events[0].at, t(100));
}

#[test]
fn a_clock_that_was_set_back_is_written_down_once() {
    let mut exam = Exam::running();
    exam.answer(t(100), 0, &[1]);
    let stepped = |exam: &Exam| {
        let steps = exam.log.iter().filter(|event| matches!(event.fact, Fact::ClockStepped { .. }));
        steps.map(|event| (event.at, event.fact.clone())).collect::<Vec<_>>()
    };
    exam.tick(t(98));
    assert_eq!(stepped(&exam), [], "two seconds are the time service's");
    exam.accept(t(40), Input::Recover { down_from: t(41) });
    exam.reconnect(t(45), 1);
    exam.answer(t(50), 1, &[1]);
    let once = [(t(100), Fact::ClockStepped { from: t(100), to: t(40) })];
    assert_eq!(stepped(&exam), once);
    exam.answer(t(200), 2, &[1]);
    exam.tick(t(150));
    assert_eq!(stepped(&exam).len(), 2, "another step is another fact");
}

#[test]
fn the_candidates_own_outage_runs_the_clock() {
    let mut exam = Exam::running();
    exam.disconnect(t(100), 0);
    exam.reconnect(t(700), 1);
    assert_eq!(exam.deadline(), t(3_600));
    assert_eq!(exam.session.state().interruptions, 1);
}

#[test]
fn a_picture_lost_before_our_downtime_is_summed_without_it() {
    let mut exam = Exam::running();
    exam.flow(t(100), false, true);
    exam.accept(t(500), Input::Recover { down_from: t(120) });
    exam.flow(t(510), true, true);
    assert_eq!(exam.session.unsupervised(t(600)), Span::secs(20 + 10));
}

#[test]
fn a_pause_that_the_end_cuts_short_is_given_back_too() {
    let mut exam = Exam::running();
    exam.staff(t(100), StaffCommand::Pause { reason: reason() });
    exam.command(t(160), Command::HandIn);
    assert_eq!(exam.session.state().credited, Span::secs(60));
    assert_eq!(exam.session.state().time_changes[0].span, Span::secs(60));
}

#[test]
fn our_going_down_ends_what_ran() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.accept(t(300), Input::Recover { down_from: t(15) });
    assert_eq!(exam.incident(1).ended_at, Some(t(15)));
    exam.run_to(t(400));
    assert_eq!(exam.consequences(), []);
}
