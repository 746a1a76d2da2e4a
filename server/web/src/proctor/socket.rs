//! The wall's socket: the whole wall, then tiles as they change, sound and stills, the opened candidate, commands.

use super::command::{command, for_everybody};
use super::detail::Opened;
use super::presence::Duty;
use super::wall::{NOT_HERE, Sources, Wall, comes_later};
use crate::auth::rate::Bucket;
use crate::auth::ticket::{Bearer, Tickets};
use crate::calm::wall_pause;
use crate::candidate::WithTicket;
use crate::candidate::trial_view;
use crate::convert;
use crate::doors::App;
use crate::ops::{Drain, Guest};
use crate::peers::Owner;
use crate::problem::{Refused, from_submit};
use crate::query::Query;
use crate::socket::{self, Heard, Leave, Line};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRef, State};
use axum::response::Response;
use futures_util::future::{BoxFuture, select_all};
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt, stream};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{SessionId, SittingId};
use synaq_core::session::{Effect, Input, Stage};
use synaq_runtime::{Change, Clock};
use synaq_store::{Role, StaffRow};
use synaq_wire::limits::POOL_SITTINGS;
use synaq_wire::problem::{Code, Problem};
use synaq_wire::proctor::{ClientFrame, EverybodyAct, ProctorCommand, ServerFrame};
use synaq_wire::trial::TrialView;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

/// Sound moves four times a second: a meter below that looks broken, above it nobody sees more.
const PULSE_EVERY: Duration = Duration::from_millis(250);
/// Tiles that change within this time go out together: thirty candidates who answer are thirty changes a second.
const GATHER: Duration = Duration::from_millis(100);
/// Candidates who could not be read are looked for again this often.
const MISSING_EVERY: Duration = Duration::from_secs(1);
/// A sign-out or a lost role ends the socket within this time.
const ROLE_EVERY: Duration = Duration::from_secs(15);
/// What waits for a wall that does not read: one of 2,000 tiles has about 1 MiB. Then the socket ends.
const UNSENT_BYTES: usize = 8 * 1024 * 1024;
/// Candidates told something at once: mailboxes stay far from full.
const TOLD_AT_ONCE: usize = 64;
/// Commands of one proctor on their way at once.
const IN_FLIGHT_MAX: usize = 32;

impl FromRef<App> for Sources {
    fn from_ref(app: &App) -> Self {
        Self {
            runtime: FromRef::from_ref(app),
            media: FromRef::from_ref(app),
            stills: FromRef::from_ref(app),
            batteries: FromRef::from_ref(app),
            directory: FromRef::from_ref(app),
            log: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            presence: FromRef::from_ref(app),
            peers: FromRef::from_ref(app),
        }
    }
}

/// Opens the socket a ticket was given for.
pub(crate) async fn upgrade(
    State(sources): State<Sources>,
    State(tickets): State<Arc<Tickets>>,
    State(clock): State<Arc<dyn Clock>>,
    State(drain): State<Drain>,
    Query(WithTicket { ticket }): Query<WithTicket>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let guest = drain.guest("proctor").ok_or(Code::ShuttingDown)?;
    let Some(Bearer::Staff { staff, cookie }) = tickets.take(&ticket) else {
        return Err(Code::TicketInvalid.into());
    };
    if !staff.roles.contains(&Role::Proctor) {
        return Err(Code::RoleMissing.into());
    }
    let upgrade = socket::bounded(upgrade, UNSENT_BYTES)?;
    let bucket = Bucket::frames(&clock);
    let desk = Desk {
        sources,
        clock,
        staff: *staff,
        cookie,
        bucket,
        guest,
        changes: Vec::new(),
        duty: None,
        wall: None,
        opened: None,
        dirty: BTreeSet::new(),
        missing: BTreeSet::new(),
        shown_at: Instant::now(),
    };
    Ok(upgrade.on_upgrade(move |socket| desk.sit(Line::new(socket))))
}

/// One proctor's conversation.
struct Desk {
    sources: Sources,
    clock: Arc<dyn Clock>,
    staff: StaffRow,
    cookie: [u8; 32],
    bucket: Bucket,
    guest: Guest,
    /// Of each watched sitting
    changes: Vec<broadcast::Receiver<Change>>,
    /// Who of the watched sitting watches whom
    duty: Option<watch::Receiver<u64>>,
    wall: Option<Wall>,
    opened: Option<Opened>,
    dirty: BTreeSet<SessionId>,
    /// Could not be read
    missing: BTreeSet<SessionId>,
    shown_at: Instant,
}

