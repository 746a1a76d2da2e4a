//! A backup of a server at work, what is missing after it is restored, and damage that is named.

use crate::house::{House, all, ask, now_ms, synaq};
use crate::stop::{Acknowledged, Answer, answer_until_it_ends};
use anyhow::{Context as _, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::staff::Centre;
use synaq_wire::candidate::CandidateCommand;
use tokio::task::JoinSet;

const CANDIDATES: usize = 8;
/// Acknowledged before the backup, and again after it.
const ACKS: u64 = 150;

/// A backup of this house, made beside it, with its keys.
fn backup(data: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let (to, phrase) = (data.with_extension(name), data.with_extension("phrase"));
    fs::write(&phrase, "four words of an operator\n")?;
    let arguments = [
        "backup".as_ref(),
        "--data".as_ref(),
        data.as_os_str(),
        "--to".as_ref(),
        to.as_os_str(),
        "--with-keys".as_ref(),
    ];
    let made = synaq(arguments.into_iter().chain([phrase.as_os_str()]))?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(to)
}

/// What `restore` says, and whether it did it.
fn restore(backup: &Path, data: &Path) -> anyhow::Result<(bool, String)> {
    let phrase = backup.with_extension("phrase");
    let arguments =
        ["restore".as_ref(), backup.as_os_str(), "--data".as_ref(), data.as_os_str(), "--with-keys".as_ref()];
    let done = synaq(arguments.into_iter().chain([phrase.as_os_str()]))?;
    let said = [done.stdout, done.stderr].concat();
    Ok((done.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

async fn at_least(acks: &AtomicU64, count: u64) {
    while acks.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Acknowledged answers that the restored view does not have.
fn gone<'a>(candidate: &Candidate, acknowledged: &'a Acknowledged) -> anyhow::Result<Vec<&'a Answer>> {
    let view = candidate.view()?;
    let mut gone = Vec::new();
    for (question, answer) in acknowledged {
        let mark = view.questions.get(usize::from(*question)).context("the paper has shrunk")?;
        let held = mark.client_seq > answer.client_seq
            || (mark.client_seq == answer.client_seq && mark.shown == answer.shown);
        if !held {
            gone.push(answer);
        }
    }
    Ok(gone)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_acknowledged_after_the_backup_is_missing_after_the_restore() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut house = House::open(&folder.path().join("data"), "info")?;
    let acks = Arc::new(AtomicU64::new(0));
    let mut before = JoinSet::new();
    for candidate in house.running(CANDIDATES).await? {
        before.spawn(answer_until_it_ends(candidate, Arc::clone(&acks)));
    }
    at_least(&acks, ACKS).await;
    let (data, began) = (house.data.clone(), now_ms()?);
    let copy = tokio::task::spawn_blocking(move || backup(&data, "backup")).await??;
    let at_the_backup = acks.load(Ordering::Relaxed);
    at_least(&acks, at_the_backup + ACKS).await;
    house.signal("KILL")?;
    let killed_at = now_ms()?;
    house.ended().await?;
    let mut seats = all(before).await?;

    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(copy.join("manifest.json"))?)?;
    let taken_at = manifest["taken_at"].as_i64().context("taken_at")?;
    ensure!(taken_at >= began, "the backup says that it was taken before it was asked for");
    let restored = folder.path().join("restored");
    let (done, said) = restore(&copy, &restored)?;
    ensure!(done, "{said}");
    ensure!(said.contains("The private keys were restored"), "{said}");
    house.move_to(&restored)?;
    let again = House::open_at(&restored, house.port, "info")?;
    ensure!(again.words().contains("restored from a backup"), "{}", again.words());

    let mut missing = Vec::new();
    for (candidate, acknowledged, _) in &mut seats {
        candidate.connect().await?;
        missing.extend(gone(candidate, acknowledged)?.iter().map(|answer| answer.acked_at));
        // The exam goes on, with the time that was lost given back.
        let remaining = candidate.view()?.clock.as_ref().context("no clock")?.remaining_ms;
        ensure!(remaining > 0, "no time is left");
        candidate.command(CandidateCommand::Answer { question: 0, shown: vec![2] }).await?;
    }
    let earliest = missing.iter().min().context("the server worked on, so something must be missing")?;
    println!(
        "recovery point: {} answers missing, all acknowledged {} to {} ms after the backup was begun",
        missing.len(),
        earliest - taken_at,
        missing.iter().max().unwrap() - taken_at,
    );
    ensure!(*earliest >= taken_at, "missing although it was acknowledged before the backup was begun");
    ensure!(missing.iter().all(|at| *at <= killed_at + 1_000));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_only_the_platform_has_is_noticed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut house = House::open(&folder.path().join("data"), "info")?;
    let mut candidate = house.running(1).await?.remove(0);
    let data = house.data.clone();
    let copy = tokio::task::spawn_blocking(move || backup(&data, "backup")).await??;
    candidate.command(CandidateCommand::Answer { question: 0, shown: vec![0] }).await?;
    candidate.command(CandidateCommand::HandIn).await?;
    let centre = async |house: &House| {
        let account = &house.demo.centre;
        Centre::sign_in(house.site.clone(), &account.login, &account.password).await
    };
    centre(&house).await?.sealed_events(candidate.session()).await?;
    let delivered = until_metric(&house, |waiting, refused| waiting == 0.0 && refused == 0.0).await;
    ensure!(delivered, "the platform did not take the record");
    house.signal("TERM")?;
    ensure!(house.ended().await?.success());

    let restored = folder.path().join("restored");
    let (done, said) = restore(&copy, &restored)?;
    ensure!(done, "{said}");
    house.move_to(&restored)?;
    let again = House::open_at(&restored, house.port, "info")?;
    candidate.connect().await?;
    // The same exam, sat again, with another answer: another record under the same id.
    candidate.command(CandidateCommand::Answer { question: 0, shown: vec![1] }).await?;
    candidate.command(CandidateCommand::HandIn).await?;
    centre(&again).await?.sealed_events(candidate.session()).await?;
    ensure!(
        until_metric(&again, |_, refused| refused == 1.0).await,
        "the platform's refusal was not noticed"
    );
    Ok(())
}

/// Looks at the outbox's gauges until they are as wanted.
async fn until_metric(house: &House, wanted: impl Fn(f64, f64) -> bool) -> bool {
    let end = std::time::Instant::now() + crate::house::PATIENCE;
    while std::time::Instant::now() < end {
        if let Ok((_, text)) = ask(&format!("{}/metrics", house.demo.ops_url)).await {
            let value = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                line.and_then(|value| value.parse::<f64>().ok())
            };
            let gauges = (value("synaq_outbox_waiting"), value("synaq_outbox_refused"));
            if let (Some(waiting), Some(refused)) = gauges
                && wanted(waiting, refused)
            {
                return true;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_anywhere_is_named_and_nothing_is_restored() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let house = House::open(&folder.path().join("data"), "info")?;
    let _candidates = house.running(2).await?;
    let data = house.data.clone();
    let copy = tokio::task::spawn_blocking(move || backup(&data, "backup")).await??;
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(copy.join("manifest.json"))?)?;
    let files: Vec<String> = manifest["files"].as_object().context("files")?.keys().cloned().collect();
    ensure!(files.iter().any(|name| name.starts_with("evidence/")), "nothing was recorded: {files:?}");
    let target = folder.path().join("restored");
    for name in &files {
        let path = copy.join(name);
        let whole = fs::read(&path)?;
        if whole.is_empty() {
            continue;
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped)?;
        let (done, said) = restore(&copy, &target)?;
        ensure!(!done && said.contains(name.as_str()), "{name}: {said}");
        fs::write(&path, whole)?;
    }
    let path = copy.join("manifest.json");
    let signed = fs::read_to_string(&path)?;
    // What no digest would notice: the same backup, said to be another day's.
    let taken_at = manifest["taken_at"].to_string();
    fs::write(&path, signed.replace(&taken_at, &(taken_at.clone() + "0")))?;
    let (done, said) = restore(&copy, &target)?;
    ensure!(!done && said.contains("signs another manifest"), "{said}");
    fs::write(&path, signed)?;
    ensure!(!target.exists(), "something was restored from a damaged backup");
    fs::rename(copy.join("manifest.json"), copy.join("elsewhere"))?;
    let (done, said) = restore(&copy, &target)?;
    ensure!(!done && said.contains("cut short"), "{said}");
    fs::rename(copy.join("elsewhere"), copy.join("manifest.json"))?;

    fs::create_dir(&target)?;
    fs::write(target.join("mine"), "precious")?;
    let (done, said) = restore(&copy, &target)?;
    ensure!(!done && said.contains("is not empty"), "{said}");
    ensure!(fs::read_dir(&target)?.count() == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_in_a_backup_only_when_asked_for() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let house = House::open(&folder.path().join("data"), "info")?;
    let to = folder.path().join("plain");
    let made = synaq([
        "backup".as_ref(),
        "--data".as_ref(),
        house.data.as_os_str(),
        "--to".as_ref(),
        to.as_os_str(),
    ])?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    ensure!(String::from_utf8_lossy(&made.stdout).contains("private keys are not in it"));
    let mut names: Vec<_> = fs::read_dir(&to)?.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    ensure!(names == ["manifest.json", "manifest.jws.json", "synaq.db"], "{names:?}");
    let target = folder.path().join("restored");
    let restore = |more: &[&Path]| -> anyhow::Result<(bool, String)> {
        let given = ["restore".as_ref(), to.as_path(), "--data".as_ref(), target.as_path()];
        let done = synaq(given.iter().chain(more))?;
        Ok((
            done.status.success(),
            String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned(),
        ))
    };
    let (done, said) = restore(&[])?;
    ensure!(!done && said.contains("name --trust FILE") && !target.exists(), "{said}");
    let stranger = House::open(&folder.path().join("stranger"), "info")?;
    let (done, said) = restore(&["--trust".as_ref(), &stranger.data.join("trust.json")])?;
    ensure!(!done && said.contains("not among the trusted keys") && !target.exists(), "{said}");
    let (done, said) = restore(&["--trust".as_ref(), &house.data.join("trust.json")])?;
    ensure!(done && said.contains("signed by the installation's key"), "{said}");
    ensure!(!target.join("keys").exists(), "keys came from nowhere");
    for key in fs::read_dir(house.data.join("keys"))? {
        let key = fs::read(key?.path())?;
        for name in &names {
            let held = fs::read(to.join(name))?;
            ensure!(!held.windows(key.len()).any(|part| part == key), "a key is in {name:?}");
        }
    }
    Ok(())
}
