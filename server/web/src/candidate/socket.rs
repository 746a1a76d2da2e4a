//! A candidate's socket: attach, then frames in and the whole view out after every durable change.

mod showing;

use super::answers::{Answer, Answers, Given};
use super::battery::Batteries;
use super::command::command;
use super::question::question;
use crate::admission::{Admission, Chair};
use crate::auth::rate::Bucket;
use crate::auth::ticket::{Bearer, Tickets};
use crate::doors::App;
use crate::fresh::Fresh;
use crate::meters::{self, FrameKind, Meters};
use crate::ops::{Drain, Guest};
use crate::problem::{Refused, from_submit};
use crate::proctor::{Followed, Lookers, Presence};
use crate::query::Query;
use crate::socket::{self, Heard, Leave, Line, text};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRef, State};
use axum::response::Response;
use serde::Deserialize;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{DeviceHash, Epoch, SessionId, SocketId, TabId};
use synaq_core::session::{ClientRef, Effect, Input, Stage};
use synaq_core::time::At;
use synaq_runtime::{Asked, Clock, Done, Handle, Snapshot, SubmitError};
use synaq_wire::candidate::{CandidateCommand, ClientFrame, Receipt, ServerFrame};
use synaq_wire::problem::{Code, Problem};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Commands of one socket on their way at once: a replayed outbox keeps the disk busy, and the rest waits in TCP.
const IN_FLIGHT_MAX: usize = 64;
/// What waits for a candidate that does not read: a view with its whole conversation, twice. Then the socket ends.
const UNSENT_BYTES: usize = 2 * 1024 * 1024;
/// Frames refused for their number in a row before the socket is given up.
const REFUSED_IN_A_ROW_MAX: u32 = 1_000;
/// How often a lost socket's end is told to a busy shard before a timer of its own has to notice.
const DETACH_TRIES: u32 = 8;
const DETACH_PAUSE: Duration = Duration::from_millis(250);
/// A store that fails for longer loses its sockets; pages are told and come back by themselves. Meanwhile nobody reads
/// the socket, so it is shorter than a page waits for the answer to its sign of life.
const WATCH_PATIENCE: Duration = Duration::from_secs(5);
const WATCH_PAUSE: Duration = Duration::from_millis(250);
/// Numbers of a device stay below: JSON's integers are exact up to 2^53, and what waits takes the upper half.
const CLIENT_SEQ_MAX: u64 = (1 << 52) - 1;

/// The query of an upgrade.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithTicket {
    #[serde(default)]
    pub(crate) ticket: String,
}

/// What a seat is made of.
#[derive(Clone)]
pub(crate) struct Room {
    runtime: Handle,
    presence: Arc<Presence>,
    lookers: Arc<Lookers>,
    batteries: Arc<Batteries>,
    clock: Arc<dyn Clock>,
    fresh: Fresh,
    admission: Arc<Admission>,
    meters: Arc<Meters>,
}

impl FromRef<App> for Room {
    fn from_ref(app: &App) -> Self {
        Self {
            runtime: FromRef::from_ref(app),
            presence: FromRef::from_ref(app),
            lookers: FromRef::from_ref(app),
            batteries: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            fresh: FromRef::from_ref(app),
            admission: FromRef::from_ref(app),
            meters: FromRef::from_ref(app),
        }
    }
}

/// Opens the socket a ticket was given for.
pub(crate) async fn upgrade(
    State(room): State<Room>,
    State(tickets): State<Arc<Tickets>>,
    State(drain): State<Drain>,
    Query(WithTicket { ticket }): Query<WithTicket>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let guest = drain.guest("candidate").ok_or(Code::ShuttingDown)?;
    let Some(Bearer::Candidate { session, device, tab }) = tickets.take(&ticket) else {
        return Err(Code::TicketInvalid.into());
    };
    let upgrade = socket::bounded(upgrade, UNSENT_BYTES)?;
    let socket = SocketId(room.fresh.id().map_err(|_| Code::Busy)?);
    let snapshots = room.runtime.watch(session).await?;
    let sitting = snapshots.borrow().session.state().sitting;
    let seat = Seat {
        proctors: sitting.map(|sitting| room.presence.follow(sitting)),
        lookers: room.lookers.follow(session),
        batteries: room.batteries,
        chair: room.admission.sit(session, device),
        bucket: Bucket::frames(&room.clock),
        runtime: room.runtime,
        clock: room.clock,
        meters: room.meters,
        place: Place { session, device, tab, socket },
        snapshots,
        guest,
        bell: None,
        epoch: None,
        shown: None,
        version: 0,
        answers: Answers::default(),
        refused_in_a_row: 0,
    };
    Ok(upgrade.on_upgrade(move |socket| Box::pin(seat.sit(Line::new(socket)))))
}

