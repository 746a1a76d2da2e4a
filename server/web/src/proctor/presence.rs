//! Who has the wall of a sitting open in this process, and who of them watches whom. All of it may be lost without losing
//! a fact: whoever opens the wall again is on duty again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::{SessionId, SittingId, StaffId};
use synaq_wire::proctor::DutyRow;
use tokio::sync::watch;

/// Open walls by sitting. Who follows a sitting is woken when the first comes and when the last goes.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<SittingId, Walls>>);

#[derive(Default)]
struct Walls {
    /// In the order they came
    members: Vec<Member>,
    /// By place
    sessions: Vec<SessionId>,
    split: BTreeMap<SessionId, StaffId>,
    any: watch::Sender<bool>,
    /// Raised with every change of who watches whom
    duty: watch::Sender<u64>,
}

struct Member {
    staff: StaffId,
    name: String,
    /// Windows open
    walls: usize,
    on: bool,
}

/// An open wall; dropping it closes it.
pub(crate) struct Watching {
    presence: Arc<Presence>,
    sitting: SittingId,
    staff: StaffId,
}

/// Who watches whom, as one proctor sees it.
pub(super) struct Duty {
    pub(super) proctors: Vec<DutyRow>,
    pub(super) mine: Vec<SessionId>,
    pub(super) unwatched: usize,
}

/// Who is here and who watches, for the centre.
pub(crate) struct Attendance {
    pub(crate) here: usize,
    pub(crate) proctors: Vec<String>,
}

impl Presence {
    /// `sessions` of the sitting, by place.
    pub(crate) fn watch(
        self: &Arc<Self>,
        sitting: SittingId,
        (staff, name): (StaffId, &str),
        sessions: Vec<SessionId>,
    ) -> Watching {
        self.change(sitting, |walls| {
            walls.sessions = sessions;
            match walls.members.iter_mut().find(|member| member.staff == staff) {
                Some(member) => member.walls += 1,
                None => walls.members.push(Member { staff, name: name.to_owned(), walls: 1, on: true }),
            }
        });
        Watching { presence: Arc::clone(self), sitting, staff }
    }

    /// Whether a wall of the sitting is open, now and from here on.
    pub(crate) fn follow(&self, sitting: SittingId) -> watch::Receiver<bool> {
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only sittings of which somebody is here are kept.
        if !sittings.contains_key(&sitting) {
            sittings.retain(|_, walls| !walls.members.is_empty() || walls.any.receiver_count() > 0);
        }
        sittings.entry(sitting).or_default().any.subscribe()
    }

    /// Who is here; none for a sitting without anybody.
    pub(crate) fn attendance(&self, sitting: SittingId) -> Option<Attendance> {
        let sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walls = sittings.get(&sitting)?;
        let here = walls.any.receiver_count();
        let proctors: Vec<_> = walls.on_duty().map(|member| member.name.clone()).collect();
        (here > 0 || !walls.members.is_empty()).then_some(Attendance { here, proctors })
    }

    fn change(&self, sitting: SittingId, change: impl FnOnce(&mut Walls)) {
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walls = sittings.entry(sitting).or_default();
        change(walls);
        walls.members.retain(|member| member.walls > 0);
        let on: Vec<StaffId> = walls.on_duty().map(|member| member.staff).collect();
        split(&mut walls.split, &walls.sessions, &on);
        let any = !walls.members.is_empty();
        walls.any.send_if_modified(|shown| std::mem::replace(shown, any) != any);
        walls.duty.send_modify(|version| *version += 1);
    }
}

impl Walls {
    fn on_duty(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.on)
    }
}

/// Everybody has as many as everybody else, give or take one, and as few as possible change hands.
fn split(held: &mut BTreeMap<SessionId, StaffId>, sessions: &[SessionId], on: &[StaffId]) {
    held.retain(|session, staff| on.contains(staff) && sessions.contains(session));
    if on.is_empty() {
        return;
    }
    let most = sessions.len().div_ceil(on.len());
    let mut counts: HashMap<StaffId, usize> = on.iter().map(|staff| (*staff, 0)).collect();
    let mut free = Vec::new();
    for session in sessions {
        match held.get(session).and_then(|staff| counts.get_mut(staff)) {
            Some(count) if *count < most => *count += 1,
            _ => free.push(*session),
        }
    }
    // Whoever has least next, and of those whoever came first.
    for session in free {
        let least = on.iter().min_by_key(|staff| counts.get(staff).copied().unwrap_or(0));
        let staff = *least.expect("somebody is on duty");
        *counts.entry(staff).or_default() += 1;
        held.insert(session, staff);
    }
    level(held, sessions, on, counts);
}

/// With a remainder some may still have two more than others: the last places go over.
fn level(
    held: &mut BTreeMap<SessionId, StaffId>,
    sessions: &[SessionId],
    on: &[StaffId],
    mut counts: HashMap<StaffId, usize>,
) {
    let fewest = sessions.len() / on.len();
    for staff in on {
        while counts.get(staff).is_some_and(|count| *count < fewest) {
            let giver = sessions.iter().rev().find(|session| {
                held.get(session).is_some_and(|giver| counts.get(giver).is_some_and(|count| *count > fewest))
            });
            let Some(session) = giver else { return };
            let from = held.insert(*session, *staff);
            if let Some(count) = from.and_then(|from| counts.get_mut(&from)) {
                *count -= 1;
            }
            *counts.entry(*staff).or_default() += 1;
        }
    }
}

