//! The cluster does what tests of durability lean on.

use std::process::{Command, Stdio};
use std::time::Duration;
use synaq_test_postgres::{Cluster, Options, Stop};

#[test]
fn what_was_committed_survives_every_way_to_stop() {
    let cluster = Cluster::start(Options::default()).unwrap();
    cluster.create_database("kept").unwrap();
    cluster.sql("kept", "CREATE TABLE line (number int)").unwrap();
    for (number, how) in [Stop::Fast, Stop::Immediate, Stop::Kill].into_iter().enumerate() {
        cluster.sql("kept", &format!("INSERT INTO line VALUES ({number})")).unwrap();
        cluster.stop(how).unwrap();
        assert!(cluster.sql("kept", "SELECT 1").is_err(), "{how:?} left it running");
        cluster.start_again().unwrap();
        assert_eq!(cluster.sql("kept", "SELECT count(*) FROM line").unwrap(), (number + 1).to_string());
    }
    assert_eq!(cluster.sql("kept", "SHOW fsync").unwrap(), "on");
}

#[test]
fn a_paused_cluster_answers_nobody_until_it_is_resumed() {
    let cluster = Cluster::start(Options::default()).unwrap();
    cluster.pause().unwrap();
    let mut asking = Command::new(cluster.programs().join("psql"))
        .args(["--command=SELECT 1", &cluster.url("postgres")])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Not a proof of silence, which has no end, but of a pause that works at all.
    std::thread::sleep(Duration::from_millis(300));
    assert!(asking.try_wait().unwrap().is_none());
    cluster.resume().unwrap();
    assert!(asking.wait().unwrap().success());
}

#[test]
fn nothing_is_left_when_it_is_dropped_even_while_paused() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let folder = cluster.data();
    cluster.pause().unwrap();
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn settings_and_folder_are_the_callers() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        folder: Some(folder.path().to_owned()),
        settings: vec![("synchronous_commit".into(), "off".into())],
    };
    let cluster = Cluster::start(options).unwrap();
    assert_eq!(cluster.sql("postgres", "SHOW synchronous_commit").unwrap(), "off");
    drop(cluster);
    assert!(folder.path().join("data").is_dir());
}
