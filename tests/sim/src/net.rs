//! The line between a page and the server, and the server's end of it: in place of a WebSocket, frames that take time,
//! get lost, and arrive after the next connection is up. What the server's end does with them is what `web` does.

use crate::dice::Dice;
use crate::history::{History, Shown, Told, Verdict};
use crate::node::Node;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synaq_core::ids::{DeviceHash, Epoch, SessionId, SocketId, TabId};
use synaq_core::session::{ClientRef, Command, Effect, Input, Refusal, Stage};
use synaq_runtime::{Snapshot, SubmitError};
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Tries of a seat whose session's store does not answer, and the pause between them, as in `web`.
const WATCH_TRIES: u32 = 20;
const WATCH_PAUSE: Duration = Duration::from_millis(250);
const DETACH_TRIES: u32 = 8;

/// From the page.
#[derive(Clone, Debug)]
pub(crate) struct Up {
    pub(crate) client: ClientRef,
    pub(crate) command: Command,
}

/// To the page.
#[derive(Clone, Debug)]
pub(crate) enum Down {
    /// Who is in charge: this page under that epoch, or none while it waits
    Welcome(Option<Epoch>, Snapshot),
    State(Snapshot),
    Answer {
        epoch: Epoch,
        client_seq: u64,
        answer: Answer,
    },
    Bye,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Done,
    Refused(Refusal),
    /// Resend it
    Failed,
}

/// How a line behaves now.
#[derive(Debug)]
pub(crate) struct Weather {
    dice: Mutex<Dice>,
    /// On top of what a frame always takes
    pub(crate) delay_ms: AtomicU64,
    /// Nothing comes through any more, and nobody is told
    pub(crate) silent: AtomicBool,
    /// What is under way does not arrive
    lost: AtomicBool,
}

/// One direction of a line: in order, each frame in its own time.
pub(crate) struct Sender<T> {
    weather: Arc<Weather>,
    last: Mutex<Instant>,
    to: mpsc::UnboundedSender<(Instant, T)>,
}

pub(crate) struct Receiver<T> {
    weather: Arc<Weather>,
    from: mpsc::UnboundedReceiver<(Instant, T)>,
    next: Option<(Instant, T)>,
}

fn pipe<T>(weather: &Arc<Weather>) -> (Sender<T>, Receiver<T>) {
    let (to, from) = mpsc::unbounded_channel();
    let sender = Sender { weather: Arc::clone(weather), last: Mutex::new(Instant::now()), to };
    (sender, Receiver { weather: Arc::clone(weather), from, next: None })
}

impl<T> Sender<T> {
    /// False when the other end is known to be gone.
    pub(crate) fn send(&self, what: T) -> bool {
        if self.weather.silent.load(Ordering::SeqCst) {
            return true;
        }
        let own = self.weather.dice.lock().expect("no panic while locked").between(1, 60);
        let takes = own.unsigned_abs() + self.weather.delay_ms.load(Ordering::SeqCst);
        let mut last = self.last.lock().expect("no panic while locked");
        *last = (*last).max(Instant::now() + Duration::from_millis(takes));
        self.to.send((*last, what)).is_ok()
    }
}

impl<T> Receiver<T> {
    /// The next frame; none when the line is closed and everything has arrived. Can be dropped and called again.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        if self.next.is_none() {
            self.next = self.from.recv().await;
        }
        let (at, _) = self.next.as_ref()?;
        sleep_until(*at).await;
        if self.weather.lost.load(Ordering::SeqCst) {
            return None;
        }
        self.next.take().map(|(_, what)| what)
    }
}

/// The page's end.
pub(crate) struct Line {
    pub(crate) up: Sender<Up>,
    pub(crate) down: Receiver<Down>,
    pub(crate) weather: Arc<Weather>,
}

impl Line {
    /// The page's end goes; what it has sent arrives or not.
    pub(crate) fn cut(self, arrives: bool) {
        self.weather.lost.store(!arrives, Ordering::SeqCst);
    }
}

/// Who connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) session: SessionId,
    pub(crate) device: DeviceHash,
    pub(crate) tab: TabId,
    pub(crate) socket: SocketId,
}

/// Opens a line to that process.
pub(crate) fn connect(node: &Node, place: Place, history: &Arc<History>, dice: Dice) -> Line {
    let weather = Arc::new(Weather {
        dice: Mutex::new(dice),
        delay_ms: AtomicU64::new(0),
        silent: AtomicBool::new(false),
        lost: AtomicBool::new(false),
    });
    let (up, heard) = pipe(&weather);
    let (say, down) = pipe(&weather);
    let seat = Seat {
        node: node.clone(),
        place,
        history: Arc::clone(history),
        say,
        heard,
        epoch: None,
        current: Epoch(0),
    };
    node.seats.lock().expect("no panic while locked").spawn(seat.sit());
    history.count("connections");
    Line { up, down, weather }
}

/// The server's end.
struct Seat {
    node: Node,
    place: Place,
    history: Arc<History>,
    say: Sender<Down>,
    heard: Receiver<Up>,
    /// Epoch this socket is in charge under; none while it waits
    epoch: Option<Epoch>,
    /// Epoch in charge, whoever has it
    current: Epoch,
}

/// The line is over.
struct Over;

impl Seat {
    async fn sit(mut self) {
        if let Ok(snapshots) = self.watch().await
            && self.attach().await.is_ok()
        {
            let _ = self.converse(snapshots).await;
        }
        self.say.send(Down::Bye);
        self.detach().await;
    }

