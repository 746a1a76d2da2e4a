//! Fills a server with 1,000 sittings and 10,000 candidates and measures every list of the staff: how long the server
//! takes for each, by its own connection on the same machine. `--postgres` runs it over a private PostgreSQL cluster; how to
//! run it: `load-tests/README.md`.

use anyhow::Context as _;
use reqwest::Method;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_load_tests::server::{Account, Server};
use synaq_load_tests::site::{As, Site};
use synaq_store::{
    Batch, Directory, EventLog, Lists, MessageKind, NewMessage, Outbox, ResultsAsked, ResultsBy, Settlement,
    Span, Summary,
};
use synaq_store_postgres::{Database, PostgresStore};
use synaq_store_sqlite::SqliteStore;
use synaq_test_postgres::Cluster;
use synaq_wire::centre::{CandidatesAdded, NewSitting, ProgrammeRow, SittingDetail};
use uuid::Uuid;

const SITTINGS: usize = 1_000;
const CANDIDATES: usize = 10_000;
/// Of the candidates in the one large sitting; the rest is spread over the others.
const IN_ONE: usize = 1_000;
/// Of the candidates who have sat their exam.
const SAT: usize = 9_000;
/// Of their records the platform has not taken yet.
const WAITING: usize = 200;
/// Bytes of a sealed record's message; those of a demo exam have between five and eight thousand.
const MESSAGE_BYTES: usize = 6_000;
/// Sessions of one append.
const BATCH: usize = 500;
/// Times each list is asked for, after one that fills the caches.
const LOOKS: usize = 20;
/// What a list may take.
const GOAL: Duration = Duration::from_millis(100);
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let cluster = match std::env::args().any(|argument| argument == "--postgres") {
        true => Some(Cluster::start(synaq_test_postgres::Options::default()).map_err(anyhow::Error::msg)?),
        false => None,
    };
    let database = cluster.as_ref().map(Cluster::fresh_database).transpose().map_err(anyhow::Error::msg)?;
    let mut server = match &database {
        Some(url) => Server::start_on(folder.path(), url)?,
        None => Server::start(folder.path())?,
    };
    let site = Site::new(&server.demo.base_url)?;
    let large = fill(&site, As::Staff(&sign_in(&site, &server.demo.centre).await?)).await?;
    server.kill()?;
    match &database {
        Some(url) => sit(&PostgresStore::open(&Database::parse(url)?).await?).await?,
        None => sit_in_file(&folder.path().join("synaq.db")).await?,
    }
    let server = server.kill_and_restart()?;
    let missed = measure_all(&server, &large).await?;
    anyhow::ensure!(!missed, "a list took longer than {} ms", GOAL.as_millis());
    Ok(())
}

async fn sign_in(site: &Site, account: &Account) -> anyhow::Result<String> {
    site.sign_in(&account.login, &account.password).await
}

/// Whether some list took too long.
async fn measure_all(server: &Server, large: &str) -> anyhow::Result<bool> {
    let site = Site::new(&server.demo.base_url)?;
    let (results, sittings) = ("/api/v1/centre/results", "/api/v1/centre/sittings");
    let mut centre = vec![
        "/api/v1/centre/overview".to_owned(),
        sittings.to_owned(),
        format!("{sittings}?sort=candidates&down=true&offset=975"),
        format!("{sittings}?search=sitting+99&sort=title"),
        format!("{sittings}?open=true&sort=opens&limit=100"),
        format!("{sittings}/{large}"),
        format!("{sittings}/{large}/letters"),
    ];
    for column in ["name", "sitting", "state", "outcome", "correct", "warnings", "finished", "delivery"] {
        centre.push(format!("{results}?sort={column}&down=true"));
    }
    for query in [
        "?sort=name&offset=9975",
        "?search=candidate+7",
        "?search=nobody",
        "?state=sealed,approved&limit=100",
        "/export?format=csv",
        "/export?format=xlsx",
    ] {
        centre.push(format!("{results}{query}"));
    }
    centre.push("/api/v1/centre/figures".to_owned());
    centre.push(format!("/api/v1/centre/figures?sitting={large}"));
    for list in ["programmes", "banks", "staff", "duty", "log", "log?action=candidates_added"] {
        centre.push(format!("/api/v1/centre/{list}"));
    }
    println!("{:<52} {:>8} {:>8} {:>9}", "list", "p50 ms", "max ms", "KiB");
    let records = "/api/v1/commission/records";
    let proctor = vec!["/api/v1/proctor/sittings".to_owned()];
    let commission = vec![records.to_owned(), format!("{records}?state=sealed&search=candidate+7&sort=name")];
    let mut missed = false;
    for (account, paths) in [
        (&server.demo.centre, centre),
        (&server.demo.proctor, proctor),
        (&server.demo.commission, commission),
    ] {
        let cookie = sign_in(&site, account).await?;
        for path in paths {
            let half = measure(&site, As::Staff(&cookie), &path).await?;
            // A file of ten thousand rows is no list that somebody waits for at every click; it is shown, not judged.
            missed |= half > GOAL && !path.contains("/export");
        }
    }
    Ok(missed)
}

