//! The line of time: what was recorded when, where nothing was, and what happened.

use super::link::{Link, What};
use super::parts::{KINDS, Recorded, recorded};
use super::player::Player;
use crate::auth::who::Who;
use crate::centre::Register;
use crate::owner::own;
use crate::problem::Refused;
use crate::timeline::{self, Names};
use axum::extract::{Path, State};
use std::collections::HashMap;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Event, Fact, Stage};
use synaq_core::time::{At, Span};
use synaq_store::Recorded as Line;
use synaq_wire::playback::{LINK_MS, PlaybackGap, PlaybackPart, PlaybackTrack, PlaybackView};
use synaq_wire::problem::Code;

/// A shorter pause between two recordings is their own beginning: the first key frame is waited for.
const GAP_MS: i64 = 1_000;
/// The log may hear of a loss this much after the recording ended.
const REASON_NEAR_MS: i64 = 15_000;
/// Answers are nobody's business here, and there are many.
const UNSHOWN: [&str; 4] = ["answer_put", "flagged", "answer_late", "answer_superseded"];

/// The whole line; opening it is in the audit log.
pub(crate) async fn show(
    State(player): State<Player>,
    State(register): State<Register>,
    Path(session): Path<String>,
    who: Who,
) -> Result<axum::Json<PlaybackView>, Refused> {
    let Player { runtime, evidence, indexes, views, audit, key, clock, .. } = player;
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    let id = snapshot.id;
    views.note(&audit, &who, "playback_opened", id.to_string()).await?;
    let names = Names::of(&register.directory, who.staff.centre).await?;
    let log = register.log.load(id, Seq(0)).await?;
    let facts = Facts::of(&log);
    let opened = facts.opened.clone();
    let read = tokio::task::spawn_blocking(move || {
        KINDS.map(|kind| recorded(&*evidence, &indexes, id, kind, &opened))
    });
    let [webcam, screen] = read.await.map_err(|_| Code::Internal)?;
    let (webcam, screen) =
        (webcam.map_err(|error| unreadable(id, &error))?, screen.map_err(|error| unreadable(id, &error))?);
    let state = snapshot.session.state();
    let now = clock.now();
    let live = !matches!(state.stage, Stage::Closed { .. });
    let (from, to) = extent(&webcam, &screen, state.started_at, if live { None } else { facts.closed_at });
    let (from, to) =
        facts.local.iter().fold((from, to), |(from, to), local| (from.min(local.at), to.max(local.end())));
    let gaps = gaps(&webcam, from, to, &facts);
    let until = now + Span(LINK_MS);
    let track = |kind: &str, recorded: Vec<Recorded>| PlaybackTrack {
        kind: kind.to_owned(),
        parts: recorded
            .into_iter()
            .map(|recorded| {
                let what = What::Piece { name: recorded.name.clone(), bytes: recorded.bytes };
                let link = Link { session: id, staff: Some(who.staff.id), until, what };
                PlaybackPart {
                    at: recorded.at.0,
                    ms: recorded.index.duration_ms(),
                    url: link.url(&key),
                    pictured: recorded.index.is_pictured(),
                    unfinished: recorded.unfinished,
                    name: recorded.name,
                }
            })
            .collect(),
    };
    let mut leading = track(KINDS[0], webcam);
    leading.parts.extend(facts.local.iter().map(|local| {
        let what = What::Local { name: local.name.clone() };
        let link = Link { session: id, staff: Some(who.staff.id), until, what };
        PlaybackPart {
            at: local.at.0,
            ms: local.span.0.unsigned_abs(),
            url: link.url(&key),
            pictured: true,
            unfinished: false,
            name: local.name.clone(),
        }
    }));
    leading.parts.sort_by_key(|part| part.at);
    let mut tracks = vec![leading];
    tracks.extend((!screen.is_empty()).then(|| track(KINDS[1], screen)));
    let mut incidents = timeline::incidents(state, &names);
    incidents.reverse();
    let lines = log.iter().filter(|line| !UNSHOWN.contains(&line.kind.as_str()));
    Ok(axum::Json(PlaybackView {
        session: id.0,
        from: from.0,
        to: to.0,
        live,
        until: until.0,
        tracks,
        gaps,
        events: lines.filter_map(|line| timeline::entry(line, &names)).collect(),
        incidents,
    }))
}

pub(super) fn unreadable(session: SessionId, error: &std::io::Error) -> Code {
    tracing::error!(%session, %error, "recordings cannot be listed");
    Code::StoreUnavailable
}

/// What the log knows of recordings.
#[derive(Default)]
struct Facts {
    opened: HashMap<String, At>,
    /// Losses: when they were told, how long, why
    losses: Vec<(At, Span, String)>,
    closed_at: Option<At>,
    local: Vec<Local>,
}

