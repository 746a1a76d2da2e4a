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
