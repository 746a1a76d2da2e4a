//! Banks, programmes, sittings, lists, results, evidence, the record.

use super::house::{House, PROGRAMME, SITTING, cookie, session, staff};
use super::seat::running;
use crate::evidence::Evidence;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use synaq_core::ids::CentreId;
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_seal::bundle::Bundle;
use synaq_store::{Directory, Role};
use uuid::Uuid;

async fn post(house: &House, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> (StatusCode, Value) {
    house.post_as(Role::Centre, path, media_type, body.into()).await
}

#[tokio::test]
async fn a_bank_is_taken_over_whole_or_not_at_all() {
    let house = House::open().await;
    let import = async |text: String| post(&house, "/api/v1/centre/banks", "application/toml", text).await;
    let (status, known) = import(DEMO_BANK.to_owned()).await;
    assert_eq!((status, &known["known"]), (StatusCode::OK, &json!(true)), "{known}");
    let (status, problem) = import(DEMO_BANK.replacen("difficulty = 1", "difficulty = 2", 1)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("bank_version_taken")));
    let (status, problem) = import(DEMO_BANK.replacen("difficulty = 1", "difficulty = 9", 1)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bank_invalid")));
    assert_eq!(problem["mistakes"][0]["code"], "number_out_of_range");
    let (status, problem) = import("[bank\nid = ".to_owned()).await;
    assert_eq!(
        (status, &problem["mistakes"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("broken_toml"))
    );
    assert_eq!(house.get_as(Role::Centre, "/api/v1/centre/banks").await.1.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_banks_keys_are_for_the_centre_and_each_view_is_noted() {
    let house = House::open().await;
    let path = format!("/api/v1/centre/banks/{}", Uuid::from_u128(super::house::BANK));
    let (status, detail) = house.get_as(Role::Centre, &path).await;
    assert_eq!(status, StatusCode::OK);
    assert!(detail["questions"].as_array().unwrap().len() >= 120);
    let audit = house.store.audit_of(CentreId(Uuid::from_u128(1)), 10).await.unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].staff), ("bank_viewed", Some(staff(0, Role::Centre))));
}

#[tokio::test]
async fn a_programme_below_the_law_or_without_its_bank_is_refused() {
    let house = House::open().await;
    let import =
        async |text: String| post(&house, "/api/v1/centre/programmes", "application/toml", text).await;
    let threshold = DEMO_PROGRAMME.lines().find(|line| line.starts_with("threshold_pct")).unwrap();
    let (status, problem) = import(DEMO_PROGRAMME.replace(threshold, "threshold_pct = 69")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("threshold_below_law")));
    let (status, problem) = import("x = 1".to_owned()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("programme_invalid")));
    let (read, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME).unwrap();
    let stranger = DEMO_PROGRAMME.replace(&format!("\"{}\"", read.bank_slug), "\"stranger\"");
    assert_eq!(import(stranger).await.1["mistakes"][0]["code"], "bank_mismatch");
    assert_eq!(import(DEMO_PROGRAMME.to_owned()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_sitting_with_a_pasted_list_gives_working_links() {
    let house = House::open().await;
    let at = super::START.0;
    let sitting = |opens_at: i64, closes_at: i64, programme: u128| {
        let programme = Uuid::from_u128(programme);
        json!({ "title": "Evening", "programme": programme, "opens_at": opens_at, "closes_at": closes_at })
            .to_string()
    };
    let create = async |body: String| post(&house, "/api/v1/centre/sittings", "application/json", body).await;
    assert_eq!(create(sitting(at, at, PROGRAMME)).await.1["code"], "times_out_of_order");
    assert_eq!(create(sitting(at, at + 1, 77)).await.1["code"], "not_found");
    let (status, row) = create(sitting(at, at + 3_600_000, PROGRAMME)).await;
    assert_eq!(status, StatusCode::CREATED, "{row}");
    let path = format!("/api/v1/centre/sittings/{}", row["sitting"].as_str().unwrap());
    let add = async |body: &str| post(&house, &format!("{path}/candidates"), "text/csv", body).await;
    let (status, problem) = add("name;iin\nA B;123456789011\n").await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("csv_invalid")));
    assert_eq!(problem["mistakes"][0]["place"], "line 2");
    let list = "name;iin;extra minutes\nAda Lovelace;PASSPORT:AB1234;30\nИванов Иван;123456789013;\n";
    let (status, added) = add(list).await;
    assert_eq!((status, &added["added"], &added["known"]), (StatusCode::OK, &json!(2), &json!(0)), "{added}");
    assert_eq!(add(list).await.1["known"], 2);
    let (_, detail) = house.get_as(Role::Centre, &path).await;
    let ada = &detail["candidates"][0];
    assert_eq!((&ada["id_hint"], &ada["summary"]["state"]), (&json!("1234"), &json!("created")));
    let link = ada["link"].as_str().unwrap().rsplit_once("/c/").unwrap().1.to_owned();
    let (status, info) = house.post("/api/v1/candidate/open", &[], &json!({ "link": link })).await;
    assert_eq!((status, &info["minutes"]), (StatusCode::OK, &json!(90)), "{info}");
}

