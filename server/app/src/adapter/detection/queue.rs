//! What waits to be looked at: the newest picture of each candidate, and the last half minute of sound.

use super::Wanted;
use super::glance::{GLANCES_MAX, Glance};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use synaq_core::time::{At, Span};
use synaq_detectors::{Pace, Watch};
use synaq_media::ClockSeen;
use uuid::Uuid;

/// Tenths of a second of sound that may wait per candidate.
const LEVELS_MAX: usize = 300;
/// Stretches of the sender's clock that may wait, of five seconds each.
const PACES_MAX: usize = 12;
/// Sound comes in these steps.
const STEP: Span = Span(100);
/// Candidates without anything new for this long are forgotten, with what their detectors knew.
const FORGOTTEN_AFTER: Span = Span::secs(120);

pub(super) struct Picture {
    /// WebP of the video, or JPEG that came over HTTP
    pub(super) picture: Bytes,
    pub(super) taken: At,
}

/// What there is to do.
pub(super) enum Task {
    /// Of a session that is watched
    Watch(Box<Work>),
    /// For somebody who prepares for one
    Glance(Glance),
}

/// What a worker takes away.
pub(super) struct Work {
    pub(super) session: Uuid,
    pub(super) picture: Option<Picture>,
    pub(super) levels: Vec<(At, u8)>,
    pub(super) paces: Vec<(At, Pace)>,
    pub(super) watch: Option<Watch>,
    /// Pictures looked at before
    pub(super) pictures: u64,
    /// What the session said last, and when
    pub(super) wanted: Option<(At, Wanted)>,
    /// When the newest of it came
    pub(super) came: At,
}

/// What a worker leaves behind.
pub(super) struct Left {
    pub(super) watch: Option<Watch>,
    pub(super) pictures: u64,
    pub(super) wanted: Option<(At, Wanted)>,
}

#[derive(Default)]
struct Seat {
    picture: Option<Picture>,
    levels: VecDeque<(At, u8)>,
    paces: VecDeque<(At, Pace)>,
    /// None before the first look, and while a worker has it
    watch: Option<Watch>,
    pictures: u64,
    wanted: Option<(At, Wanted)>,
    /// In `ready`, or with a worker
    busy: bool,
    last: Option<At>,
}

#[derive(Default)]
pub(super) struct Queue {
    seats: HashMap<Uuid, Seat>,
    ready: VecDeque<Uuid>,
    glances: VecDeque<Glance>,
    pub(super) stopped: bool,
}

impl Queue {
    pub(super) fn picture(&mut self, session: Uuid, picture: Picture) {
        let now = picture.taken;
        let seat = self.seat(session, now);
        if seat.picture.replace(picture).is_some() {
            metrics::counter!("synaq_detector_skipped_total").increment(1);
        }
        self.wake(session);
    }

    pub(super) fn levels(&mut self, session: Uuid, now: At, loudest: &[u8]) {
        let seat = self.seat(session, now);
        let steps = i64::try_from(loudest.len()).unwrap_or(0);
        let began = now - Span(STEP.0 * steps);
        for (number, level) in (0..).zip(loudest) {
            seat.levels.push_back((began + Span(STEP.0 * number), *level));
        }
        while seat.levels.len() > LEVELS_MAX {
            seat.levels.pop_front();
        }
        self.wake(session);
    }

    pub(super) fn clock(&mut self, session: Uuid, now: At, seen: ClockSeen) {
        let ClockSeen { passed_ms, advanced_ms, pictures, jumped_ms, repeated } = seen;
        let seat = self.seat(session, now);
        seat.paces.push_back((now, Pace { passed_ms, advanced_ms, pictures, jumped_ms, repeated }));
        if seat.paces.len() > PACES_MAX {
            seat.paces.pop_front();
        }
        self.wake(session);
    }

    /// The publisher left; what its detectors knew stays a while, for it may come back.
    pub(super) fn gone(&mut self, session: Uuid, now: At) {
        if let Some(seat) = self.seats.get_mut(&session) {
            seat.picture = None;
        }
        self.forget(now);
    }

    fn seat(&mut self, session: Uuid, now: At) -> &mut Seat {
        let seat = self.seats.entry(session).or_default();
        seat.last = Some(now);
        seat
    }

    fn wake(&mut self, session: Uuid) {
        if let Some(seat) = self.seats.get_mut(&session)
            && !std::mem::replace(&mut seat.busy, true)
        {
            self.ready.push_back(session);
        }
    }

    fn forget(&mut self, now: At) {
        let recent = |last: At| now - last < FORGOTTEN_AFTER;
        self.seats.retain(|_, seat| seat.busy || seat.last.is_none_or(recent));
    }

    /// Takes a glance in, unless too many wait.
    pub(super) fn glance(&mut self, glance: Glance) -> bool {
        let room = self.glances.len() < GLANCES_MAX;
        if room {
            self.glances.push_back(glance);
        }
        room
    }

    /// Exams first: advice can wait, and is worth nothing when it comes late.
    pub(super) fn take(&mut self) -> Option<Task> {
        let work = self.take_work().map(|work| Task::Watch(Box::new(work)));
        work.or_else(|| self.glances.pop_front().map(Task::Glance))
    }

    fn take_work(&mut self) -> Option<Work> {
        let session = self.ready.pop_front()?;
        let seat = self.seats.get_mut(&session)?;
        Some(Work {
            session,
            picture: seat.picture.take(),
            levels: seat.levels.drain(..).collect(),
            paces: seat.paces.drain(..).collect(),
            watch: seat.watch.take(),
            pictures: seat.pictures,
            wanted: seat.wanted.clone(),
            came: seat.last.unwrap_or(At(0)),
        })
    }

    /// A worker is through with a session.
    pub(super) fn give_back(&mut self, session: Uuid, left: Left) {
        let Some(seat) = self.seats.get_mut(&session) else { return };
        (seat.watch, seat.pictures, seat.wanted, seat.busy) = (left.watch, left.pictures, left.wanted, false);
        if seat.picture.is_some() || !seat.levels.is_empty() || !seat.paces.is_empty() {
            self.wake(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn taken(queue: &mut Queue) -> Option<(Uuid, Option<At>)> {
        match queue.take()? {
            Task::Watch(work) => Some((work.session, work.picture.map(|picture| picture.taken))),
            Task::Glance(_) => None,
        }
    }

    #[test]
    fn the_newest_picture_of_each_is_looked_at_and_what_it_replaced_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let said = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let mut queue = Queue::default();
            for at in 1..=5 {
                queue.picture(ONE, Picture { picture: Bytes::new(), taken: At(at) });
            }
            queue.picture(OTHER, Picture { picture: Bytes::new(), taken: At(6) });
            assert_eq!(taken(&mut queue), Some((ONE, Some(At(5)))));
            assert_eq!(taken(&mut queue), Some((OTHER, Some(At(6)))));
            assert_eq!(taken(&mut queue), None);
            // While a worker has somebody, nobody else gets the same.
            queue.picture(ONE, Picture { picture: Bytes::new(), taken: At(7) });
            assert_eq!(taken(&mut queue), None);
            queue.give_back(ONE, Left { watch: None, pictures: 1, wanted: None });
            assert_eq!(taken(&mut queue), Some((ONE, Some(At(7)))));
        });
        assert!(said.render().contains("synaq_detector_skipped_total 4"), "{}", said.render());
    }
}
