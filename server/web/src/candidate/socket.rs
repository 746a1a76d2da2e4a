//! A candidate's socket: attach, then frames in and the whole view out after every durable change.

use super::command::command;
use super::question::question;
use super::view::{Around, differs, view};
use crate::auth::rate::Bucket;
use crate::auth::ticket::{Bearer, Tickets};
use crate::fresh::Fresh;
use crate::ops::{Drain, Guest};
use crate::problem::{Refused, from_submit};
use crate::proctor::Presence;
use crate::query::Query;
use crate::socket::{self, Heard, Leave, Line};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{DeviceHash, Epoch, SessionId, SocketId, TabId};
use synaq_core::session::{ClientRef, Effect, Input, Stage, State as Known};
use synaq_core::time::At;
use synaq_runtime::{Clock, Handle, Snapshot, SubmitError};
use synaq_wire::candidate::{Attach, CandidateCommand, CandidateView, ClientFrame, Receipt, ServerFrame};
use synaq_wire::problem::{Code, Problem};
use tokio::sync::watch;

/// Commands of one socket on their way at once: a replayed outbox keeps the disk busy, and the rest waits in TCP.
const IN_FLIGHT_MAX: usize = 64;
/// How often what changes by time or by others' presence is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Frames refused for their number in a row before the socket is given up.
const REFUSED_IN_A_ROW_MAX: u32 = 1_000;
/// How often a lost socket's end is told to a busy shard before a timer of its own has to notice.
const DETACH_TRIES: u32 = 8;
/// A store that fails for longer than these together loses its sockets; pages come back by themselves.
const WATCH_TRIES: u32 = 20;
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

/// Opens the socket a ticket was given for.
#[expect(clippy::too_many_arguments, reason = "each is a part that the router hands in")]
pub(crate) async fn upgrade(
    State(runtime): State<Handle>,
    State(tickets): State<Arc<Tickets>>,
    State(presence): State<Arc<Presence>>,
    State(clock): State<Arc<dyn Clock>>,
    State(fresh): State<Fresh>,
    State(drain): State<Drain>,
    Query(WithTicket { ticket }): Query<WithTicket>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let guest = drain.guest("candidate").ok_or(Code::ShuttingDown)?;
    let Some(Bearer::Candidate { session, device, tab }) = tickets.take(&ticket) else {
        return Err(Code::TicketInvalid.into());
    };
    let upgrade = socket::bounded(upgrade)?;
    let socket = SocketId(fresh.id().map_err(|_| Code::Busy)?);
    let snapshots = runtime.watch(session).await?;
    let bucket = Bucket::frames(&clock);
    let place = Place { session, device, tab, socket };
    let seat = Seat {
        runtime,
        presence,
        clock,
        place,
        snapshots,
        bucket,
        guest,
        epoch: None,
        shown: None,
        version: 0,
        refused_in_a_row: 0,
    };
    Ok(upgrade.on_upgrade(move |socket| seat.sit(Line::new(socket))))
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
    presence: Arc<Presence>,
    clock: Arc<dyn Clock>,
    place: Place,
    snapshots: watch::Receiver<Snapshot>,
    bucket: Bucket,
    guest: Guest,
    /// Epoch this socket is in charge under; none while it waits
    epoch: Option<Epoch>,
    shown: Option<CandidateView>,
    version: u64,
    refused_in_a_row: u32,
}

