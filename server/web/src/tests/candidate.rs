//! A candidate's way and the bad input on it.

use super::house::{House, ORIGIN, session, staff};
use super::seat::{Device, Socket, drawn, prepare, running};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use synaq_core::session::limits::TAB_RETURN_GRACE;
use synaq_core::session::{Input, StaffCommand};
use synaq_core::time::Span;
use synaq_question_banks::DEMO_BANK;
use synaq_store::{EventLog, Role};
use synaq_wire::limits::{FRAME_BYTES, FRAMES_BURST};

fn code(frame: &Value) -> &str {
    frame["problem"]["code"].as_str().unwrap_or_default()
}

async fn events(house: &House, candidate: u128) -> usize {
    house.store.load(session(candidate), synaq_core::ids::Seq(0)).await.unwrap().len()
}

#[tokio::test]
async fn a_scanner_that_opens_the_link_changes_nothing() {
    let house = House::open().await;
    let open = json!({ "link": house.link(0) });
    let (status, info) = house.post("/api/v1/candidate/open", &[], &open).await;
    assert_eq!((status, &info["bound"]), (StatusCode::OK, &json!(false)), "{info}");
    assert_eq!((&info["questions"], &info["minutes"]), (&json!(40), &json!(60)));
    let before = events(&house, 0).await;
    for _ in 0..3 {
        assert_eq!(house.post("/api/v1/candidate/open", &[], &open).await.0, StatusCode::OK);
    }
    assert_eq!(events(&house, 0).await, before);
    let (status, bound) = Device::new(&house, 0, 1).bind(&house).await;
    assert_eq!((status, &bound["in_charge"]), (StatusCode::OK, &json!(true)));
}

/// What a mail scanner, a messenger's preview and a browser that reads ahead do with an address.
#[tokio::test]
async fn looking_at_the_links_address_binds_nothing_and_tells_nothing() {
    let house = House::open().await;
    let before = events(&house, 0).await;
    let page = format!("/c/{}", house.link(0));
    for method in [Method::GET, Method::HEAD] {
        for purpose in ["prefetch", "prefetch;prerender", ""] {
            let request = House::request(&method, &page).header("sec-purpose", purpose);
            let response = house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::OK, "{method} {purpose}");
            assert!(response.headers().get("set-cookie").is_none());
        }
        for api in ["/api/v1/candidate/open", "/api/v1/candidate/bind"] {
            let response = house.send(House::request(&method, api).body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {api}");
        }
    }
    assert_eq!(events(&house, 0).await, before);
    let (_, info) = house.post("/api/v1/candidate/open", &[], &json!({ "link": house.link(0) })).await;
    assert_eq!(info["bound"], false);
}

#[tokio::test]
async fn a_link_ends_with_its_sitting_unless_the_exam_has_begun() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut socket) = running(&house, at, 1).await;
    house.pass(session(0), Span::mins(181)).await;
    let (status, problem) =
        house.post("/api/v1/candidate/open", &[], &json!({ "link": house.link(0) })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("link_expired")));
    let (status, problem) = Device::new(&house, 0, 9).bind(&house).await;
    assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("link_expired")));
    // The exam ended with its time: its link leads to the end screen.
    assert_eq!(code(&socket.command(json!({ "do": "hand_in" })).await), "exam_ended");
    assert_eq!(device.bind(&house).await.0, StatusCode::OK);
}

