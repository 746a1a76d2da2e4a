//! A centre that manages itself: invitations, roles, the last head, second factors, the log of it all.

use super::house::{CENTRE, House, cookie, json, staff};
use super::mail::{letters, link_in};
use crate::auth::totp;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use synaq_core::ids::CentreId;
use synaq_core::time::Span;
use synaq_runtime::Clock as _;
use synaq_store::{Directory as _, Role};
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";
const STAFF: &str = "/api/v1/centre/staff";
const FACTOR: &str = "/api/v1/staff/second-factor";

async fn send(house: &House, cookie: &str, path: &str, body: Value) -> (StatusCode, Value) {
    house.post(path, &[("cookie", cookie)], &body).await
}

async fn get(house: &House, cookie: &str, path: &str) -> (StatusCode, Value) {
    let request = House::request(&Method::GET, path).header("cookie", cookie);
    json(house.send(request.body(Body::empty()).unwrap()).await).await
}

fn head() -> String {
    cookie(0, Role::Centre)
}

fn invite(login: &str, mail: &str, roles: &[&str]) -> Value {
    json!({ "login": login, "name": " Айгүл\u{a0}Се\u{ad}рікова ", "mail": mail, "roles": roles })
}

/// What the page would say of a member of the list.
fn fields(member: &Value) -> Value {
    let mail = member["mail"].as_str().unwrap_or_default();
    let disabled = member["state"] == "disabled";
    json!({ "name": member["name"], "mail": mail, "roles": member["roles"], "disabled": disabled })
}

async fn member(house: &House, login: &str) -> Value {
    let (_, list) = get(house, &head(), STAFF).await;
    list["members"].as_array().unwrap().iter().find(|row| row["login"] == login).unwrap().clone()
}

/// Sets a password by a link; the cookie.
async fn set_up(house: &House, link: &str) -> String {
    let token = link.rsplit('/').next().unwrap();
    let body = json!({ "token": token, "password": PASSWORD }).to_string();
    let request =
        House::request(&Method::POST, "/api/v1/staff/setup").header("content-type", "application/json");
    let response = house.send(request.body(Body::from(body)).unwrap()).await;
    let line = response.headers()["set-cookie"].to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_invited_person_sets_a_password_works_and_is_sent_away_at_once() {
    let house = House::open().await;
    let (status, made) = send(&house, &head(), STAFF, invite("aigul", "aigul@example.kz", &["author"])).await;
    assert_eq!((status, &made["link"]), (StatusCode::CREATED, &Value::Null), "{made}");
    let posted = letters(&house).await;
    assert!(posted[0].1.contains("Айгүл Серікова") && posted[0].0 == "aigul@example.kz", "{posted:?}");
    let theirs = set_up(&house, &link_in(&posted[0].1)).await;
    assert_eq!(get(&house, &theirs, "/api/v1/centre/banks").await.0, StatusCode::OK);
    assert_eq!(get(&house, &theirs, STAFF).await.1["code"], "role_missing");
    let member = member(&house, "aigul").await;
    assert_eq!((&member["state"], &member["name"]), (&json!("active"), &json!("Айгүл Серікова")));
    let path = format!("{STAFF}/{}", member["staff"].as_str().unwrap());
    let is = json!({ "name": "Айгүл", "mail": "", "roles": ["author"], "disabled": true });
    let edit = json!({ "was": fields(&member), "is": is });
    assert_eq!(send(&house, &head(), &path, edit).await.0, StatusCode::NO_CONTENT);
    assert_eq!(get(&house, &theirs, "/api/v1/centre/banks").await.1["code"], "sign_in_required");
    let body = json!({ "login": "aigul", "password": PASSWORD });
    assert_eq!(send(&house, "", "/api/v1/staff/sign-in", body).await.1["code"], "credentials_wrong");
    // Without an address the link is shown to whoever asked for it, once.
    let (_, made) = send(&house, &head(), STAFF, invite("serik", "", &["proctor"])).await;
    assert!(made["link"].as_str().unwrap().contains("/centre/setup/"), "{made}");
    let (_, log) =
        get(&house, &cookie(0, Role::Auditor), "/api/v1/centre/log?action=staff_disabled,staff_added").await;
    let actions: Vec<_> =
        log["lines"].as_array().unwrap().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["staff_added", "staff_disabled", "staff_added"]);
    assert_eq!(log["lines"][2]["name"], "Айгүл");
}

