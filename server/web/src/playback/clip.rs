//! The clip of an incident: out of the running recording while the incident is fresh, kept as evidence afterwards.

use super::indexes::Indexes;
use super::link::{Link, What};
use super::parts::{KINDS, Recorded, recorded};
use super::player::Player;
use super::view::unreadable;
use crate::auth::who::Who;
use crate::evidence::{Erased, Evidence};
use crate::owner::own;
use crate::problem::Refused;
use axum::extract::{Path, State};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::SessionId;
use synaq_core::session::Stage;
use synaq_core::time::{At, Span};
use synaq_media::Clip;
use synaq_runtime::Snapshot;
use synaq_wire::playback::{ClipView, LINK_MS, ScreenClip};
use synaq_wire::problem::Code;

/// A clip begins this much before its incident did.
pub const CLIP_BEFORE_MS: i64 = 10_000;
/// It ends this much after the beginning.
pub const CLIP_AFTER_MS: i64 = 10_000;
/// What is recorded at a moment lies in a whole cluster this much later.
const SEALED_AFTER_MS: i64 = 4_000;
/// Clips kept ready: each about half a megabyte.
const READY: usize = 64;

/// Which picture a clip is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClipOf {
    /// With the sound
    Webcam,
    /// Where it is shared
    Screen,
}

impl ClipOf {
    /// Name of the kept clip.
    #[must_use]
    pub fn name(self, incident: u32) -> String {
        match self {
            Self::Webcam => format!("clip-{incident:04}.webm"),
            Self::Screen => format!("clip-{incident:04}-screen.webm"),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Webcam => KINDS[0],
            Self::Screen => KINDS[1],
        }
    }
}

/// Clips that were cut a moment ago.
#[derive(Default)]
pub(crate) struct Clips(Mutex<VecDeque<(Key, Arc<Clip>)>>);

type Key = (SessionId, ClipOf, i64, i64);

impl Clips {
    /// The one that is ready, or a new one. Blocks.
    pub(crate) fn get(
        &self,
        key: Key,
        cut: impl FnOnce() -> io::Result<Option<Clip>>,
    ) -> io::Result<Option<Arc<Clip>>> {
        let find = |ready: &VecDeque<(Key, Arc<Clip>)>| {
            ready.iter().find(|(of, _)| *of == key).map(|(_, clip)| Arc::clone(clip))
        };
        if let Some(clip) = find(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Some(clip));
        }
        let Some(clip) = cut()?.map(Arc::new) else { return Ok(None) };
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ready.truncate(READY - 1);
        ready.push_front((key, Arc::clone(&clip)));
        Ok(Some(clip))
    }
}

/// What was recorded between two moments, milliseconds UTC, as far as it lies in whole clusters. Blocks.
///
/// # Errors
/// What the evidence says.
pub fn cut_between(
    evidence: &dyn Evidence,
    session: SessionId,
    of: ClipOf,
    from: i64,
    to: i64,
) -> io::Result<Option<Clip>> {
    cut_of(evidence, &Indexes::default(), session, of, from, to)
}

pub(super) fn cut_of(
    evidence: &dyn Evidence,
    indexes: &Indexes,
    session: SessionId,
    of: ClipOf,
    from: i64,
    to: i64,
) -> io::Result<Option<Clip>> {
    let recorded = recorded(evidence, indexes, session, of.kind(), &HashMap::new())?;
    let within = recorded.into_iter().filter(|it| it.at.0 < to && it.end().0 >= from);
    let mut parts: Vec<_> = within.map(Recorded::into_part).collect();
    synaq_media::cut(&mut parts, from, to)
}

/// Where the clip is; asking is not yet a view.
pub(crate) async fn show(
    State(player): State<Player>,
    Path((session, incident)): Path<(String, String)>,
    who: Who,
) -> Result<axum::Json<ClipView>, Refused> {
    let snapshot = own(&player.runtime, who.staff.centre, &session).await?;
    let key = player.key.clone();
    let clip = clip_of(player, &snapshot, &incident, |session, until, what| {
        Link { session, staff: Some(who.staff.id), until, what }.url(&key)
    });
    Ok(axum::Json(clip.await?))
}

/// The clip of an incident of that session; `link` makes what leads to it.
pub(crate) async fn clip_of(
    player: Player,
    snapshot: &Snapshot,
    incident: &str,
    link: impl Fn(SessionId, At, What) -> String,
) -> Result<ClipView, Refused> {
    let Player { evidence, indexes, clips, clock, .. } = player;
    let no: u32 = incident.parse().map_err(|_| Code::NotFound)?;
    let state = snapshot.session.state();
    let began = state.incidents.iter().find(|incident| incident.no.0 == no).ok_or(Code::NotFound)?.began_at;
    let (id, now) = (snapshot.id, clock.now());
    let over = matches!(state.stage, Stage::Closed { .. }) && !state.recording;
    let kept = |of: ClipOf| state.evidence.iter().any(|evidence| evidence.name == of.name(no));
    let kept = [ClipOf::Webcam, ClipOf::Screen].map(|of| (of, kept(of)));
    let found = tokio::task::spawn_blocking(move || {
        let [webcam, screen] =
            kept.map(|(of, kept)| find(&*evidence, &indexes, &clips, (id, of, no), began, kept));
        Ok((webcam?, screen?))
    });
    let found: io::Result<_> = found.await.map_err(|_| Code::Internal)?;
    let (webcam, screen) = found
        .map_err(|error| if Erased::is(&error) { Code::EvidenceErased } else { unreadable(id, &error) })?;
    let Found { from, to, what } = webcam.ok_or(Code::NoPicture)?;
    let until = now + Span(LINK_MS);
    let name = matches!(what, What::Piece { .. }).then(|| ClipOf::Webcam.name(no));
    let screen = screen.map(|Found { from, to, what }| ScreenClip {
        from,
        to,
        name: matches!(what, What::Piece { .. }).then(|| ClipOf::Screen.name(no)),
        url: link(id, until, what),
    });
    Ok(ClipView {
        incident: no,
        from,
        to,
        began_at: began.0,
        whole: name.is_some() || over || now.0 >= began.0 + CLIP_AFTER_MS + SEALED_AFTER_MS,
        name,
        url: link(id, until, what),
        until: until.0,
        screen,
    })
}

struct Found {
    from: i64,
    to: i64,
    what: What,
}

fn find(
    evidence: &dyn Evidence,
    indexes: &Indexes,
    clips: &Clips,
    (session, of, incident): (SessionId, ClipOf, u32),
    began: At,
    kept: bool,
) -> io::Result<Option<Found>> {
    if kept {
        let name = of.name(incident);
        let (opened, index) = indexes.open(evidence, session, &name, u64::MAX)?;
        let from = index.began_at_ms().unwrap_or(began.0);
        let to = from.saturating_add_unsigned(index.duration_ms());
        return Ok(Some(Found { from, to, what: What::Piece { name, bytes: opened.bytes } }));
    }
    let (from, to) = (began.0 - CLIP_BEFORE_MS, began.0 + CLIP_AFTER_MS);
    let Some(clip) = cut_of(evidence, indexes, session, of, from, to)? else { return Ok(None) };
    // Up to what is there now: the link must lead to the same bytes when more has been recorded.
    let to = to.min(clip.to_ms + 1);
    let (first, last) = (clip.from_ms, clip.to_ms);
    clips.get((session, of, from, to), || Ok(Some(clip)))?;
    let screen = of == ClipOf::Screen;
    Ok(Some(Found { from: first, to: last, what: What::Clip { incident, from, to, screen } }))
}
