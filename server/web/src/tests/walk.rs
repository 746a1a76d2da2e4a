//! Every route of the table, by everybody.

use super::house::{BANK, House, OTHER, SESSION, SITTING, cookie, json};
use crate::{Audience, Route, routes};
use axum::body::Body;
use axum::http::StatusCode;
use synaq_store::Role;
use uuid::Uuid;

/// The path with ids of a centre's own rows.
fn path(route: &Route, base: u128) -> String {
    let id = |number: u128| Uuid::from_u128(base + number).to_string();
    let folder = if route.path.contains("/whep/") || route.path.contains("/whip/") {
        "f".repeat(32)
    } else {
        String::new()
    };
    route
        .path
        .replace("{session}", &id(SESSION))
        .replace("{sitting}", &id(SITTING))
        .replace("{bank}", &id(BANK))
        .replace("{staff}", &id(10 + Role::Proctor as u128))
        .replace("{programme}", &id(super::house::PROGRAMME))
        .replace("{kind}", "face")
        .replace("{name}", "face-1")
        .replace("{incident}", "1")
        .replace("{token}", "x")
        .replace("{resource}", &folder)
        .replace("{code}", "busy")
        .replace("{link}", "x")
        .replace("{*below}", "below")
        .replace("{*file}", "none.js")
}