#[tokio::test]
async fn a_form_with_mistakes_names_each_field_and_stores_nothing() {
    let house = House::open().await;
    let wrong = json!({ "login": "айгүл", "name": "😀", "mail": "x", "roles": [] });
    let (status, problem) = send(&house, &head(), STAFF, wrong).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("form_invalid")));
    let found: Vec<_> = problem["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["place"].clone(), m["code"].clone()))
        .collect();
    let expected =
        [("login", "wrong_letters"), ("name", "wrong_letters"), ("mail", "no_address"), ("roles", "empty")];
    assert_eq!(found, expected.map(|(place, code)| (json!(place), json!(code))));
    let (_, problem) = send(&house, &head(), STAFF, invite("proctor-0", "", &["proctor"])).await;
    assert_eq!(problem["mistakes"][0]["code"], "taken");
    assert_eq!(house.store.staff_of(CentreId(Uuid::from_u128(CENTRE))).await.unwrap().len(), Role::ALL.len());
}

#[tokio::test]
async fn of_two_who_edit_one_person_the_second_is_told_and_of_two_who_set_the_rule_both_are_heard() {
    let house = House::open().await;
    send(&house, &head(), STAFF, invite("aigul", "aigul@example.kz", &["author"])).await;
    let seen = member(&house, "aigul").await;
    let path = format!("{STAFF}/{}", seen["staff"].as_str().unwrap());
    let edit = |was: &Value, field: &str, value: Value| {
        let mut is = fields(was);
        is[field] = value;
        json!({ "was": fields(was), "is": is })
    };
    let mail = json!("other@example.kz");
    let first = edit(&seen, "mail", mail.clone());
    assert_eq!(send(&house, &head(), &path, first).await.0, StatusCode::NO_CONTENT);
    let second = edit(&seen, "disabled", json!(true));
    let (status, problem) = send(&house, &head(), &path, second).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")), "{problem}");
    let now = member(&house, "aigul").await;
    assert_eq!((&now["mail"], &now["state"]), (&mail, &json!("invited")));
    let again = edit(&now, "disabled", json!(true));
    assert_eq!(send(&house, &head(), &path, again).await.0, StatusCode::NO_CONTENT);
    assert_eq!(member(&house, "aigul").await["state"], "disabled");
    for role in ["proctor", "auditor"] {
        let rule = json!({ "role": role, "needed": true });
        send(&house, &head(), "/api/v1/centre/second-factor", rule).await;
    }
    let (_, list) = get(&house, &head(), STAFF).await;
    assert_eq!(list["second_factor"], json!(["proctor", "auditor"]));
}

