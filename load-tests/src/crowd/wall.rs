//! A virtual proctor: watches one sitting and admits whoever waits, for as long as the crowd is there.

use super::Shared;
use super::back::Attempts;
use crate::line::http::{Http, Who};
use crate::line::socket::Socket;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
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
/// A person presses no faster; a hundred who wait are admitted within seconds all the same.
const PRESS_EVERY: Duration = Duration::from_millis(50);
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
struct DoneFrame {
    re: u32,
}

#[derive(Deserialize)]
struct RefusedFrame {
    re: Option<u32>,
    problem: Code,
}

#[derive(Deserialize)]
struct Code {
    code: String,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

impl Walls {
    /// One proctor a sitting, all under the sign-in of `cookie`.
    pub(crate) fn watch(shared: &Arc<Shared>, cookie: &str, sittings: &[Uuid]) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for sitting in sittings.iter().copied() {
            let (shared, cookie, seen) = (Arc::clone(shared), cookie.to_owned(), Arc::clone(&seen));
            tasks.spawn(async move {
                let mut attempts = Attempts::default();
                loop {
                    if let Err(error) = watch(&shared, &cookie, sitting, &mut attempts, &seen).await {
                        let error = error.to_string();
                        // All walls are one member of staff's, who gets a ticket a second after the first thirty.
                        if !error.ends_with(TOO_MANY) {
                            shared.tally.error(&format!("a wall, {error}"));
                        }
                    }
                    sleep(attempts.of_a_proctor()).await;
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

async fn watch(
    shared: &Shared,
    cookie: &str,
    sitting: Uuid,
    attempts: &mut Attempts,
    seen: &AtomicU64,
) -> anyhow::Result<()> {
    let target = &shared.target;
    let mut http = Http::connect(target, SOURCE).await?;
    let ticket: Ticket =
        http.post("/api/v1/staff/ticket", Who::Staff(cookie), &serde_json::json!({})).await?;
    drop(http);
    let path = format!("/api/v1/proctor/socket?ticket={}", ticket.ticket);
    let mut socket = Socket::connect(target, SOURCE, &path).await?;
    socket.send(&ClientFrame::Watch { sitting, beside: Vec::new() }).await?;
    let mut desk = Desk::default();
    loop {
        let due = desk.due();
        let heard = socket.hear(due.unwrap_or_else(|| Instant::now() + LOOK_EVERY)).await?;
        if let Some(text) = heard {
            seen.fetch_add(1, Ordering::Relaxed);
            if desk.read(&text)? {
                *attempts = Attempts::default();
            }
        } else if let Some(session) = due.and_then(|_| desk.press()) {
            let command = ProctorCommand::Admit { seen: None };
            socket.send(&ClientFrame::Command { re: desk.re, session, command }).await?;
        }
    }
}

/// Whom a proctor has to admit, one press after the other.
#[derive(Default)]
struct Desk {
    waiting: VecDeque<Uuid>,
    pressed: HashMap<u32, Uuid>,
    re: u32,
    next_press: Option<Instant>,
}

impl Desk {
    /// When the next button is pressed; none if nobody waits.
    fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.next_press.unwrap_or_else(Instant::now))
    }

    fn press(&mut self) -> Option<Uuid> {
        let session = self.waiting.pop_front()?;
        self.re += 1;
        self.pressed.insert(self.re, session);
        self.next_press = Some(Instant::now() + PRESS_EVERY);
        Some(session)
    }

    /// Whether it was the whole wall.
    fn read(&mut self, text: &str) -> anyhow::Result<bool> {
        let kind = text.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split('"').next());
        let kind = kind.context("frame: unknown")?;
        let tiles = match kind {
            "wall" => serde_json::from_str::<WallFrame>(text)?.tiles,
            // Whoever looks at a running exam has nothing to do; only a tile in trouble is read.
            "tile" if text.contains(r#""trouble":"identity""#) => {
                vec![serde_json::from_str::<TileFrame>(text)?.tile]
            }
            "done" => {
                let DoneFrame { re } = serde_json::from_str(text)?;
                self.pressed.remove(&re);
                Vec::new()
            }
            "refused" => {
                self.refused(serde_json::from_str(text)?)?;
                Vec::new()
            }
            "bye" => bail!("bye: {}", serde_json::from_str::<ByeFrame>(text)?.problem.code),
            _ => Vec::new(),
        };
        for tile in tiles.into_iter().filter(|tile| tile.trouble == "identity") {
            // A tile comes again when another thing changes; its button was pressed already, or will be.
            let known =
                self.waiting.contains(&tile.session) || self.pressed.values().any(|of| *of == tile.session);
            if !known {
                self.waiting.push_back(tile.session);
            }
        }
        Ok(kind == "wall")
    }

    /// Told to wait, a proctor waits and presses again.
    fn refused(&mut self, RefusedFrame { re, problem }: RefusedFrame) -> anyhow::Result<()> {
        let session = re.and_then(|re| self.pressed.remove(&re));
        match (session, problem.retry_after_ms) {
            (Some(session), Some(wait)) => {
                self.waiting.push_back(session);
                self.next_press = Some(Instant::now() + Duration::from_millis(wait));
                Ok(())
            }
            // Somebody else under the same sign-in was faster.
            _ if problem.code == "nothing_waits" => Ok(()),
            _ => bail!("refused: {}", problem.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_is_pressed_once_for_each_who_waits_and_again_when_told_to_wait() {
        let mut desk = Desk::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let tile =
            |of: Uuid| format!(r#"{{"type":"tile","tile":{{"session":"{of}","trouble":"identity"}}}}"#);
        for of in [one, two, one] {
            assert!(!desk.read(&tile(of)).unwrap());
        }
        assert_eq!((desk.press(), desk.re), (Some(one), 1));
        desk.read(&tile(one)).unwrap();
        assert_eq!(desk.waiting, [two]);
        let busy = r#"{"type":"refused","re":1,"problem":{"code":"too_many_requests","retry_after_ms":7}}"#;
        desk.read(busy).unwrap();
        assert_eq!(desk.waiting, [two, one]);
        assert!(desk.due().unwrap() <= Instant::now() + Duration::from_millis(7));
        desk.press();
        desk.read(r#"{"type":"done","re":2}"#).unwrap();
        assert!(desk.pressed.is_empty());
        assert!(desk.read(r#"{"type":"refused","re":null,"problem":{"code":"not_found"}}"#).is_err());
    }
}