impl Watching {
    /// On duty, or not for now; in all windows of the same person.
    pub(super) fn set_on(&self, on: bool) {
        let mine = |member: &&mut Member| member.staff == self.staff;
        self.presence.change(self.sitting, |walls| {
            walls.members.iter_mut().filter(mine).for_each(|member| member.on = on);
        });
    }

    /// Woken after every change of who watches whom.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        let mut sittings = self.presence.0.lock().unwrap_or_else(PoisonError::into_inner);
        sittings.entry(self.sitting).or_default().duty.subscribe()
    }

    pub(super) fn duty(&self) -> Duty {
        let mut sittings = self.presence.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walls = sittings.entry(self.sitting).or_default();
        let row = |member: &Member| DutyRow {
            name: member.name.clone(),
            me: member.staff == self.staff,
            on: member.on,
            watches: walls
                .split
                .values()
                .filter(|staff| **staff == member.staff)
                .count()
                .try_into()
                .unwrap_or(0),
        };
        let of_mine = |session: &&SessionId| walls.split.get(session) == Some(&self.staff);
        Duty {
            proctors: walls.members.iter().map(row).collect(),
            mine: walls.sessions.iter().filter(of_mine).copied().collect(),
            unwatched: walls.sessions.len() - walls.split.len(),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mine = |member: &&mut Member| member.staff == self.staff;
        self.presence.change(self.sitting, |walls| {
            walls.members.iter_mut().filter(mine).for_each(|member| member.walls -= 1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn sitting(number: u128) -> SittingId {
        SittingId(Uuid::from_u128(number))
    }

    fn staff(number: u128) -> (StaffId, &'static str) {
        (StaffId(Uuid::from_u128(number)), "N")
    }

    fn sessions(count: u128) -> Vec<SessionId> {
        (0..count).map(|number| SessionId(Uuid::from_u128(100 + number))).collect()
    }

    #[test]
    fn a_proctor_is_there_until_the_last_wall_is_closed() {
        let presence = Arc::new(Presence::default());
        let (mut here, elsewhere) = (presence.follow(sitting(1)), presence.follow(sitting(2)));
        let first = presence.watch(sitting(1), staff(1), Vec::new());
        assert!(here.has_changed().unwrap() && *here.borrow_and_update() && !*elsewhere.borrow());
        let second = presence.watch(sitting(1), staff(2), Vec::new());
        drop(first);
        assert!(!here.has_changed().unwrap(), "one is still there");
        drop(second);
        assert!(!*here.borrow_and_update());
        drop((here, elsewhere));
        drop(presence.follow(sitting(3)));
        assert_eq!(presence.0.lock().unwrap().len(), 1, "nobody is kept for whom nobody is here");
    }

    #[test]
    fn candidates_are_split_evenly_and_few_change_hands() {
        let presence = Arc::new(Presence::default());
        let first = presence.watch(sitting(1), staff(1), sessions(7));
        assert_eq!(first.duty().mine.len(), 7);
        let second = presence.watch(sitting(1), staff(2), sessions(7));
        let (before, taken) = (first.duty().mine, second.duty().mine);
        assert_eq!((before.len(), taken.len()), (4, 3));
        let third = presence.watch(sitting(1), staff(3), sessions(7));
        let kept = first.duty().mine;
        assert!(kept.iter().all(|session| before.contains(session)), "nobody new for who had enough");
        let counts = [&first, &second, &third].map(|watching| watching.duty().mine.len());
        assert_eq!((counts.iter().sum::<usize>(), counts.iter().min()), (7, Some(&2)), "{counts:?}");
        drop(third);
        assert!(kept.iter().all(|session| first.duty().mine.contains(session)), "places stay");
        assert_eq!(first.duty().mine.len() + second.duty().mine.len(), 7);
    }

    #[test]
    fn who_goes_off_duty_hands_over_and_nobody_left_is_said() {
        let presence = Arc::new(Presence::default());
        let first = presence.watch(sitting(1), staff(1), sessions(5));
        let second = presence.watch(sitting(1), staff(2), sessions(5));
        let mut changes = second.changes();
        changes.mark_unchanged();
        first.set_on(false);
        assert!(changes.has_changed().unwrap());
        assert_eq!((first.duty().mine.len(), second.duty().mine.len()), (0, 5));
        second.set_on(false);
        assert_eq!(second.duty().unwatched, 5);
        assert_eq!(presence.attendance(sitting(1)).unwrap().proctors.len(), 0);
        first.set_on(true);
        assert_eq!(second.duty().unwatched, 0);
        assert_eq!(second.duty().proctors.iter().map(|row| row.watches).collect::<Vec<_>>(), [5, 0]);
    }
}