/// A piece that the candidate's device recorded while nothing reached us. Its place is the device's word.
struct Local {
    name: String,
    at: At,
    span: Span,
}

impl Local {
    fn end(&self) -> At {
        self.at + self.span
    }
}

impl Facts {
    fn of(log: &[Line]) -> Self {
        let mut facts = Self::default();
        for line in log {
            let tells = ["evidence_opened", "evidence_gap", "disconnected", "closed", "local_stored"];
            if !tells.contains(&line.kind.as_str()) {
                continue;
            }
            match serde_json::from_str::<Event>(&line.body).map(|event| event.fact) {
                Ok(Fact::EvidenceOpened { name }) => drop(facts.opened.insert(name, line.at)),
                Ok(Fact::EvidenceGap { span, why, .. }) => facts.losses.push((line.at, span, why)),
                Ok(Fact::Disconnected { reason, .. }) => facts.losses.push((line.at, Span::ZERO, reason)),
                Ok(Fact::LocalStored { evidence, from, span }) => {
                    facts.local.push(Local { name: evidence.name, at: from, span });
                }
                Ok(Fact::Closed { .. }) => facts.closed_at = Some(line.at),
                _ => {}
            }
        }
        facts
    }

    fn why(&self, from: At, to: At) -> Option<String> {
        let near = |at: At| at.0 >= from.0 - REASON_NEAR_MS && at.0 <= to.0 + REASON_NEAR_MS;
        self.losses.iter().find(|(at, ..)| near(*at)).map(|(.., why)| why.clone())
    }
}

fn extent(webcam: &[Recorded], screen: &[Recorded], started: Option<At>, closed: Option<At>) -> (At, At) {
    let all = || webcam.iter().chain(screen);
    let from = all().map(|recorded| recorded.at).chain(started).min();
    let to = all().map(Recorded::end).chain(closed).max();
    let from = from.or(to).unwrap_or(At(0));
    (from, to.unwrap_or(from).max(from))
}

/// Times without a picture: between recordings, at both ends, and where sound was recorded alone. What the device
/// recorded then is a picture.
fn gaps(webcam: &[Recorded], from: At, to: At, facts: &Facts) -> Vec<PlaybackGap> {
    let spans = webcam.iter().filter(|recorded| recorded.index.is_pictured()).map(|it| (it.at, it.end()));
    let mut spans: Vec<_> = spans.chain(facts.local.iter().map(|local| (local.at, local.end()))).collect();
    spans.sort_unstable();
    let mut gaps: Vec<_> =
        holes(spans.into_iter(), from, to).map(|(from, to)| (from, to, facts.why(from, to))).collect();
    let within = facts.losses.iter().filter(|(_, span, _)| span.0 >= GAP_MS);
    for (at, span, why) in within {
        let (begin, end) = ((*at - *span).max(from), (*at).min(to));
        let known = gaps.iter().any(|(from, to, _)| begin < *to && *from < end);
        if !known && begin < end {
            gaps.push((begin, end, Some(why.clone())));
        }
    }
    gaps.sort_by_key(|(from, ..)| *from);
    gaps.into_iter().map(|(from, to, why)| PlaybackGap { from: from.0, to: to.0, why }).collect()
}

fn holes(spans: impl Iterator<Item = (At, At)>, from: At, to: At) -> impl Iterator<Item = (At, At)> {
    let mut reached = from;
    spans.chain([(to, to)]).filter_map(move |(begin, end)| {
        let hole = (reached, begin);
        reached = reached.max(end);
        (hole.1.0 - hole.0.0 >= GAP_MS).then_some(hole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_without_a_recording_is_a_hole_and_overlaps_are_none() {
        let found = |spans: &[(i64, i64)], to: i64| -> Vec<(i64, i64)> {
            let spans = spans.iter().map(|(from, to)| (At(*from), At(*to)));
            holes(spans, At(1_000), At(to)).map(|(from, to)| (from.0, to.0)).collect()
        };
        assert_eq!(found(&[], 1_000), []);
        assert_eq!(found(&[], 9_000), [(1_000, 9_000)]);
        assert_eq!(found(&[(1_500, 8_500)], 9_000), []);
        assert_eq!(
            found(&[(3_000, 5_000), (4_000, 4_500), (7_000, 8_000)], 20_000),
            [(1_000, 3_000), (5_000, 7_000), (8_000, 20_000)]
        );
    }

    #[test]
    fn a_hole_has_the_reason_that_the_log_gives_near_it() {
        let facts = Facts { losses: vec![(At(30_000), Span::ZERO, "broken".to_owned())], ..Facts::default() };
        assert_eq!(facts.why(At(20_000), At(25_000)).as_deref(), Some("broken"));
        assert_eq!(facts.why(At(50_000), At(60_000)), None);
    }
}
