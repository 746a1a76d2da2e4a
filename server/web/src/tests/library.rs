//! Programmes made on the page, and banks out of GIFT files.

use super::house::{BANK, House, PROGRAMME};
use axum::http::StatusCode;
use serde_json::{Value, json};
use synaq_store::Role;
use uuid::Uuid;

async fn post(house: &House, path: &str, body: &Value) -> (StatusCode, Value) {
    house.post_as(Role::Centre, path, "application/json", body.to_string().into()).await
}

#[tokio::test]
async fn a_programme_saved_on_the_page_is_its_next_version_and_the_law_holds() {
    let house = House::open().await;
    let path = format!("/api/v1/centre/programmes/{}", Uuid::from_u128(PROGRAMME));
    let (status, mut form) = house.get_as(Role::Centre, &path).await;
    assert_eq!((status, &form["bank"]), (StatusCode::OK, &json!(Uuid::from_u128(BANK))), "{form}");
    form["minutes"] = json!(45);
    form["screen"] = json!(true);
    form["basis"]["ru"] = json!("Стандарт \"№ 7\" \\ 2026");
    let compose = "/api/v1/centre/programmes/compose";
    let (status, row) = post(&house, compose, &form).await;
    assert_eq!(
        (status, &row["minutes"], &row["screen"]),
        (StatusCode::OK, &json!(45), &json!(true)),
        "{row}"
    );
    let (_, old) = house.get_as(Role::Centre, &path).await;
    assert_eq!(old["minutes"], 60, "a stored version never changes");
    let path = format!("/api/v1/centre/programmes/{}", row["programme"].as_str().unwrap());
    let (status, problem) = post(&house, compose, &form).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")), "{problem}");
    form["after"] = row["version"].clone();
    assert_eq!(house.get_as(Role::Centre, &path).await.1, form, "what was typed comes back as it was");
    let (_, next) = post(&house, compose, &form).await;
    assert_eq!(next["version"].as_u64(), row["version"].as_u64().map(|version| version + 1));

    // An older client says nothing of versions, and is taken.
    form["after"] = Value::Null;
    form["threshold_pct"] = json!(69);
    assert_eq!(post(&house, compose, &form).await.1["code"], "threshold_below_law");
    form["threshold_pct"] = json!(70);
    form["blueprint"][0]["count"] = json!(9_999);
    let (status, problem) = post(&house, compose, &form).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("programme_invalid")));
    form["bank"] = json!(Uuid::from_u128(super::house::OTHER + BANK));
    assert_eq!(post(&house, compose, &form).await.1["code"], "not_found", "a bank of another centre");
}

#[tokio::test]
async fn a_gift_file_is_looked_at_first_and_kept_when_asked() {
    let house = House::open().await;
    let file = |lang: &str| {
        format!("::q-1::Сұрақ {lang} қандай? {{=Дұрыс жауап ~Қате жауап}}\n\n::q-2::Эссе {lang} {{}}\n")
    };
    let mut body = json!({ "slug": "gift", "title": { "kk": "Сұрақтар", "ru": "Вопросы" }, "profession_code": "7512",
                           "kk": file("kk"), "ru": file("ru"), "take": "check" });
    let path = "/api/v1/centre/banks/gift";
    let (status, report) = post(&house, path, &body).await;
    assert_eq!(
        (status, &report["taken"], &report["refused"]),
        (StatusCode::OK, &json!(1), &json!(1)),
        "{report}"
    );
    assert_eq!(report["questions"][1]["findings"][0]["code"], "gift_essay");
    assert_eq!(report["questions"][1]["findings"][0]["line"], 3);
    body["take"] = json!("all");
    assert_eq!(post(&house, path, &body).await.1["imported"], Value::Null, "one question was refused");
    body["take"] = json!("sound");
    let (_, report) = post(&house, path, &body).await;
    assert_eq!((&report["imported"]["version"], &report["imported"]["questions"]), (&json!(1), &json!(1)));
    let (_, again) = post(&house, path, &body).await;
    assert_eq!(again["imported"]["version"], 2, "the next version, whatever it holds");
    body["slug"] = json!("Не годится");
    body["title"]["ru"] = json!("\u{202e}😀");
    let (_, problem) = post(&house, path, &body).await;
    let mistakes = problem["mistakes"].as_array().unwrap();
    let places: Vec<_> = mistakes.iter().map(|one| one["place"].as_str().unwrap()).collect();
    assert_eq!((&problem["code"], places), (&json!("form_invalid"), vec!["slug", "title_ru"]), "{problem}");
}
