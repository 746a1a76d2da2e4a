//! What was erased after a backup does not come back with it.

use crate::house::{House, PATIENCE, backup_of, restore_of, run, said, synaq};
use anyhow::{Context as _, ensure};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_after_the_backup_is_erased_again_at_the_first_start() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let mut house = House::open(&at("data"), "info")?;
    let sitting = house.sitting("Үміткер;KZ:N0000001\n").await?;
    let session = sitting.candidates.first().context("no candidate")?.session;
    let (copy, phrase, list, restored) = (at("copy"), at("phrase"), at("list.jsonl"), at("restored"));
    fs::write(&phrase, "four words of an operator\n")?;
    run(&backup_of(&house.data, &copy, &phrase))?;
    house.signal("KILL")?;
    house.ended().await?;

    let restore = restore_of(&copy, &restored, &phrase, &list);
    let refused = synaq(restore)?;
    let words = said(&refused);
    ensure!(
        !refused.status.success() && words.contains("nothing was restored") && !restored.exists(),
        "{words}"
    );
    let line =
        serde_json::json!({ "session": session, "class": "photos", "rule": "photos_days=120", "at": 1 });
    fs::write(&list, format!("{line}\n"))?;
    run(&restore)?;

    house.move_to(&restored)?;
    let again = House::open_at(&restored, house.port, "info")?;
    let until = Instant::now() + PATIENCE;
    while !again.words().contains("evidence was erased") {
        ensure!(Instant::now() < until, "it was not erased again: {}", again.words());
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let newer = at("newer");
    let backup: [&Path; 5] = [Path::new("backup"), Path::new("--data"), &restored, Path::new("--to"), &newer];
    let words = run(&backup)?;
    ensure!(fs::read_to_string(newer.join("erased.jsonl"))?.contains(&session.to_string()), "{words}");
    Ok(())
}
