//! The wall of one sitting, as one proctor's browser has it.

use super::presence::{Presence, Watching};
use super::tile::{Around, tile};
use crate::candidate::Batteries;
use crate::line_stills::LineStills;
use crate::peers::Peers;
use crate::problem::{Refused, from_submit};
use crate::proctor::sitting_row;
use crate::timeline::Names;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use synaq_core::ids::{SessionId, SittingId};
use synaq_core::session::Stage;
use synaq_core::time::At;
use synaq_media::Handle as Media;
use synaq_runtime::{Handle, Snapshot, SubmitError};
use synaq_store::{Directory, EventLog};
use synaq_wire::problem::Code;
use synaq_wire::proctor::{Pulse, SittingRow, Tile};

use crate::centre::Library;

/// Sessions looked at together while a wall is built: mailboxes stay far from full.
const LOOKS_AT_ONCE: usize = 64;

/// What a wall is built from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(super) runtime: Handle,
    pub(super) media: Media,
    pub(super) stills: Arc<LineStills>,
    pub(super) batteries: Arc<Batteries>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) library: Arc<Library>,
    pub(super) presence: Arc<Presence>,
    pub(super) peers: Arc<Peers>,
}

/// What is watched: a sitting, or several at once.
pub(super) struct Wall {
    /// In the order they were asked for
    pub(super) sittings: Vec<SittingId>,
    /// Of the same
    pub(super) rows: Vec<SittingRow>,
    pub(super) names: Names,
    /// Cannot be read now; their tiles come later
    pub(super) missing: BTreeSet<SessionId>,
    seats: BTreeMap<SessionId, Seat>,
    pulses: HashMap<SessionId, Pulse>,
    pub(super) watching: Watching,
}

struct Seat {
    sitting: SittingId,
    /// Within its sitting; sittings stand one after the other
    place: u32,
    name: String,
    offline_since: Option<At>,
    shown: Option<Tile>,
}