/// A head, and one cluster with a key frame at 0 ms and a sound at 900 ms.
const RECORDING: &[u8] = b"\x1a\x45\xdf\xa3\x84\x42\x82\x81w\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\
    \x16\x54\xae\x6b\x83\xec\x81\x00\
    \x1f\x43\xb6\x75\x91\xe7\x81\x00\xa3\x85\x81\x00\x00\x80p\xa3\x85\x82\x03\x84\x80s";

#[tokio::test]
async fn a_recording_is_played_with_its_duration_while_its_sealed_bytes_stay_as_they_are() {
    let house = House::open().await;
    let mut growing = RECORDING.to_vec();
    growing.extend_from_slice(&RECORDING[29..]);
    house.shelf.store(session(0), "webcam-0001.webm", &growing).unwrap();
    house.shelf.store(session(0), "webcam-0002.webm", b"0123456789").unwrap();
    let path = format!("/api/v1/centre/sessions/{}", session(0));
    let get = async |place: &str, range: &str| {
        let request = House::request(&Method::GET, &format!("{path}/{place}")).header("range", range);
        let request = request.header("cookie", cookie(0, Role::Centre)).body(Body::empty()).unwrap();
        let response = house.send(request).await;
        let status = response.status();
        (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap())
    };
    let (status, sealed) = get("evidence/webcam-0001.webm", "").await;
    assert_eq!((status, &*sealed), (StatusCode::OK, &*growing));
    let up_to = format!("recordings/webcam-0001.webm?bytes={}", RECORDING.len());
    let (status, file) = get(&up_to, "").await;
    assert_eq!(status, StatusCode::OK);
    let duration = [&b"\x44\x89\x88"[..], &900_f64.to_be_bytes()].concat();
    assert!(file.windows(duration.len()).any(|window| window == duration), "{file:02x?}");
    assert!(file.ends_with(&RECORDING[29..]));
    let (status, part) = get(&up_to, "bytes=20-60").await;
    assert_eq!((status, &part[..]), (StatusCode::PARTIAL_CONTENT, &file[20..61]));
    let (status, longer) = get("recordings/webcam-0001.webm", "").await;
    assert_eq!((status, longer.len() > file.len()), (StatusCode::OK, true));
    for place in ["recordings/webcam-0002.webm", "recordings/stills-0001", "recordings/webcam-0009.webm"] {
        assert_eq!(get(place, "").await.0, StatusCode::NOT_FOUND, "{place}");
    }
    assert_eq!(get("recordings/webcam-0001.webm?size=1", "").await.0, StatusCode::BAD_REQUEST);
    let audit = house.store.audit_of(CentreId(Uuid::from_u128(1)), 100).await.unwrap();
    assert_eq!(audit.iter().filter(|entry| entry.action == "evidence_viewed").count(), 1);
}

