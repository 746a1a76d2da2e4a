//! `synaq demo`

use crate::http::{ACCEPT, UPGRADE, call, get, post};
use crate::process::{Demo, Running, arguments, free_ports, is_alive, local, signal, stderr, synaq, until};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

const SEATS: [&str; 4] = ["proctor", "second_proctor", "centre", "commission"];

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

fn sign_in(demo: &Demo, seat: &str) -> crate::http::Reply {
    let (login, password) = (demo.text(&format!("/{seat}/login")), demo.text(&format!("/{seat}/password")));
    post(demo.port, "/api/v1/staff/sign-in", json!({ "login": login, "password": password }))
}

/// A candidate's or proctor's open socket.
fn socket(port: u16, path: &str, ticket: &str) -> TcpStream {
    let mut stream = TcpStream::connect(local(port)).unwrap();
    let origin = format!("http://localhost:{port}");
    let path = format!("{path}?ticket={ticket}");
    let request =
        crate::http::Request { method: "GET", path: &path, origin: &origin, headers: &UPGRADE, body: None };
    let reply = request.over(&mut stream);
    assert_eq!((reply.status, reply.header("sec-websocket-accept")), (101, Some(ACCEPT)), "{}", reply.body);
    stream
}

fn candidate_socket(demo: &Demo, token: &str) -> TcpStream {
    let device_key = "A".repeat(43);
    let tab = "01989f00-0000-7000-8000-000000000001";
    let bound = post(
        demo.port,
        "/api/v1/candidate/bind",
        json!({ "link": token, "device_key": device_key, "tab": tab }),
    );
    assert_eq!(bound.status, 200, "{}", bound.body);
    let bearer = format!("Bearer {}.{device_key}", bound.json()["session"].as_str().unwrap());
    let headers = [("Authorization", bearer.as_str())];
    let ticket =
        call(demo.port, "POST", "/api/v1/candidate/ticket", &headers, Some(json!({ "tab": tab }))).json();
    socket(demo.port, "/api/v1/candidate/socket", ticket["ticket"].as_str().unwrap())
}

fn proctor_socket(demo: &Demo) -> TcpStream {
    let cookie = sign_in(demo, "proctor").cookie();
    let ticket = call(demo.port, "POST", "/api/v1/staff/ticket", &[("Cookie", &cookie)], None).json();
    socket(demo.port, "/api/v1/proctor/socket", ticket["ticket"].as_str().unwrap())
}

#[test]
fn the_demo_prints_links_and_writes_the_same_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut demo = Demo::start(&data, free_ports());
    let port = demo.port;
    assert_eq!(demo.text("/base_url"), format!("http://localhost:{port}"));
    assert_eq!(demo.text("/platform_url"), format!("http://localhost:{}", port + 1));
    assert!(demo.tokens().len() >= 5);
    assert!(is_alive(demo.platform_pid()));
    assert_eq!(demo.links["platform_command"][1], "platform");
    let printed = demo.process.until("the links are printed", |process| {
        process.stdout().contains("Stop with Ctrl+C").then(|| process.stdout())
    });
    for link in demo.links["candidate_links"].as_array().unwrap() {
        assert!(printed.contains(link.as_str().unwrap()));
    }
    for seat in SEATS {
        assert!(printed.contains(&demo.text(&format!("/{seat}/password"))), "{seat}");
        let signed_in = sign_in(&demo, seat);
        assert_eq!(signed_in.status, 200, "{seat}: {}", signed_in.body);
        let role = if seat == "second_proctor" { "proctor" } else { seat };
        assert_eq!(signed_in.json()["roles"], json!([role]));
    }
    assert_eq!(get(port, "/healthz").status, 200);
    assert!(get(port + 1, "/").body.contains("Central platform"));
    let trust = fs::read(demo.text("/trust")).unwrap();
    assert_eq!(synaq_seal::key::TrustSet::from_json(&trust).unwrap().iter().count(), 3);
}

#[cfg(unix)]
#[test]
fn names_keys_and_passwords_are_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _demo = Demo::start(&data, free_ports());
    for name in ["", "keys", "platform"] {
        assert_eq!(mode(&data.join(name)), 0o700, "{name}");
    }
    let keys = fs::read_dir(data.join("keys")).unwrap().map(|entry| entry.unwrap().path());
    let others =
        ["demo.json", "synaq.db", "synaq.db-wal", "platform/platform.p8"].map(|name| data.join(name));
    for file in keys.chain(others) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_run_on_the_same_folder_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = Demo::start(&data, free_ports());
    let token = first.tokens()[2].clone();
    drop(candidate_socket(&first, &token));
    assert!(first.process.stop().success());
    // Another port: links are the same but for it.
    let second = Demo::start(&data, free_ports());
    assert_eq!(second.tokens(), first.tokens());
    for seat in SEATS {
        assert_eq!(second.links[seat], first.links[seat]);
        assert_eq!(sign_in(&second, seat).status, 200);
    }
    let open = |token: &str| post(second.port, "/api/v1/candidate/open", json!({ "link": token })).json();
    assert_eq!(open(&token)["bound"], true);
    assert_eq!(open(&second.tokens()[0])["bound"], false);
}

