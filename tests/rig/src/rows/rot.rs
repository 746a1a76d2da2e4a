//! Row 28: bytes change on the disk while nobody looks.

use super::Stage;
use crate::bot::Mode;
use crate::process::{output, run};
use crate::report::Report;
use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use synaq_load_tests::server::Server;

const ACKS: Duration = Duration::from_secs(20);

/// Row 28.
pub(super) async fn bytes_change(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let mut chance = stage.chance();
    let scene = stage.scene(2).await?;
    scene.do_now(Mode::Answer(100));
    scene.more_acks(60, ACKS).await?;
    // Long enough for a chunk of a recording.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let look = scene.look();
    let session =
        scene.watched.all().first().map(|(session, _)| session.clone()).context("two candidates")?;
    let mut house = scene.judge(report).await?;
    let trust = house.data.join("trust.json");

    let bundle = stage.folder.join("bundle.json");
    let sound = look.bundle(&session).await?;
    fs::write(&bundle, &sound)?;
    verify(&bundle, &trust).context("the sound bundle")?;
    let flips = stage.of(300, 20);
    let mut unseen = Vec::new();
    for _ in 0..flips {
        let place = flip(&bundle, &sound, &mut chance)?;
        if verify(&bundle, &trust).is_ok() {
            unseen.push(place);
        }
    }
    report.that("every_change_of_a_bundle_is_found", unseen.is_empty(), || format!("at {unseen:?}"));

    let recording = recording_of(&house.data.join("evidence"), &session).context("there is a recording")?;
    let name = recording.1.clone();
    look.evidence(&session, &name).await.context("the sound recording")?;
    let bytes = fs::read(&recording.0)?;
    let place = flip(&recording.0, &bytes, &mut chance)?;
    let read = look.evidence(&session, &name).await;
    report.that("a_changed_recording_is_not_shown", read.is_err(), || format!("{name}, byte {place}"));
    fs::write(&recording.0, &bytes)?;
    let again = look.evidence(&session, &name).await;
    report.that("restored_it_reads_again", again.is_ok(), || format!("{again:?}"));

    house.stop()?;
    let database = house.data.join("synaq.db");
    run("sqlite3", &[&database.display().to_string(), "pragma wal_checkpoint(truncate)"])?;
    change_an_answer(&database, &session)?;
    house.start()?;
    // Either it is not handed out, or whoever gets it finds out.
    let named = match look.bundle(&session).await {
        Err(refused) => format!("not handed out: {refused:#}"),
        Ok(changed) => {
            fs::write(&bundle, &changed)?;
            verify(&bundle, &trust).err().map(|error| format!("{error:#}")).unwrap_or_default()
        }
    };
    report.that("a_changed_page_is_found", !named.is_empty(), || "the bundle still verifies".to_owned());
    let first: String = named.lines().filter(|line| line.to_lowercase().contains("fail")).take(1).collect();
    report.note(format!("{flips} changed bundles, all refused; the changed page: {}", first.trim()));
    Ok(())
}

fn verify(bundle: &Path, trust: &Path) -> anyhow::Result<()> {
    let program = Server::binary()?.display().to_string();
    let (bundle, trust) = (bundle.display().to_string(), trust.display().to_string());
    let out = std::process::Command::new(program).args(["verify", &bundle, "--trust", &trust]).output()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{said}");
    Ok(())
}

/// Writes a copy with one bit changed; says where.
fn flip(file: &Path, sound: &[u8], chance: &mut StdRng) -> anyhow::Result<usize> {
    let mut bytes = sound.to_owned();
    let place = chance.random_range(0..bytes.len());
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << chance.random_range(0..7);
    }
    fs::write(file, bytes)?;
    Ok(place)
}

/// The first recording of a session: its file, and the name it is asked for by.
fn recording_of(folder: &Path, session: &str) -> Option<(PathBuf, String)> {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).ok()? {
            let path = entry.ok()?.path();
            let text = path.display().to_string();
            if path.is_dir() {
                waiting.push(path);
            } else if text.contains(session)
                && let Some(at) = text.find("webcam-")
                && let Some(end) = text[at..].find(".webm")
            {
                return Some((path.clone(), text[at..at + end + ".webm".len()].to_owned()));
            }
        }
    }
    None
}

/// Changes one digit of one stored answer in the file itself, behind the database's back.
fn change_an_answer(database: &Path, session: &str) -> anyhow::Result<()> {
    let stream = session.replace('-', "");
    let path = database.display().to_string();
    let query = format!(
        "select body from event where kind = 'answer_put' and (hex(stream) = upper('{stream}') or stream = '{session}') \
         order by seq desc limit 1"
    );
    let body = output("sqlite3", &[&path, &query])?;
    ensure!(body.contains("\"shown\":["), "no stored answer was found: {body:?}");
    let mut bytes = fs::read(database)?;
    let at = find(&bytes, body.as_bytes()).context("the answer lies whole in a page")?;
    let digit = at + body.find("\"shown\":[").context("looked at above")? + "\"shown\":[".len();
    let old = bytes.get_mut(digit).context("within the file")?;
    *old = if *old == b'0' { b'1' } else { b'0' };
    Ok(fs::write(database, bytes)?)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
