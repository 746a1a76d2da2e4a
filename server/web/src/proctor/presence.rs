//! Who has the walls of which sittings open in this process, and who of them watches whom. A proctor may watch several
//! sittings at once: those are a pool, and candidates are split over everybody who watches any of it. All of it may be
//! lost without losing a fact: whoever opens the wall again is on duty again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synaq_core::ids::{SessionId, SittingId, StaffId};
use synaq_wire::proctor::DutyRow;
use tokio::sync::watch;

/// Open walls by sitting. Who follows a sitting is woken when the first comes and when the last goes.
#[derive(Default)]
pub(crate) struct Presence(Mutex<Floor>);

#[derive(Default)]
struct Floor {
    sittings: HashMap<SittingId, Hall>,
    /// In the order they came
    members: Vec<Member>,
}

/// One sitting that somebody watches or sits.
#[derive(Default)]
struct Hall {
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
    /// What each open window shows
    walls: Vec<Pool>,
    on: bool,
}

/// Sittings of one wall, in their order there.
type Pool = Arc<[SittingId]>;

/// An open wall; dropping it closes it.
pub(crate) struct Watching {
    presence: Arc<Presence>,
    pool: Pool,
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
    /// The sittings of one wall, each with its sessions by place.
    pub(crate) fn watch(
        self: &Arc<Self>,
        (staff, name): (StaffId, &str),
        sittings: Vec<(SittingId, Vec<SessionId>)>,
    ) -> Watching {
        let pool: Pool = sittings.iter().map(|(sitting, _)| *sitting).collect();
        self.change(&pool, |floor| {
            for (sitting, sessions) in sittings {
                floor.sittings.entry(sitting).or_default().sessions = sessions;
            }
            match floor.members.iter_mut().find(|member| member.staff == staff) {
                Some(member) => member.walls.push(Arc::clone(&pool)),
                None => {
                    let walls = vec![Arc::clone(&pool)];
                    floor.members.push(Member { staff, name: name.to_owned(), walls, on: true });
                }
            }
        });
        Watching { presence: Arc::clone(self), pool, staff }
    }

    /// Whether a wall of the sitting is open, now and from here on.
    pub(crate) fn follow(&self, sitting: SittingId) -> watch::Receiver<bool> {
        let mut floor = self.floor();
        // Only sittings of which somebody is here are kept.
        if !floor.sittings.contains_key(&sitting) {
            floor.sittings.retain(|_, hall| *hall.any.borrow() || hall.any.receiver_count() > 0);
        }
        floor.sittings.entry(sitting).or_default().any.subscribe()
    }

    /// Who is here; none for a sitting without anybody.
    pub(crate) fn attendance(&self, sitting: SittingId) -> Option<Attendance> {
        let floor = self.floor();
        let hall = floor.sittings.get(&sitting)?;
        let here = hall.any.receiver_count();
        let on = floor.members.iter().filter(|member| member.on && member.watches(sitting));
        let proctors: Vec<_> = on.map(|member| member.name.clone()).collect();
        (here > 0 || *hall.any.borrow()).then_some(Attendance { here, proctors })
    }

    fn change(&self, pool: &[SittingId], change: impl FnOnce(&mut Floor)) {
        let mut floor = self.floor();
        // Sittings that a window held together may come apart with it, and others may come together.
        let mut touched = floor.connected(pool);
        change(&mut floor);
        floor.members.retain(|member| !member.walls.is_empty());
        touched.append(&mut floor.connected(pool));
        floor.share_out(&touched);
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn watches(&self, sitting: SittingId) -> bool {
        self.walls.iter().any(|pool| pool.contains(&sitting))
    }
}

impl Floor {
    /// These sittings and all that whoever watches one of them watches too.
    fn connected(&self, pool: &[SittingId]) -> BTreeSet<SittingId> {
        let mut found: BTreeSet<SittingId> = pool.iter().copied().collect();
        let mut waiting = pool.to_vec();
        while let Some(sitting) = waiting.pop() {
            let beside = self.members.iter().filter(|member| member.watches(sitting));
            waiting.extend(
                beside
                    .flat_map(|member| &member.walls)
                    .flat_map(|pool| pool.iter())
                    .filter(|it| found.insert(**it)),
            );
        }
        found
    }