type Answers = FuturesOrdered<BoxFuture<'static, ServerFrame>>;

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
        self.detach(reason).await;
        line.close().await;
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
            tracing::warn!(%session, attempt, %error, "the end of a socket was not stored yet");
            tokio::time::sleep(Duration::from_millis(250) * attempt).await;
        }
    }

    async fn converse(&mut self, line: &mut Line) -> Result<(), Leave> {
        self.welcome(line).await?;
        let mut answers = Answers::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        self.watch_again().await?;
                    }
                    self.take_place(line).await?;
                    self.show(line).await?;
                }
                _ = look.tick() => {
                    if self.time_changes_the_view() {
                        self.show(line).await?;
                    }
                }
                Some(answer) = answers.next(), if !answers.is_empty() => line.say(&answer).await?,
                heard = line.hear(), if answers.len() < IN_FLIGHT_MAX => match heard? {
                    Heard::Frame(text) => self.answer(&text, &mut answers)?,
                    Heard::Malformed(problem) => answers.push_back(ready(refused(None, *problem))),
                    Heard::Alive => {}
                },
                () = self.guest.asked_to_leave() => {
                    // What was heard is stored and acknowledged; what was not waits on the device.
                    while let Some(answer) = answers.next().await {
                        line.say(&answer).await?;
                    }
                    return Err(Code::ShuttingDown.into());
                }
            }
        }
    }

    /// The shard threw its copy away, because a commit failed, and loads it anew from the log.
    async fn watch_again(&mut self) -> Result<(), Leave> {
        let mut tries = WATCH_TRIES;
        loop {
            tries -= 1;
            match self.runtime.watch(self.place.session).await {
                Ok(snapshots) => {
                    self.snapshots = snapshots;
                    return Ok(());
                }
                Err(SubmitError::Busy { .. } | SubmitError::Store) if tries > 0 => {
                    tokio::time::sleep(WATCH_PAUSE).await;
                }
                Err(error) => return Err(from_submit(&error).into()),
            }
        }
    }

    /// The first frame, and again when a proctor has let this socket take over.
    async fn welcome(&mut self, line: &mut Line) -> Result<(), Leave> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let view = self.view(&snapshot);
        let frame = ServerFrame::Welcome {
            server_time: self.clock.now().0,
            epoch: self.epoch.map(|epoch| epoch.0),
            last_client_seq: self.epoch.map_or(0, |epoch| last_client_seq(snapshot.session.state(), epoch)),
            view: Box::new(view.clone()),
        };
        self.shown = Some(view);
        line.say(&frame).await
    }

    async fn show(&mut self, line: &mut Line) -> Result<(), Leave> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let view = self.view(&snapshot);
        if self.shown.as_ref().is_some_and(|shown| !differs(shown, &view)) {
            return Ok(());
        }
        let frame = ServerFrame::State { server_time: self.clock.now().0, view: Box::new(view.clone()) };
        self.shown = Some(view);
        line.say(&frame).await
    }

    fn view(&mut self, snapshot: &Snapshot) -> CandidateView {
        let now = self.clock.now();
        // By time, so that a view of a later socket is never the older one.
        self.version = u64::try_from(now.0).unwrap_or(0).max(self.version + 1);
        let attach = if self.epoch.is_some() { Attach::InCharge } else { Attach::Waiting };
        let around =
            Around { now, version: self.version, proctor_present: self.proctor_present(snapshot), attach };
        view(&snapshot.session, around)
    }

    fn proctor_present(&self, snapshot: &Snapshot) -> bool {
        snapshot.session.state().sitting.is_some_and(|sitting| self.presence.any(sitting))
    }

    /// Everything else in the view changes with an event.
    fn time_changes_the_view(&self) -> bool {
        let snapshot = self.snapshots.borrow();
        let shown = self.shown.as_ref().map(|view| view.proctor_present);
        matches!(snapshot.session.state().stage, Stage::Preparing)
            || shown != Some(self.proctor_present(&snapshot))
    }

    /// Follows what the session says of this socket.
    async fn take_place(&mut self, line: &mut Line) -> Result<(), Leave> {
        let snapshot = self.snapshots.borrow().clone();
        let state = snapshot.session.state();
        let mine = state.socket.is_some_and(|(live, _)| live == self.place.socket);
        let current = state.binding.as_ref().map(|binding| binding.epoch);
        match (mine, self.epoch) {
            (true, epoch) if epoch == current => Ok(()),
            (true, _) => {
                self.epoch = current;
                self.welcome(line).await
            }
            (false, Some(epoch)) if current.is_some_and(|current| current > epoch) => {
                Err(Code::SupersededEpoch.into())
            }
            (false, Some(_)) => Err(Code::OtherDevice.into()),
            (false, None)
                if state.waiting_device.is_some_and(|(.., waiting)| waiting == self.place.socket) =>
            {
                Ok(())
            }
            (false, None) => Err(Code::OtherDevice.into()),
        }
    }

    fn answer(&mut self, text: &str, answers: &mut Answers) -> Result<(), Leave> {
        let frame = socket::parse::<ClientFrame>(text);
        if let Err(problem) = self.bucket.take() {
            self.refused_in_a_row += 1;
            if self.refused_in_a_row > REFUSED_IN_A_ROW_MAX {
                return Err(problem.into());
            }
            let client_seq = match frame {
                Ok(ClientFrame::Command { client_seq, .. }) => Some(client_seq),
                _ => None,
            };
            answers.push_back(ready(refused(client_seq, problem)));
            return Ok(());
        }
        self.refused_in_a_row = 0;
        answers.push_back(match frame {
            Err(problem) => ready(refused(None, problem)),
            Ok(ClientFrame::Ping { n }) => ready(ServerFrame::Pong { n, server_time: self.clock.now().0 }),
            Ok(ClientFrame::Question { index }) => ready(self.question(index)),
            Ok(ClientFrame::Command { client_seq, epoch, client_at, command }) => {
                self.command(Given { client_seq, epoch, client_at }, command)
            }
        });
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

    /// Submits in the order of arrival: the mailbox takes a command when its answer is first polled, and answers are
    /// polled in order.
    fn command(&self, given: Given, asked: CandidateCommand) -> BoxFuture<'static, ServerFrame> {
        let client = match self.client(given, &asked) {
            Ok(client) => client,
            Err(problem) => return ready(refused(Some(given.client_seq), problem)),
        };
        let command = match command(asked) {
            Ok(command) => command,
            Err(problem) => return ready(refused(Some(given.client_seq), problem)),
        };
        let (runtime, session) = (self.runtime.clone(), self.place.session);
        async move {
            let done = match runtime.submit(session, Input::Candidate { client, command }).await {
                Ok(done) => done,
                Err(error) => return refused(Some(given.client_seq), from_submit(&error)),
            };
            let refusal = done.effects.iter().find_map(|effect| match effect {
                Effect::Refused(refusal) => Some(refusal),
                _ => None,
            });
            match (refusal, done.receipt) {
                (Some(refusal), _) => refused(Some(given.client_seq), refusal.into()),
                (None, Some(receipt)) => {
                    let receipt =
                        Receipt { seq: receipt.seq.0, at: receipt.at.0, hash: receipt.hash.to_string() };
                    ServerFrame::Ack { client_seq: given.client_seq, epoch: given.epoch, receipt }
                }
                (None, None) => match runtime.look(session).await {
                    Ok(snapshot) => ServerFrame::Ack {
                        client_seq: given.client_seq,
                        epoch: given.epoch,
                        receipt: standing(&snapshot),
                    },
                    Err(error) => refused(Some(given.client_seq), from_submit(&error)),
                },
            }
        }
        .boxed()
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

/// How a frame names its command.
#[derive(Clone, Copy)]
struct Given {
    client_seq: u64,
    epoch: u32,
    client_at: i64,
}

fn ready(frame: ServerFrame) -> BoxFuture<'static, ServerFrame> {
    std::future::ready(frame).boxed()
}

fn refused(client_seq: Option<u64>, problem: Problem) -> ServerFrame {
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

fn last_client_seq(state: &Known, epoch: Epoch) -> u64 {
    let known = state.receipts.keys().chain(&state.kept_superseded);
    let of_epoch = known.filter(|(of, seq)| *of == epoch && *seq <= CLIENT_SEQ_MAX);
    of_epoch.map(|(_, seq)| *seq).max().unwrap_or(0)
}
