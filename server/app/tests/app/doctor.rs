//! `synaq doctor`, and what `synaq serve` refuses to start from.

use crate::process::{Site, local, stderr, stdout};
use std::fs;
use std::net::TcpListener;

/// What is changed, and what must be said of it.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const FAULTS: [Case; 12] = [
    (&[("listen = \"127.0.0.1:", "listen = \"0.0.0.0:")], &["plain_http_on_public_address", "set [tls]"]),
    (
        &[("[media]\nlisten = \"127.0.0.1:", "[media]\nlisten = \"0.0.0.0:")],
        &["wildcard", "set advertise to"],
    ),
    (&[("[media]", "[media]\nadvertise = \"0.0.0.0:9\"")], &["no address that a browser reaches"]),
    (
        &[("public_url = \"http://localhost", "public_url = \"http://localhost.example.kz")],
        &["set an https://"],
    ),
    (&[("public_url = \"http://localhost", "public_url = \"localhost")], &["public_url", "https://"]),
    (&[("\"\n[media]", "/\"\n[media]")], &["public_url", "no slash at the end"]),
    (&[("url = \"http://127.0.0.1", "url = \"http://platform.example.kz")], &["[platform] url", "https://"]),
    (
        &[("platform-keys.json", "missing.json")],
        &["[platform] trust", "put the platform's public keys there"],
    ),
    (
        &[("[media]", "[tls]\ncertificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"\n[media]")],
        &["[tls] certificate", "[tls] key", "give a PEM file"],
    ),
    (
        &[("[media]", "[store]\npassword_file = \"/nowhere/password\"\n[media]")],
        &["[store] password_file", "let this user read it"],
    ),
    (
        &[("[media]", "[store]\npassword_file = \"/etc/a\"\npassword_env = \"B\"\n[media]")],
        &["exclude each other"],
    ),
    (
        // Nobody listens on port 1.
        &[("[media]", "[store]\nurl = \"postgres://synaq:s3cret@127.0.0.1:1/exams\"\n[media]")],
        &["database exams at 127.0.0.1:1", "refused"],
    ),
];

#[test]
fn each_fault_is_named_with_what_to_do_and_keeps_the_server_from_starting() {
    let site = Site::new();
    for (changes, words) in FAULTS {
        let config = site.config(changes);
        let (doctor, serve) = (site.run(&["doctor"], &config), site.run(&["serve"], &config));
        assert_eq!((doctor.status.code(), serve.status.code()), (Some(1), Some(1)), "{changes:?}");
        for word in words {
            assert!(stdout(&doctor).contains(word), "{changes:?}: {}", stdout(&doctor));
            assert!(stderr(&serve).contains(word), "{changes:?}: {}", stderr(&serve));
        }
        assert!(stderr(&doctor).contains("does not bear a start"));
    }
    assert!(!site.path("data/synaq.db").exists(), "a refused start leaves nothing");
}

#[test]
fn an_unknown_key_is_refused_by_name_and_place() {
    let site = Site::new();
    for (from, to, name) in [
        ("[media]", "[media]\nports = 3", "ports"),
        ("public_url", "lisen = 1\npublic_url", "lisen"),
        ("[log]", "[loging]\nx = 1\n[log]", "loging"),
    ] {
        let config = site.config(&[(from, to)]);
        for command in ["serve", "doctor"] {
            let refused = site.run(&[command], &config);
            assert_eq!(refused.status.code(), Some(1));
            let said = stderr(&refused);
            assert!(said.contains(&format!("unknown field `{name}`")) && said.contains("line"), "{said}");
        }
    }
}

#[test]
fn a_missing_file_or_key_is_named() {
    let site = Site::new();
    let gone = site.run(&["serve"], &site.path("gone.toml"));
    assert!(stderr(&gone).contains("gone.toml cannot be read"));
    let config = site.config(&[("public_url", "#public_url")]);
    assert!(stderr(&site.run(&["serve"], &config)).contains("missing field `public_url`"));
}

#[test]
fn a_sound_configuration_gets_a_clean_bill_and_a_taken_port_does_not() {
    let site = Site::new();
    let config = site.config(&[]);
    let sound = site.run(&["doctor"], &config);
    assert!(sound.status.success(), "{}", stdout(&sound));
    assert!(stdout(&sound).contains("nothing speaks against a start"));
    let _taken = TcpListener::bind(local(site.port)).unwrap();
    let refused = site.run(&["doctor"], &config);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("choose another port"));
}

#[test]
fn key_files_open_to_others_stop_the_start() {
    let site = Site::new();
    let config = site.config(&[]);
    let mut server = site.serve(&config);
    assert!(server.stop().success());
    let key = site.path("data/keys/seal.p8");
    #[cfg(unix)]
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let refused = site.run(&["serve"], &config);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("chmod 600"), "{}", stderr(&refused));
}

#[test]
fn trust_without_a_key_of_the_platform_is_named() {
    let site = Site::new();
    let config = site.config(&[]);
    fs::write(site.path("platform-keys.json"), r#"{"keys":[]}"#).unwrap();
    let refused = site.run(&["serve"], &config);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("holds no key of purpose platform"), "{}", stderr(&refused));
}
