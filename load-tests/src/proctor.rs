//! A virtual proctor: watches a sitting and admits everybody who waits.

use crate::site::{As, Site};
use crate::socket::Socket;
use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use synaq_wire::candidate::Ticket;
use synaq_wire::proctor::{ClientFrame, ProctorCommand, ServerFrame, Tile};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);
/// As `wire::limits::HEARTBEAT_MS`.
const PING_EVERY: Duration = Duration::from_secs(5);

/// One proctor at one wall.
#[derive(Debug)]
pub struct Proctor {
    socket: Socket,
    tiles: Vec<Tile>,
    next_re: u32,
    pinged: Instant,
}

impl Proctor {
    /// Signs in and opens the wall of a sitting.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn watch(site: &Site, login: &str, password: &str, sitting: Uuid) -> anyhow::Result<Self> {
        let cookie = site.sign_in(login, password).await?;
        let ticket: Ticket =
            site.post("/api/v1/staff/ticket", As::Staff(&cookie), &serde_json::json!({})).await?;
        let mut socket =
            Socket::connect(site, &format!("/api/v1/proctor/socket?ticket={}", ticket.ticket)).await?;
        socket.send(&ClientFrame::Watch { sitting, beside: Vec::new() }).await?;
        let mut proctor = Self { socket, tiles: Vec::new(), next_re: 1, pinged: Instant::now() };
        let end = Instant::now() + PATIENCE;
        while proctor.tiles.is_empty() {
            ensure!(Instant::now() < end, "the wall did not come");
            proctor.read().await?;
        }
        Ok(proctor)
    }

    /// Admits every one of these as soon as the photos are there.
    ///
    /// # Errors
    /// If somebody's photos do not come in time, or the server refuses.
    pub async fn admit(&mut self, sessions: &BTreeSet<Uuid>) -> anyhow::Result<()> {
        let mut left = sessions.clone();
        let end = Instant::now() + PATIENCE;
        while !left.is_empty() {
            ensure!(Instant::now() < end, "{} candidates sent no photos: {:?}", left.len(), self.tiles);
            let waiting: Vec<Uuid> = self
                .tiles
                .iter()
                .filter(|tile| left.contains(&tile.session) && tile.trouble == "identity")
                .map(|tile| tile.session)
                .collect();
            for session in waiting {
                self.command(session, ProctorCommand::Admit { seen: None }).await?;
                left.remove(&session);
            }
            if !left.is_empty() {
                self.read().await?;
            }
        }
        Ok(())
    }

    /// Gives a command and waits until it is durable.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn command(&mut self, session: Uuid, command: ProctorCommand) -> anyhow::Result<()> {
        let number = self.next_re;
        self.next_re += 1;
        self.socket.send(&ClientFrame::Command { re: number, session, command }).await?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.read().await? {
                Some(ServerFrame::Done { re }) if re == number => return Ok(()),
                Some(ServerFrame::Refused { re: Some(re), problem }) if re == number => {
                    bail!("the proctor's command was refused: {problem:?}")
                }
                _ => {}
            }
        }
        bail!("the proctor's command was not answered")
    }

    async fn read(&mut self) -> anyhow::Result<Option<ServerFrame>> {
        if self.pinged.elapsed() >= PING_EVERY {
            self.pinged = Instant::now();
            self.socket.send(&ClientFrame::Ping { n: 1 }).await?;
        }
        let frame: Option<ServerFrame> =
            self.socket.next(Duration::from_millis(500)).await.context("the wall's socket")?;
        match &frame {
            Some(ServerFrame::Wall { tiles, .. }) => self.tiles.clone_from(tiles),
            Some(ServerFrame::Tile { tile, .. }) => {
                self.tiles.retain(|known| known.session != tile.session);
                self.tiles.push(tile.clone());
            }
            Some(ServerFrame::Bye { problem }) => bail!("the server said good-bye: {problem:?}"),
            _ => {}
        }
        Ok(frame)
    }
}
