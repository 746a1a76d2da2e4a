//! A whole exam, from its camera to its erasure: what was downloaded verifies offline before and after.

use crate::house::{Account, House, PATIENCE, backup_of, restore_of, run, said, synaq};
use anyhow::{Context as _, ensure};
use reqwest::StatusCode;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use synaq_load_tests::site::As;
use synaq_wire::candidate::CandidateCommand;
use synaq_wire::centre::{Approve, SessionDetail};
use uuid::Uuid;

const LOOK_AGAIN: Duration = Duration::from_millis(50);
const CLASSES: [&str; 3] = ["recordings", "stills", "photos"];

/// A member of staff at a server.
struct Desk<'a> {
    house: &'a House,
    cookie: String,
    session: Uuid,
}

impl<'a> Desk<'a> {
    async fn of(house: &'a House, account: &Account, session: Uuid) -> anyhow::Result<Self> {
        let cookie = house.site.sign_in(&account.login, &account.password).await?;
        Ok(Self { house, cookie, session })
    }

    async fn detail(&self) -> anyhow::Result<SessionDetail> {
        self.house
            .site
            .get(&format!("/api/v1/centre/sessions/{}", self.session), As::Staff(&self.cookie))
            .await
    }

    /// What is served below the session.
    async fn fetch(&self, what: &str) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let url = format!("{}/api/v1/centre/sessions/{}/{what}", self.house.site.base(), self.session);
        let asked = reqwest::Client::new().get(url).header("cookie", &self.cookie);
        let answer = asked.send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    }

    async fn download(&self, what: &str, to: &Path) -> anyhow::Result<()> {
        let (status, bytes) = self.fetch(what).await?;
        ensure!(status == StatusCode::OK, "{what} answered {status}");
        Ok(fs::write(to, bytes)?)
    }
}

fn verify(bundle: &Path, trust: &Path, recordings: &[PathBuf]) -> anyhow::Result<Output> {
    let mut arguments = vec![Path::new("verify"), bundle, Path::new("--trust"), trust];
    for recording in recordings {
        arguments.extend([Path::new("--recording"), recording]);
    }
    synaq(arguments)
}

async fn until(what: &str, done: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !done().await? {
        ensure!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// A file of that kind has bytes; the folder comes with the first.
fn holds(folder: &Path, kind: &str) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter(|file| file.file_name().to_string_lossy().starts_with(kind))
        .any(|file| file.metadata().is_ok_and(|file| file.len() > 0))
}

/// An exam that was handed in, sealed and approved.
async fn approved(house: &House) -> anyhow::Result<Uuid> {
    let mut candidates = house.running(1).await?;
    let candidate = candidates.first_mut().context("nobody sits")?;
    let session = candidate.session();
    let kept = house.data.join("evidence").join(session.to_string());
    for kind in ["webcam-", "stills-"] {
        until("the camera is recorded", async || Ok(holds(&kept, kind))).await?;
    }
    candidate.command(CandidateCommand::HandIn).await?;
    let desk = Desk::of(house, &house.demo.commission, session).await?;
    until("the record is sealed", async || Ok(desk.detail().await?.record.is_some())).await?;
    let sha256 = desk.detail().await?.record.context("it was sealed")?.sha256;
    let body = Approve { sha256, note: None, ruling: None };
    let path = format!("/api/v1/commission/records/{session}/approve");
    let media_type = "application/json";
    let body = serde_json::to_vec(&body)?;
    house.site.send(reqwest::Method::POST, &path, As::Staff(&desk.cookie), media_type, body).await?;
    Ok(session)
}

/// The same installation from its backup, which learns that everything of the session was erased since.
async fn erased(house: &mut House, folder: &Path, session: Uuid) -> anyhow::Result<House> {
    let at = |name: &str| folder.join(name);
    let (copy, phrase, list, restored) = (at("copy"), at("phrase"), at("list.jsonl"), at("restored"));
    fs::write(&phrase, "four words of an operator\n")?;
    run(&backup_of(&house.data, &copy, &phrase))?;
    house.signal("KILL")?;
    house.ended().await?;
    let line = |class: &str| serde_json::json!({ "session": session, "class": class, "rule": format!("{class}_days=120"), "at": 1 });
    fs::write(&list, CLASSES.map(|class| format!("{}\n", line(class))).concat())?;
    run(&restore_of(&copy, &restored, &phrase, &list))?;
    house.move_to(&restored)?;
    House::open_at(&restored, house.port, "info")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_exam_verifies_from_its_bundle_before_and_after_its_evidence_was_erased() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let mut house = House::open(&at("data"), "info")?;
    let session = approved(&house).await?;
    let trust = at("trust.json");
    fs::copy(house.data.join("trust.json"), &trust)?;

    let (bundle, mut names, mut recordings) = (at("bundle.json"), Vec::new(), Vec::new());
    {
        let desk = Desk::of(&house, &house.demo.commission, session).await?;
        desk.download("bundle", &bundle).await?;
        for row in desk.detail().await?.evidence {
            let file = at(&row.name);
            desk.download(&format!("evidence/{}", row.name), &file).await?;
            if row.name.starts_with("webcam-") {
                recordings.push(file);
            }
            names.push(row.name);
        }
    }
    let kinds = ["webcam-", "stills-", "face-", "document-"];
    ensure!(kinds.iter().all(|kind| names.iter().any(|name| name.starts_with(kind))), "{names:?}");
    let before = verify(&bundle, &trust, &recordings)?;
    ensure!(before.status.code() == Some(0) && !said(&before).contains("erased"), "{}", said(&before));
    let recording = recordings.first().context("a camera was recorded")?;
    let mut changed = fs::read(recording)?;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let elsewhere = at("changed");
    fs::create_dir(&elsewhere)?;
    let forged = elsewhere.join(recording.file_name().context("it has a name")?);
    fs::write(&forged, changed)?;
    let differs = verify(&bundle, &trust, &[forged])?;
    ensure!(differs.status.code() == Some(21), "{}", said(&differs));

    let again = erased(&mut house, folder.path(), session).await?;
    let count = || again.words().matches("evidence was erased").count();
    until("every class is erased", async || Ok(count() >= CLASSES.len())).await?;
    let desk = Desk::of(&again, &again.demo.commission, session).await?;
    let after = at("after.json");
    desk.download("bundle", &after).await?;
    let holds = verify(&after, &trust, &recordings)?;
    let words = said(&holds);
    ensure!(holds.status.code() == Some(0), "{words}");
    for class in CLASSES {
        ensure!(words.contains(&format!("{class}: erased under retention on ")), "{words}");
    }
    for name in &names {
        let (status, _) = desk.fetch(&format!("evidence/{name}")).await?;
        ensure!(status == StatusCode::GONE, "{name} answered {status}");
    }
    let left = fs::read_dir(again.data.join("evidence").join(session.to_string()))?.count();
    ensure!(left == 0, "{left} files are left");

    // A statement that somebody else wrote is none.
    let text = fs::read_to_string(&after)?;
    let mut forged: serde_json::Value = serde_json::from_str(&text)?;
    let statement = forged["erasures"][0]["payload"].as_str().context("statements are signed")?.to_owned();
    let other = if &statement[10..11] == "A" { "B" } else { "A" };
    forged["erasures"][0]["payload"] = format!("{}{other}{}", &statement[..10], &statement[11..]).into();
    fs::write(&after, serde_json::to_vec(&forged)?)?;
    let refused = verify(&after, &trust, &[])?;
    ensure!(refused.status.code().is_some_and(|code| code >= 10), "{}", said(&refused));
    Ok(())
}
