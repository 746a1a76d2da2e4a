//! Long lists: searched, sorted and paged on the server, exported as files, counted for plots.

use super::house::{House, OTHER, SITTING, cookie, session};
use super::seat::running;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use encoding_rs::WINDOWS_1251;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Instant;
use synaq_store::Role;
use synaq_wire::limits::{CSV_BYTES, CSV_ROWS};
use uuid::Uuid;

fn names(page: &Value) -> Vec<&str> {
    page["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn results_are_asked_for_by_words_order_and_page() {
    let house = House::open().await;
    let get = async |query: &str| house.get_as(Role::Centre, &format!("/api/v1/centre/results{query}")).await;
    let (_, whole) = get("?sort=name").await;
    let all = names(&whole).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((whole["found"].as_u64(), whole["all"].as_u64(), all.len()), (Some(4), Some(4), 4), "{whole}");
    let (_, back) = get("?sort=name&down=true").await;
    assert_eq!(names(&back), all.iter().rev().map(String::as_str).collect::<Vec<_>>());
    let (_, second) = get("?sort=name&offset=1&limit=2").await;
    assert_eq!((names(&second), &second["found"]), (vec![&*all[1], &*all[2]], &json!(4)));
    let (_, none) = get("?search=nobody-of-this-name").await;
    assert_eq!((&none["found"], &none["all"], &none["rows"]), (&json!(0), &json!(4), &json!([])));
    let (_, waiting) = get("?state=created&sort=state").await;
    assert_eq!(waiting["found"], 4);
    for (query, code) in [
        ("?sort=shoe_size", "body_malformed"),
        ("?limit=0", "out_of_limits"),
        ("?limit=101", "out_of_limits"),
        ("?state=lost", "body_malformed"),
        ("?search=a+b+c+d+e+f+g+h+i", "out_of_limits"),
        ("?page=2", "body_malformed"),
    ] {
        let (status, problem) = get(query).await;
        assert_eq!((status.is_client_error(), &problem["code"]), (true, &json!(code)), "{query}: {problem}");
    }
    let (_, open) =
        house.get_as(Role::Centre, "/api/v1/centre/sittings?open=true&sort=opens&search=MORN").await;
    assert_eq!((&open["found"], &open["rows"][0]["title"]), (&json!(1), &json!("Morning")));
}

#[tokio::test]
async fn a_commission_sees_no_list_of_those_who_never_came() {
    let house = House::open().await;
    let (_, page) = house.get_as(Role::Commission, "/api/v1/commission/records").await;
    assert_eq!((&page["found"], &page["all"]), (&json!(0), &json!(0)));
    let (_, problem) = house.get_as(Role::Commission, "/api/v1/commission/records?state=created").await;
    assert_eq!(problem["code"], "body_malformed");
}

async fn file(house: &House, path: &str) -> (StatusCode, String, Vec<u8>) {
    let request = House::request(&Method::GET, path).header("cookie", cookie(0, Role::Centre));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    let status = response.status();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (status, kind, axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec())
}

#[tokio::test]
async fn a_file_holds_what_was_searched_for_and_stands_in_the_log() {
    let house = House::open().await;
    let path = "/api/v1/centre/results/export?sort=name&lang=ru&search=morning";
    let (status, kind, bytes) = file(&house, path).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/csv; charset=utf-8"));
    assert_eq!(String::from_utf8(bytes).unwrap().lines().count(), 5, "a head and four candidates");
    let (status, kind, bytes) = file(&house, &format!("{path}&format=xlsx")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(kind.ends_with("spreadsheetml.sheet") && bytes.starts_with(b"PK"), "{kind}");
    assert!(file(&house, &format!("{path}&format=exe")).await.0.is_client_error());
    let (_, log) = house.get_as(Role::Auditor, "/api/v1/centre/log?action=results_exported").await;
    let objects: Vec<_> =
        log["lines"].as_array().unwrap().iter().map(|line| line["object"].clone()).collect();
    assert_eq!(objects, [json!("xlsx 4"), json!("csv 4")]);
}

#[tokio::test]
async fn the_overview_and_the_plots_count_an_exam_that_has_ended() {
    let house = House::open().await;
    let (_, before) = house.get_as(Role::Centre, "/api/v1/centre/overview").await;
    assert_eq!(
        (&before["banks"], &before["sittings"], &before["candidates"]),
        (&json!(1), &json!(1), &json!(4))
    );
    assert_eq!(before["near"][0]["sitting"], json!(Uuid::from_u128(SITTING)));
    // Four candidates at 268 MB an hour each, and 10 GB.
    let storage = &before["storage"];
    assert_eq!(
        (&storage["kept"], &storage["hours"], &storage["low"]),
        (&json!("disk"), &json!(9), &json!(false))
    );
    assert_eq!(before["delivery"]["queued"], 0);

    let at = house.listen().await;
    let (_, mut candidate) = running(&house, at, 0).await;
    candidate.done(json!({ "do": "hand_in" })).await;
    candidate.view(|view| view["end"]["sealed"] == true).await;
    let (_, after) = house.get_as(Role::Centre, "/api/v1/centre/overview").await;
    let delivery = &after["delivery"];
    let messages = |key: &str| delivery[key].as_u64().unwrap();
    assert_eq!(messages("queued") + messages("accepted") + messages("refused"), 1, "{delivery}");
    let (_, figures) = house.get_as(Role::Auditor, "/api/v1/centre/figures").await;
    assert_eq!((&figures["scored"], &figures["timed"]), (&json!(1), &json!(1)), "{figures}");
    let of = |sitting: u128| format!("/api/v1/centre/figures?sitting={}", Uuid::from_u128(sitting));
    assert_eq!(house.get_as(Role::Centre, &of(SITTING)).await.1["scored"], 1);
    assert_eq!(house.get_as(Role::Centre, &of(OTHER + SITTING)).await.0, StatusCode::NOT_FOUND);
    let (_, records) = house.get_as(Role::Commission, "/api/v1/commission/records?state=sealed").await;
    assert_eq!(records["rows"][0]["session"], json!(session(0).0));
}

/// Three quarters of the lines are different people; every fourth repeats the one before.
fn list_of(lines: usize) -> String {
    let mut list = String::from("Аты-жөні;Құжат\r\n");
    for line in 0..lines {
        let person = if line % 4 == 3 { line - 1 } else { line };
        write!(list, "Сарсенова Алия Ержановна {line};PASSPORT:N{person:06}\r\n").unwrap();
    }
    list
}

#[tokio::test]
async fn ten_thousand_lines_with_repetitions_are_reported_in_three_encodings_and_nobody_is_added() {
    let house = House::open().await;
    let path = format!("/api/v1/centre/sittings/{}/candidates", Uuid::from_u128(SITTING));
    let add = async |bytes: Vec<u8>| house.post_as(Role::Centre, &path, "text/csv", bytes).await;
    let list = list_of(CSV_ROWS);
    // Windows-1251 has no ұ, ө and қ; whoever keeps lists in it writes them without.
    let plain = list.replace("жөні;Құжат", "жони;Документ").replace("Аты-жони", "ФИО");
    let utf16: Vec<u8> =
        std::iter::once(0xFEFF).chain(list.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (cp1251, _, lost) = WINDOWS_1251.encode(&plain);
    assert!(!lost && utf16.len() < CSV_BYTES, "{} bytes", utf16.len());
    for bytes in [list.clone().into_bytes(), utf16, cp1251.into_owned()] {
        let began = Instant::now();
        let (status, problem) = add(bytes).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("csv_invalid")));
        let mistakes = problem["mistakes"].as_array().unwrap();
        assert_eq!((mistakes.len(), &mistakes[0]["code"]), (500, &json!("iin_repeated")));
        assert_eq!(mistakes[0]["place"], "line 5", "{}", mistakes[0]);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("{} more", CSV_ROWS / 4 - 500)), "{detail}");
        eprintln!("{CSV_ROWS} lines with repetitions were reported in {:?}", began.elapsed());
    }
    let mut too_many = String::from("name;document\n");
    (0..=CSV_ROWS).for_each(|line| writeln!(too_many, "Aliya {line};PASSPORT:N{line:06}").unwrap());
    let (_, problem) = add(too_many.into_bytes()).await;
    assert_eq!(problem["mistakes"][0]["code"], "too_many_lines", "{}", problem["detail"]);
    let (_, page) = house.get_as(Role::Centre, "/api/v1/centre/results").await;
    assert_eq!(page["all"], 4);
}
