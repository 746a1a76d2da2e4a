//! Whole exams at the loudest log, with strings planted that must never be written to any.

use crate::house::{Account, House};
use anyhow::{Context as _, ensure};
use reqwest::Method;
use std::collections::BTreeSet;
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::publisher::Offered;
use synaq_load_tests::site::As;
use synaq_wire::candidate::{CandidateCommand, Lang, Ticket, TicketRequest};
use uuid::Uuid;

const NAME: &str = "Канарейкин Кенар Кенарұлы";
/// Valid by its check digit, nobody's.
const IIN: &str = "900101300823";
const CHAT: &str = "canary-chat-7f3a";
/// Shorter strings turn up by chance.
const SHORTEST: usize = 7;

/// What must not be found, with what it is.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn plant(&mut self, what: &'static str, text: impl Into<String>) {
        let text = text.into();
        assert!(text.len() >= SHORTEST, "{what} is too short to look for: {text}");
        self.0.push((what, text));
    }

    /// ICE user fragment, password and the certificate's fingerprint (RFC 8839, RFC 8122).
    fn plant_sdp(&mut self, sdp: &str) {
        for (what, line) in [
            ("ice-ufrag", "a=ice-ufrag:"),
            ("ice-pwd", "a=ice-pwd:"),
            ("fingerprint", "a=fingerprint:sha-256 "),
        ] {
            let value = sdp.lines().find_map(|text| text.strip_prefix(line)).expect("SDP has it").trim();
            // Four characters are allowed, and turn up by chance.
            if value.len() >= SHORTEST {
                self.plant(what, value);
            }
        }
    }

    fn found(&self, log: &str) -> Vec<&'static str> {
        self.0.iter().filter(|(_, text)| log.contains(text.as_str())).map(|(what, _)| *what).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_holds_a_name_number_answer_token_or_sdp() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut house = House::open(folder.path(), "trace")?;
    let mut canaries = Canaries::default();
    canaries.plant("name", NAME);
    canaries.plant("part of the name", "Канарейкин");
    canaries.plant("IIN", IIN);
    canaries.plant("chat", CHAT);
    for account in
        [&house.demo.proctor, &house.demo.second_proctor, &house.demo.centre, &house.demo.commission]
    {
        canaries.plant("password", &account.password);
    }
    for link in &house.demo.candidate_links {
        canaries.plant("link of the demo", link.rsplit('/').next().unwrap());
    }
    let session = sit(&house, &mut canaries).await?;
    seal(&house, session, &mut canaries).await?;
    house.signal("TERM")?;
    ensure!(house.ended().await?.success());

    let log = house.words();
    ensure!(log.contains("TRACE") || log.contains("DEBUG"), "the log is not loud enough to prove anything");
    ensure!(log.contains(&session.to_string()), "the log does not even name the session");
    ensure!(canaries.0.len() > 20, "only {} strings were planted", canaries.0.len());
    ensure!(canaries.found(&format!("{log} {IIN} {CHAT}")).len() == 2, "the search finds nothing");
    let found = canaries.found(&log);
    ensure!(found.is_empty(), "found in the log: {found:?}");
    Ok(())
}

/// A candidate's way from the link to the hand-in.
async fn sit(house: &House, canaries: &mut Canaries) -> anyhow::Result<Uuid> {
    let site = &house.site;
    let sitting = house.sitting(&format!("{NAME};{IIN}\n")).await?;
    let link = &sitting.candidates.first().context("nobody was added")?.link;
    canaries.plant("link", link.rsplit('/').next().unwrap());
    let mut candidate = Candidate::open(site.clone(), link).await?;
    let credential = candidate.credential();
    canaries.plant("device key", credential.split('.').nth(1).unwrap());
    candidate.connect().await?;
    candidate.prepare(Lang::Ru).await?;
    publish(house, &credential, canaries).await?;
    candidate.publish().await?;
    candidate.command(CandidateCommand::Say { text: CHAT.to_owned() }).await?;

    let Account { login, password } = &house.demo.proctor;
    let mut proctor = Proctor::watch(site, login, password, sitting.sitting).await?;
    proctor.admit(&BTreeSet::from([candidate.session()])).await?;
    candidate.begin(Lang::Ru).await?;
    let questions = u16::try_from(candidate.view()?.questions.len())?;
    for index in 0..questions {
        let question = candidate.question(index).await?;
        let text = serde_json::to_value(&question)?;
        canaries.plant("question", text["text"].as_str().context("a question has a text")?);
        for option in text["options"].as_array().context("a question has options")? {
            let option =
                option.as_str().or_else(|| option["text"].as_str()).context("an option has a text")?;
            if option.chars().count() > 12 {
                canaries.plant("option", option);
            }
        }
        candidate.command(CandidateCommand::Answer { question: index, shown: vec![0] }).await?;
    }
    candidate.command(CandidateCommand::HandIn).await?;
    Ok(candidate.session())
}

/// A camera of our own, whose offer and answer we see; and a ticket that nobody uses.
async fn publish(house: &House, credential: &str, canaries: &mut Canaries) -> anyhow::Result<()> {
    let offered = Offered::new().await?;
    canaries.plant_sdp(&offered.sdp);
    let (who, body) = (As::Device(credential), offered.sdp.clone().into_bytes());
    let (answer, location) =
        house.site.send(Method::POST, "/api/v1/candidate/whip", who, "application/sdp", body).await?;
    canaries.plant_sdp(&answer);
    canaries.plant("media resource", location.context("no location")?.rsplit('/').next().unwrap());
    let request = TicketRequest { tab: Uuid::now_v7() };
    let ticket: Ticket = house.site.post("/api/v1/candidate/ticket", who, &request).await?;
    canaries.plant("ticket", ticket.ticket);
    Ok(())
}

/// The record's way: sealed, delivered, reviewed.
async fn seal(house: &House, session: Uuid, canaries: &mut Canaries) -> anyhow::Result<()> {
    let Account { login, password } = &house.demo.centre;
    let cookie = house.site.sign_in(login, password).await?;
    canaries.plant("cookie", cookie.split_once('=').context("no cookie")?.1);
    let centre = synaq_load_tests::staff::Centre::sign_in(house.site.clone(), login, password).await?;
    ensure!(!centre.sealed_events(session).await?.is_empty());
    Ok(())
}
