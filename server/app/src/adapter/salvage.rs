//! What a crash cut off: pieces of evidence that lie on the disk and whose digest no session knows. They are looked for
//! as the sessions come back, while candidates already publish again, and what an ended exam waits for is measured first.

use super::evidence::EvidenceFolder;
use super::media_facts::Word;
use super::media_sink::{MediaSink, salvaged};
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::{Stage, State, local};
use synaq_core::time::At;
use synaq_runtime::{Handle, Snapshot, SubmitError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Sessions looked at together: few, because candidates who come back are loaded in the same turn.
const LOOKS_AT_ONCE: usize = 16;
/// A session that cannot be loaded now is looked at again after the others, and after this.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Pieces read at once: the disk is shared with the exams that go on.
const PIECES_AT_ONCE: usize = 4;
const WHY: &str = "the server stopped";

/// A piece that nobody finished.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Left {
    /// The exam has ended: its record waits for this
    pub(crate) pressing: bool,
    session: SessionId,
    name: String,
}

/// Sessions of the process before, which [`EvidenceFolder::expect`] knows of.
#[derive(Debug)]
pub(crate) struct CutOff {
    /// Not sealed yet
    pub(crate) live: Vec<SessionId>,
    /// When this process began
    pub(crate) began: At,
}

impl CutOff {
    /// Finds and measures everything left open in them.
    pub(crate) async fn find_and_measure(
        self,
        runtime: Handle,
        sink: Arc<MediaSink>,
        evidence: Arc<EvidenceFolder>,
    ) {
        let Self { live, began } = self;
        let (tell, found) = mpsc::unbounded_channel();
        let find = find(live, runtime, Arc::clone(&evidence), began, tell);
        tokio::join!(find, measure(found, sink, evidence));
    }
}

async fn find(
    live: Vec<SessionId>,
    runtime: Handle,
    evidence: Arc<EvidenceFolder>,
    began: At,
    tell: mpsc::UnboundedSender<Left>,
) {
    let mut waiting = VecDeque::from(live);
    let mut looks = JoinSet::new();
    while !waiting.is_empty() || !looks.is_empty() {
        while looks.len() < LOOKS_AT_ONCE
            && let Some(session) = waiting.pop_front()
        {
            let (runtime, evidence) = (runtime.clone(), Arc::clone(&evidence));
            looks.spawn(async move { (session, look(session, &runtime, &evidence, began).await) });
        }
        match looks.join_next().await {
            Some(Ok((session, None))) => waiting.push_back(session),
            // Whoever measures lives as long as this.
            Some(Ok((_, Some(left)))) => left.into_iter().for_each(|left| drop(tell.send(left))),
            Some(Err(error)) => {
                tracing::error!(%error, "the look for cut-off recordings of a session ended by panic");
            }
            None => {}
        }
    }
}

/// Nothing if it must be tried again.
async fn look(
    session: SessionId,
    runtime: &Handle,
    evidence: &Arc<EvidenceFolder>,
    began: At,
) -> Option<Vec<Left>> {
    match runtime.look(session).await {
        Ok(snapshot) => Some(of(snapshot, evidence, began).await),
        Err(SubmitError::Busy { .. } | SubmitError::Store) => {
            tokio::time::sleep(LOOK_AGAIN).await;
            None
        }
        Err(SubmitError::ShuttingDown) => Some(Vec::new()),
        Err(error) => {
            tracing::error!(%session, %error, "recordings of this session cannot be looked for");
            Some(Vec::new())
        }
    }
}

/// Measures what is found, what presses first, and tells its sessions.
async fn measure(
    mut found: mpsc::UnboundedReceiver<Left>,
    sink: Arc<MediaSink>,
    evidence: Arc<EvidenceFolder>,
) {
    let (mut waiting, mut pieces) = (BinaryHeap::new(), JoinSet::new());
    loop {
        while pieces.len() < PIECES_AT_ONCE
            && let Some(Left { session, name, .. }) = waiting.pop()
        {
            tracing::info!(%session, name, "a recording was cut off; what is left of it is kept");
            let (sink, evidence) = (Arc::clone(&sink), Arc::clone(&evidence));
            pieces.spawn(async move {
                for fact in salvaged(&evidence, session.0, name, WHY.to_owned()).await {
                    sink.push(session.0, Word::Fact(fact));
                }
            });
        }
        tokio::select! {
            biased;
            Some(left) = found.recv() => waiting.push(left),
            Some(_) = pieces.join_next() => {}
            else => return,
        }
    }
}

async fn of(snapshot: Snapshot, evidence: &Arc<EvidenceFolder>, began: At) -> Vec<Left> {
    let (folder, session) = (Arc::clone(evidence), snapshot.id);
    // After the snapshot: whatever this process has announced in it lies there by now.
    let names = tokio::task::spawn_blocking(move || {
        let names = folder.names_here(session);
        names.map(|names| Folder { before: folder.take_what_was_left(session.0), now: names })
    });
    let folder = names.await.map_err(std::io::Error::other).flatten().unwrap_or_else(|error| {
        tracing::error!(%session, %error, "the folder of evidence cannot be listed");
        Folder::default()
    });
    let state = snapshot.session.state();
    let pressing = matches!(state.stage, Stage::Closed { .. });
    let elsewhere = on_the_device(state, &folder.before);
    let here = unfinished(state, folder, began).into_iter().filter(|name| !elsewhere.contains(name));
    here.map(|name| Left { pressing, session, name }).collect()
}

/// Names in a session's folder.
#[derive(Default)]
struct Folder {
    /// When this process opened the session: the work of the one before
    before: Vec<String>,
    now: Vec<String>,
}

/// What a candidate's device still has to bring: our stop did not cut it off.
fn on_the_device(state: &State, on_disk: &[String]) -> BTreeSet<String> {
    state.local_open().filter(|name| !on_disk.contains(name)).cloned().collect()
}

/// Announced and not stored, and recordings on the disk that the log never heard of; but nothing that this process has
/// begun, which lies there now and did not before.
fn unfinished(state: &State, folder: Folder, began: At) -> BTreeSet<String> {
    let recorded = |name: &String| {
        name.starts_with("webcam-") || name.starts_with("stills-") || local::number(name).is_some()
    };
    let known = |name: &String| state.evidence.iter().any(|stored| stored.name == *name);
    // A clip that was announced and not begun is cut when its candidate publishes again; of an exam that was over when
    // we came nobody will.
    let over = matches!(state.stage, Stage::Closed { at, .. } if at < began);
    let to_come = |name: &String| !over && name.starts_with("clip-") && !folder.before.contains(name);
    let ours = |name: &String| folder.now.contains(name) && !folder.before.contains(name);
    let open = state.evidence_open.iter().filter(|name| !to_come(name) && !ours(name)).cloned();
    let open: BTreeSet<_> = open.collect();
    let unheard = folder.before.into_iter().filter(|name| recorded(name) && !known(name));
    open.into_iter().chain(unheard).collect()
}

#[cfg(test)]
#[path = "salvage_tests.rs"]
mod tests;