async fn answer(house: &House, route: &Route, base: u128, cookie: Option<String>) -> (StatusCode, String) {
    let mut request =
        House::request(&route.method, &path(route, base)).header("content-type", "application/json");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let (status, body) = json(house.send(request.body(Body::from("{}")).unwrap()).await).await;
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn nobody_without_a_credential_gets_past_a_door_that_asks_for_one() {
    let house = House::open().await;
    for route in routes() {
        let (status, code) = answer(&house, &route, 0, None).await;
        let expected = match route.audience {
            Audience::Staff(_) => (StatusCode::UNAUTHORIZED, "sign_in_required"),
            Audience::Device => (StatusCode::UNAUTHORIZED, "credential_invalid"),
            Audience::Link => (StatusCode::NOT_FOUND, "link_invalid"),
            Audience::Ticket => (StatusCode::UNAUTHORIZED, "ticket_invalid"),
            Audience::Public => {
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{route:?}");
                assert!(!status.is_server_error(), "{route:?}");
                continue;
            }
        };
        assert_eq!((status, code.as_str()), expected, "{route:?}");
    }
}

#[tokio::test]
async fn each_role_gets_through_its_own_doors_and_no_others() {
    let house = House::open().await;
    let mut walked = 0;
    for route in routes() {
        let Audience::Staff(roles) = route.audience else { continue };
        if route.path.ends_with("sign-out") {
            continue;
        }
        for role in Role::ALL {
            let (status, code) = answer(&house, &route, 0, Some(cookie(0, role))).await;
            if roles.is_empty() || roles.contains(&role) {
                let shut = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                assert!(!shut && !status.is_server_error(), "{route:?} {role:?}: {status} {code}");
            } else {
                assert_eq!(
                    (status, code.as_str()),
                    (StatusCode::FORBIDDEN, "role_missing"),
                    "{route:?} {role:?}"
                );
            }
            walked += 1;
        }
    }
    assert!(walked > 60, "{walked}");
}

/// Read-only by the table itself: what changes something is closed to whoever only looks, their own account apart.
#[test]
fn an_auditor_changes_nothing() {
    let mut read = 0;
    for route in routes() {
        let Audience::Staff(roles) = route.audience else { continue };
        let own_account = route.path.starts_with("/api/v1/staff/");
        if route.method == axum::http::Method::GET {
            read += u32::from(roles.contains(&Role::Auditor));
        } else {
            assert!(own_account || !roles.is_empty() && !roles.contains(&Role::Auditor), "{route:?}");
        }
    }
    assert!(read >= 10, "{read}");
}

#[tokio::test]
async fn whoever_only_looks_at_a_sitting_gets_no_personal_links() {
    let house = House::open().await;
    let path = format!("/api/v1/centre/sittings/{}", Uuid::from_u128(SITTING));
    let links = |detail: &serde_json::Value| {
        let rows = detail["candidates"].as_array().unwrap();
        rows.iter().map(|row| row["link"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (_, own) = house.get_as(Role::Centre, &path).await;
    assert!(links(&own).iter().all(|link| link.contains("/c/")), "{own}");
    let (_, seen) = house.get_as(Role::Auditor, &path).await;
    assert!(links(&seen).iter().all(String::is_empty), "{seen}");
}

#[tokio::test]
async fn what_another_centre_owns_does_not_exist() {
    let house = House::open().await;
    let mut walked = 0;
    for route in routes() {
        let Audience::Staff(roles) = route.audience else { continue };
        let ids = ["{session}", "{sitting}", "{bank}", "{programme}", "{staff}"];
        let owned = ids.iter().any(|id| route.path.contains(id));
        if !owned {
            continue;
        }
        for role in roles {
            let media_type =
                if route.path.ends_with("/candidates") { "text/csv" } else { "application/json" };
            let foreign =
                House::request(&route.method, &path(&route, OTHER)).header("cookie", cookie(0, *role));
            let body = match route.path.rsplit('/').next() {
                Some("approve") => "{\"sha256\":\"0\"}",
                Some("hold") => "{\"ground\":\"appeal\",\"reason\":\"x\"}",
                Some("notes") => "{\"text\":\"x\"}",
                Some("letters") => "{\"sessions\":[]}",
                Some("cancel") => "{\"version\":1,\"reason\":\"x\"}",
                Some("change") if route.path.contains("sittings") => {
                    "{\"version\":1,\"title\":\"x\",\"opens_at\":1,\"closes_at\":2,\"reason\":\"x\"}"
                }
                Some("change") => {
                    "{\"version\":1,\"name\":\"x\",\"reason\":\"x\",\"email\":null,\"accommodation\":{\"extra_minutes\":0,
                     \"extra_pct\":null,\"switched_off\":[],\"breaks\":false,\"hearing_aid\":false,\"note\":null}}"
                }
                Some("candidate") => {
                    "{\"name\":\"x\",\"identity\":\"x\",\"email\":null,\"accommodation\":{\"extra_minutes\":0,
                     \"extra_pct\":null,\"switched_off\":[],\"breaks\":false,\"hearing_aid\":false,\"note\":null}}"
                }
                Some("withdraw") => "{\"version\":1,\"withdrawn\":true,\"reason\":\"x\"}",
                Some("void") => "{\"version\":1,\"ground\":\"other\",\"reason\":\"x\",\"sitting\":null}",
                Some("lift") => "{\"reason\":\"x\"}",
                Some("{staff}") => {
                    "{\"was\":{\"name\":\"A\",\"mail\":\"\",\"roles\":[\"proctor\"],\"disabled\":false},
                     \"is\":{\"name\":\"B\",\"mail\":\"\",\"roles\":[\"proctor\"],\"disabled\":false}}"
                }
                _ => "name,iin\n",
            };
            let foreign = foreign.header("content-type", media_type).body(Body::from(body)).unwrap();
            let (status, body) = json(house.send(foreign).await).await;
            assert_eq!(
                (status, &body["code"]),
                (StatusCode::NOT_FOUND, &"not_found".into()),
                "{route:?} {role:?}"
            );
            walked += 1;
        }
    }
    assert!(walked >= 10, "{walked}");
}

#[tokio::test]
async fn lists_hold_nothing_of_another_centre() {
    let house = House::open().await;
    let foreign: Vec<String> = (0..200).map(|number| Uuid::from_u128(OTHER + number).to_string()).collect();
    for (role, path) in [
        (Role::Centre, "/api/v1/centre/banks"),
        (Role::Centre, "/api/v1/centre/programmes"),
        (Role::Centre, "/api/v1/centre/sittings"),
        (Role::Centre, "/api/v1/centre/duty"),
        (Role::Centre, "/api/v1/centre/results"),
        (Role::Centre, "/api/v1/centre/overview"),
        (Role::Auditor, "/api/v1/centre/results?search=a&sort=name&limit=100"),
        (Role::Centre, "/api/v1/centre/staff"),
        (Role::Centre, "/api/v1/centre/profile"),
        (Role::Auditor, "/api/v1/centre/log"),
        (Role::Commission, "/api/v1/commission/records"),
        (Role::Proctor, "/api/v1/proctor/sittings"),
        (Role::Proctor, "/api/v1/staff/me"),
    ] {
        let (status, body) = house.get_as(role, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        let text = body.to_string();
        assert!(!foreign.iter().any(|id| text.contains(id)), "{path}");
    }
}