    fn share_out(&mut self, sittings: &BTreeSet<SittingId>) {
        let mut sessions = Vec::new();
        let mut held = BTreeMap::new();
        for sitting in sittings {
            let Some(hall) = self.sittings.get_mut(sitting) else { continue };
            held.append(&mut hall.split);
            let may: Vec<StaffId> = (self.members.iter())
                .filter(|member| member.on && member.watches(*sitting))
                .map(|member| member.staff)
                .collect();
            sessions.extend(hall.sessions.iter().map(|session| (*session, may.clone())));
        }
        split(&mut held, &sessions);
        for sitting in sittings {
            let Some(hall) = self.sittings.get_mut(sitting) else { continue };
            let of_hall = |session: &SessionId| Some((*session, *held.get(session)?));
            hall.split = hall.sessions.iter().filter_map(of_hall).collect();
            let any = self.members.iter().any(|member| member.watches(*sitting));
            hall.any.send_if_modified(|shown| std::mem::replace(shown, any) != any);
            hall.duty.send_modify(|version| *version += 1);
        }
    }
}

/// Each session with those who may watch it. Everybody has as many as whoever could take some, give or take one, and as
/// few as possible change hands.
fn split(held: &mut BTreeMap<SessionId, StaffId>, sessions: &[(SessionId, Vec<StaffId>)]) {
    let known: HashMap<SessionId, &[StaffId]> =
        sessions.iter().map(|(session, may)| (*session, &**may)).collect();
    held.retain(|session, staff| known.get(session).is_some_and(|may| may.contains(staff)));
    let mut counts: HashMap<StaffId, usize> = HashMap::new();
    for staff in held.values() {
        *counts.entry(*staff).or_default() += 1;
    }
    // Whoever has least next, and of those whoever came first.
    for (session, may) in sessions {
        if held.contains_key(session) {
            continue;
        }
        let Some(staff) = least(may, &counts) else { continue };
        *counts.entry(staff).or_default() += 1;
        held.insert(*session, staff);
    }
    // One at a time from whoever has most beyond another who may take it, the last places first.
    while let Some((session, from, to)) = furthest(held, sessions, &counts) {
        held.insert(session, to);
        *counts.entry(from).or_default() -= 1;
        *counts.entry(to).or_default() += 1;
    }
}

fn least(may: &[StaffId], counts: &HashMap<StaffId, usize>) -> Option<StaffId> {
    may.iter().min_by_key(|staff| counts.get(staff).copied().unwrap_or(0)).copied()
}

/// The session whose move evens out most: who has it, and who takes it.
fn furthest(
    held: &BTreeMap<SessionId, StaffId>,
    sessions: &[(SessionId, Vec<StaffId>)],
    counts: &HashMap<StaffId, usize>,
) -> Option<(SessionId, StaffId, StaffId)> {
    let count = |staff: StaffId| counts.get(&staff).copied().unwrap_or(0);
    let mut best: Option<(usize, SessionId, StaffId, StaffId)> = None;
    for (session, may) in sessions.iter().rev() {
        let (Some(from), Some(to)) = (held.get(session).copied(), least(may, counts)) else { continue };
        let gap = count(from).saturating_sub(count(to));
        if gap >= 2 && best.is_none_or(|(most, ..)| gap > most) {
            best = Some((gap, *session, from, to));
        }
    }
    best.map(|(_, session, from, to)| (session, from, to))
}

impl Watching {
    /// On duty, or not for now; in all windows of the same person.
    pub(super) fn set_on(&self, on: bool) {
        let mine = |member: &&mut Member| member.staff == self.staff;
        self.presence.change(&self.pool, |floor| {
            floor.members.iter_mut().filter(mine).for_each(|member| member.on = on);
        });
    }

    /// Woken after every change of who watches whom: one of any sitting of the pool concerns all of it.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        let mut floor = self.presence.floor();
        let first = *self.pool.first().expect("a wall shows a sitting");
        floor.sittings.entry(first).or_default().duty.subscribe()
    }

