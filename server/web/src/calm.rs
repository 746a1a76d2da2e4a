//! What gives way when the mailboxes fill: answers come before video, video before the walls. An answer is refused only
//! when its mailbox is full, and then with a hint when to send it again.

use crate::problem::Refused;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use std::time::Duration;
use synaq_runtime::Handle;
use synaq_wire::problem::{Code, Problem};

/// From here on walls are told once a second, not ten times.
const WALLS_SLOW_PCT: u8 = 25;
/// From here on no picture is begun and no still is served.
const MEDIA_WAITS_PCT: u8 = 50;
const WALLS_SLOW: Duration = Duration::from_secs(1);
/// Mailboxes empty within one commit, even a slow one.
const MEDIA_RETRY_MS: u64 = 2_000;

/// How long a wall waits between two updates beyond its usual rhythm.
pub(crate) fn wall_pause(runtime: &Handle) -> Duration {
    if runtime.fill_pct() >= WALLS_SLOW_PCT { WALLS_SLOW } else { Duration::ZERO }
}

/// Taken before anything else by what can wait for answers: `busy` while a mailbox is half full.
pub(crate) struct Calm;

impl<S: Sync> FromRequestParts<S> for Calm
where
    Handle: FromRef<S>,
{
    type Rejection = Refused;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Refused> {
        calm(&Handle::from_ref(state)).map(|()| Self)
    }
}

/// What [`Calm`] asks.
pub(crate) fn calm(runtime: &Handle) -> Result<(), Refused> {
    if runtime.fill_pct() < MEDIA_WAITS_PCT {
        return Ok(());
    }
    let busy = Problem::new(Code::Busy).detail("answers go first; try again as told");
    Err(Problem { retry_after_ms: Some(MEDIA_RETRY_MS), ..busy }.into())
}
