//! Row 9a: evidence goes into an S3-compatible store, which is away for a while.

use super::Stage;
use crate::bot::Mode;
use crate::house::House;
use crate::process;
use crate::report::Report;
use crate::scene::{Look, Scene};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use synaq_load_tests::server::Server;
use synaq_test_s3::{BUCKET, KEY_ID, Mood, S3, SECRET};

const CANDIDATES: usize = 3;
const EVERY_MS: u64 = 200;
/// A part is carried some 20 s after it was recorded; a store that failed is tried again after up to 20 s.
const CARRIED: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const CLASSES: [&str; 3] = ["recordings", "stills", "photos"];
/// Of a recording, in the middle of a cluster or not.
const RANGE: std::ops::Range<usize> = 1_000..3_000;
const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];

/// Row 9a.
pub(super) async fn is_away(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let s3 = S3::start_secure().await;
    let mut house = stage.house()?;
    house.more = settings(&s3, &stage.folder)?;
    house.start()?;
    let mut scene = Scene::begin(house, &stage.folder, CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    let sessions: Vec<String> = scene.watched.all().into_iter().map(|(session, _)| session).collect();
    let webcams = || s3.objects().iter().filter(|name| name.contains("/webcam-")).count();
    let each = || {
        let objects = s3.objects();
        let recorded = |session: &String| {
            objects.iter().any(|name| name.contains(session.as_str()) && name.contains("/webcam-"))
        };
        sessions.iter().all(recorded)
    };
    until("a part of every recording is in the store", each).await?;
    report.that("in_the_store_while_the_exam_goes_on", each(), String::new);

    s3.is(Mood::Away);
    let acks = scene.acks_within(stage.of(Duration::from_secs(30), Duration::from_secs(6))).await;
    report.that("answers_go_on", acks > 20, || format!("{acks}"));
    let before = webcams();
    let back = scene.kill_and_restart().await?;
    report.that("everybody_back_within_10_s", true, String::new);
    for candidate in &mut scene.candidates {
        candidate.publish().await?;
    }
    let local = scene.house.data.join("evidence");
    let goes_on = |session: &String| begun(&local.join(session), "webcam-0002");
    until("everybody is recorded again", || sessions.iter().all(goes_on)).await?;
    s3.is(Mood::Up);
    until("what waited is carried", || webcams() > before).await?;
    report.that("carried_when_it_is_back", true, String::new);
    report.note(format!(
        "{acks} acknowledged while it was away, everybody back {back:?} after the kill, {} objects",
        s3.objects().len()
    ));

    let look = scene.look();
    let mut house = scene.judge(report).await?;
    until("nothing stays on this disk", || sealed_files(&local) == 0).await?;
    let mut parts = 0;
    for session in &sessions {
        parts += plays_by_ranges(&look, session, report).await?;
    }
    report.note(format!("{parts} recordings played out of the store"));
    erased(&mut house, stage, &sessions)?;
    until("no object is left", || s3.objects().is_empty()).await?;
    report.that("erased_in_the_store", true, String::new);
    let path = format!("/api/v1/centre/sessions/{}/evidence/webcam-0001.webm", sessions[0]);
    let (status, _) = look.bytes(&path, None).await?;
    report.that("erased_for_whoever_asks", status == 410, || status.to_string());
    Ok(())
}

/// `[evidence]` of the configuration; nothing that the store has stays on this disk.
fn settings(s3: &S3, folder: &Path) -> anyhow::Result<String> {
    let (authority, secret) = (folder.join("s3-ca.pem"), folder.join("s3-secret"));
    fs::write(&authority, s3.authority().context("it speaks TLS")?)?;
    fs::write(&secret, SECRET)?;
    let endpoint = s3.endpoint();
    Ok(format!(
        "[evidence]\nurl = \"s3://{BUCKET}/rig\"\nendpoint = {endpoint:?}\nca_file = {authority:?}\nkey_id = {KEY_ID:?}\n\
         secret_file = {secret:?}\ncache_mib = 0\n"
    ))
}

async fn until(what: &str, done: impl Fn() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + CARRIED;
    while !done() {
        ensure!(Instant::now() < end, "not within {} s: {what}", CARRIED.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Whether a session's folder has a recording of that name, here or carried away.
fn begun(session: &Path, name: &str) -> bool {
    let mut files = fs::read_dir(session).into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().starts_with(name))
}

fn sealed_files(folder: &Path) -> usize {
    let sessions = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = sessions.flat_map(|session| fs::read_dir(session.path()).into_iter().flatten().flatten());
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == "blob")).count()
}

/// Every recording of a session, whole and a piece of it; how many there are.
async fn plays_by_ranges(look: &Look, session: &str, report: &mut Report) -> anyhow::Result<usize> {
    let line: Value = look.json(&format!("/api/v1/playback/{session}")).await?;
    let parts = line["tracks"][0]["parts"].as_array().context("a line has recordings")?;
    for part in parts {
        let url = part["url"].as_str().context("a recording has a link")?;
        let (status, whole) = look.bytes(url, None).await?;
        let (partial, piece) = look.bytes(url, Some(RANGE)).await?;
        let plays = status == 200 && whole.starts_with(&EBML);
        let ranged = partial == 206 && Some(piece.as_slice()) == whole.get(RANGE);
        report.that("plays_by_ranges_from_the_store", plays && ranged, || {
            format!(
                "{}: {status}, {} bytes, then {partial}, {} bytes",
                part["name"],
                whole.len(),
                piece.len()
            )
        });
    }
    // The killed server cut one in two.
    report.that("plays_by_ranges_from_the_store", parts.len() >= 2, || format!("{} recordings", parts.len()));
    Ok(parts.len())
}

/// The same installation from its backup, which learns that everything of these sessions was erased since.
fn erased(house: &mut House, stage: &Stage, sessions: &[String]) -> anyhow::Result<()> {
    let at = |name: &str| stage.folder.join(name).display().to_string();
    let (copy, phrase, list, restored) = (at("copy"), at("phrase"), at("erased.jsonl"), at("restored"));
    fs::write(&phrase, "four words of an operator\n")?;
    let line = |session: &String, class: &str| json!({ "session": session, "class": class, "rule": format!("{class}_days=120"), "at": 1 });
    let lines =
        sessions.iter().flat_map(|session| CLASSES.map(|class| format!("{}\n", line(session, class))));
    fs::write(&list, lines.collect::<String>())?;
    let (program, data) = (Server::binary()?.display().to_string(), house.data.display().to_string());
    process::run(&program, &["backup", "--data", &data, "--to", &copy, "--with-keys", &phrase])?;
    house.stop()?;
    let from = ["restore", &copy, "--data", &restored, "--with-keys", &phrase, "--erased", &list];
    process::run(&program, &from)?;
    house.data = restored.into();
    house.start()?;
    Ok(())
}
