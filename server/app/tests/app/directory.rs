//! `synaq centre add`, `synaq staff add`, `synaq staff link`, beside a running server.

use crate::http::{call, post};
use crate::process::{Running, Site, stderr, stdout};
use serde_json::json;
use std::path::PathBuf;
use std::process::Output;

const PASSWORD: &str = "дұрыс ат батарея қапсырма";
const BIN: &str = "900101300811";

struct Office {
    site: Site,
    config: PathBuf,
    server: Running,
}

impl Office {
    fn open() -> Self {
        let site = Site::new();
        let config = site.config(&[]);
        let server = site.serve(&config);
        Self { site, config, server }
    }

    fn add_centre(&self, bin: &str, login: &str) -> Output {
        let command =
            ["centre", "add", "--bin", bin, "--name-kk", "Орталық", "--name-ru", "Центр", "--login", login];
        self.site.run(&[&command[..], &["--name", "Айгүл Ержанова"]].concat(), &self.config)
    }

    fn add_staff(&self, centre: &str, login: &str, role: &str) -> Output {
        let command =
            ["staff", "add", "--centre", centre, "--login", login, "--name", "Серік", "--role", role];
        self.site.run(&command, &self.config)
    }

    fn set_up(&self, token: &str) -> crate::http::Reply {
        post(self.site.port, "/api/v1/staff/setup", json!({ "token": token, "password": PASSWORD }))
    }
}

fn token(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    let said = stdout(output);
    said.trim_end().rsplit_once("/centre/setup/").expect("a link").1.to_owned()
}

#[test]
fn a_set_up_link_works_once_and_then_the_password_signs_in() {
    let office = Office::open();
    for (token, login, role) in [
        (token(&office.add_centre(BIN, "aigul")), "aigul", "centre"),
        (token(&office.add_staff(BIN, "serik", "proctor")), "serik", "proctor"),
    ] {
        let set_up = office.set_up(&token);
        assert_eq!(set_up.status, 200, "{}", set_up.body);
        assert_eq!(set_up.json()["roles"], json!([role]));
        assert_eq!(office.set_up(&token).json()["code"], "setup_link_invalid");
        let right = json!({ "login": login, "password": PASSWORD });
        let signed_in = post(office.site.port, "/api/v1/staff/sign-in", right);
        assert_eq!(signed_in.status, 200, "{}", signed_in.body);
        let me = call(office.site.port, "GET", "/api/v1/staff/me", &[("Cookie", &signed_in.cookie())], None);
        assert_eq!(me.json()["login"], login);
    }
}

#[test]
fn a_lost_link_is_replaced_and_a_set_up_page_of_another_origin_is_refused() {
    let office = Office::open();
    token(&office.add_centre(BIN, "aigul"));
    let again = token(&office.site.run(&["staff", "link", "--login", "aigul"], &office.config));
    let body = json!({ "token": again, "password": PASSWORD });
    let elsewhere = [("Sec-Fetch-Site", "cross-site")];
    let refused = call(office.site.port, "POST", "/api/v1/staff/setup", &elsewhere, Some(body));
    assert_eq!(refused.json()["code"], "origin_forbidden");
    assert_eq!(office.set_up(&again).status, 200);
    let nobody = office.site.run(&["staff", "link", "--login", "nobody"], &office.config);
    assert!(stderr(&nobody).contains("there is nobody with the login nobody"));
}

#[test]
fn what_does_not_fit_is_refused_and_stores_nothing() {
    let office = Office::open();
    let wrong = office.add_centre("123456789011", "aigul");
    assert!(!wrong.status.success() && stderr(&wrong).contains("test_numbers"), "{}", stderr(&wrong));
    let wrong = office.add_centre("123456789012", "aigul");
    assert!(!wrong.status.success() && stderr(&wrong).contains("right check digit"), "{}", stderr(&wrong));
    token(&office.add_centre(BIN, "aigul"));
    let cases = [
        (office.add_centre(BIN, "other"), "bin is taken"),
        (office.add_centre("900101300823", "aigul"), "the login aigul is taken"),
        (office.add_staff(BIN, "aigul", "proctor"), "the login aigul is taken"),
        (
            office.add_staff("061211600012", "serik", "proctor"),
            "there is no centre with the number 061211600012",
        ),
        (office.add_staff(BIN, "serik", "director"), "choose centre, author, proctor, commission or auditor"),
        (office.add_staff(BIN, " ", "proctor"), "this must not be empty"),
    ];
    for (refused, why) in cases {
        assert!(!refused.status.success());
        assert!(stderr(&refused).contains(why), "{}", stderr(&refused));
    }
    token(&office.add_centre("900101300823", "other"));
}

#[test]
fn f33_a_centre_for_trials_may_have_the_number_of_a_test_certificate() {
    let site = Site::new();
    let config = site.config(&[("[media]", "test_numbers = true\n[media]")]);
    let server = site.serve(&config);
    assert!(server.stderr().contains("test_numbers = true"), "it is said at each start: {}", server.stderr());
    let office = Office { site, config, server };
    token(&office.add_centre("123456789021", "aigul"));
    let wrong = office.add_centre("123456789012", "serik");
    assert!(!wrong.status.success() && stderr(&wrong).contains("right check digit"), "{}", stderr(&wrong));
}

#[test]
fn even_a_talkative_log_holds_no_token_login_or_name() {
    let mut office = Office::open();
    let token = token(&office.add_centre(BIN, "aigul-login"));
    crate::http::get(office.site.port, &format!("/centre/setup/{token}"));
    let cookie = office.set_up(&token).cookie();
    call(office.site.port, "GET", "/api/v1/staff/me", &[("Cookie", &cookie)], None);
    assert!(office.server.stop().success());
    let log = office.server.stderr();
    assert!(log.contains("DEBUG"), "it was to be talkative: {log}");
    let value = cookie.split_once('=').unwrap().1;
    for secret in [token.as_str(), "aigul-login", "Айгүл", PASSWORD, value] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