#[derive(Clone, Copy)]
struct Place {
    session: SessionId,
    device: DeviceHash,
    tab: TabId,
    socket: SocketId,
}

/// One socket's conversation.
struct Seat {
    runtime: Handle,
    clock: Arc<dyn Clock>,
    meters: Arc<Meters>,
    place: Place,
    snapshots: watch::Receiver<Snapshot>,
    /// Whether a wall of the sitting is open
    proctors: Option<watch::Receiver<bool>>,
    /// Whether the live picture is open at a proctor's
    lookers: Followed,
    batteries: Arc<Batteries>,
    /// Rings when time alone changes the view
    bell: Option<Pin<Box<Sleep>>>,
    bucket: Bucket,
    guest: Guest,
    chair: Chair,
    /// Epoch this socket is in charge under; none while it waits
    epoch: Option<Epoch>,
    /// Digest of what the page shows
    shown: Option<u64>,
    version: u64,
    answers: Answers,
    refused_in_a_row: u32,
}

impl Seat {
    async fn sit(mut self, mut line: Line) {
        let leave = match self.attach().await {
            Ok(()) => self.converse(&mut line).await.err().unwrap_or(Leave::Gone("closed")),
            Err(leave) => leave,
        };
        let reason = leave.reason();
        if let Leave::Bye(problem) = leave {
            drop(line.say(&ServerFrame::Bye { problem: *problem }).await);
        }
        // Whoever comes after it says so again with the next sign of life.
        self.batteries.put(self.place.session, None);
        // At once: a store that stands still must not keep the page before a socket that nobody reads any more.
        tokio::join!(line.close(), self.detach(reason));
        if matches!(self.snapshots.borrow().session.state().stage, Stage::Closed { .. }) {
            self.chair.give_up();
        }
        tracing::debug!(session = %self.place.session, reason, "a candidate's socket ended");
    }