#[test]
fn lost_passwords_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = Demo::start(&data, free_ports());
    first.process.stop();
    fs::remove_file(data.join("demo.json")).unwrap();
    let mut second = Demo::start(&data, free_ports());
    assert_eq!(second.tokens(), first.tokens());
    assert_ne!(second.links["proctor"], first.links["proctor"]);
    assert_eq!(sign_in(&second, "proctor").status, 200);
    second.process.stop();
    // The other way round: passwords of accounts that are no more.
    for name in ["synaq.db", "synaq.db-wal", "synaq.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    let third = Demo::start(&data, free_ports());
    assert_eq!(sign_in(&third, "proctor").status, 200);
}

#[test]
fn a_second_demo_on_a_running_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let demo = Demo::start(&data, free_ports());
    let refused = synaq(arguments(&data, free_ports()));
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("another synaq runs on this data directory; stop it first"));
    assert_eq!(get(demo.port, "/healthz").status, 200);
}

#[test]
fn a_taken_port_is_named_whichever_it_is() {
    for offset in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let port = free_ports();
        let _taken = TcpListener::bind(local(port + offset)).unwrap();
        let refused = synaq(arguments(&folder.path().join("data"), port));
        assert_eq!(refused.status.code(), Some(1));
        let said = stderr(&refused);
        assert!(said.contains(&format!("127.0.0.1:{}", port + offset)), "{offset}: {said}");
        assert!(!folder.path().join("data/demo.json").exists());
    }
}

#[test]
fn a_stop_signal_ends_it_with_open_sockets_and_half_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(&folder.path().join("data"), free_ports());
    let _idle = TcpStream::connect(local(demo.port)).unwrap();
    let mut half = TcpStream::connect(local(demo.port)).unwrap();
    half.write_all(b"POST /api/v1/candidate/open HTTP/1.1\r\nHost: loc").unwrap();
    let _candidate = candidate_socket(&demo, &demo.tokens()[0]);
    let _proctor = proctor_socket(&demo);
    let began = std::time::Instant::now();
    assert!(demo.process.stop().success());
    assert!(began.elapsed() < std::time::Duration::from_secs(12), "{:?}", began.elapsed());
    assert!(!is_alive(demo.platform_pid()));
}

#[test]
fn a_killed_demo_takes_its_platform_with_it_and_starts_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut demo = Demo::start(&data, free_ports());
    let platform = demo.platform_pid();
    let _page = TcpStream::connect(local(demo.port + 1)).unwrap();
    demo.process.kill();
    let again = Demo::start(&data, demo.port);
    assert_eq!(again.tokens(), demo.tokens());
    until("the first platform is gone", || (!is_alive(platform)).then_some(()));
    assert!(is_alive(again.platform_pid()));
}

#[test]
fn a_killed_platform_comes_back_by_the_command_that_demo_json_names() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(&folder.path().join("data"), free_ports());
    signal(demo.platform_pid(), "KILL");
    until("the platform is gone", || (!crate::process::answers(demo.port + 1)).then_some(()));
    let command = demo.links["platform_command"].as_array().unwrap();
    let arguments = command[1..].iter().map(|argument| argument.as_str().unwrap());
    let mut platform = Running::start(arguments);
    platform.until("the platform answers", |_| crate::process::answers(demo.port + 1).then_some(()));
    assert_eq!(get(demo.port + 1, "/healthz").body, "ok");
    assert_eq!(get(demo.port, "/healthz").status, 200);
}

#[test]
fn the_log_names_nobody_and_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(&folder.path().join("data"), free_ports());
    let token = demo.tokens()[0].clone();
    get(demo.port, &format!("/c/{token}"));
    let opened = post(demo.port, "/api/v1/candidate/open", json!({ "link": token })).json();
    post(demo.port, "/api/v1/candidate/open", json!({ "link": format!("{token}x") }));
    let wrong = json!({ "login": demo.text("/proctor/login"), "password": "a wrong password" });
    assert_eq!(post(demo.port, "/api/v1/staff/sign-in", wrong).status, 401);
    let candidate = candidate_socket(&demo, &token);
    let proctor = proctor_socket(&demo);
    drop((candidate, proctor));
    demo.process.stop();
    let log = demo.process.stderr();
    assert!(log.contains("listening"), "{log}");
    let name = opened["candidate"].as_str().unwrap().to_owned();
    let secrets = [token, name, "900101300823".to_owned(), "A".repeat(43), demo.text("/proctor/password")];
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log: {log}");
    }
}