    pub(super) fn duty(&self) -> Duty {
        let floor = self.presence.floor();
        let halls: Vec<&Hall> = self.pool.iter().filter_map(|sitting| floor.sittings.get(sitting)).collect();
        let mut watches: HashMap<StaffId, u32> = HashMap::new();
        for staff in floor.sittings.values().flat_map(|hall| hall.split.values()) {
            *watches.entry(*staff).or_default() += 1;
        }
        let here = |member: &&Member| self.pool.iter().any(|sitting| member.watches(*sitting));
        let row = |member: &Member| DutyRow {
            name: member.name.clone(),
            me: member.staff == self.staff,
            on: member.on,
            watches: watches.get(&member.staff).copied().unwrap_or(0),
        };
        let sessions = || {
            halls
                .iter()
                .flat_map(|hall| hall.sessions.iter().map(move |session| (session, hall.split.get(session))))
        };
        Duty {
            proctors: floor.members.iter().filter(here).map(row).collect(),
            mine: sessions()
                .filter(|(_, of)| *of == Some(&self.staff))
                .map(|(session, _)| *session)
                .collect(),
            unwatched: sessions().filter(|(_, of)| of.is_none()).count(),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.presence.change(&self.pool, |floor| {
            let Some(member) = floor.members.iter_mut().find(|member| member.staff == self.staff) else {
                return;
            };
            if let Some(window) = member.walls.iter().position(|pool| *pool == self.pool) {
                member.walls.remove(window);
            }
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
        let first = presence.watch(staff(1), vec![(sitting(1), Vec::new())]);
        assert!(here.has_changed().unwrap() && *here.borrow_and_update() && !*elsewhere.borrow());
        let second = presence.watch(staff(2), vec![(sitting(1), Vec::new())]);
        drop(first);
        assert!(!here.has_changed().unwrap(), "one is still there");
        drop(second);
        assert!(!*here.borrow_and_update());
        drop((here, elsewhere));
        drop(presence.follow(sitting(3)));
        assert_eq!(presence.floor().sittings.len(), 1, "nobody is kept for whom nobody is here");
    }

    #[test]
    fn candidates_are_split_evenly_and_few_change_hands() {
        let presence = Arc::new(Presence::default());
        let first = presence.watch(staff(1), vec![(sitting(1), sessions(7))]);
        assert_eq!(first.duty().mine.len(), 7);
        let second = presence.watch(staff(2), vec![(sitting(1), sessions(7))]);
        let (before, taken) = (first.duty().mine, second.duty().mine);
        assert_eq!((before.len(), taken.len()), (4, 3));
        let third = presence.watch(staff(3), vec![(sitting(1), sessions(7))]);
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
        let first = presence.watch(staff(1), vec![(sitting(1), sessions(5))]);
        let second = presence.watch(staff(2), vec![(sitting(1), sessions(5))]);
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

    /// As `sessions`, of another sitting.
    fn others(count: u128) -> Vec<SessionId> {
        (0..count).map(|number| SessionId(Uuid::from_u128(500 + number))).collect()
    }

    #[test]
    fn a_pool_is_split_over_everybody_who_watches_any_of_it() {
        let presence = Arc::new(Presence::default());
        let both = || vec![(sitting(1), sessions(12)), (sitting(2), others(4))];
        let (first, second) = (presence.watch(staff(1), both()), presence.watch(staff(2), both()));
        assert_eq!([&first, &second].map(|wall| wall.duty().mine.len()), [8, 8]);
        // Somebody for one of the two alone takes none of the other, and everybody has as many as the rest.
        let third = presence.watch(staff(3), vec![(sitting(2), others(4))]);
        let watched = third.duty().mine;
        assert!(watched.iter().all(|session| others(4).contains(session)));
        assert_eq!([&first, &second, &third].map(|wall| wall.duty().mine.len()), [6, 6, 4]);
        assert_eq!(first.duty().unwatched + third.duty().unwatched, 0);
        // The pool comes apart: who is left watches their own.
        drop((first, second));
        assert_eq!((third.duty().mine.len(), third.duty().unwatched), (4, 0));
        assert_eq!(third.duty().proctors.len(), 1);
        let pool = presence.watch(staff(1), both());
        pool.set_on(false);
        assert_eq!(
            (pool.duty().unwatched, third.duty().unwatched),
            (12, 0),
            "nobody watches the first sitting"
        );
    }

    #[test]
    fn each_window_of_one_person_adds_its_sittings() {
        let presence = Arc::new(Presence::default());
        let one = presence.watch(staff(1), vec![(sitting(1), sessions(3))]);
        let two = presence.watch(staff(1), vec![(sitting(2), others(2))]);
        let mut changes = one.changes();
        changes.mark_unchanged();
        assert_eq!(one.duty().proctors[0].watches, 5, "in both windows");
        two.set_on(false);
        assert!(changes.has_changed().unwrap());
        assert_eq!((one.duty().unwatched, two.duty().unwatched), (3, 2));
        assert!(presence.attendance(sitting(2)).unwrap().proctors.is_empty());
        drop(two);
        assert!(presence.attendance(sitting(2)).is_none());
    }
}
