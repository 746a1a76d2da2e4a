//! Holds on evidence.

use super::house::{House, staff};
use super::seat::running;
use axum::http::StatusCode;
use serde_json::json;
use synaq_core::ids::CentreId;
use synaq_store::{Directory as _, Role};
use uuid::Uuid;

#[tokio::test]
async fn a_hold_has_a_ground_and_a_reason_is_shown_and_is_lifted_once() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, _candidate) = running(&house, at, 0).await;
    let path = format!("/api/v1/centre/sessions/{}", device.session);
    let send = async |role: Role, below: &str, body: serde_json::Value| {
        let body = body.to_string().into_bytes();
        house.post_as(role, &format!("{path}/{below}"), "application/json", body).await
    };
    let (_, before) = house.get_as(Role::Centre, &path).await;
    assert_eq!(before["keeping"]["holds"], json!([]));
    assert_eq!(
        before["keeping"]["classes"][0],
        json!({ "class": "recordings", "state": "undecided", "at": null, "rule": null })
    );
    for wrong in [
        json!({ "ground": "other", "reason": "x" }),
        json!({ "ground": "appeal", "reason": " " }),
        json!({ "ground": "appeal", "reason": "x".repeat(1_001) }),
    ] {
        assert_eq!(send(Role::Centre, "hold", wrong).await.1["code"], "out_of_limits");
    }
    assert_eq!(send(Role::Centre, "hold/lift", json!({ "reason": "x" })).await.1["code"], "nothing_waits");
    let hold = json!({ "ground": "appeal", "reason": "Өтініш № 7" });
    assert_eq!(send(Role::Proctor, "hold", hold.clone()).await.1["code"], "role_missing");
    assert_eq!(send(Role::Centre, "hold", hold.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(send(Role::Commission, "hold", hold).await.1["code"], "hold_open");
    let (_, held) = house.get_as(Role::Commission, &path).await;
    assert_eq!(held["keeping"]["holds"][0]["reason"], "Өтініш № 7");
    assert_eq!(held["keeping"]["classes"][2]["state"], "held");
    let lift = json!({ "reason": "шешім шықты" });
    assert_eq!(send(Role::Commission, "hold/lift", lift).await.0, StatusCode::NO_CONTENT);
    let (_, lifted) = house.get_as(Role::Centre, &path).await;
    assert_eq!(lifted["keeping"]["holds"][0]["lift_reason"], "шешім шықты");
    assert_eq!(lifted["keeping"]["classes"][0]["state"], "undecided");

    let audit = house.store.audit_of(CentreId(Uuid::from_u128(1)), 20).await.unwrap();
    let by = |action: &str| audit.iter().find(|entry| entry.action == action).and_then(|entry| entry.staff);
    assert_eq!(by("hold_placed"), Some(staff(0, Role::Centre)));
    assert_eq!(by("hold_lifted"), Some(staff(0, Role::Commission)));
}
