//! Fills a server with 1,000 sittings and 10,000 candidates and measures every list of the staff: how long the server
//! takes for each, by its own connection on the same machine. `SYNAQ_STORE=postgres` runs it over PostgreSQL where the
//! server's configuration says so; how to run it: `load-tests/README.md`.

use anyhow::Context as _;
use reqwest::Method;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaq_load_tests::server::Server;
use synaq_load_tests::site::{As, Site};
use synaq_wire::centre::{CandidatesAdded, NewSitting, ProgrammeRow, SittingDetail};

const SITTINGS: usize = 1_000;
const CANDIDATES: usize = 10_000;
/// Of the candidates in the one large sitting; the rest is spread over the others.
const IN_ONE: usize = 1_000;
/// Times each list is asked for, after one that fills the caches.
const LOOKS: usize = 20;
/// What a list may take.
const GOAL: Duration = Duration::from_millis(100);
const HOUR_MS: i64 = 3_600_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let server = Server::start(folder.path())?;
    let site = Site::new(&server.demo.base_url)?;
    let account = &server.demo.centre;
    let cookie = site.sign_in(&account.login, &account.password).await?;
    let who = As::Staff(&cookie);
    let large = fill(&site, who).await?;
    let mut missed = false;
    println!("{:<52} {:>8} {:>8} {:>9}", "list", "p50 ms", "max ms", "KiB");
    for path in [
        "/api/v1/centre/sittings".to_owned(),
        format!("/api/v1/centre/sittings/{large}"),
        "/api/v1/centre/results".to_owned(),
        "/api/v1/centre/programmes".to_owned(),
        "/api/v1/centre/banks".to_owned(),
    ] {
        missed |= measure(&site, who, &path).await? > GOAL;
    }
    let account = &server.demo.proctor;
    let cookie = site.sign_in(&account.login, &account.password).await?;
    missed |= measure(&site, As::Staff(&cookie), "/api/v1/proctor/sittings").await? > GOAL;
    let account = &server.demo.commission;
    let cookie = site.sign_in(&account.login, &account.password).await?;
    missed |= measure(&site, As::Staff(&cookie), "/api/v1/commission/records").await? > GOAL;
    anyhow::ensure!(!missed, "a list took longer than {} ms", GOAL.as_millis());
    Ok(())
}

/// The large sitting's id.
async fn fill(site: &Site, who: As<'_>) -> anyhow::Result<String> {
    let programmes: Vec<ProgrammeRow> = site.get("/api/v1/centre/programmes", who).await?;
    let programme = programmes.first().context("the centre has no programme")?.programme;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let others = (CANDIDATES - IN_ONE) / (SITTINGS - 1);
    let mut large = String::new();
    for number in 0..SITTINGS {
        let opens_at = now + i64::try_from(number)? * HOUR_MS;
        let body = NewSitting {
            title: format!("Sitting {number}"),
            programme,
            opens_at,
            closes_at: opens_at + 4 * HOUR_MS,
            capacity: None,
        };
        let sitting: SittingDetail = site.post("/api/v1/centre/sittings", who, &body).await?;
        let size = if number == 0 { IN_ONE } else { others };
        let mut list = String::from("name;iin\n");
        for candidate in 0..size {
            writeln!(list, "Candidate {number} {candidate};PASSPORT:S{number}C{candidate:05}")?;
        }
        let path = format!("/api/v1/centre/sittings/{}/candidates", sitting.sitting);
        let (answer, _) = site.send(Method::POST, &path, who, "text/csv", list.into_bytes()).await?;
        let added: CandidatesAdded = serde_json::from_str(&answer)?;
        anyhow::ensure!(usize::try_from(added.added)? == size, "not everybody was added: {added:?}");
        if number == 0 {
            large = sitting.sitting.to_string();
        }
    }
    Ok(large)
}

/// Half of the answers came within it.
async fn measure(site: &Site, who: As<'_>, path: &str) -> anyhow::Result<Duration> {
    let mut taken = Vec::with_capacity(LOOKS);
    let mut bytes = 0;
    for look in 0..=LOOKS {
        let began = Instant::now();
        let (answer, _) = site.send(Method::GET, path, who, "application/json", Vec::new()).await?;
        bytes = answer.len();
        if look > 0 {
            taken.push(began.elapsed());
        }
    }
    taken.sort_unstable();
    let (half, most) = (taken[LOOKS / 2], taken[LOOKS - 1]);
    let ms = |span: Duration| span.as_secs_f64() * 1_000.0;
    let shown = if path.len() > 50 { &path[..50] } else { path };
    println!("{shown:<52} {:>8.1} {:>8.1} {:>9}", ms(half), ms(most), bytes / 1_024);
    Ok(half)
}
