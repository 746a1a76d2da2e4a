//! What operators and their programs see, on an address of their own.

use crate::http::{call, get};
use crate::process::{Demo, Site, free_ports, stdout};

/// Sends to the operators' address; nobody there cares for host names.
fn ask(port: u16, path: &str) -> crate::http::Reply {
    call(port, "GET", path, &[], None)
}

fn ops_port(demo: &Demo) -> u16 {
    demo.text("/ops_url").rsplit(':').next().unwrap().parse().unwrap()
}

/// The value of a line without labels.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing in\n{metrics}")).parse().unwrap()
}

#[test]
fn what_is_counted_is_for_operators_alone() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(&folder.path().join("data"), free_ports());
    let metrics = ask(ops_port(&demo), "/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(value(&metrics.body, "process_resident_memory_bytes") > 1e6);
    assert!(value(&metrics.body, "process_open_fds") < value(&metrics.body, "process_max_fds"));
    assert!(metrics.body.contains(concat!(
        "synaq_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1"
    )));
    assert_eq!(get(demo.port, "/metrics").status, 404);
}

#[test]
fn a_configured_operators_address_is_kept_or_named() {
    let site = Site::new();
    let config = site.config(&[]);
    let _server = site.serve(&config);
    assert_eq!(ask(site.ops(), "/metrics").status, 200);
    let doctor = site.run(&["doctor"], &config);
    assert!(stdout(&doctor).contains("[ops] listen"), "{}", stdout(&doctor));
}

#[test]
fn readiness_is_told_with_reasons_to_operators_and_by_name_to_everybody() {
    let site = Site::new();
    // More than any disk has: the server runs, and says why nobody should be sent to it.
    let config = site.config(&[("[ops]", "[ops]\ndisk_reserve_mib = 1000000000000")]);
    let mut server = site.serve(&config);
    assert_eq!(ask(site.ops(), "/healthz").body, "ok\n");
    let told = ask(site.ops(), "/readyz");
    assert_eq!(told.status, 503);
    let failing = told.json()["failing"].as_array().unwrap().clone();
    assert_eq!(failing.len(), 2, "{failing:?}");
    assert!(failing.iter().all(|failing| failing["check"] == "disk"), "{failing:?}");
    assert!(failing[0]["why"].as_str().unwrap().starts_with("data: "), "{failing:?}");
    let public = get(site.port, "/readyz");
    assert_eq!((public.status, public.body.as_str()), (503, r#"{"failing":["disk","disk"],"ready":false}"#));
    assert!(ask(site.ops(), "/metrics").body.contains("\nsynaq_ready 0\n"));
    assert!(server.stop().success());

    let mut server = site.serve(&site.config(&[("[ops]", "[ops]\ndisk_reserve_mib = 1")]));
    assert_eq!(ask(site.ops(), "/readyz").body, r#"{"coming_back":0,"failing":[],"ready":true}"#);
    assert_eq!(get(site.port, "/readyz").status, 200);
    let metrics = ask(site.ops(), "/metrics").body;
    for (name, least) in [
        ("synaq_ready", 1.0),
        ("synaq_outbox_waiting", 0.0),
        ("synaq_outbox_oldest_age_seconds", 0.0),
        ("synaq_media_publishers", 0.0),
        ("process_start_time_seconds", 1.7e9),
    ] {
        assert!(value(&metrics, name) >= least, "{name}");
    }
    for line in ["synaq_disk_free_bytes{folder=\"data\"}", "synaq_media_dropped_total{reason=\"recorder\"} 0"]
    {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    assert!(server.stop().success());
}

/// Every metric that is served stands in the operator's handbook.
#[test]
fn every_metric_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(&folder.path().join("data"), free_ports());
    let metrics = ask(ops_port(&demo), "/metrics").body;
    let handbook = include_str!("../../../docs/OPERATIONS.md");
    let names = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let missing: Vec<_> = names.filter(|name| !handbook.contains(&format!("`{name}"))).collect();
    assert_eq!(missing, Vec::<&str>::new(), "not in OPERATIONS.md");
}

#[test]
fn health_asks_the_operators_address() {
    let site = Site::new();
    let ops = format!("127.0.0.1:{}", site.ops());
    let health = |more: &[&str]| crate::process::synaq(["health", "--ops", &ops].iter().chain(more));
    let silent = health(&[]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(crate::process::stderr(&silent).contains("does not answer"));
    let _server = site.serve(&site.config(&[("[ops]", "[ops]\ndisk_reserve_mib = 1000000000000")]));
    let alive = health(&[]);
    assert!(alive.status.success());
    assert_eq!(stdout(&alive), "ok\n");
    let unready = health(&["--ready"]);
    assert_eq!(unready.status.code(), Some(1));
    assert!(crate::process::stderr(&unready).contains("disk"), "{}", crate::process::stderr(&unready));
}

/// A unit that names what the binary has not would start nothing on the exam's morning.
#[test]
fn the_packaged_files_name_commands_and_limits_that_there_are() {
    let unit = include_str!("../../packaging/synaq.service");
    let container = include_str!("../../packaging/Containerfile");
    assert!(unit.contains("\nExecStart=/usr/bin/synaq serve --config /etc/synaq/synaq.toml\n"));
    for command in ["serve", "doctor", "health", "backup", "restore"] {
        assert!(crate::process::synaq([command, "--help"]).status.success(), "{command}");
    }
    assert!(container.contains("\"/usr/bin/synaq\", \"health\"") && container.contains("\nUSER synaq\n"));
    let seconds = |key: &str| -> u64 {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_start_matches('=').parse().unwrap()
    };
    // Longer than the server's own limit of 30 s.
    assert!(seconds("TimeoutStopSec") > 30);
    for hardening in ["NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=synaq", "Restart=always"]
    {
        assert!(unit.lines().any(|line| line == hardening), "{hardening}");
    }
}