    async fn watch(&self) -> Result<watch::Receiver<Snapshot>, Over> {
        for _ in 0..WATCH_TRIES {
            match self.node.handle.watch(self.place.session).await {
                Ok(snapshots) => return Ok(snapshots),
                Err(SubmitError::Busy { .. } | SubmitError::Store) => sleep(WATCH_PAUSE).await,
                Err(_) => return Err(Over),
            }
        }
        Err(Over)
    }

    async fn attach(&mut self) -> Result<(), Over> {
        let Place { session, device, tab, socket } = self.place;
        let done = self.node.handle.submit(session, Input::Attach { device, tab, socket }).await;
        for effect in done.map_err(|_| Over)?.effects {
            match effect {
                Effect::Attached(epoch) => self.epoch = Some(epoch),
                Effect::AttachWaits => self.epoch = None,
                Effect::Refused(_) => return Err(Over),
                _ => {}
            }
        }
        Ok(())
    }

    async fn detach(&self) {
        let Place { session, socket, .. } = self.place;
        for attempt in 1..=DETACH_TRIES {
            let detach = Input::Detach { socket, reason: "closed".to_owned() };
            if self.node.handle.submit(session, detach).await.is_ok() {
                return;
            }
            sleep(WATCH_PAUSE * attempt).await;
        }
    }

    async fn converse(&mut self, mut snapshots: watch::Receiver<Snapshot>) -> Result<(), Over> {
        let first = snapshots.borrow_and_update().clone();
        self.show(Down::Welcome(self.epoch, first));
        let mut answers: FuturesOrdered<BoxFuture<'static, Down>> = FuturesOrdered::new();
        loop {
            tokio::select! {
                biased;
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        snapshots = self.watch().await?;
                    }
                    let snapshot = snapshots.borrow_and_update().clone();
                    self.take_place(snapshot)?;
                }
                Some(answer) = answers.next(), if !answers.is_empty() => self.tell(answer)?,
                up = self.heard.recv() => answers.push_back(self.command(up.ok_or(Over)?)),
            }
        }
    }

    fn tell(&self, down: Down) -> Result<(), Over> {
        if self.say.send(down) { Ok(()) } else { Err(Over) }
    }

    fn show(&mut self, down: Down) {
        if let Down::Welcome(_, snapshot) | Down::State(snapshot) = &down {
            note_shown(&self.history, snapshot);
            let binding = snapshot.session.state().binding.as_ref();
            self.current = binding.map_or(Epoch(0), |binding| binding.epoch);
        }
        self.say.send(down);
    }

    /// Follows what the session says of this socket.
    fn take_place(&mut self, snapshot: Snapshot) -> Result<(), Over> {
        let state = snapshot.session.state();
        let mine = state.socket.is_some_and(|(live, _)| live == self.place.socket);
        let current = state.binding.as_ref().map(|binding| binding.epoch);
        let waits = state.waiting_device.is_some_and(|(.., waiting)| waiting == self.place.socket);
        if mine {
            let down = if self.epoch == current {
                Down::State(snapshot)
            } else {
                self.epoch = current;
                Down::Welcome(current, snapshot)
            };
            self.show(down);
            Ok(())
        } else if self.epoch.is_none() && waits {
            self.show(Down::State(snapshot));
            Ok(())
        } else {
            Err(Over)
        }
    }

    fn command(&self, up: Up) -> BoxFuture<'static, Down> {
        let (runtime, session) = (self.node.handle.clone(), self.place.session);
        let (history, clock) = (Arc::clone(&self.history), self.node.clock.clone());
        let Up { client, command } = up;
        let (epoch, client_seq) = (client.epoch, client.client_seq);
        // What waits may only hand over what it gathered under an older binding.
        if self.epoch.is_none() && client.epoch >= self.current {
            let answer = Answer::Refused(Refusal::OtherDevice);
            return std::future::ready(Down::Answer { epoch, client_seq, answer }).boxed();
        }
        let answer = match &command {
            Command::Answer { question, shown } => Some((*question, shown.iter().copied().collect())),
            _ => None,
        };
        async move {
            let outcome = runtime.submit(session, Input::Candidate { client, command }).await;
            let (answer_to_page, verdict) = match outcome {
                Err(_) => (Answer::Failed, Verdict::Failed),
                Ok(done) => {
                    let refusal = done.effects.iter().find_map(|effect| match effect {
                        Effect::Refused(refusal) => Some(refusal.clone()),
                        _ => None,
                    });
                    let again = done.effects.iter().any(|effect| matches!(effect, Effect::AlreadyDone(_)));
                    match (refusal, done.receipt) {
                        (Some(refusal), _) => {
                            let verdict = Verdict::Refused(format!("{refusal:?}"));
                            (Answer::Refused(refusal), verdict)
                        }
                        (None, Some(receipt)) => {
                            let hash = receipt.hash.to_string();
                            (Answer::Done, Verdict::Acknowledged { seq: receipt.seq.0, hash, again })
                        }
                        (None, None) => {
                            let detail = format!("{:?} has no receipt", done.effects);
                            history.find("acknowledged_without_receipt", Some(session), detail);
                            (Answer::Done, Verdict::Failed)
                        }
                    }
                }
            };
            let at_ms = clock.elapsed_ms();
            history.notes().told.push(Told { session, epoch: epoch.0, client_seq, answer, verdict, at_ms });
            Down::Answer { epoch, client_seq, answer: answer_to_page }
        }
        .boxed()
    }
}

/// What is shown must be durable by then; judged at the end of the run.
pub(crate) fn note_shown(history: &History, snapshot: &Snapshot) {
    let state = snapshot.session.state();
    let clock = match &state.stage {
        Stage::Running { deadline, paused_since } => Some((deadline.0, paused_since.map(|at| at.0))),
        _ => None,
    };
    history.notes().shown.push(Shown { session: snapshot.id, seq: state.seq.0, head: snapshot.head, clock });
}
