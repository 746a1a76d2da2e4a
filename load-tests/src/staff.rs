//! What a centre does before an exam.

use crate::site::{As, Site};
use anyhow::Context as _;
use reqwest::Method;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use synaq_wire::centre::{CandidatesAdded, NewSitting, ProgrammeRow, SessionDetail, SittingDetail};
use uuid::Uuid;

/// A recording is closed and the record signed within seconds, unless a person has to rule first.
const SEALING_PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const HOUR_MS: i64 = 3_600_000;

/// A signed-in centre.
#[derive(Debug)]
pub struct Centre {
    site: Site,
    cookie: String,
}

impl Centre {
    /// Signs in.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn sign_in(site: Site, login: &str, password: &str) -> anyhow::Result<Self> {
        let cookie = site.sign_in(login, password).await?;
        Ok(Self { site, cookie })
    }

    /// A sitting of the first programme that is open now, with so many candidates.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn sitting(&self, candidates: usize) -> anyhow::Result<SittingDetail> {
        let who = As::Staff(&self.cookie);
        let programmes: Vec<ProgrammeRow> = self.site.get("/api/v1/centre/programmes", who).await?;
        let programme = programmes.first().context("the centre has no programme")?.programme;
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let body = NewSitting {
            title: "Virtual candidates".to_owned(),
            programme,
            opens_at: now - 1_000,
            closes_at: now + 8 * HOUR_MS,
            capacity: None,
        };
        let sitting: SittingDetail = self.site.post("/api/v1/centre/sittings", who, &body).await?;
        let path = format!("/api/v1/centre/sittings/{}/candidates", sitting.sitting);
        let (answer, _) = self.site.send(Method::POST, &path, who, "text/csv", list(candidates)).await?;
        let added: CandidatesAdded = serde_json::from_str(&answer)?;
        anyhow::ensure!(usize::try_from(added.added)? == candidates, "not everybody was added: {added:?}");
        self.site.get(&format!("/api/v1/centre/sittings/{}", sitting.sitting), who).await
    }

    /// One result with everything behind it.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn session(&self, session: Uuid) -> anyhow::Result<SessionDetail> {
        self.site.get(&format!("/api/v1/centre/sessions/{session}"), As::Staff(&self.cookie)).await
    }

    /// The events of the downloadable bundle, once the record is sealed.
    ///
    /// # Errors
    /// If that does not happen in time.
    pub async fn sealed_events(&self, session: Uuid) -> anyhow::Result<Vec<serde_json::Value>> {
        let end = Instant::now() + SEALING_PATIENCE;
        while self.session(session).await?.record.is_none() {
            anyhow::ensure!(Instant::now() < end, "the record of {session} was not sealed");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let path = format!("/api/v1/centre/sessions/{session}/bundle");
        let bundle: Bundle = self.site.get(&path, As::Staff(&self.cookie)).await?;
        Ok(bundle.events)
    }
}

/// Now, by this machine's clock.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What is read of a bundle here.
#[derive(serde::Deserialize)]
struct Bundle {
    events: Vec<serde_json::Value>,
}

/// A list as a centre pastes it; the numbers are made up and right by their check digit.
pub(crate) fn list(candidates: usize) -> Vec<u8> {
    let mut text = String::from("name;iin\n");
    for number in 0..candidates {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "Үміткер {number:03};{}", individual_number(number));
    }
    text.into_bytes()
}

/// The `number`-th valid individual identification number of somebody born on 1 January 1990.
fn individual_number(number: usize) -> String {
    let mut found = (0_u32..100_000).filter_map(|serial| {
        let digits: Vec<u32> =
            format!("900101{:05}", 30_000 + serial).bytes().map(|byte| u32::from(byte - b'0')).collect();
        let check = |weights: [u32; 11]| weights.iter().zip(&digits).map(|(a, b)| a * b).sum::<u32>() % 11;
        let first = check([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let digit = if first == 10 { check([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) } else { first };
        (digit < 10).then(|| digits.iter().chain([&digit]).map(u32::to_string).collect::<String>())
    });
    found.nth(number).expect("nine of ten serial numbers have a check digit")
}
