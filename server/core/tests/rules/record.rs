use crate::support::{Exam, PROCTOR, switched_off, t, text};
use sha2::{Digest, Sha256};
use synaq_core::decision::{CandidateDocument, CentreContacts, EventLogFacts, RecordFacts, fold};
use synaq_core::ids::{IncidentNo, SessionId, hex32};
use synaq_core::proctoring::{Code, DetectorEvent, Measured, SignalPhase, Source};
use synaq_core::session::{Command, Event, Fact, Input, Refusal, SealWaits, StaffCommand, StaffEndReason};
use synaq_core::time::{At, Span};
use uuid::Uuid;

fn facts(at: At) -> RecordFacts {
    RecordFacts {
        session: SessionId(Uuid::from_u128(0x5E)),
        assembled_at: at,
        centre_name: text("Centre"),
        centre_bin: "061211600012".to_owned(),
        centre_contacts: None,
        candidate_name: "Әлия Сәрсенова".to_owned(),
        candidate_document: CandidateDocument::Iin { iin: "900101300811".to_owned() },
        question_commitments: (0..10_u8).map(|n| hex32::encode(&[n; 32])).collect(),
        staff: Vec::new(),
        event_log: EventLogFacts { count: 1, head: "aa".repeat(32), root: "bb".repeat(32) },
    }
}

fn record(exam: &Exam, at: At) -> serde_json::Value {
    serde_json::to_value(fold(&exam.session, &facts(at)).unwrap()).unwrap()
}

#[test]
fn a_passed_stage_is_never_a_passed_procedure() {
    let mut exam = Exam::running();
    (0..8).for_each(|question| exam.answer_right(t(10), question));
    exam.command(t(20), Command::HandIn);
    let record = record(&exam, t(30));
    assert_eq!(record["kind"], "theory-stage-record");
    assert_eq!(record["decision"], "none");
    assert_eq!(record["gates_not_checked"], serde_json::json!(["contract", "notice", "practice"]));
    let theory = &record["theory"];
    assert_eq!(
        (&theory["scored"], &theory["correct"], &theory["total"]),
        (&true.into(), &8.into(), &10.into())
    );
    assert_eq!((&theory["passed"], &theory["outcome"]), (&true.into(), &"passed".into()));
    assert_eq!(theory["finished_at"], t(20).to_string());
    assert_eq!(record["questions"].as_array().unwrap().len(), 10);
    assert_eq!(record["questions"][9]["answered"], serde_json::json!([]));
    assert!(record["questions"][9].get("at").is_none());
}

#[test]
fn what_a_centre_says_of_itself_stands_in_the_record_and_what_it_does_not_say_leaves_no_trace() {
    let mut exam = Exam::running();
    exam.command(t(20), Command::HandIn);
    let silent = record(&exam, t(30));
    assert!(silent["centre"].get("contacts").is_none(), "a record of a silent centre is as it always was");
    let contacts = CentreContacts { phone: "+7 727 000 00 00".to_owned(), ..CentreContacts::default() };
    let facts = RecordFacts { centre_contacts: Some(contacts), ..facts(t(30)) };
    let record = serde_json::to_value(fold(&exam.session, &facts).unwrap()).unwrap();
    assert_eq!(record["centre"]["contacts"], serde_json::json!({ "phone": "+7 727 000 00 00" }));
}

#[test]
fn exactly_seventy_per_cent_is_recorded_as_not_passed() {
    let mut exam = Exam::running();
    (0..7).for_each(|question| exam.answer_right(t(10), question));
    exam.command(t(20), Command::HandIn);
    let theory = record(&exam, t(30))["theory"].clone();
    assert_eq!((&theory["passed"], &theory["why"]), (&false.into(), &"below_threshold".into()));
}

