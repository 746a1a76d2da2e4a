//! A real start on PostgreSQL.

use crate::process::{Site, stderr, stdout};
use std::fs;
use std::path::PathBuf;
use synaq_test_postgres::shared;

/// A site whose rows are in this database, its password in a file.
fn site(database: &str) -> (Site, PathBuf) {
    let cluster = shared().unwrap();
    let site = Site::new();
    fs::write(site.path("password"), format!("{}\n", cluster.password())).unwrap();
    let store = format!(
        "[store]\nurl = \"{}\"\npassword_file = {:?}\n[media]",
        cluster.url_without_password(database),
        site.path("password")
    );
    let config = site.config(&[("[media]", &store)]);
    (site, config)
}

const NEW_CENTRE: [&str; 12] = [
    "centre",
    "add",
    "--bin",
    "900101300811",
    "--name-kk",
    "Орталық",
    "--name-ru",
    "Центр",
    "--login",
    "first",
    "--name",
    "Бірінші",
];

#[test]
fn a_server_on_postgres_keeps_a_second_one_out_and_lets_rows_be_added_beside_it() {
    shared().unwrap().create_database("exams").unwrap();
    let (site, config) = self::site("exams");
    let healthy = site.run(&["doctor"], &config);
    assert!(healthy.status.success(), "{}", stdout(&healthy));
    let mut server = site.serve(&config);

    let (elsewhere, same_database) = self::site("exams");
    let second = elsewhere.run(&["serve"], &same_database);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("another synaq runs on this database; stop it first"),
        "{}",
        stderr(&second)
    );

    let added = site.run(&NEW_CENTRE, &config);
    assert!(stdout(&added).contains("/centre/setup/"), "{}", stderr(&added));
    let again = site.run(&NEW_CENTRE, &config);
    assert!(stderr(&again).contains("the login first is taken"), "{}", stderr(&again));

    assert!(server.stop().success());
    let password = fs::read_to_string(site.path("password")).unwrap();
    for said in [server.stderr(), server.stdout(), stderr(&second), stderr(&added), stdout(&healthy)] {
        assert!(!said.contains(password.trim()), "the password was printed");
    }
    assert!(!site.path("data/synaq.db").exists(), "rows went to a file as well");
    site.serve(&config);
}

#[test]
fn a_wrong_password_and_a_forgetful_database_are_named_before_the_start() {
    shared().unwrap().create_database("forgetful").unwrap();
    let (site, config) = self::site("forgetful");
    let password = fs::read_to_string(site.path("password")).unwrap();
    fs::write(site.path("password"), "wrong").unwrap();
    for command in ["doctor", "serve"] {
        let refused = site.run(&[command], &config);
        let said = stdout(&refused) + &stderr(&refused);
        assert!(!refused.status.success() && said.contains("password authentication failed"), "{said}");
    }
    fs::write(site.path("password"), password).unwrap();
    shared().unwrap().sql("postgres", "ALTER DATABASE forgetful SET synchronous_commit = off").unwrap();
    for command in ["doctor", "serve"] {
        let refused = site.run(&[command], &config);
        let said = stdout(&refused) + &stderr(&refused);
        assert!(!refused.status.success() && said.contains("synchronous_commit is off"), "{said}");
    }
}

#[test]
fn an_unknown_scheme_is_refused_by_its_name() {
    let site = Site::new();
    let config = site.config(&[("[log]", "[store]\nurl = \"mysql://u:s3cret@db/exams\"\n[log]")]);
    for command in ["doctor", "serve"] {
        let said = stderr(&site.run(&[command], &config));
        assert!(said.contains("there is no store \"mysql\"") && !said.contains("s3cret"), "{said}");
    }
}