#[tokio::test]
async fn no_one_comes_in_by_a_foreign_or_broken_credential() {
    let house = House::open().await;
    let device = Device::new(&house, 0, 1);
    assert_eq!(device.ticket(&house).await.0, StatusCode::UNAUTHORIZED, "not bound yet");
    device.bind(&house).await;
    let ticket = async |bearer: String| {
        let headers = [("authorization", bearer.as_str())];
        let (status, body) =
            house.post("/api/v1/candidate/ticket", &headers, &json!({ "tab": device.tab })).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (StatusCode::UNAUTHORIZED, "credential_invalid".to_owned());
    for bearer in [
        String::new(),
        "Bearer x".to_owned(),
        format!("Bearer {}.{}", session(0), "A".repeat(43)),
        format!("Bearer {}.{}", session(1), device.key),
        format!("Bearer {}.{}", uuid::Uuid::from_u128(77), device.key),
        format!("Basic {}.{}", session(0), device.key),
    ] {
        assert_eq!(ticket(bearer.clone()).await, refused, "{bearer}");
    }
    assert_eq!(ticket(device.bearer()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_only_for_our_own_pages() {
    let house = House::open().await;
    let at = house.listen().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let path = async || {
        let (_, ticket) = device.ticket(&house).await;
        format!("/api/v1/candidate/socket?ticket={}", ticket["ticket"].as_str().unwrap())
    };
    let first = path().await;
    for origin in [None, Some("http://evil.test"), Some("null"), Some("http://exam.test.evil.test")] {
        assert_eq!(
            Socket::open_from(at, &first, origin).await.err(),
            Some(StatusCode::FORBIDDEN),
            "{origin:?}"
        );
    }
    Socket::open_from(at, &first, Some(ORIGIN)).await.unwrap();
    assert_eq!(Socket::open(at, &first).await.err(), Some(StatusCode::UNAUTHORIZED), "used");
    let second = path().await;
    house.clock.advance(Span::secs(31));
    assert_eq!(Socket::open(at, &second).await.err(), Some(StatusCode::UNAUTHORIZED), "expired");
}

#[tokio::test]
async fn one_candidate_cannot_use_up_the_tickets_of_all() {
    let house = House::open().await;
    let (greedy, other) = (Device::new(&house, 0, 1), Device::new(&house, 1, 2));
    greedy.bind(&house).await;
    other.bind(&house).await;
    for _ in 0..30 {
        assert_eq!(greedy.ticket(&house).await.0, StatusCode::OK);
    }
    assert_eq!(greedy.ticket(&house).await.1["code"], "too_many_requests");
    assert_eq!(other.ticket(&house).await.0, StatusCode::OK);
    house.clock.advance(Span::secs(1));
    assert_eq!(greedy.ticket(&house).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_is_acknowledged_once_it_is_durable_and_again_when_it_is_replayed() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut socket) = running(&house, at, 0).await;
    let answer = json!({ "do": "answer", "question": 0, "shown": [0] });
    let first = socket.command_in(1, 50, answer.clone()).await;
    assert_eq!(first["type"], "ack", "{first}");
    let stored = events(&house, 0).await;
    let again = socket.command_in(1, 50, answer).await;
    assert_eq!(again, first, "the earlier receipt");
    assert_eq!(events(&house, 0).await, stored);
    // An older command that comes late is stored and overwrites nothing.
    socket.command_in(1, 60, json!({ "do": "answer", "question": 1, "shown": [1] })).await;
    socket.command_in(1, 55, json!({ "do": "answer", "question": 1, "shown": [0] })).await;
    let mut later = device.connect(&house, at).await;
    let welcome = later.until("welcome").await;
    assert_eq!((&welcome["epoch"], &welcome["last_client_seq"]), (&json!(1), &json!(60)));
    assert_eq!(welcome["view"]["questions"][1]["shown"], json!([1]));
    assert_eq!(welcome["last_question"], json!(1), "where another device goes on");
    assert_eq!(code(&socket.until("bye").await), "other_device", "its own newer socket took over");
}

#[tokio::test]
async fn frames_of_another_shape_leave_everything_as_it_was() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, mut socket) = running(&house, at, 0).await;
    let before = events(&house, 0).await;
    for bad in [
        "",
        "{",
        "[]",
        "null",
        "{\"type\":\"none\"}",
        "{\"type\":\"ping\",\"n\":-1}",
        "{\"type\":\"ping\",\"n\":1,\"more\":1}",
        "{\"type\":\"command\",\"client_seq\":90,\"epoch\":1,\"client_at\":0,\"command\":{\"do\":\"hand_in\",\"x\":1}}",
        "{\"type\":\"command\",\"session\":\"x\",\"client_seq\":90,\"epoch\":1,\"client_at\":0,\"command\":{\"do\":\"hand_in\"}}",
    ] {
        socket.send_text(bad.to_owned()).await;
        assert_eq!(code(&socket.until("refused").await), "frame_malformed", "{bad}");
    }
    socket.send_binary().await;
    assert_eq!(code(&socket.until("refused").await), "frame_malformed");
    socket.send_text(" ".repeat(FRAME_BYTES + 1)).await;
    assert_eq!(code(&socket.until("refused").await), "frame_too_large");
    for (seq, command, expected) in [
        (91, json!({ "do": "answer", "question": 40, "shown": [0] }), "no_such_question"),
        (92, json!({ "do": "answer", "question": 0, "shown": [9] }), "no_such_option"),
        (93, json!({ "do": "answer", "question": 0, "shown": [1, 1] }), "no_such_option"),
        (94, json!({ "do": "signal", "code": "NONE", "phase": "begin", "ago_ms": 0 }), "out_of_limits"),
        (95, json!({ "do": "say", "text": "x".repeat(2_001) }), "out_of_limits"),
        (96, json!({ "do": "ready", "nonce": "00" }), "out_of_limits"),
        (0, json!({ "do": "hand_in" }), "out_of_limits"),
        (1 << 53, json!({ "do": "hand_in" }), "out_of_limits"),
    ] {
        assert_eq!(code(&socket.command_in(1, seq, command).await), expected, "{seq}");
    }
    assert_eq!(code(&socket.command_in(7, 97, json!({ "do": "hand_in" })).await), "other_device");
    assert_eq!(events(&house, 0).await, before);
    socket.send_text(" ".repeat(3 * FRAME_BYTES)).await;
    assert_eq!(code(&socket.until("bye").await), "frame_too_large");
}

#[tokio::test]
async fn too_many_frames_are_refused_with_the_time_to_wait() {
    let house = House::open().await;
    let at = house.listen().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let mut socket = device.connect(&house, at).await;
    for n in 0..FRAMES_BURST {
        socket.send(&json!({ "type": "ping", "n": n })).await;
        socket.until("pong").await;
    }
    let refused = socket.command(json!({ "do": "call_proctor" })).await;
    assert_eq!(code(&refused), "too_many_requests");
    assert!(refused["problem"]["retry_after_ms"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_device_clock_one_hour_off_changes_nothing() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, mut socket) = running(&house, at, 0).await;
    let hour = Span::mins(60).0;
    for (seq, off) in [(70, hour), (71, -hour)] {
        let frame = json!({ "type": "command", "client_seq": seq, "epoch": 1, "client_at": super::START.0 + off,
            "command": { "do": "answer", "question": 3, "shown": [0] } });
        socket.send(&frame).await;
        assert_eq!(socket.until("ack").await["receipt"]["at"], super::START.0);
    }
    let view = socket.command(json!({ "do": "flag", "question": 3, "on": true })).await;
    assert_eq!(view["type"], "ack");
    let clock = socket.view(|view| view["questions"][3]["flagged"] == true).await["clock"].clone();
    assert_eq!(clock["remaining_ms"], Span::mins(60).0);
}

#[tokio::test]
async fn a_second_device_waits_and_takes_over_when_a_proctor_admits_it() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, mut first) = running(&house, at, 0).await;
    let device = Device::new(&house, 0, 200);
    assert_eq!(device.bind(&house).await.1["in_charge"], false);
    let mut second = device.connect(&house, at).await;
    let welcome = second.until("welcome").await;
    assert_eq!((&welcome["epoch"], &welcome["view"]["attach"]), (&Value::Null, &json!("waiting")));
    assert_eq!(welcome["view"]["questions"], json!([]), "nobody has said whose device it is");
    assert_eq!(code(&second.command_in(1, 1, json!({ "do": "hand_in" })).await), "other_device");
    second.send(&json!({ "type": "question", "index": 0 })).await;
    assert_eq!(code(&second.until("refused").await), "other_device");
    let said = second.command_in(1, 60, json!({ "do": "say", "text": "my laptop died" })).await;
    assert_eq!(said["type"], "ack", "{said}");
    // What it said takes no number of the device in charge.
    assert_eq!(first.command_in(1, 60, json!({ "do": "call_proctor" })).await["type"], "ack");

    let admit =
        Input::Staff { by: staff(0, Role::Proctor), command: StaffCommand::AdmitDevice { waiting: None } };
    house.runtime.submit(session(0), admit).await.unwrap();
    assert_eq!(code(&first.until("bye").await), "superseded_epoch");
    let welcome = second.until("welcome").await;
    assert_eq!((&welcome["epoch"], &welcome["view"]["attach"]), (&json!(2), &json!("in_charge")));
    let answer = json!({ "do": "answer", "question": 0, "shown": [0] });
    assert_eq!(second.command_in(2, 1, answer.clone()).await["type"], "ack");
    assert_eq!(code(&second.command_in(1, 99, answer).await), "superseded_epoch", "evidence only");
}

#[tokio::test]
async fn a_second_tab_of_the_same_device_waits() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut first) = running(&house, at, 0).await;
    let tab = Device { tab: uuid::Uuid::from_u128(999), ..Device::new(&house, 0, 1) };
    assert_eq!(tab.key, device.key);
    let mut second = tab.connect(&house, at).await;
    assert_eq!(second.until("welcome").await["view"]["attach"], "waiting");
    assert_eq!(first.command(json!({ "do": "flag", "question": 0, "on": true })).await["type"], "ack");
}

