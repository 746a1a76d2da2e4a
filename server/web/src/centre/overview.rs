//! What a centre has, what comes next, what has reached the platform, and how long the disk lasts.

use super::Library;
use super::results::count;
use crate::auth::who::Who;
use crate::doors::App;
use crate::problem::Refused;
use crate::proctor::sitting_rows;
use crate::room::{Left, Room};
use axum::extract::{FromRef, State};
use std::sync::Arc;
use synaq_core::time::At;
use synaq_runtime::Clock;
use synaq_store::{CentreStanding, Directory, Lists, SittingRow, SittingsAsked, SittingsBy, Span};
use synaq_wire::lists::{CentreOverview, DeliveryView, StorageView};

/// Sittings shown.
const NEAR: usize = 5;
/// Sittings whose candidates are added up: more of one centre do not begin within a day.
const COMING: u32 = 100;
/// For whose candidates the disk must suffice.
const COMING_MS: i64 = 24 * 3_600_000;
/// What a candidate's recording takes at most (server/docs/MEDIA.md, "Storage"): camera, sound, stills, and the screen.
const BYTES_PER_HOUR: u64 = (156 + 112) * 1_000_000;
/// A working day of exams; with less somebody should make room.
const HOURS_WANTED: u32 = 8;

/// What the overview is made from.
#[derive(Clone)]
pub(crate) struct Desk {
    directory: Arc<dyn Directory>,
    library: Arc<Library>,
    lists: Arc<dyn Lists>,
    clock: Arc<dyn Clock>,
    room: Arc<dyn Room>,
}

impl FromRef<App> for Desk {
    fn from_ref(app: &App) -> Self {
        Self {
            directory: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            lists: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            room: FromRef::from_ref(app),
        }
    }
}

/// The first page of the centre.
pub(crate) async fn show(State(desk): State<Desk>, who: Who) -> Result<axum::Json<CentreOverview>, Refused> {
    let centre = who.staff.centre;
    let now = desk.clock.now();
    let asked = |open_at, down, limit| SittingsAsked {
        words: Vec::new(),
        open_at,
        by: SittingsBy::Opens,
        down,
        span: Span { offset: 0, limit },
    };
    let standing = desk.lists.centre_standing(centre).await?;
    let newest = desk.lists.sittings_page(centre, &asked(None, true, 1)).await?;
    let mut coming = desk.lists.sittings_page(centre, &asked(Some(now), false, COMING)).await?.rows;
    let candidates = expected(&coming, now);
    coming.truncate(NEAR);
    Ok(axum::Json(CentreOverview {
        banks: count(standing.banks),
        programmes: count(standing.programmes),
        sittings: count(standing.sittings),
        candidates: count(standing.candidates),
        newest: newest.rows.first().map(|(sitting, _)| sitting.id.0),
        near: sitting_rows(&desk.directory, &desk.library, centre, coming).await?,
        delivery: delivery(&standing),
        storage: storage(left(desk.room).await, candidates),
    }))
}

/// Candidates of sittings that are open or open soon.
fn expected(coming: &[(SittingRow, u32)], now: At) -> u32 {
    let soon = coming.iter().filter(|(sitting, _)| sitting.opens_at.0 < now.0 + COMING_MS);
    soon.fold(0, |sum: u32, (_, candidates)| sum.saturating_add(*candidates))
}

fn delivery(standing: &CentreStanding) -> DeliveryView {
    DeliveryView {
        accepted: count(standing.accepted),
        queued: count(standing.queued),
        refused: count(standing.refused),
        oldest_queued: standing.oldest_queued.map(|at| at.0),
        last_receipt: standing.last_receipt.map(|at| at.0),
    }
}

async fn left(room: Arc<dyn Room>) -> Left {
    tokio::task::spawn_blocking(move || room.left()).await.unwrap_or(Left::Unknown)
}

fn storage(left: Left, candidates: u32) -> StorageView {
    let candidates = candidates.max(1);
    let (kept, free_bytes) = match left {
        Left::Disk { free } => ("disk", Some(free)),
        Left::ObjectStore => ("object_store", None),
        Left::Unknown => ("unknown", None),
    };
    let hours = free_bytes.map(|free| count(free / (BYTES_PER_HOUR * u64::from(candidates))));
    StorageView {
        kept: kept.to_owned(),
        free_bytes,
        candidates,
        hours,
        low: hours.is_some_and(|hours| hours < HOURS_WANTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_lasts_the_longer_the_fewer_candidates_and_below_a_day_it_is_low() {
        let free = 100 * BYTES_PER_HOUR * u64::from(HOURS_WANTED);
        let enough = storage(Left::Disk { free }, 100);
        assert_eq!((enough.hours, enough.low), (Some(HOURS_WANTED), false));
        let low = storage(Left::Disk { free }, 101);
        assert_eq!((low.hours, low.low), (Some(HOURS_WANTED - 1), true));
        assert_eq!(storage(Left::Disk { free }, 0).candidates, 1);
        let store = storage(Left::ObjectStore, 100);
        assert_eq!(
            (store.kept.as_str(), store.free_bytes, store.hours, store.low),
            ("object_store", None, None, false)
        );
    }
}
