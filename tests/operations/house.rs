//! A server whose words are kept, whose stop is watched, and a sitting of it with candidates of our own making.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::server::{Server, free_ports};
use synaq_load_tests::site::{As, Site};
use synaq_wire::candidate::Lang;
use synaq_wire::centre::{CandidatesAdded, NewSitting, ProgrammeRow, SittingDetail};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A debug build on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) login: String,
    pub(crate) password: String,
}

/// `demo.json`
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Demo {
    pub(crate) base_url: String,
    pub(crate) ops_url: String,
    pub(crate) candidate_links: Vec<String>,
    pub(crate) proctor: Account,
    pub(crate) second_proctor: Account,
    pub(crate) centre: Account,
    pub(crate) commission: Account,
}

/// A running `synaq demo` on a folder. Killed when dropped.
pub(crate) struct House {
    child: Child,
    log: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) port: u16,
    pub(crate) demo: Demo,
    pub(crate) site: Site,
}

impl House {
    /// `log`: as `[log] filter` has it.
    pub(crate) fn open(data: &Path, log: &str) -> anyhow::Result<Self> {
        Self::open_at(data, free_ports()?, log)
    }

    /// The same folder and port again, after it ended.
    pub(crate) fn again(&self, log: &str) -> anyhow::Result<Self> {
        Self::open_at(&self.data, self.port, log)
    }

    /// The demo's other things beside a restored folder: who has which password, and what the platform holds.
    pub(crate) fn move_to(&self, data: &Path) -> anyhow::Result<()> {
        fs::copy(self.data.join("demo.json"), data.join("demo.json"))?;
        let copied = Command::new("cp")
            .arg("-r")
            .args([self.data.join("platform"), data.join("platform")])
            .status()?;
        ensure!(copied.success(), "the platform's folder was not copied");
        Ok(())
    }

    /// On a folder, at a port.
    pub(crate) fn open_at(data: &Path, port: u16, log: &str) -> anyhow::Result<Self> {
        let demo = data.join("demo.json");
        let written = || fs::metadata(&demo).and_then(|file| file.modified()).ok();
        let before = written();
        fs::create_dir_all(data)?;
        let path = data.join("server.log");
        let file = File::options().append(true).create(true).open(&path)?;
        let mut child = Command::new(Server::binary()?)
            .args(["demo", "--log", log, "--port", &port.to_string(), "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()?;
        let end = Instant::now() + PATIENCE;
        while written() == before {
            let ended = child.try_wait()?;
            ensure!(ended.is_none(), "the server ended with {ended:?}: {}", fs::read_to_string(&path)?);
            ensure!(Instant::now() < end, "the server wrote no demo.json");
            std::thread::sleep(LOOK);
        }
        let demo: Demo = serde_json::from_slice(&fs::read(&demo)?)?;
        let site = Site::new(&demo.base_url)?;
        Ok(Self { child, log: path, data: data.to_owned(), port, demo, site })
    }

    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "the signal was not sent");
        Ok(())
    }

    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < end, "the server did not end");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Everything that the server and the platform's sandbox wrote.
    pub(crate) fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A sitting of the demo's programme with these candidates, a line of CSV each.
    pub(crate) async fn sitting(&self, candidates: &str) -> anyhow::Result<SittingDetail> {
        let cookie = self.site.sign_in(&self.demo.centre.login, &self.demo.centre.password).await?;
        let who = As::Staff(&cookie);
        let programmes: Vec<ProgrammeRow> = self.site.get("/api/v1/centre/programmes", who).await?;
        let programme = programmes.first().context("the centre has no programme")?.programme;
        let now =
            i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?;
        let title = "Operations".to_owned();
        let body = NewSitting {
            title,
            programme,
            opens_at: now - 1_000,
            closes_at: now + 8 * 3_600_000,
            capacity: None,
        };
        let sitting: SittingDetail = self.site.post("/api/v1/centre/sittings", who, &body).await?;
        let path = format!("/api/v1/centre/sittings/{}/candidates", sitting.sitting);
        let list = format!("name;iin\n{candidates}").into_bytes();
        let (answer, _) = self.site.send(reqwest::Method::POST, &path, who, "text/csv", list).await?;
        let _: CandidatesAdded = serde_json::from_str(&answer)?;
        self.site.get(&format!("/api/v1/centre/sittings/{}", sitting.sitting), who).await
    }

    /// A sitting whose candidates all have their first question.
    pub(crate) async fn running(&self, candidates: usize) -> anyhow::Result<Vec<Candidate>> {
        let list: String =
            (0..candidates).map(|number| format!("Үміткер {number};KZ:N{number:07}\n")).collect();
        let sitting = self.sitting(&list).await?;
        let mut preparing = JoinSet::new();
        for row in &sitting.candidates {
            let (site, link) = (self.site.clone(), row.link.clone());
            preparing.spawn(async move {
                let mut candidate = Candidate::open(site, &link).await?;
                candidate.connect().await?;
                candidate.prepare(Lang::Kk).await?;
                anyhow::Ok(candidate)
            });
        }
        let ready = all(preparing).await?;
        let Account { login, password } = &self.demo.proctor;
        let mut proctor = Proctor::watch(&self.site, login, password, sitting.sitting).await?;
        proctor.admit(&ready.iter().map(Candidate::session).collect::<BTreeSet<Uuid>>()).await?;
        let mut beginning = JoinSet::new();
        for mut candidate in ready {
            beginning.spawn(async move {
                candidate.begin(Lang::Kk).await?;
                anyhow::Ok(candidate)
            });
        }
        all(beginning).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the binary, to its end.
pub(crate) fn synaq<S: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> anyhow::Result<Output> {
    Ok(Command::new(Server::binary()?).args(arguments).output()?)
}

/// All that a command wrote.
pub(crate) fn said(done: &Output) -> String {
    String::from_utf8_lossy(&[&done.stdout[..], &done.stderr[..]].concat()).into_owned()
}

/// A command of the binary that must succeed, and what it wrote.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> anyhow::Result<String> {
    let done = synaq(arguments)?;
    ensure!(done.status.success(), "{:?}: {}", done.status.code(), said(&done));
    Ok(said(&done))
}

/// `synaq backup` of a data folder with its keys.
pub(crate) fn backup_of<'a>(data: &'a Path, copy: &'a Path, phrase: &'a Path) -> [&'a Path; 7] {
    let [backup, from, to, keys] = ["backup", "--data", "--to", "--with-keys"].map(Path::new);
    [backup, from, data, to, copy, keys, phrase]
}

/// `synaq restore` of such a copy, told what was erased since.
pub(crate) fn restore_of<'a>(
    copy: &'a Path,
    restored: &'a Path,
    phrase: &'a Path,
    list: &'a Path,
) -> [&'a Path; 8] {
    let [restore, to, keys, erased] = ["restore", "--data", "--with-keys", "--erased"].map(Path::new);
    [restore, copy, to, restored, keys, phrase, erased, list]
}

/// Milliseconds UTC, by the clock that the server on this machine has too.
pub(crate) fn now_ms() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Asks an address without knowing who answers: status and body.
pub(crate) async fn ask(url: &str) -> anyhow::Result<(u16, String)> {
    let answer = reqwest::get(url).await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

pub(crate) async fn all<T: 'static>(mut tasks: JoinSet<anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    let mut done = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        done.push(ended??);
    }
    Ok(done)
}
