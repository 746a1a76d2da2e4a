//! What the centre changes after a sitting was made: times, size, names, accommodation, attempts.

use super::START;
use super::house::{House, SITTING, session, staff};
use super::seat::running;
use axum::http::StatusCode;
use serde_json::{Value, json};
use synaq_core::proctoring::Code as IncidentCode;
use synaq_core::session::{Input, StaffCommand, StaffEndReason};
use synaq_store::{Directory, Role};
use uuid::Uuid;

async fn post(house: &House, path: &str, body: &Value) -> (StatusCode, Value) {
    house.post_as(Role::Centre, path, "application/json", body.to_string().into()).await
}

fn sitting() -> String {
    format!("/api/v1/centre/sittings/{}", Uuid::from_u128(SITTING))
}

fn candidate(number: u128) -> String {
    format!("/api/v1/centre/candidates/{}", session(number))
}

fn nothing() -> Value {
    json!({ "extra_minutes": 0, "extra_pct": null, "switched_off": [], "breaks": false, "hearing_aid": false, "note": null })
}

async fn open_link(house: &House, number: u128) -> (StatusCode, Value) {
    house.post("/api/v1/candidate/open", &[], &json!({ "link": house.link(number) })).await
}

#[tokio::test]
async fn a_moved_sitting_reaches_whoever_prepares_and_the_second_editor_is_told() {
    let house = House::open().await;
    assert_eq!(open_link(&house, 0).await.0, StatusCode::OK);
    let (opens, closes) = (START.0 + 3_600_000, START.0 + 7_200_000);
    let change = |version: u32, reason: &str| {
        json!({ "version": version, "title": "Evening", "opens_at": opens, "closes_at": closes, "capacity": 6,
                "reason": reason })
    };
    let path = format!("{}/change", sitting());
    assert_eq!(post(&house, &path, &change(1, " ")).await.1["code"], "out_of_limits");
    let (status, told) = post(&house, &path, &change(1, "no power")).await;
    assert_eq!((status, &told["told"], &told["untold"]), (StatusCode::OK, &json!(1), &json!(0)), "{told}");
    let state = house.runtime.look(session(0)).await.unwrap();
    assert_eq!(state.session.state().closes_at.unwrap().0, closes);
    // Somebody whose link was never opened comes by the new times too.
    for number in [0, 1] {
        let (_, info) = open_link(&house, number).await;
        assert_eq!((&info["opens_at"], &info["closes_at"]), (&json!(opens), &json!(closes)));
    }
    let (status, problem) = post(&house, &path, &change(1, "late")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")));
    let (_, detail) = house.get_as(Role::Centre, &sitting()).await;
    assert_eq!((&detail["version"], &detail["capacity"]), (&json!(2), &json!(6)));
    let changes = detail["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["reason"] == "no power"), "{changes:?}");
    assert!(
        changes.iter().any(
            |change| change["field"] == "opens_at" && change["new"].as_str() == Some(&*opens.to_string())
        )
    );
}

#[tokio::test]
async fn a_cancelled_sitting_opens_for_nobody_and_takes_nobody() {
    let house = House::open().await;
    assert_eq!(open_link(&house, 0).await.0, StatusCode::OK);
    let cancel = json!({ "version": 1, "reason": "quarantine" });
    assert_eq!(post(&house, &format!("{}/cancel", sitting()), &cancel).await.1["told"], 1);
    for number in [0, 1] {
        let (status, problem) = open_link(&house, number).await;
        assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("called_off")));
    }
    let late = json!({ "name": "Late Comer", "identity": "123456789013", "email": null, "accommodation": nothing() });
    let (_, problem) = post(&house, &format!("{}/candidate", sitting()), &late).await;
    assert_eq!(problem["code"], "sitting_cancelled");
    let (_, list) = house.get_as(Role::Centre, "/api/v1/centre/sittings").await;
    assert_eq!(list["rows"][0]["cancelled"], true);
}

#[tokio::test]
async fn a_late_candidate_comes_once_and_a_full_sitting_takes_no_more() {
    let house = House::open().await;
    let path = format!("{}/candidate", sitting());
    let mut late = json!({ "name": "Late Comer", "identity": "123456789013", "email": "late@example.kz",
                           "accommodation": nothing() });
    late["accommodation"]["extra_pct"] = json!(50);
    late["accommodation"]["hearing_aid"] = json!(true);
    let (status, row) = post(&house, &path, &late).await;
    assert_eq!((status, &row["extra_minutes"]), (StatusCode::CREATED, &json!(30)), "{row}");
    assert_eq!(row["accommodation"]["switched_off"], json!(["HEADPHONES"]));
    assert_eq!(post(&house, &path, &late).await.1["code"], "candidate_known");
    let full = json!({ "version": 1, "title": "Full", "opens_at": START.0, "closes_at": START.0 + 3_600_000,
                       "capacity": 5, "reason": "room" });
    assert_eq!(post(&house, &format!("{}/change", sitting()), &full).await.0, StatusCode::OK);
    late["identity"] = json!("123456789025");
    assert_eq!(post(&house, &path, &late).await.1["code"], "sitting_full");
    late["identity"] = json!("123456789011");
    let (_, problem) = post(&house, &path, &late).await;
    assert_eq!(problem["mistakes"][0]["code"], "iin_check_digit");
}

