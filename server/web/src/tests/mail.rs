//! Letters that leave, as their rows have them.

use super::house::{House, staff};
use crate::Content;
use axum::http::StatusCode;
use serde_json::json;
use synaq_core::ids::CentreId;
use synaq_core::time::Span;
use synaq_runtime::Clock as _;
use synaq_seal::secret::InstallationKey;
use synaq_store::{Directory as _, Mail as _, Role, StaffRow};
use uuid::Uuid;

/// What was posted, opened as the sender does; they are claimed with that.
pub(super) async fn letters(house: &House) -> Vec<(String, String)> {
    let key = InstallationKey::from_bytes(&[5; 32]).unwrap();
    let now = house.clock.now();
    let claimed = house.store.claim_letters(now, now + Span::mins(60), 100).await.unwrap();
    let read = |claimed: synaq_store::ClaimedLetter| {
        let sealed = String::from_utf8_lossy(&claimed.letter.sealed).into_owned();
        let content = Content::open(&claimed.letter, &key).unwrap();
        assert!(!sealed.contains("http"), "a link lies in the clear");
        (claimed.letter.recipient, content.text)
    };
    claimed.into_iter().map(read).collect()
}

/// The first address in a text.
pub(super) fn link_in(text: &str) -> String {
    text.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned()
}

#[tokio::test]
async fn whoever_forgot_a_password_gets_a_letter_and_nobody_learns_who_is_here() {
    let house = House::open().await;
    let row = StaffRow {
        id: synaq_core::ids::StaffId(Uuid::from_u128(7_777)),
        centre: CentreId(Uuid::from_u128(super::house::CENTRE)),
        login: "aigul".to_owned(),
        name: "Айгүл Серікова".to_owned(),
        mail: Some("aigul@example.kz".to_owned()),
        roles: vec![Role::Centre],
        password_hash: None,
        disabled: false,
    };
    house.store.add_staff(row).await.unwrap();
    let ask = async |login: &str| house.post("/api/v1/staff/forgot", &[], &json!({ "login": login })).await;
    for login in ["nobody", "centre-0"] {
        assert_eq!(ask(login).await, (StatusCode::ACCEPTED, json!("")), "{login}");
    }
    assert_eq!(letters(&house).await, []);
    assert_eq!(ask("aigul").await, (StatusCode::ACCEPTED, json!("")));
    let posted = letters(&house).await;
    assert_eq!((posted.len(), posted[0].0.as_str()), (1, "aigul@example.kz"));
    let link = link_in(&posted[0].1);
    let token = link.rsplit('/').next().unwrap();
    let body = json!({ "token": token, "password": "correct horse battery" });
    let (status, me) = house.post("/api/v1/staff/setup", &[], &body).await;
    assert_eq!((status, &me["login"]), (StatusCode::OK, &json!("aigul")));
    assert_eq!(house.post("/api/v1/staff/setup", &[], &body).await.1["code"], "setup_link_invalid");
    // A letter box is not filled, however often somebody asks.
    for _ in 0..20 {
        house.clock.advance(Span::secs(11));
        assert_eq!(ask("aigul").await.0, StatusCode::ACCEPTED);
    }
    let more = letters(&house).await.len();
    assert!((1..=3).contains(&more), "{more}");
    assert_eq!(house.store.staff(staff(0, Role::Centre)).await.unwrap().mail, None);
}