#[test]
fn an_exam_ended_by_violation_is_not_scored() {
    let mut exam = Exam::warned(t(100));
    (0..10).for_each(|question| exam.answer_right(t(101), question));
    exam.acknowledge(t(102));
    exam.record(t(200), Code::SecondPerson, t(199), 1);
    let record = record(&exam, t(300));
    let theory = &record["theory"];
    assert_eq!((&theory["scored"], &theory["passed"]), (&false.into(), &false.into()));
    assert!(theory.get("correct").is_none());
    assert_eq!((&theory["outcome"], &theory["why"]), (&"not_passed".into(), &"violation".into()));
    let violations = record["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 2);
    assert_eq!(violations[1]["consequence"], "termination");
    assert_eq!(violations[0]["confirmed_by"], PROCTOR.to_string());
    assert_eq!(record["warnings"][0]["effective_at"], t(102).to_string());
}

#[test]
fn a_technical_end_has_no_result() {
    let mut exam = Exam::running();
    let note = "the camera broke".to_owned();
    exam.staff(t(50), StaffCommand::End { why: StaffEndReason::Technical, note: note.clone() });
    let theory = record(&exam, t(60))["theory"].clone();
    assert_eq!((&theory["outcome"], &theory["finish_reason"]), (&"no_result".into(), &"technical".into()));
    assert_eq!(theory["finish_note"], note);
    assert_eq!(theory["finished_by"], serde_json::json!([PROCTOR.to_string()]));
}

#[test]
fn the_record_waits_with_the_session() {
    let exam = Exam::running();
    assert_eq!(fold(&exam.session, &facts(t(10))).unwrap_err(), SealWaits::NotClosed);
}

#[test]
fn more_than_ten_minutes_without_a_picture_go_to_the_commission() {
    for (seconds, must) in [(600, false), (601, true)] {
        let mut exam = Exam::running();
        exam.flow(t(100), false, true);
        exam.flow(t(100 + seconds), true, true);
        exam.command(t(2_000), Command::HandIn);
        let supervision = record(&exam, t(2_001))["supervision"].clone();
        assert_eq!(supervision["unsupervised_ms"], seconds * 1_000);
        assert_eq!(supervision["commission_must_rule"], must);
    }
}

#[test]
fn anybody_can_check_the_draw_from_the_record() {
    let mut exam = Exam::running();
    exam.command(t(20), Command::HandIn);
    let draw = record(&exam, t(30))["draw"].clone();
    let bytes = |field: &str| hex32::decode(draw[field].as_str().unwrap()).unwrap();
    let digest: [u8; 32] = Sha256::digest(bytes("secret")).into();
    assert_eq!(bytes("commitment"), digest);
    let seed: [u8; 32] = Sha256::digest([bytes("secret"), bytes("nonce")].concat()).into();
    assert_eq!(bytes("seed"), seed);
}

#[test]
fn time_given_back_is_listed_with_its_reasons() {
    let mut exam = Exam::running();
    exam.staff(t(10), StaffCommand::Pause { reason: "alarm".to_owned() });
    exam.staff(t(40), StaffCommand::Resume);
    exam.staff(t(50), StaffCommand::Credit { span: Span::secs(20), reason: "camera".to_owned() });
    exam.accept(t(200), Input::Recover { down_from: t(100) });
    exam.command(t(300), Command::HandIn);
    let record = record(&exam, t(301));
    assert_eq!(record["theory"]["credited_ms"], 30_000 + 20_000 + 100_000);
    assert_eq!(record["time_changes"][0]["ms"], 30_000);
    assert_eq!(record["time_changes"][1]["reason"], "camera");
    assert_eq!(record["downtimes"][0]["from"], t(100).to_string());
}

/// Integers and strings only: no fractions and no nulls reach the canonical bytes.
#[test]
fn the_record_keeps_to_the_strict_profile() {
    fn check(value: &serde_json::Value) {
        match value {
            serde_json::Value::Null => panic!("a null"),
            serde_json::Value::Number(number) => {
                let number = number.as_i64().expect("an integer");
                assert!(number.abs() <= 9_007_199_254_740_991);
            }
            serde_json::Value::Array(list) => list.iter().for_each(check),
            serde_json::Value::Object(fields) => fields.values().for_each(check),
            serde_json::Value::Bool(_) | serde_json::Value::String(_) => {}
        }
    }
    let mut exam = Exam::warned(t(100));
    exam.command(t(200), Command::HandIn);
    check(&record(&exam, t(300)));
}

#[test]
fn the_recorded_plan_and_draw_rebuild_the_paper() {
    let plan = synaq_core::bank::Plan {
        minutes: 30,
        threshold_pct: 75,
        languages: vec![synaq_core::bank::Lang::Kk],
        blueprint: vec![(synaq_core::ids::TopicId("t".to_owned()), 3)],
        shuffle_questions: true,
        shuffle_options: false,
    };
    let entry = synaq_core::decision::PlanEntry::of(&plan);
    let back = synaq_core::bank::Plan { languages: plan.languages.clone(), ..entry.plan() };
    assert_eq!(back, plan);
}

fn found(at: At, picture_sha256: &str) -> DetectorEvent {
    DetectorEvent {
        code: Code::NoFace,
        phase: SignalPhase::Begin,
        source: Source::Model,
        confidence_pct: 72,
        at,
        note: None,
        measured: Some(Measured {
            detector: "rustface".to_owned(),
            version: "0.1.7".to_owned(),
            condition: "no_face".to_owned(),
            score_milli: 1_400,
            threshold_milli: 2_500,
            picture: Some(6),
            picture_at: Some(at),
            picture_sha256: Some(picture_sha256.to_owned()),
            shown: Some(3),
            could_not_tell: Some(1),
        }),
    }
}

#[test]
fn a_confirmed_claim_of_a_machine_is_in_the_record_with_what_it_rests_on_and_what_it_does_not_mean() {
    let mut exam = Exam::running();
    let digest = "ab".repeat(32);
    exam.accept(t(30), Input::Detect(found(t(20), &digest)));
    let confirm =
        StaffCommand::Confirm { incident: IncidentNo(1), began_at: t(20), warnings_seen: 0, note: None };
    exam.staff(t(40), confirm);
    exam.command(t(60), Command::HandIn);
    let finding = record(&exam, t(70))["violations"][0]["finding"].clone();
    assert_eq!(
        (&finding["detector"], &finding["confidence_pct"], &finding["could_not_tell"]),
        (&"rustface".into(), &72.into(), &1.into())
    );
    assert_eq!(finding["picture_sha256"], digest);
    assert_eq!(finding["picture_at"], t(20).to_string());
    for lang in ["kk", "ru", "en"] {
        assert!(finding["explanation"]["not_meant"][lang].is_string(), "{lang}");
    }
    // What people report explains itself, and its entry stays as it was.
    let mut exam = Exam::warned(t(100));
    exam.command(t(200), Command::HandIn);
    assert!(record(&exam, t(210))["violations"][0].get("finding").is_none());
}

#[test]
fn a_digest_that_is_none_is_refused() {
    let mut exam = Exam::running();
    assert_eq!(exam.refuse(t(30), Input::Detect(found(t(20), "ab"))), Refusal::OutOfLimits);
}

#[test]
fn events_written_before_findings_are_read_and_written_as_they_were() {
    let exam = Exam::warned(t(100));
    for event in &exam.log {
        if !matches!(event.fact, Fact::IncidentOpened { .. } | Fact::SessionCreated { .. }) {
            continue;
        }
        let body = serde_json::to_string(event).unwrap();
        assert!(!body.contains("finding") && !body.contains("switched_off"), "{body}");
        assert_eq!(&serde_json::from_str::<Event>(&body).unwrap(), event);
    }
}

#[test]
fn what_an_accommodation_switches_off_stands_in_the_log() {
    let exam = Exam::running_with(switched_off(Code::SoundHeard));
    let created = exam.log.iter().find_map(|event| match &event.fact {
        Fact::SessionCreated { switched_off, .. } => Some(switched_off.clone()),
        _ => None,
    });
    assert_eq!(created, Some([Code::SoundHeard].into()));
}
