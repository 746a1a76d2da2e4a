//! A proctor's eyes: the wall of a sitting as the browser would show it.

use crate::house::Account;
use crate::line::Line;
use crate::watch::lock;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use synaq_load_tests::site::{As, Site};
use tokio::task::JoinHandle;

const PING_EVERY: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// A proctor who looks at a wall until it is dropped, and comes back when the socket breaks.
#[derive(Debug)]
pub struct Wall {
    tiles: Arc<Mutex<BTreeMap<String, Value>>>,
    /// Every trouble that ever stood on a tile, with how often
    troubles: Arc<Mutex<BTreeMap<String, u64>>>,
    connected: Arc<Mutex<Option<Instant>>>,
    /// Every kind of event that ever stood on the page of the one candidate that the proctor has open
    told: Arc<Mutex<BTreeSet<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wall {
    /// Begins to look.
    #[must_use]
    pub fn watch(site: Site, account: Account, sitting: String) -> Self {
        let (tiles, troubles, connected, told) =
            (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        let eye = Eye {
            tiles: Arc::clone(&tiles),
            troubles: Arc::clone(&troubles),
            connected: Arc::clone(&connected),
            told: Arc::clone(&told),
        };
        let task = tokio::spawn(async move {
            let mut cookie = None;
            loop {
                // The next try says more than the error of this one.
                let _ = eye.look(&site, &account, &sitting, &mut cookie).await;
                *lock(&eye.connected) = None;
                tokio::time::sleep(TRY_AGAIN).await;
            }
        });
        Self { tiles, troubles, connected, told, task }
    }

    /// Whether the wall's socket is open.
    #[must_use]
    pub fn connected(&self) -> bool {
        lock(&self.connected).is_some()
    }

    /// What was ever said on a tile.
    #[must_use]
    pub fn troubles(&self) -> BTreeMap<String, u64> {
        lock(&self.troubles).clone()
    }

    /// Whether the page of the first candidate of the wall, which is open all the time, told of such an event.
    #[must_use]
    pub fn page_told(&self, kind: &str) -> bool {
        lock(&self.told).contains(kind)
    }

    /// Everything that it told of.
    #[must_use]
    pub fn told(&self) -> BTreeSet<String> {
        lock(&self.told).clone()
    }

    /// How many tiles are as wanted now.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Value) -> bool) -> usize {
        lock(&self.tiles).values().filter(|tile| wanted(tile)).count()
    }
}

struct Eye {
    tiles: Arc<Mutex<BTreeMap<String, Value>>>,
    troubles: Arc<Mutex<BTreeMap<String, u64>>>,
    connected: Arc<Mutex<Option<Instant>>>,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Eye {
    async fn look(
        &self,
        site: &Site,
        account: &Account,
        sitting: &str,
        cookie: &mut Option<String>,
    ) -> anyhow::Result<()> {
        let known = match cookie {
            Some(known) => known.clone(),
            None => cookie.insert(site.sign_in(&account.login, &account.password).await?).clone(),
        };
        let ticket: Value = site.post("/api/v1/staff/ticket", As::Staff(&known), &json!({})).await?;
        let ticket = ticket["ticket"].as_str().context("a ticket is text")?;
        let mut line = Line::connect(site.base(), &format!("/api/v1/proctor/socket?ticket={ticket}")).await?;
        line.send(&json!({ "type": "watch", "sitting": sitting })).await?;
        *lock(&self.connected) = Some(Instant::now());
        let mut pinged = Instant::now();
        loop {
            if pinged.elapsed() >= PING_EVERY {
                pinged = Instant::now();
                line.send(&json!({ "type": "ping", "n": 1 })).await?;
            }
            let Some(frame) = line.next(Duration::from_millis(500)).await? else { continue };
            match frame["type"].as_str() {
                Some("wall") => {
                    let tiles = frame["tiles"].as_array();
                    tiles.into_iter().flatten().for_each(|tile| self.note(tile));
                    if let Some(first) = tiles.and_then(|tiles| tiles.first()) {
                        line.send(&json!({ "type": "open", "session": first["session"] })).await?;
                    }
                }
                Some("detail") => {
                    let kinds = frame["detail"]["timeline"].as_array().into_iter().flatten();
                    lock(&self.told)
                        .extend(kinds.filter_map(|entry| entry["kind"].as_str().map(str::to_owned)));
                }
                Some("tile") => self.note(&frame["tile"]),
                _ => {}
            }
        }
    }

    fn note(&self, tile: &Value) {
        let Some(session) = tile["session"].as_str() else { return };
        for word in [tile["trouble"].as_str(), tile["trouble_code"].as_str()].into_iter().flatten() {
            *lock(&self.troubles).entry(word.to_owned()).or_default() += 1;
        }
        lock(&self.tiles).insert(session.to_owned(), tile.clone());
    }
}