#[tokio::test]
async fn personal_links_go_to_whoever_has_an_address_once_and_again_by_name() {
    let house = House::open().await;
    let sitting = format!("/api/v1/centre/sittings/{}", Uuid::from_u128(super::house::SITTING));
    let list = "name;iin;email\nAda Lovelace;PASSPORT:AB1234;ada@example.kz\nИванов Иван;123456789013;\n";
    let (_, added) =
        house.post_as(Role::Centre, &format!("{sitting}/candidates"), "text/csv", list.into()).await;
    assert_eq!(added["added"], 2, "{added}");
    let path = format!("{sitting}/letters");
    let send = async |sessions: serde_json::Value| {
        let body = json!({ "sessions": sessions }).to_string();
        house.post_as(Role::Centre, &path, "application/json", body.into()).await
    };
    let (status, posted) = send(json!([])).await;
    assert_eq!((status, &posted["posted"]), (StatusCode::OK, &json!(1)), "{posted}");
    let read = letters(&house).await;
    assert_eq!((read.len(), read[0].0.as_str()), (1, "ada@example.kz"));
    let token = link_in(&read[0].1).rsplit_once("/c/").unwrap().1.to_owned();
    let (status, info) = house.post("/api/v1/candidate/open", &[], &json!({ "link": token })).await;
    assert_eq!((status, &info["candidate"]), (StatusCode::OK, &json!("Ada Lovelace")));
    assert_eq!(send(json!([])).await.1["posted"], 0, "nobody gets a second letter by the way");
    let (_, known) = house.get_as(Role::Centre, &path).await;
    assert_eq!((&known["open"], known["letters"].as_array().unwrap().len()), (&json!(true), 1), "{known}");
    let session = &known["letters"][0]["session"];
    assert_eq!(send(json!([session])).await.1["posted"], 1);
    // And in mid-exam by a proctor, who sees where it goes and not the whole address.
    let path = format!("/api/v1/proctor/sessions/{}/link", session.as_str().unwrap());
    let (_, shown) = house.get_as(Role::Proctor, &path).await;
    assert_eq!(shown["mail"], "a…@example.kz", "{shown}");
    let (status, posted) =
        house.post_as(Role::Proctor, &path, "application/json", String::new().into()).await;
    assert_eq!((status, &posted["posted"]), (StatusCode::OK, &json!(1)), "{posted}");
    assert!(letters(&house).await.iter().all(|(to, _)| to == "ada@example.kz"));
}

#[tokio::test]
async fn what_a_centre_says_of_itself_reaches_its_candidates_on_their_page_and_by_letter() {
    let house = House::open().await;
    let open = json!({ "link": house.link(0) });
    let (_, info) = house.post("/api/v1/candidate/open", &[], &open).await;
    assert_eq!(info["contacts"], serde_json::Value::Null, "it has said nothing: {info}");
    let profile = json!({ "phone": "+7 727 000 00 00", "address_ru": "Алматы, Абая 1", "appeals_kk": "Абай 1, 3-бөлме" });
    let body = json!({ "revision": 0, "name_kk": "Орталық", "name_ru": "Центр", "profile": profile });
    let save =
        house.post_as(Role::Centre, "/api/v1/centre/profile", "application/json", body.to_string().into());
    let (status, saved) = save.await;
    assert_eq!(status, StatusCode::OK, "{saved}");
    let (_, info) = house.post("/api/v1/candidate/open", &[], &open).await;
    let contacts = &info["contacts"];
    assert_eq!((&contacts["phone"], &contacts["appeals"]["kk"]), (&profile["phone"], &profile["appeals_kk"]));

    let sitting = format!("/api/v1/centre/sittings/{}", Uuid::from_u128(super::house::SITTING));
    let list = "name;iin;email\nAda Lovelace;PASSPORT:AB1234;ada@example.kz\n";
    house.post_as(Role::Centre, &format!("{sitting}/candidates"), "text/csv", list.into()).await;
    let all = json!({ "sessions": [] }).to_string();
    house.post_as(Role::Centre, &format!("{sitting}/letters"), "application/json", all.into()).await;
    let staff = json!({ "login": "aigul", "name": "Айгүл", "mail": "aigul@example.kz", "roles": ["author"] });
    house.post_as(Role::Centre, "/api/v1/centre/staff", "application/json", staff.to_string().into()).await;
    house.post("/api/v1/staff/forgot", &[], &json!({ "login": "aigul" })).await;
    let posted = letters(&house).await;
    assert_eq!(posted.len(), 3, "a personal link, an invitation, a new password");
    for (_, text) in posted {
        assert!(text.contains("По вопросам: +7 727 000 00 00") && text.contains("Алматы, Абая 1"), "{text}");
    }
}