type Answers = FuturesOrdered<BoxFuture<'static, ServerFrame>>;

impl Desk {
    async fn sit(mut self, mut line: Line) {
        let leave = self.converse(&mut line).await.err().unwrap_or(Leave::Gone("closed"));
        tracing::debug!(staff = %self.staff.id, reason = leave.reason(), "a wall's socket ended");
        if let Leave::Bye(problem) = leave {
            drop(line.say(&ServerFrame::Bye { problem: *problem }).await);
        }
        line.close().await;
    }

    async fn converse(&mut self, line: &mut Line) -> Result<(), Leave> {
        let mut answers = Answers::new();
        let mut pulse = tokio::time::interval(PULSE_EVERY);
        let mut gather = tokio::time::interval(GATHER);
        let mut role = tokio::time::interval(ROLE_EVERY);
        let mut missing = tokio::time::interval(MISSING_EVERY);
        for clock in [&mut pulse, &mut gather, &mut role, &mut missing] {
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                () = handed_over(&mut self.duty) => self.show_duty(line).await?,
                change = next(&mut self.changes) => self.note(change, line).await?,
                _ = gather.tick(), if !self.dirty.is_empty() => if self.may_show() { self.show(line).await? },
                _ = pulse.tick() => if wall_pause(&self.sources.runtime).is_zero() { self.pulse(line).await? },
                _ = missing.tick(), if !self.missing.is_empty() => self.dirty.append(&mut self.missing),
                _ = role.tick() => self.still_a_proctor().await?,
                Some(answer) = answers.next(), if !answers.is_empty() => line.say(&answer).await?,
                heard = line.hear(), if answers.len() < IN_FLIGHT_MAX => match heard? {
                    Heard::Frame(text) => self.answer(&text, line, &mut answers).await?,
                    Heard::Malformed(problem) => answers.push_back(ready(refused(None, *problem))),
                    Heard::Alive => {}
                },
                () = self.guest.asked_to_leave() => {
                    while let Some(answer) = answers.next().await {
                        line.say(&answer).await?;
                    }
                    return Err(Code::ShuttingDown.into());
                }
            }
        }
    }

    /// Answers go first: while mailboxes fill, changes are gathered for longer.
    fn may_show(&mut self) -> bool {
        let may = self.shown_at.elapsed() >= wall_pause(&self.sources.runtime);
        if may {
            self.shown_at = Instant::now();
        }
        may
    }

    async fn still_a_proctor(&self) -> Result<(), Leave> {
        let known = self.sources.directory.staff_session(self.cookie, self.clock.now()).await;
        match known {
            Ok(Some(staff)) if staff.roles.contains(&Role::Proctor) => Ok(()),
            Ok(_) => {
                self.sources.peers.close_all(Owner::Staff(self.cookie)).await;
                Err(Code::SignInRequired.into())
            }
            // A store that does not answer must not blind the proctors.
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a proctor's sign-in could not be checked"
                );
                Ok(())
            }
        }
    }

    async fn note(
        &mut self,
        change: Result<Change, broadcast::error::RecvError>,
        line: &mut Line,
    ) -> Result<(), Leave> {
        let Some(wall) = &self.wall else { return Ok(()) };
        match change {
            Ok(change) if wall.sittings.contains(&change.sitting) => {
                if !wall.holds(change.session) {
                    // Somebody was put into the sitting.
                    let sittings = wall.sittings.clone();
                    return self.watch(sittings, line).await;
                }
                self.dirty.insert(change.session);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let sittings = wall.sittings.clone();
                self.watch(sittings, line).await
            }
            Err(broadcast::error::RecvError::Closed) => Err(Code::ShuttingDown.into()),
        }
    }

    async fn watch(&mut self, sittings: Vec<SittingId>, line: &mut Line) -> Result<(), Leave> {
        self.dirty.clear();
        // From before the wall is read, so that no change falls in between.
        let changes = sittings.iter().map(|sitting| self.sources.runtime.changes_of(*sitting)).collect();
        // The old wall stays counted until the new one is: nobody must see the proctor go in between.
        match Wall::build(&self.sources, &self.staff, sittings).await {
            Ok(wall) => {
                let mut beside = wall.rows.clone();
                let frame = ServerFrame::Wall {
                    server_time: self.clock.now().0,
                    sitting: beside.remove(0),
                    beside,
                    tiles: wall.tiles(),
                    codes: convert::codes(),
                };
                if self.opened.as_ref().is_some_and(|opened| !wall.holds(opened.session)) {
                    self.opened = None;
                }
                self.missing.clone_from(&wall.missing);
                self.duty = Some(wall.watching.changes());
                (self.wall, self.changes) = (Some(wall), changes);
                line.say(&frame).await?;
                self.show_duty(line).await?;
                self.show_detail(line).await
            }
            Err(Refused(problem)) => line.say(&refused(None, *problem)).await,
        }
    }

    async fn show_duty(&self, line: &mut Line) -> Result<(), Leave> {
        let Some(wall) = &self.wall else { return Ok(()) };
        let Duty { proctors, mine, unwatched } = wall.watching.duty();
        let mine = mine.into_iter().map(|session| session.0).collect();
        let unwatched = u32::try_from(unwatched).unwrap_or(u32::MAX);
        line.say(&ServerFrame::Duty { proctors, mine, unwatched }).await
    }

    async fn show(&mut self, line: &mut Line) -> Result<(), Leave> {
        let Some(wall) = &mut self.wall else { return Ok(()) };
        let mut detail = false;
        for session in std::mem::take(&mut self.dirty) {
            let snapshot = match self.sources.runtime.look(session).await {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    if comes_later(error) {
                        self.missing.insert(session);
                    }
                    continue;
                }
            };
            detail |= self.opened.as_ref().is_some_and(|opened| opened.session == session);
            if let Some((tile, true)) = wall.tile(&self.sources, &snapshot) {
                line.say(&ServerFrame::Tile { server_time: self.clock.now().0, tile }).await?;
            }
        }
        if detail { self.show_detail(line).await } else { Ok(()) }
    }

    async fn show_detail(&mut self, line: &mut Line) -> Result<(), Leave> {
        let (Some(wall), Some(opened)) = (&mut self.wall, &mut self.opened) else { return Ok(()) };
        let looked = self.sources.runtime.look(opened.session).await;
        let (Ok(snapshot), Ok(())) = (looked, opened.read_on(&self.sources.log, &wall.names).await) else {
            // Busy or no store: the next round tries again.
            self.dirty.insert(opened.session);
            return Ok(());
        };
        let Some((tile, _)) = wall.tile(&self.sources, &snapshot) else { return Ok(()) };
        let now = self.clock.now();
        let detail = opened.detail(&snapshot, tile, &wall.names, self.staff.id, now);
        line.say(&ServerFrame::Detail { server_time: now.0, detail }).await
    }

    async fn pulse(&mut self, line: &mut Line) -> Result<(), Leave> {
        let Some(wall) = &mut self.wall else { return Ok(()) };
        let pulses = wall.pulses(&self.sources);
        if pulses.is_empty() {
            return Ok(());
        }
        line.say(&ServerFrame::Pulse { pulses }).await
    }

    async fn answer(&mut self, text: &str, line: &mut Line, answers: &mut Answers) -> Result<(), Leave> {
        let frame = socket::parse::<ClientFrame>(text);
        if let Err(problem) = self.bucket.take() {
            let re = match frame {
                Ok(ClientFrame::Command { re, .. } | ClientFrame::Everybody { re, .. }) => Some(re),
                _ => None,
            };
            return line.say(&refused(re, problem)).await;
        }
        match frame {
            Err(problem) => line.say(&refused(None, problem)).await,
            Ok(ClientFrame::Ping { n }) => {
                line.say(&ServerFrame::Pong { n, server_time: self.clock.now().0 }).await
            }
            Ok(ClientFrame::Watch { sitting, beside }) => {
                let mut sittings = vec![SittingId(sitting)];
                for sitting in beside.into_iter().map(SittingId) {
                    if !sittings.contains(&sitting) {
                        sittings.push(sitting);
                    }
                }
                if sittings.len() > POOL_SITTINGS {
                    let detail = format!("at most {POOL_SITTINGS} sittings are watched at once");
                    return line.say(&refused(None, Problem::new(Code::OutOfLimits).detail(detail))).await;
                }
                self.watch(sittings, line).await
            }
            Ok(ClientFrame::Open { session }) => self.open(session.map(SessionId), line).await,
            Ok(ClientFrame::Duty { on }) => {
                self.wall.iter().for_each(|wall| wall.watching.set_on(on));
                Ok(())
            }
            Ok(ClientFrame::Everybody { re, act, sitting }) => {
                answers.push_back(self.everybody(re, act, sitting.map(SittingId)));
                Ok(())
            }
            Ok(ClientFrame::Command { re, session, command }) => {
                answers.push_back(self.command(re, SessionId(session), command));
                Ok(())
            }
        }
    }

    async fn open(&mut self, session: Option<SessionId>, line: &mut Line) -> Result<(), Leave> {
        let here = session.filter(|session| self.wall.as_ref().is_some_and(|wall| wall.holds(*session)));
        self.opened = match here {
            Some(session) => Some(Opened::new(session, self.trial_of(session).await)),
            None => None,
        };
        if here != session {
            return line.say(&refused(None, Problem::new(NOT_HERE))).await;
        }
        self.show_detail(line).await
    }

    /// One by one, so that each has it in the own log; whom it does not concern is counted, never an error for the rest.
    fn everybody(
        &self,
        re: u32,
        act: EverybodyAct,
        of: Option<SittingId>,
    ) -> BoxFuture<'static, ServerFrame> {
        let here = |wall: &&Wall| of.is_none_or(|of| wall.sittings.contains(&of));
        let Some(wall) = self.wall.as_ref().filter(here) else {
            return ready(refused(Some(re), Problem::new(NOT_HERE)));
        };
        let (sessions, runtime, by) = (wall.sessions(of), self.sources.runtime.clone(), self.staff.id);
        async move {
            let told = stream::iter(sessions).map(|session| {
                let (runtime, act) = (runtime.clone(), act.clone());
                async move {
                    let Ok(snapshot) = runtime.look(session).await else { return false };
                    let state = snapshot.session.state();
                    let over = matches!(state.stage, Stage::Closed { .. });
                    if over {
                        return false;
                    }
                    let input = Input::Staff { by, command: for_everybody(act, state.lang) };
                    let done = runtime.submit(session, input).await;
                    done.is_ok_and(|done| !done.effects.iter().any(|it| matches!(it, Effect::Refused(_))))
                }
            });
            let told: Vec<bool> = told.buffer_unordered(TOLD_AT_ONCE).collect().await;
            let done = told.iter().filter(|done| **done).count();
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            ServerFrame::DoneAll { re, done: count(done), refused: count(told.len() - done) }
        }
        .boxed()
    }

    /// Advice: without it the candidate is opened all the same.
    async fn trial_of(&self, session: SessionId) -> Option<TrialView> {
        match self.sources.directory.trial(session).await {
            Ok(row) => row.as_ref().and_then(trial_view),
            Err(error) => {
                tracing::warn!(%session, error = &error as &dyn std::error::Error, "a trial run's note cannot be read");
                None
            }
        }
    }

    fn command(&self, re: u32, session: SessionId, asked: ProctorCommand) -> BoxFuture<'static, ServerFrame> {
        if !self.wall.as_ref().is_some_and(|wall| wall.holds(session)) {
            return ready(refused(Some(re), Problem::new(NOT_HERE)));
        }
        let command = match command(asked) {
            Ok(command) => command,
            Err(problem) => return ready(refused(Some(re), problem)),
        };
        let (runtime, by) = (self.sources.runtime.clone(), self.staff.id);
        async move {
            match runtime.submit(session, Input::Staff { by, command }).await {
                Err(error) => refused(Some(re), from_submit(&error)),
                Ok(done) => {
                    let refusal = done.effects.iter().find_map(|effect| match effect {
                        Effect::Refused(refusal) => Some(refusal),
                        _ => None,
                    });
                    refusal.map_or(ServerFrame::Done { re }, |refusal| refused(Some(re), refusal.into()))
                }
            }
        }
        .boxed()
    }
}

/// Who watches whom has changed; never before a sitting is watched.
async fn handed_over(duty: &mut Option<watch::Receiver<u64>>) {
    if let Some(changes) = duty
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Nothing changes before a sitting is watched.
async fn next(changes: &mut [broadcast::Receiver<Change>]) -> Result<Change, broadcast::error::RecvError> {
    if changes.is_empty() {
        return std::future::pending().await;
    }
    // A receiver that is not chosen has taken nothing.
    select_all(changes.iter_mut().map(|changes| Box::pin(changes.recv()))).await.0
}

fn ready(frame: ServerFrame) -> BoxFuture<'static, ServerFrame> {
    std::future::ready(frame).boxed()
}

fn refused(re: Option<u32>, problem: Problem) -> ServerFrame {
    ServerFrame::Refused { re, problem }
}
