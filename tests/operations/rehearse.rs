//! A rehearsal beside a server at work: nothing of it is left but a signed report and the key that signed it.

use crate::house::{House, synaq};
use anyhow::{Context as _, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use synaq_load_tests::site::As;
use synaq_wire::lists::SittingsPage;

/// Whatever the report says of a busy machine, it is written.
const PLAYED: [Option<i32>; 2] = [Some(0), Some(1)];

/// Every file below a folder.
fn files(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert(path);
        }
    }
    Ok(found)
}

async fn sittings(house: &House) -> anyhow::Result<usize> {
    let account = &house.demo.centre;
    let cookie = house.site.sign_in(&account.login, &account.password).await?;
    let page: SittingsPage = house.site.get("/api/v1/centre/sittings", As::Staff(&cookie)).await?;
    Ok(usize::try_from(page.all)?)
}

fn verify(report: &Path, trust: &Path) -> anyhow::Result<Output> {
    synaq(["verify".as_ref(), report.as_os_str(), "--trust".as_ref(), trust.as_os_str()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_beside_a_server_leaves_a_signed_report_and_no_trace() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let house = House::open(&folder.path().join("data"), "info")?;
    let config = folder.path().join("synaq.toml");
    let platform = house.data.join("platform/platform-keys.json");
    fs::write(
        &config,
        format!(
            "data = {:?}\nlisten = \"127.0.0.1:1\"\npublic_url = {:?}\n[media]\nlisten = \"127.0.0.1:1\"\n\
             [platform]\nurl = {:?}\ntrust = {platform:?}\n",
            house.data, house.demo.base_url, house.demo.base_url
        ),
    )?;
    let before = (files(&house.data)?, sittings(&house).await?);
    let out = folder.path().join("report");
    let arguments = [
        "rehearse".as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
        "--candidates".as_ref(),
        "5".as_ref(),
        "--minutes".as_ref(),
        "0.05".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ]
    .map(ToOwned::to_owned);
    let played = tokio::task::spawn_blocking(move || synaq(arguments)).await??;
    let said = String::from_utf8_lossy(&played.stderr).into_owned();
    ensure!(PLAYED.contains(&played.status.code()), "{said}");

    let new: Vec<PathBuf> = files(&house.data)?.difference(&before.0).cloned().collect();
    // SQLite's own beside a server that works may come and go.
    let new: Vec<&PathBuf> = new.iter().filter(|path| !path.to_string_lossy().contains("synaq.db")).collect();
    ensure!(new == [&house.data.join("keys/rehearsal.p8")], "left behind: {new:?}");
    ensure!(sittings(&house).await? == before.1, "the centre has a sitting more");

    let report = out.join("report.jws.json");
    for trust in [out.join("trust.json"), house.data.join("trust.json")] {
        let checked = verify(&report, &trust)?;
        ensure!(checked.status.success(), "{trust:?}: {}", String::from_utf8_lossy(&checked.stderr));
        let text = String::from_utf8(checked.stdout)?;
        ensure!(text.contains("was not changed"), "{text}");
        for scenario in ["paced:", "start:", "reconnect:"] {
            ensure!(text.contains(scenario), "{scenario} is missing in {text}");
        }
        let lost: Vec<&str> =
            text.lines().filter(|line| line.contains("acknowledged answers lost")).collect();
        ensure!(lost.len() == 3 && lost.iter().all(|line| line.ends_with("<= 0  met")), "{lost:?}");
    }
    let changed: serde_json::Value = serde_json::from_slice(&fs::read(&report)?)?;
    let payload = changed["payload"].as_str().context("a payload")?;
    let forged =
        serde_json::json!({ "payload": format!("{payload}AAAA"), "signatures": changed["signatures"] });
    fs::write(&report, forged.to_string())?;
    let refused = verify(&report, &out.join("trust.json"))?;
    ensure!(!refused.status.success(), "a changed report counts");
    Ok(())
}
