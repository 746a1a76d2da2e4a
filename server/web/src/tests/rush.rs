//! More than can be served at once: the queue for seats, and what gives way to answers.

use super::house::{House, session};
use super::seat::{Device, running};
use crate::Limits;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use synaq_core::session::Input;
use synaq_core::time::Span;

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or_default()
}

async fn until(mut met: impl FnMut() -> bool) {
    while !met() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_candidate_without_a_seat_waits_over_http_and_comes_in_when_one_is_free() {
    let house = House::open_for(Limits { candidates: 1, waiting: 1 }).await;
    let at = house.listen().await;
    let (first, second) = (Device::new(&house, 0, 1), Device::new(&house, 1, 2));
    first.bind(&house).await;
    second.bind(&house).await;
    let mut sitting = first.connect(&house, at).await;
    sitting.until("welcome").await;
    let (status, problem) = second.ticket(&house).await;
    assert_eq!((status, code(&problem)), (StatusCode::SERVICE_UNAVAILABLE, "exam_full_queue"));
    assert_eq!((&problem["position"], &problem["retry_after_ms"]), (&json!(1), &json!(2_000)));
    assert_eq!(second.ticket(&house).await.1["position"], 1, "asking again changes nothing");
    let stranger = Device { key: first.key.clone(), ..Device::new(&house, 1, 2) };
    assert_eq!(code(&stranger.ticket(&house).await.1), "credential_invalid");
    drop(sitting);
    // The seat is kept for whoever may come back, and then it is free.
    let again = first.connect(&house, at).await;
    assert_eq!(code(&second.ticket(&house).await.1), "exam_full_queue");
    drop(again);
    let mut waited = Span::ZERO;
    let ticket = loop {
        let (status, answer) = second.ticket(&house).await;
        if status == StatusCode::OK {
            break answer;
        }
        house.clock.advance(Span::secs(10));
        waited = waited + Span::secs(10);
        assert!(waited < Span::mins(10), "{answer}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(ticket["ticket"].is_string() && waited >= Span::mins(1));
    assert_eq!(first.ticket(&house).await.1["position"], 1);
}

#[tokio::test]
async fn a_running_exam_finds_a_seat_when_there_is_none() {
    let house = House::open_for(Limits { candidates: 1, waiting: 0 }).await;
    let at = house.listen().await;
    let (device, socket) = running(&house, at, 0).await;
    drop(socket);
    house.clock.advance(Span::mins(2));
    let other = Device::new(&house, 1, 2);
    other.bind(&house).await;
    // The socket of the first may not be gone yet; once it is, its seat is given away after a minute.
    while other.ticket(&house).await.0 != StatusCode::OK {
        house.clock.advance(Span::secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let _sits = other.connect(&house, at).await;
    let third = Device::new(&house, 2, 3);
    third.bind(&house).await;
    let (_, problem) = third.ticket(&house).await;
    assert_eq!((code(&problem), problem.get("position")), ("exam_full_queue", None), "the queue is full too");
    let mut back = device.connect(&house, at).await;
    back.until("welcome").await;
    assert_eq!(
        back.command_in(1, 90, json!({ "do": "answer", "question": 0, "shown": [0] })).await["type"],
        "ack"
    );
}

#[tokio::test]
async fn an_answer_is_acknowledged_without_the_whole_view() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut socket) = running(&house, at, 0).await;
    socket.view(|view| view["stage"] == "running").await;
    let heard = socket.heard.len();
    for question in 0..5 {
        socket.done(json!({ "do": "answer", "question": question, "shown": [1] })).await;
    }
    socket.send(&json!({ "type": "ping", "n": 7 })).await;
    socket.until("pong").await;
    assert_eq!(socket.heard.len() - heard, 6, "five acknowledgements and the pong");
    socket.done(json!({ "do": "flag", "question": 1, "on": true })).await;
    let view = socket.view(|view| view["questions"][1]["flagged"] == true).await;
    assert_eq!(view["questions"][4]["shown"], json!([1]), "the next view has them all");
    drop(socket);
    let welcome = device.connect(&house, at).await.until("welcome").await;
    assert_eq!(welcome["view"]["questions"][0]["shown"], json!([1]));
}

#[tokio::test]
async fn pictures_give_way_to_answers_and_answers_only_to_a_full_mailbox() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut socket) = running(&house, at, 0).await;
    house.store.hold();
    let first = house.runtime.ask(session(0), Input::Tick).unwrap();
    let answer = |n: u64| {
        json!({ "type": "command", "client_seq": 100 + n, "epoch": 1, "client_at": 0,
            "command": { "do": "answer", "question": n % 40, "shown": [0] } })
    };
    socket.send(&answer(0)).await;
    until(|| house.store.waiting() > 0).await;
    let mut asked = Vec::new();
    while house.runtime.fill_pct() < 50 {
        asked.push(house.runtime.ask(session(0), Input::Tick).unwrap());
    }
    let request = House::request(&Method::POST, "/api/v1/candidate/whip");
    let request = request.header("authorization", device.bearer()).header("content-type", "application/sdp");
    let (status, problem) =
        super::house::json(house.send(request.body(Body::from("v=0")).unwrap()).await).await;
    assert_eq!((status, code(&problem)), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert!(problem["retry_after_ms"].as_u64().unwrap() >= 1_000);
    socket.send(&answer(1)).await;
    while let Ok(tick) = house.runtime.ask(session(0), Input::Tick) {
        asked.push(tick);
        if asked.len() % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    socket.send(&answer(2)).await;
    house.store.release();
    first.await.unwrap();
    let mut answers = Vec::new();
    while answers.len() < 3 {
        let frame = socket.next().await.unwrap();
        if ["ack", "refused"].contains(&frame["type"].as_str().unwrap()) {
            answers.push(frame);
        }
    }
    assert_eq!((&answers[0]["type"], &answers[1]["type"]), (&json!("ack"), &json!("ack")));
    for tick in asked {
        tick.await.unwrap();
    }
    // What was refused for the full mailbox is taken when it is sent again.
    if answers[2]["type"] == "refused" {
        assert_eq!(code(&answers[2]["problem"]), "busy");
        assert!(answers[2]["problem"]["retry_after_ms"].as_u64().unwrap() > 0);
    }
    socket.send(&answer(2)).await;
    assert_eq!(socket.until("ack").await["client_seq"], 102);
}