#[tokio::test]
async fn a_misspelt_name_is_put_right_and_an_accommodation_reaches_the_session() {
    let house = House::open().await;
    assert_eq!(open_link(&house, 0).await.0, StatusCode::OK);
    let mut body = json!({ "version": 1, "name": "Right Name", "email": null, "accommodation": nothing(),
                           "reason": "as in the document" });
    body["accommodation"]["extra_minutes"] = json!(20);
    body["accommodation"]["switched_off"] = json!(["LOOKING_AWAY_LONG"]);
    body["accommodation"]["note"] = json!("interpreter");
    assert_eq!(post(&house, &format!("{}/change", candidate(0)), &body).await.1["told"], 1);
    let state = house.runtime.look(session(0)).await.unwrap();
    let code: IncidentCode = "LOOKING_AWAY_LONG".parse().unwrap();
    assert!(state.session.rule(code).is_none());
    assert_eq!(state.session.state().care.note.as_deref(), Some("interpreter"));
    let (_, info) = open_link(&house, 0).await;
    assert_eq!((&info["candidate"], &info["minutes"]), (&json!("Right Name"), &json!(80)));
    let (_, detail) = house.get_as(Role::Centre, &candidate(0)).await;
    let name = detail["changes"].as_array().unwrap().iter().find(|change| change["field"] == "name").unwrap();
    assert_eq!((&name["old"], &name["new"]), (&json!("Candidate 0"), &json!("Right Name")));
    assert_eq!((&name["by"], &name["reason"]), (&json!("Name of centre-0"), &json!("as in the document")));
    assert_eq!(post(&house, &format!("{}/change", candidate(0)), &body).await.1["code"], "changed_meanwhile");
}

#[tokio::test]
async fn a_withdrawn_candidate_is_turned_away_until_taken_back() {
    let house = House::open().await;
    let withdraw = |version: u32, withdrawn: bool| json!({ "version": version, "withdrawn": withdrawn, "reason": "ill" });
    let path = format!("{}/withdraw", candidate(1));
    assert_eq!(post(&house, &path, &withdraw(1, true)).await.0, StatusCode::OK);
    assert_eq!(open_link(&house, 1).await.1["code"], "called_off");
    assert_eq!(post(&house, &path, &withdraw(2, false)).await.0, StatusCode::OK);
    assert_eq!(open_link(&house, 1).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_exam_that_runs_is_neither_withdrawn_nor_void_and_one_that_ended_gets_a_new_attempt() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_device, _socket) = running(&house, at, 0).await;
    let withdraw = json!({ "version": 1, "withdrawn": true, "reason": "x" });
    assert_eq!(
        post(&house, &format!("{}/withdraw", candidate(0)), &withdraw).await.1["code"],
        "exam_started"
    );
    let mut body = json!({ "version": 1, "name": "Candidate 0", "email": null, "accommodation": nothing(), "reason": "x" });
    body["accommodation"]["extra_minutes"] = json!(5);
    assert_eq!(post(&house, &format!("{}/change", candidate(0)), &body).await.1["code"], "exam_started");
    let path = format!("{}/void", candidate(0));
    let void = json!({ "version": 1, "ground": "technical", "reason": "server room", "sitting": Uuid::from_u128(SITTING) });
    assert_eq!(post(&house, &path, &void).await.1["code"], "wrong_stage");

    let command = StaffCommand::End { why: StaffEndReason::Technical, note: "server room".to_owned() };
    let by = staff(0, Role::Proctor);
    house.runtime.submit(session(0), Input::Staff { by, command }).await.unwrap();
    let (status, next) = post(&house, &path, &void).await;
    assert_eq!(
        (status, &next["attempt"], &next["replaces"]),
        (StatusCode::OK, &json!(2), &json!(session(0).0)),
        "{next}"
    );
    // Pressed twice, it is one attempt.
    assert_eq!(post(&house, &path, &void).await.1["session"], next["session"]);
    let link = next["link"].as_str().unwrap().rsplit_once("/c/").unwrap().1.to_owned();
    let (status, info) = house.post("/api/v1/candidate/open", &[], &json!({ "link": link })).await;
    assert_eq!((status, &info["candidate"]), (StatusCode::OK, &json!("Candidate 0")));
    let (_, old) = house.get_as(Role::Centre, &format!("/api/v1/centre/sessions/{}", session(0))).await;
    let kinds: Vec<_> =
        old["timeline"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "attempt_voided").count(), 1, "{kinds:?}");
    let (voided, _) = house.runtime.look(session(0)).await.unwrap().session.state().voided.clone().unwrap();
    assert_eq!(
        voided.replaced_by.map(|id| id.0.to_string()),
        next["session"].as_str().map(ToOwned::to_owned)
    );
    let audit = house.store.audit_of(staff_centre(), 10).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert!(actions.contains(&"attempt_voided") && actions.contains(&"attempt_issued"), "{actions:?}");
}

fn staff_centre() -> synaq_core::ids::CentreId {
    synaq_core::ids::CentreId(Uuid::from_u128(super::house::CENTRE))
}