#[tokio::test]
async fn evidence_comes_whole_or_in_ranges_and_each_view_is_noted() {
    let house = House::open().await;
    house.shelf.store(session(0), "webcam-0001.webm", b"0123456789").unwrap();
    house.shelf.store(session(0), "webcam-0002-cut", b"0123").unwrap();
    let path = format!("/api/v1/centre/sessions/{}", session(0));
    let get = async |name: &str, range: &str| {
        let request = House::request(&Method::GET, &format!("{path}/evidence/{name}")).header("range", range);
        let request = request.header("cookie", cookie(0, Role::Commission)).body(Body::empty()).unwrap();
        let response = house.send(request).await;
        let range = response.headers().get("content-range").map(|range| range.to_str().unwrap().to_owned());
        let status = response.status();
        (status, range, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap())
    };
    let (status, range, body) = get("webcam-0001.webm", "bytes=2-4").await;
    assert_eq!(
        (status, range.as_deref(), &*body),
        (StatusCode::PARTIAL_CONTENT, Some("bytes 2-4/10"), &b"234"[..])
    );
    let (status, _, body) = get("webcam-0001.webm", "pages=1").await;
    assert_eq!((status, &*body), (StatusCode::OK, &b"0123456789"[..]));
    assert_eq!(get("webcam-0001.webm", "bytes=10-").await.0, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(get("none", "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("..%2f..%2fetc%2fpasswd", "").await.0, StatusCode::NOT_FOUND);
    let audit = house.store.audit_of(CentreId(Uuid::from_u128(1)), 100).await.unwrap();
    assert_eq!(audit.iter().filter(|entry| entry.action == "evidence_viewed").count(), 1);
    let (_, detail) = house.get_as(Role::Commission, &path).await;
    let names: Vec<_> = detail["evidence"].as_array().unwrap().iter().map(|row| &row["unfinished"]).collect();
    assert_eq!(names, [&json!(false), &json!(true)]);
}

#[tokio::test]
async fn stills_are_counted_and_come_one_by_one() {
    let house = House::open().await;
    let container = [&[0, 0, 0, 3][..], &[0; 8], b"one", &[0, 0, 0, 4], &[0; 8], b"two!"].concat();
    house.shelf.store(session(0), "stills-0001", &container).unwrap();
    house.shelf.store(session(0), "webcam-0001.webm", &container).unwrap();
    let path = format!("/api/v1/centre/sessions/{}", session(0));
    let (_, detail) = house.get_as(Role::Commission, &path).await;
    let parts: Vec<_> = detail["evidence"].as_array().unwrap().iter().map(|row| &row["parts"]).collect();
    assert_eq!(parts, [&json!(2), &json!(0)]);
    let get = async |place: &str| {
        let request = House::request(&Method::GET, &format!("{path}/evidence/{place}"));
        let request = request.header("cookie", cookie(0, Role::Commission)).body(Body::empty()).unwrap();
        let response = house.send(request).await;
        let webp = response.headers().get("content-type").is_some_and(|kind| kind == "image/webp");
        (response.status(), webp, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap())
    };
    let (status, webp, body) = get("stills-0001/1").await;
    assert_eq!((status, webp, &*body), (StatusCode::OK, true, &b"two!"[..]));
    for place in ["stills-0001/2", "stills-0009/0", "webcam-0001.webm/0"] {
        assert_eq!(get(place).await.0, StatusCode::NOT_FOUND, "{place}");
    }
}

#[tokio::test]
async fn the_commission_approves_the_record_it_was_shown_and_the_bundle_holds_it() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut candidate) = running(&house, at, 0).await;
    let path = format!("/api/v1/centre/sessions/{}", device.session);
    let approve_path = format!("/api/v1/commission/records/{}/approve", device.session);
    let approve = async |sha256: &str| {
        let body = json!({ "sha256": sha256 }).to_string();
        house.post_as(Role::Commission, &approve_path, "application/json", body.into()).await
    };
    assert_eq!(approve("0").await.1["code"], "record_not_sealed");
    assert_eq!(house.get_as(Role::Centre, &format!("{path}/bundle")).await.1["code"], "record_not_sealed");
    candidate.done(json!({ "do": "hand_in" })).await;
    candidate.view(|view| view["end"]["sealed"] == true).await;
    let (_, detail) = house.get_as(Role::Commission, &path).await;
    let sha256 = detail["record"]["sha256"].as_str().unwrap().to_owned();
    assert_eq!(
        (&detail["row"]["summary"]["state"], &detail["row"]["summary"]["outcome"]),
        (&json!("sealed"), &json!("not_passed"))
    );
    assert_eq!(approve(&"0".repeat(64)).await.1["code"], "record_mismatch");
    assert_eq!(approve(&sha256).await.0, StatusCode::NO_CONTENT);
    let end = candidate.view(|view| view["end"]["approved"] == true).await["end"].clone();
    assert_eq!(end["appeal_until"], "2026-11-27", "five working days after Saturday 21 November");
    let (_, records) = house.get_as(Role::Commission, "/api/v1/commission/records").await;
    assert_eq!((&records["rows"][0]["session"], &records["all"]), (&json!(device.session.0), &json!(1)));

    let request =
        House::request(&Method::GET, &format!("{path}/bundle")).header("cookie", cookie(0, Role::Centre));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    let bytes = axum::body::to_bytes(response.into_body(), 8 << 20).await.unwrap();
    let report = synaq_seal::verify::bundle(&bytes, &house.trust, Some(super::START.0));
    assert!(report.ok(), "{:?}", report.lines().collect::<Vec<_>>());
    let bundle = Bundle::parse(&bytes).unwrap();
    assert_eq!(synaq_seal::sha256(&bundle.decode_payload().unwrap()).to_string(), sha256);
    assert_eq!(bundle.approvals.len(), 1);
    let events = bundle.events.unwrap();
    assert_eq!(
        events.iter().map(|event| event.seq).collect::<Vec<_>>(),
        (1..=events.len() as u64).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_nothing_is_lost() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, mut candidate) = running(&house, at, 0).await;
    house.store.fail_next(synaq_store::Fault::DiskFull);
    let answer = json!({ "do": "answer", "question": 0, "shown": [0] });
    let refused = candidate.command_in(1, 80, answer.clone()).await;
    assert_eq!(refused["problem"]["code"], "store_unavailable");
    assert!(refused["problem"]["retry_after_ms"].as_u64().unwrap() > 0);
    let again =
        tokio::time::timeout(Duration::from_secs(10), candidate.command_in(1, 80, answer)).await.unwrap();
    assert_eq!(again["type"], "ack", "{again}");
    assert_eq!(
        house.get_as(Role::Centre, &format!("/api/v1/centre/sittings/{}", Uuid::from_u128(SITTING))).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_auditor_reads_how_the_clock_stood_while_a_sitting_went_on() {
    use synaq_core::time::Span;
    use synaq_runtime::Clock as _;
    use synaq_store::{ClockMark, Clocks as _};
    let house = House::open().await;
    let now = house.clock.now();
    let mark = |hours: i64, source: &str, ahead_ms: Option<i64>| ClockMark {
        at: now + Span::mins(60 * hours),
        source: source.to_owned(),
        ahead_ms,
        within_ms: ahead_ms.map(|_| 1),
        why: ahead_ms.is_none().then(|| "no answer within 3 s".to_owned()),
    };
    for mark in [
        mark(-48, "wall", Some(1)),
        mark(-24, "wall", Some(2)),
        mark(-1, "wall", Some(-7)),
        mark(-1, "time.example.kz:123", None),
        mark(24, "wall", Some(9)),
    ] {
        house.store.note_clock(mark).await.unwrap();
    }
    let path = format!("/api/v1/centre/sittings/{}/clock", Uuid::from_u128(SITTING));
    let (status, evidence) = house.get_as(Role::Auditor, &path).await;
    assert_eq!((status, &evidence["title"]), (StatusCode::OK, &json!("Morning")), "{evidence}");
    let marks = evidence["marks"].as_array().unwrap();
    let ahead: Vec<_> = marks.iter().map(|mark| mark["ahead_ms"].as_i64()).collect();
    assert_eq!(ahead, [Some(2), Some(-7), None], "the last before it, and those of it: {evidence}");
    assert_eq!(marks[2]["why"], "no answer within 3 s");
    assert_eq!((&evidence["receipts"], &evidence["is_cut"]), (&json!([]), &json!(false)));
}