#[tokio::test]
async fn a_waiting_tab_of_the_same_device_goes_on_under_a_new_epoch_when_the_first_closes() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, first) = running(&house, at, 0).await;
    let tab = Device { tab: uuid::Uuid::from_u128(999), ..Device::new(&house, 0, 1) };
    let mut second = tab.connect(&house, at).await;
    assert_eq!(second.until("welcome").await["view"]["attach"], "waiting");
    drop(first);
    house
        .runtime
        .watch(session(0))
        .await
        .unwrap()
        .wait_for(|seen| seen.session.state().socket.is_none())
        .await
        .unwrap();
    house.pass(session(0), TAB_RETURN_GRACE).await;
    let welcome = second.until("welcome").await;
    assert_eq!((&welcome["epoch"], &welcome["view"]["attach"]), (&json!(2), &json!("in_charge")));
    let answer = |question: u16| json!({ "do": "answer", "question": question, "shown": [0] });
    assert_eq!(second.command_in(2, 1, answer(0)).await["type"], "ack");
    assert_eq!(code(&second.command_in(2, 1, answer(1)).await), "client_seq_reused");
    assert_eq!(code(&second.command_in(1, 90, answer(1)).await), "superseded_epoch");
}

#[tokio::test]
async fn questions_are_told_only_while_the_exam_runs_and_are_not_covered() {
    let house = House::open().await;
    let at = house.listen().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let mut socket = device.connect(&house, at).await;
    let ask = json!({ "type": "question", "index": 0 });
    socket.send(&ask).await;
    assert_eq!(code(&socket.until("refused").await), "wrong_stage");
    prepare(&house, &device, &mut socket).await;
    assert_eq!(
        code(&socket.command(json!({ "do": "answer", "question": 0, "shown": [0] })).await),
        "wrong_stage"
    );
    assert_eq!(code(&socket.command(json!({ "do": "begin" })).await), "step_missing");
    socket.done(json!({ "do": "ready", "nonce": "cd".repeat(32) })).await;
    let drawn = socket.view(|view| view["steps"]["paper"] == true).await;
    assert_eq!((&drawn["steps"]["ready"], &drawn["questions"]), (&json!(true), &json!([])));
    socket.done(json!({ "do": "begin" })).await;
    socket.send(&ask).await;
    socket.until("question").await;
    let by = staff(0, Role::Proctor);
    let pause = StaffCommand::Pause { reason: "fire alarm".to_owned() };
    house.runtime.submit(session(0), Input::Staff { by, command: pause }).await.unwrap();
    socket.view(|view| view["stage"] == "paused").await;
    socket.send(&ask).await;
    assert_eq!(code(&socket.until("refused").await), "wrong_stage");
    house.runtime.submit(session(0), Input::Staff { by, command: StaffCommand::Resume }).await.unwrap();
    socket.done(json!({ "do": "hand_in" })).await;
    let end = socket.view(|view| view["stage"] == "closed").await["end"].clone();
    assert_eq!(
        (&end["reason"], &end["result"]["passed"], &end["approved"]),
        (&json!("submitted"), &json!(false), &json!(false))
    );
    socket.send(&ask).await;
    assert_eq!(code(&socket.until("refused").await), "exam_ended");
    let late = socket.command(json!({ "do": "answer", "question": 0, "shown": [1] })).await;
    assert_eq!(code(&late), "exam_ended");
}

