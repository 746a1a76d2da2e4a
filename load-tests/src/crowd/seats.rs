//! What the centre does before the day: sittings with candidates, over the real interface.

use super::Shared;
use crate::line::http::{Http, Who};
use crate::server::Account;
use crate::staff::{list, now_ms};
use anyhow::Context as _;
use serde::Deserialize;
use std::net::Ipv4Addr;
use std::time::Duration;
use synaq_wire::centre::{CandidatesAdded, NewSitting, ProgrammeRow, SessionDetail};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// Longer than any rehearsal.
const OPEN_FOR_MS: i64 = 24 * 3_600_000;
/// Records of a whole crowd are sealed one after the other.
const SEALING_PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The centre, signed in.
#[derive(Clone, Debug)]
pub(crate) struct Centre {
    pub(crate) cookie: String,
}

/// All sittings of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    pub(crate) sittings: Vec<Uuid>,
    pub(crate) links: Vec<String>,
}

#[derive(Deserialize)]
struct SittingBits {
    sitting: Uuid,
    candidates: Vec<LinkBits>,
}

#[derive(Deserialize)]
struct LinkBits {
    link: String,
}

#[derive(Deserialize)]
struct Bundle {
    events: Vec<serde_json::Value>,
}

impl Centre {
    pub(crate) async fn sign_in(shared: &Shared, account: &Account) -> anyhow::Result<Self> {
        let mut http = Http::connect(&shared.target, SOURCE).await?;
        let body = serde_json::json!({ "login": account.login, "password": account.password });
        let body = serde_json::to_vec(&body)?;
        let answer =
            http.send("POST", "/api/v1/staff/sign-in", Who::Anyone, "application/json", &body).await?;
        Ok(Self { cookie: answer.cookie.context("the sign-in gave no cookie")? })
    }

    /// Sittings of at most `size` candidates that open then (server's clock, ms).
    pub(crate) async fn seats(
        &self,
        shared: &Shared,
        candidates: usize,
        size: usize,
        opens_at: i64,
    ) -> anyhow::Result<Seats> {
        let who = Who::Staff(&self.cookie);
        let mut http = Http::connect(&shared.target, SOURCE).await?;
        let programmes: Vec<ProgrammeRow> = http.get("/api/v1/centre/programmes", who).await?;
        let programme = programmes.first().context("the centre has no programme")?.programme;
        let mut seats = Seats::default();
        let mut left = candidates;
        while left > 0 {
            let here = left.min(size);
            let body = NewSitting {
                title: format!("Rehearsal {}", seats.sittings.len() + 1),
                programme,
                opens_at,
                closes_at: opens_at.max(now_ms()) + OPEN_FOR_MS,
                capacity: None,
            };
            let sitting: SittingBits = http.post("/api/v1/centre/sittings", who, &body).await?;
            let path = format!("/api/v1/centre/sittings/{}/candidates", sitting.sitting);
            let answer = http.send("POST", &path, who, "text/csv", &list(here)).await?;
            let added: CandidatesAdded = serde_json::from_slice(&answer.body)?;
            anyhow::ensure!(usize::try_from(added.added)? == here, "not everybody was added: {added:?}");
            let path = format!("/api/v1/centre/sittings/{}", sitting.sitting);
            let whole: SittingBits = http.get(&path, who).await?;
            seats.sittings.push(sitting.sitting);
            seats.links.extend(whole.candidates.into_iter().map(|row| row.link));
            left -= here;
        }
        Ok(seats)
    }

    /// Whether every one of these acknowledged answers stands exactly once in the sealed log: how many do not.
    pub(crate) async fn missing(
        &self,
        shared: &Shared,
        session: Uuid,
        acknowledged: &[u64],
    ) -> anyhow::Result<u64> {
        let mut http = Http::connect(&shared.target, SOURCE).await?;
        let who = Who::Staff(&self.cookie);
        let end = Instant::now() + SEALING_PATIENCE;
        let path = format!("/api/v1/centre/sessions/{session}");
        while http.get::<SessionDetail>(&path, who).await?.record.is_none() {
            anyhow::ensure!(Instant::now() < end, "a record was not sealed in time");
            sleep(LOOK_EVERY).await;
        }
        let bundle: Bundle = http.get(&format!("{path}/bundle"), who).await?;
        let numbers = answer_numbers(&bundle.events);
        anyhow::ensure!(
            !numbers.is_empty() || acknowledged.is_empty(),
            "no answer was recognised in a bundle of {} events",
            bundle.events.len()
        );
        let stands_once = |wanted: &u64| numbers.iter().filter(|number| *number == wanted).count() == 1;
        let missing = acknowledged.iter().filter(|wanted| !stands_once(wanted)).count();
        Ok(u64::try_from(missing)?)
    }
}

/// The device's numbers of all stored answers. The bundle is read as plain JSON: no code is shared with the server.
fn answer_numbers(events: &[serde_json::Value]) -> Vec<u64> {
    let answers = events.iter().filter(|event| event["kind"] == "answer_put");
    answers.filter_map(|event| event["body"]["client"]["client_seq"].as_u64()).collect()
}