    async fn attach(&mut self) -> Result<(), Leave> {
        let Place { device, tab, socket, session } = self.place;
        let attach = Input::Attach { device, tab, socket };
        let done = self.runtime.submit(session, attach).await.map_err(|error| from_submit(&error))?;
        for effect in &done.effects {
            match effect {
                Effect::Attached(epoch) => self.epoch = Some(*epoch),
                Effect::AttachWaits => self.epoch = None,
                Effect::Refused(refusal) => return Err(Problem::from(refusal).into()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn detach(&self, reason: &str) {
        let Place { session, socket, .. } = self.place;
        for attempt in 1..=DETACH_TRIES {
            let detach = Input::Detach { socket, reason: reason.to_owned() };
            let Err(error) = self.runtime.submit(session, detach).await else { return };
            tracing::debug!(%session, attempt, %error, "the end of a socket was not stored yet");
            let tells = self.meters.end_not_stored();
            tokio::time::sleep(DETACH_PAUSE * attempt).await;
            if tells {
                self.meters.tell_ends_not_stored(&error);
            }
        }
    }

    async fn converse(&mut self, line: &mut Line) -> Result<(), Leave> {
        self.welcome(line).await?;
        loop {
            tokio::select! {
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        self.watch_again().await?;
                    }
                    self.take_place(line).await?;
                    self.show(line).await?;
                }
                answer = self.answers.next() => self.tell(answer, line).await?,
                heard = line.hear(), if self.answers.len() < IN_FLIGHT_MAX => match heard? {
                    Heard::Frame(text) => self.answer(&text, line.heard_at())?,
                    Heard::Malformed(problem) => {
                        self.meters.frame(FrameKind::Malformed);
                        self.answers.frame(refused(None, *problem));
                    }
                    Heard::Alive => {}
                },
                () = changed(&mut self.proctors) => self.show(line).await?,
                () = self.lookers.changed() => self.show(line).await?,
                () = rung(&mut self.bell) => self.show(line).await?,
                () = self.guest.asked_to_leave() => {
                    // What was heard is stored and acknowledged; what was not waits on the device.
                    while !self.answers.is_empty() {
                        let answer = self.answers.next().await;
                        self.tell(answer, line).await?;
                    }
                    return Err(Code::ShuttingDown.into());
                }
            }
        }
    }

    /// Sends an answer, and with it those that are there already.
    async fn tell(&mut self, answer: Answer, line: &mut Line) -> Result<(), Leave> {
        let mut next = Some(answer);
        while let Some(answer) = next {
            let (frame, heard_at) = self.spoken(answer);
            line.put(frame).await?;
            if let Some(heard_at) = heard_at {
                self.meters.acknowledged(heard_at.elapsed());
            }
            next = self.answers.ready();
        }
        line.flush().await
    }

    /// The frame's text; of an acknowledgement also when its command was read.
    fn spoken(&self, answer: Answer) -> (String, Option<Instant>) {
        let (given, heard_at, outcome) = match answer {
            Answer::Frame(frame) => return (text(&*frame), None),
            Answer::Decided { given, heard_at, outcome } => (given, heard_at, outcome),
        };
        let frame = match outcome {
            Ok(done) => self.acknowledgement(given, &done),
            Err(error) => refused(Some(given.client_seq), from_submit(&error)),
        };
        let heard_at = matches!(frame, ServerFrame::Ack { .. }).then_some(heard_at);
        (text(&frame), heard_at)
    }

    fn acknowledgement(&self, given: Given, done: &Done) -> ServerFrame {
        let refusal = done.effects.iter().find_map(|effect| match effect {
            Effect::Refused(refusal) => Some(refusal),
            _ => None,
        });
        if let Some(refusal) = refusal {
            return refused(Some(given.client_seq), refusal.into());
        }
        let receipt = match done.receipt {
            Some(receipt) => Receipt { seq: receipt.seq.0, at: receipt.at.0, hash: receipt.hash.to_string() },
            None => standing(&self.snapshots.borrow()),
        };
        ServerFrame::Ack { client_seq: given.client_seq, epoch: given.epoch, receipt }
    }

    /// The shard threw its copy away, because a commit failed, and loads it anew from the log.
    async fn watch_again(&mut self) -> Result<(), Leave> {
        let (runtime, session) = (&self.runtime, self.place.session);
        let found = tokio::time::timeout(WATCH_PATIENCE, async {
            loop {
                match runtime.watch(session).await {
                    Err(SubmitError::Busy { .. } | SubmitError::Store) => {
                        tokio::time::sleep(WATCH_PAUSE).await;
                    }
                    found => break found,
                }
            }
        });
        self.snapshots = found
            .await
            .unwrap_or(Err(SubmitError::Store))
            .map_err(|error| Leave::from(from_submit(&error)))?;
        Ok(())
    }

    /// Follows what the session says of this socket.
    async fn take_place(&mut self, line: &mut Line) -> Result<(), Leave> {
        if self.new_place()? { self.welcome(line).await } else { Ok(()) }
    }

    /// Whether this socket is in charge from here on, and was not before.
    fn new_place(&mut self) -> Result<bool, Leave> {
        let snapshot = self.snapshots.borrow();
        let state = snapshot.session.state();
        if state.called_off.is_some() {
            return Err(Code::CalledOff.into());
        }
        let mine = state.socket.is_some_and(|(live, _)| live == self.place.socket);
        let current = state.binding.as_ref().map(|binding| binding.epoch);
        match (mine, self.epoch) {
            (true, epoch) if epoch == current => Ok(false),
            (true, _) => {
                self.epoch = current;
                Ok(true)
            }
            (false, Some(epoch)) if current.is_some_and(|current| current > epoch) => {
                Err(Code::SupersededEpoch.into())
            }
            // Nobody took over: a store that was away had the session read anew, and it remembers no socket. The page
            // comes back by itself, while `other_device` would stop it for good.
            (false, Some(epoch)) if current == Some(epoch) && state.socket.is_none() => {
                Err(Code::StoreUnavailable.into())
            }
            (false, Some(_)) => Err(Code::OtherDevice.into()),
            (false, None)
                if state.waiting_device.is_some_and(|(.., waiting)| waiting == self.place.socket) =>
            {
                Ok(false)
            }
            (false, None) => Err(Code::OtherDevice.into()),
        }
    }

    fn answer(&mut self, text: &str, heard_at: Instant) -> Result<(), Leave> {
        let frame = socket::candidate_frame(text);
        let kind = kind(&frame);
        let span =
            tracing::debug_span!("web.candidate.frame", session = %self.place.session, kind = kind.name());
        let _in = span.enter();
        self.meters.frame(kind);
        if let Err(problem) = self.bucket.take() {
            self.refused_in_a_row += 1;
            if self.refused_in_a_row > REFUSED_IN_A_ROW_MAX {
                return Err(problem.into());
            }
            let client_seq = match frame {
                Ok(ClientFrame::Command { client_seq, .. }) => Some(client_seq),
                _ => None,
            };
            self.answers.frame(refused(client_seq, problem));
            return Ok(());
        }
        self.refused_in_a_row = 0;
        let answer = match frame {
            Err(problem) => refused(None, problem),
            Ok(ClientFrame::Ping { n, battery }) => {
                if self.epoch.is_some() {
                    self.batteries.put(self.place.session, battery);
                }
                ServerFrame::Pong { n, server_time: self.clock.now().0 }
            }
            Ok(ClientFrame::Question { index }) => self.question(index),
            Ok(ClientFrame::Command { client_seq, epoch, client_at, command }) => {
                let given = Given { client_seq, epoch, client_at };
                match self.command(given, command) {
                    Ok(asked) => {
                        self.answers.asked(given, heard_at, asked);
                        return Ok(());
                    }
                    Err(problem) => refused(Some(client_seq), problem),
                }
            }
        };
        self.answers.frame(answer);
        Ok(())
    }

    fn question(&self, index: u16) -> ServerFrame {
        if self.epoch.is_none() {
            return refused(None, Problem::new(Code::OtherDevice));
        }
        let snapshot = self.snapshots.borrow();
        match question(&snapshot.session, index, self.clock.now()) {
            Ok(question) => ServerFrame::Question { question },
            Err(problem) => refused(None, problem),
        }
    }

    /// Into the mailbox at once, in the order of arrival.
    fn command(&self, given: Given, asked: CandidateCommand) -> Result<Asked, Problem> {
        let client = self.client(given, &asked)?;
        let command = command(asked)?;
        let input = Input::Candidate { client, command };
        self.runtime.ask(self.place.session, input).map_err(|error| from_submit(&error))
    }

    /// Under which binding the command counts. What waits may talk to the proctor, in numbers no page counts up to,
    /// and hand over what it gathered under an older binding.
    fn client(&self, given: Given, command: &CandidateCommand) -> Result<ClientRef, Problem> {
        let exact = given.client_at.unsigned_abs() <= CLIENT_SEQ_MAX;
        if given.client_seq == 0 || given.client_seq > CLIENT_SEQ_MAX || !exact {
            return Err(
                Problem::new(Code::OutOfLimits).detail("client_seq is from 1, client_at in milliseconds")
            );
        }
        let (client_at, epoch) = (At(given.client_at), Epoch(given.epoch));
        let current = self.snapshots.borrow().session.state().binding.as_ref().map(|binding| binding.epoch);
        let current = current.unwrap_or_default();
        if self.epoch.is_some() || epoch < current {
            return Ok(ClientRef { epoch, client_seq: given.client_seq, client_at });
        }
        match command {
            CandidateCommand::CallProctor | CandidateCommand::Say { .. } => {
                let client_seq = waiting_seq(self.place.socket, given.client_seq)?;
                Ok(ClientRef { epoch: current, client_seq, client_at })
            }
            _ => Err(Problem::new(Code::OtherDevice)),
        }
    }
}

const fn kind(frame: &Result<ClientFrame, Problem>) -> FrameKind {
    match frame {
        Ok(ClientFrame::Command { .. }) => FrameKind::Command,
        Ok(ClientFrame::Question { .. }) => FrameKind::Question,
        Ok(ClientFrame::Ping { .. }) => FrameKind::Ping,
        Err(_) => FrameKind::Malformed,
    }
}

/// Returns when the first wall of the sitting is opened or the last one closed.
async fn changed(proctors: &mut Option<watch::Receiver<bool>>) {
    if let Some(any) = proctors
        && any.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Returns when the alarm rings.
async fn rung(bell: &mut Option<Pin<Box<Sleep>>>) {
    match bell {
        Some(bell) => bell.as_mut().await,
        None => std::future::pending().await,
    }
}

fn refused(client_seq: Option<u64>, problem: Problem) -> ServerFrame {
    meters::refused(problem.code);
    ServerFrame::Refused { client_seq, problem }
}

/// Nothing had to be changed: what is durable now is the proof.
fn standing(snapshot: &Snapshot) -> Receipt {
    let state = snapshot.session.state();
    Receipt { seq: state.seq.0, at: state.last_at.map_or(0, |at| at.0), hash: snapshot.head.to_string() }
}

/// Above all numbers of pages, apart per socket: 2^52, 36 bits of the socket's id, 16 bits of its own count.
fn waiting_seq(socket: SocketId, client_seq: u64) -> Result<u64, Problem> {
    let count = u16::try_from(client_seq).map_err(|_| Problem::new(Code::TooManyEvents))?;
    let apart = (socket.0.as_u64_pair().1 & ((1 << 36) - 1)) << 16;
    Ok((1 << 52) | apart | u64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size_of_future<F: Future>(_: fn(Seat, Line) -> F) -> usize {
        size_of::<F>()
    }

    /// Ten thousand of them wait at once. Beside it a socket has its two buffers of 4 KiB and the session itself.
    #[test]
    fn a_waiting_socket_is_small() {
        let size = size_of_future(Seat::sit);
        assert!(size <= 3_200, "{size}");
    }
}