#[tokio::test]
async fn nothing_a_candidate_is_sent_names_an_item_an_option_or_a_key() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_, mut socket) = running(&house, at, 0).await;
    for index in 0..40 {
        socket.send(&json!({ "type": "question", "index": index })).await;
        socket.until("question").await;
        socket.done(json!({ "do": "answer", "question": index, "shown": [0] })).await;
        socket.done(json!({ "do": "flag", "question": index, "on": true })).await;
    }
    socket.done(json!({ "do": "call_proctor" })).await;
    socket.done(json!({ "do": "signal", "code": "WINDOW_BLUR", "phase": "begin", "ago_ms": 0 })).await;
    socket.send(&json!({ "type": "none" })).await;
    socket.until("refused").await;
    socket.done(json!({ "do": "hand_in" })).await;
    socket.view(|view| view["stage"] == "closed").await;
    let all = socket.heard.join("\n");
    let (bank, _) = synaq_question_banks::read(DEMO_BANK).unwrap();
    for item in &bank.items {
        assert!(!all.contains(&item.id.0), "{}", item.id);
    }
    for canary in
        ["correct\":[", "right", "\"key", "difficulty", "labour_function", "topic", "draw_secret", "07070707"]
    {
        assert!(!all.contains(canary), "{canary}");
    }
    let fields = |frame: &Value| frame.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let frames = socket.heard.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let questions: Vec<Value> = frames.filter(|frame| frame["type"] == "question").collect();
    assert_eq!(questions.len(), 40);
    for question in questions {
        assert_eq!(fields(&question["question"]), ["index", "multiple", "options", "text"]);
        assert!(question["question"]["options"].as_array().unwrap().iter().all(Value::is_string));
    }
}

#[tokio::test]
async fn the_page_learns_that_a_proctor_came_and_when_it_may_begin() {
    let house = House::open().await;
    let at = house.listen().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let mut socket = device.connect(&house, at).await;
    let welcome = socket.until("welcome").await;
    assert_eq!(welcome["view"]["steps"]["ready"], false);
    assert_eq!(welcome["view"]["proctor_present"], false);
    let commitment = welcome["view"]["draw_commitment"].as_str().unwrap();
    assert_eq!(commitment, synaq_seal::sha256(&[7; 32]).to_string());
    drawn(&house, &device, &mut socket).await;
    let _wall = super::wall::watching(&house, at).await;
    socket.view(|view| view["steps"]["ready"] == true && view["proctor_present"] == true).await;
}

/// What core counts as an interruption of the candidate's is told by this word.
#[test]
fn a_socket_that_is_closed_because_we_stop_is_named_as_core_knows_it() {
    assert_eq!(synaq_wire::problem::Code::ShuttingDown.as_str(), synaq_core::session::limits::SERVER_STOPPED);
}