async fn sit_in_file(path: &Path) -> anyhow::Result<()> {
    let store = SqliteStore::open(path).await?;
    sit(&store).await?;
    store.close().await;
    Ok(())
}

/// Most candidates have sat their exam, and the platform has most of their records.
async fn sit(store: &(impl EventLog + Outbox + Directory + Lists)) -> anyhow::Result<()> {
    let asked = ResultsAsked {
        words: Vec::new(),
        states: Vec::new(),
        sitting: None,
        by: ResultsBy::Name,
        down: false,
        span: Span { offset: 0, limit: u32::try_from(SAT)? },
    };
    let mut sessions = Vec::new();
    for centre in store.centres().await? {
        let page = store.results_page(centre.id, &asked).await?;
        sessions.extend(page.rows.into_iter().map(|row| row.session));
    }
    let at = now()?;
    let lease = store.take_lease(Uuid::from_u128(1), At(at)).await?;
    for (number, sessions) in sessions.chunks(BATCH).enumerate() {
        let ended = |(place, session): (usize, &SessionId)| summary(number * BATCH + place, *session, at);
        let batch = Batch {
            summaries: sessions.iter().enumerate().map(ended).collect(),
            messages: sessions.iter().map(|session| message(*session, at)).collect(),
            ..Batch::default()
        };
        store.append(lease, Arc::new(batch)).await?;
    }
    for session in sessions.iter().skip(WAITING) {
        let receipt = "r".repeat(MESSAGE_BYTES / 4);
        let settled = Settlement::Accepted { receipt, platform_ref: "measured".to_owned() };
        store.settle(session.0, At(at + MINUTE_MS), settled).await?;
    }
    Ok(())
}

/// As an exam of forty minutes leaves it; the numbers only have to differ.
fn summary(number: usize, session: SessionId, at: i64) -> Summary {
    let minutes = 20 + i64::try_from(number % 40).unwrap_or(0);
    let correct = u16::try_from(15 + number % 26).unwrap_or(15);
    let incidents = match number % 3 {
        0 => BTreeMap::new(),
        1 => BTreeMap::from([("FACE_ABSENT".to_owned(), 1)]),
        _ => BTreeMap::from([("FACE_ABSENT".to_owned(), 2), ("PAGE_HIDDEN".to_owned(), 1)]),
    };
    Summary {
        session,
        state: if number.is_multiple_of(2) { "approved" } else { "sealed" }.to_owned(),
        finish: Some("submitted".to_owned()),
        outcome: Some(if correct > 28 { "passed" } else { "not_passed" }.to_owned()),
        correct: Some(correct),
        total: Some(40),
        warnings: u32::try_from(number % 2).unwrap_or(0),
        incidents,
        started_at: Some(At(at)),
        finished_at: Some(At(at + minutes * MINUTE_MS)),
        live: false,
    }
}

fn message(session: SessionId, at: i64) -> NewMessage {
    let body = "m".repeat(MESSAGE_BYTES);
    let sha256 = synaq_seal::sha256(body.as_bytes());
    // Far ahead, so that the restarted server does not begin to deliver what is no record.
    let created_at = At(at + 24 * HOUR_MS);
    NewMessage { id: session.0, session, kind: MessageKind::Record, body, sha256, created_at }
}

fn now() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// The large sitting's id.
async fn fill(site: &Site, who: As<'_>) -> anyhow::Result<String> {
    let programmes: Vec<ProgrammeRow> = site.get("/api/v1/centre/programmes", who).await?;
    let programme = programmes.first().context("the centre has no programme")?.programme;
    let now = now()?;
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