impl Wall {
    /// The whole wall, if the sittings are the centre's. After a fall it waits until its candidates are back. One that cannot
    /// be read takes the others' tiles from nobody; if none can be, the wall is refused.
    pub(super) async fn build(
        from: &Sources,
        staff: &synaq_store::StaffRow,
        sittings: Vec<SittingId>,
    ) -> Result<Self, Refused> {
        let centre = staff.centre;
        let names = Names::of(&from.directory, centre).await?;
        let (mut rows, mut halls) = (Vec::new(), Vec::new());
        let mut seats = BTreeMap::new();
        for sitting in &sittings {
            let row = from.directory.sitting(centre, *sitting).await?;
            let mut candidates = from.directory.candidates(centre, *sitting).await?;
            // Who was withdrawn is not waited for, and of two attempts the one that counts is watched.
            candidates.retain(synaq_store::CandidateRow::counts);
            let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            rows.push(sitting_row(&from.directory, &from.library, centre, &row, count).await?);
            halls.push((*sitting, candidates.iter().map(|row| row.candidate.session).collect()));
            seats.extend(candidates.into_iter().map(|row| {
                let (sitting, place, name) = (*sitting, row.place, row.candidate.name);
                (row.candidate.session, Seat { sitting, place, name, offline_since: None, shown: None })
            }));
        }
        let watching = from.presence.watch((staff.id, &staff.name), halls);
        let (missing, pulses) = (BTreeSet::new(), HashMap::new());
        let mut wall = Self { sittings, rows, names, missing, seats, pulses, watching };
        let looks: Vec<_> = wall
            .seats
            .keys()
            .copied()
            .map(|session| async move { (session, from.runtime.look(session).await) })
            .collect();
        let mut looks = stream::iter(looks).buffered(LOOKS_AT_ONCE);
        let mut refused = None;
        while let Some((session, looked)) = looks.next().await {
            match looked {
                Ok(snapshot) => {
                    if let Some(seat) = wall.seats.get_mut(&session) {
                        seat.offline_since = offline_since(&snapshot);
                    }
                    wall.tile(from, &snapshot);
                }
                Err(error) => {
                    if comes_later(error) {
                        wall.missing.insert(session);
                    }
                    refused = Some(error);
                }
            }
        }
        drop(looks);
        match refused {
            Some(error) if wall.tiles().is_empty() => Err(from_submit(&error).into()),
            _ => Ok(wall),
        }
    }

    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.seats.contains_key(&session)
    }

    /// Everybody of a sitting, or of all.
    pub(super) fn sessions(&self, of: Option<SittingId>) -> Vec<SessionId> {
        let wanted = |seat: &Seat| of.is_none_or(|of| of == seat.sitting);
        self.seats.iter().filter(|(_, seat)| wanted(seat)).map(|(session, _)| *session).collect()
    }

    /// All tiles, sitting by sitting, by place.
    pub(super) fn tiles(&self) -> Vec<Tile> {
        let mut seats: Vec<&Seat> = self.seats.values().collect();
        let order = |seat: &Seat| self.sittings.iter().position(|sitting| *sitting == seat.sitting);
        seats.sort_by_key(|seat| (order(seat), seat.place));
        seats.into_iter().filter_map(|seat| seat.shown.clone()).collect()
    }

    /// The session's tile, and whether it changed.
    pub(super) fn tile(&mut self, from: &Sources, snapshot: &Snapshot) -> Option<(Tile, bool)> {
        let seat = self.seats.get_mut(&snapshot.id)?;
        let state = snapshot.session.state();
        if state.socket.is_some() {
            seat.offline_since = None;
        } else if seat.shown.as_ref().is_some_and(|shown| shown.online) {
            seat.offline_since = state.last_at;
        }
        let before = seat.shown.as_ref().map(|shown| (shown.trouble.clone(), shown.trouble_since.map(At)));
        let still = from.stills.number(&from.media, snapshot.id);
        let around = Around {
            sitting: (self.sittings.len() > 1).then_some(seat.sitting.0),
            place: seat.place,
            name: seat.name.clone(),
            still,
            offline_since: seat.offline_since,
            before,
        };
        let tile = tile(&snapshot.session, snapshot.id.0, &around);
        // A new still alone comes with the pulse.
        let changed = seat.shown.as_ref().is_none_or(|shown| Tile { still, ..shown.clone() } != tile);
        seat.shown = Some(tile.clone());
        Some((tile, changed))
    }

    /// Sound, stills and batteries that changed since the last call.
    pub(super) fn pulses(&mut self, from: &Sources) -> Vec<Pulse> {
        let mut changed = Vec::new();
        for session in self.seats.keys() {
            let pulse = Pulse {
                session: session.0,
                level: from.media.level(session.0).map(loudness),
                still: from.stills.number(&from.media, *session),
                battery: from.batteries.of(*session),
            };
            let nothing = || Pulse { session: session.0, level: None, still: 0, battery: None };
            if *self.pulses.entry(*session).or_insert_with(nothing) != pulse {
                self.pulses.insert(*session, pulse.clone());
                changed.push(pulse);
            }
        }
        changed
    }
}

/// Whether the same look may succeed a moment later.
pub(super) const fn comes_later(error: SubmitError) -> bool {
    matches!(error, SubmitError::Busy { .. } | SubmitError::Store)
}

/// Since when a running exam is offline.
fn offline_since(snapshot: &Snapshot) -> Option<At> {
    let state = snapshot.session.state();
    state.vacant_since.filter(|_| matches!(state.stage, Stage::Running { .. }))
}

/// -dBov as 0 silent to 100 loud: a quiet room has about -80, a voice at the microphone -20.
fn loudness(minus_dbov: u8) -> u8 {
    const SILENT: u8 = 80;
    const LOUD: u8 = 10;
    let above = SILENT.saturating_sub(minus_dbov).min(SILENT - LOUD);
    u8::try_from(u16::from(above) * 100 / u16::from(SILENT - LOUD)).expect("a hundredth part is at most 100")
}

/// What a wall answers to a session it does not hold.
pub(super) const NOT_HERE: Code = Code::NotFound;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_0_and_a_shout_is_100() {
        assert_eq!([127, 80, 45, 10, 0].map(loudness), [0, 0, 50, 100, 100]);
    }
}