#[tokio::test]
async fn the_last_head_stays_and_a_profile_is_saved_by_one() {
    let house = House::open().await;
    house.store.set_password(staff(0, Role::Centre), "x".to_owned()).await.unwrap();
    let cookie_of_head = {
        // A new password ended the sign-in.
        let session = synaq_store::StaffSession {
            token_hash: crate::auth::hash("again"),
            staff: staff(0, Role::Centre),
            expires_at: house.clock.now() + Span::mins(60),
        };
        house.store.add_staff_session(session).await.unwrap();
        "__Host-synaq=again".to_owned()
    };
    let path = format!("{STAFF}/{}", staff(0, Role::Centre));
    let is = json!({ "name": "Head", "mail": "", "roles": ["proctor"], "disabled": false });
    let (_, list) = get(&house, &cookie_of_head, STAFF).await;
    let was = list["members"].as_array().unwrap().iter().find(|row| row["login"] == "centre-0").unwrap();
    let edit = json!({ "was": fields(was), "is": is });
    assert_eq!(send(&house, &cookie_of_head, &path, edit).await.1["code"], "last_head");
    let (_, view) = get(&house, &cookie_of_head, "/api/v1/centre/profile").await;
    assert_eq!(view["revision"], 0);
    let save = |phone: &str| json!({ "revision": 0, "name_kk": "Орталық", "name_ru": "Центр", "profile": { "phone": phone } });
    let path = "/api/v1/centre/profile";
    let (_, problem) = send(&house, &cookie_of_head, path, save("call me")).await;
    assert_eq!(problem["mistakes"][0]["place"], "phone");
    assert_eq!(send(&house, &cookie_of_head, path, save("+7 700 000 00 00")).await.1["revision"], 1);
    assert_eq!(
        send(&house, &cookie_of_head, path, save("+7 700 000 00 01")).await.1["code"],
        "changed_meanwhile"
    );
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_opens_once() {
    let house = House::open().await;
    let rule = json!({ "role": "author", "needed": true });
    send(&house, &head(), "/api/v1/centre/second-factor", rule).await;
    let (_, made) = send(&house, &head(), STAFF, invite("aigul", "", &["author"])).await;
    let theirs = set_up(&house, made["link"].as_str().unwrap()).await;
    assert_eq!(get(&house, &theirs, "/api/v1/centre/banks").await.1["code"], "second_factor_due");
    assert_eq!(get(&house, &theirs, "/api/v1/staff/me").await.1["second_factor_due"], true);
    let (_, offer) = send(&house, &theirs, FACTOR, json!({})).await;
    let secret = unbase32(offer["secret"].as_str().unwrap());
    let code = |house: &House| totp::code(&secret, u64::try_from(house.clock.now().0 / 30_000).unwrap());
    let confirm = format!("{FACTOR}/confirm");
    assert_eq!(
        send(&house, &theirs, &confirm, json!({ "code": "000000" })).await.1["code"],
        "second_factor_wrong"
    );
    let (_, codes) = send(&house, &theirs, &confirm, json!({ "code": code(&house) })).await;
    let recovery = codes["codes"].as_array().unwrap().clone();
    assert_eq!(recovery.len(), 10);
    assert_eq!(get(&house, &theirs, "/api/v1/centre/banks").await.0, StatusCode::OK);
    let sign_in = async |code: Option<String>| {
        house.clock.advance(Span::secs(31));
        let mut body = json!({ "login": "aigul", "password": PASSWORD });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        let (status, body) = send(&house, "", "/api/v1/staff/sign-in", body).await;
        if status == StatusCode::OK { "in".to_owned() } else { body["code"].as_str().unwrap().to_owned() }
    };
    assert_eq!(sign_in(None).await, "second_factor_needed");
    house.clock.advance(Span::secs(31));
    let fresh = totp::code(&secret, u64::try_from((house.clock.now().0 + 31_000) / 30_000).unwrap());
    assert_eq!(sign_in(Some(fresh.clone())).await, "in");
    assert_eq!(sign_in(Some(fresh)).await, "second_factor_wrong", "a code is good once");
    let spare = recovery[0].as_str().unwrap().to_lowercase();
    assert_eq!(sign_in(Some(spare.clone())).await, "in");
    assert_eq!(sign_in(Some(spare)).await, "second_factor_wrong");
    // The head takes it away; the rule asks for a new one.
    let id = house.store.staff_by_login("aigul").await.unwrap().unwrap().id;
    let reset = format!("{STAFF}/{id}/second-factor/reset");
    assert_eq!(send(&house, &head(), &reset, json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(sign_in(None).await, "in");
    let (_, log) = get(&house, &head(), &format!("/api/v1/centre/log?object={id}")).await;
    let actions: Vec<_> =
        log["lines"].as_array().unwrap().iter().map(|line| line["action"].clone()).collect();
    assert!(
        actions.contains(&json!("second_factor_reset")) && actions.contains(&json!("second_factor_set")),
        "{actions:?}"
    );
}

fn unbase32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        digit => u32::from(digit - b'2') + 26,
    });
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in digits {
        (held, bits) = ((held << 5) | digit, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}
