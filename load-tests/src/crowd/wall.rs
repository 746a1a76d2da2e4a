//! A virtual proctor: watches one sitting and admits whoever waits, for as long as the crowd is there.

use super::Shared;
use crate::line::http::{Http, Who};
use crate::line::socket::Socket;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synaq_wire::candidate::Ticket;
use synaq_wire::proctor::{ClientFrame, ProctorCommand};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const LOOK_EVERY: Duration = Duration::from_secs(3);
const COME_BACK_AFTER: Duration = Duration::from_secs(1);
const SPREAD: Duration = Duration::from_millis(100);
const TOO_MANY: &str = "too_many_requests";
/// Proctors come from an address of their own.
const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);

/// Walls of all sittings. Dropped, the proctors go home.
#[derive(Debug)]
pub struct Walls {
    tasks: JoinSet<()>,
    seen: Arc<AtomicU64>,
}

/// Of a tile, what a proctor acts on.
#[derive(Deserialize)]
struct TileBits {
    session: Uuid,
    trouble: String,
}

#[derive(Deserialize)]
struct WallFrame {
    tiles: Vec<TileBits>,
}

#[derive(Deserialize)]
struct TileFrame {
    tile: TileBits,
}

#[derive(Deserialize)]
struct ByeFrame {
    problem: Code,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

impl Walls {
    /// One proctor a sitting, all under the sign-in of `cookie`.
    pub(crate) fn watch(shared: &Arc<Shared>, cookie: &str, sittings: &[Uuid]) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for (number, sitting) in sittings.iter().copied().enumerate() {
            let (shared, cookie, seen) = (Arc::clone(shared), cookie.to_owned(), Arc::clone(&seen));
            tasks.spawn(async move {
                loop {
                    if let Err(error) = watch(&shared, &cookie, sitting, &seen).await {
                        let error = error.to_string();
                        // All walls are one member of staff's, who gets a ticket a second after the first thirty.
                        if !error.ends_with(TOO_MANY) {
                            shared.tally.error(&format!("a wall, {error}"));
                        }
                    }
                    sleep(COME_BACK_AFTER + SPREAD * u32::try_from(number).unwrap_or_default()).await;
                }
            });
        }
        Self { tasks, seen }
    }

    /// Proctors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Nobody watches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Frames that all walls have got.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

async fn watch(shared: &Shared, cookie: &str, sitting: Uuid, seen: &AtomicU64) -> anyhow::Result<()> {
    let target = &shared.target;
    let mut http = Http::connect(target, SOURCE).await?;
    let ticket: Ticket =
        http.post("/api/v1/staff/ticket", Who::Staff(cookie), &serde_json::json!({})).await?;
    drop(http);
    let path = format!("/api/v1/proctor/socket?ticket={}", ticket.ticket);
    let mut socket = Socket::connect(target, SOURCE, &path).await?;
    socket.send(&ClientFrame::Watch { sitting }).await?;
    let mut next_re = 1;
    loop {
        let Some(text) = socket.hear(Instant::now() + LOOK_EVERY).await? else { continue };
        seen.fetch_add(1, Ordering::Relaxed);
        let kind = text.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split('"').next());
        let tiles = match kind.context("frame: unknown")? {
            "wall" => serde_json::from_str::<WallFrame>(&text)?.tiles,
            // Whoever looks at a running exam has nothing to do; only a tile in trouble is read.
            "tile" if text.contains(r#""trouble":"identity""#) => {
                vec![serde_json::from_str::<TileFrame>(&text)?.tile]
            }
            "refused" => {
                // Two changes of one tile lead to two admissions; the second finds nothing that waits.
                if !text.contains("nothing_waits") {
                    bail!("refused: {text}");
                }
                Vec::new()
            }
            "bye" => bail!("bye: {}", serde_json::from_str::<ByeFrame>(&text)?.problem.code),
            _ => Vec::new(),
        };
        for tile in tiles.into_iter().filter(|tile| tile.trouble == "identity") {
            let command = ProctorCommand::Admit { seen: None };
            socket.send(&ClientFrame::Command { re: next_re, session: tile.session, command }).await?;
            next_re += 1;
        }
    }
}
