//! What a crash cut off: pieces of evidence that lie on the disk and whose digest no session knows. They are found
//! before anybody can publish again, and measured afterwards.

use super::evidence::EvidenceFolder;
use super::media_facts::Word;
use super::media_sink::{MediaSink, salvaged};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::{Stage, State, local};
use synaq_runtime::{Handle, Snapshot, SubmitError};
use synaq_store::EventLog;
use synaq_web::Evidence as _;
use tokio::task::JoinSet;

/// A busy mailbox at start-up is asked this often, half a second apart.
const LOOKS: usize = 20;
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

/// Everything left open in sessions that are not sealed yet. Nothing may publish meanwhile: what is being recorded would
/// look the same.
pub(crate) async fn find(log: &dyn EventLog, runtime: &Handle, evidence: &Arc<EvidenceFolder>) -> Vec<Left> {
    let live = match log.live().await {
        Ok(live) => live,
        Err(error) => {
            tracing::error!(%error, "recordings cut off by the last stop cannot be looked for");
            return Vec::new();
        }
    };
    let mut left = Vec::new();
    for session in live {
        match look(runtime, session).await {
            Ok(snapshot) => left.extend(of(snapshot, evidence).await),
            Err(error) => {
                tracing::error!(%session, %error, "recordings of this session cannot be looked for")
            }
        }
    }
    left.sort_by_key(|left| !left.pressing);
    left
}

/// Measures what was found and tells its sessions.
pub(crate) async fn measure(left: Vec<Left>, sink: Arc<MediaSink>, evidence: Arc<EvidenceFolder>) {
    let mut pieces = JoinSet::new();
    for Left { session, name, .. } in left {
        if pieces.len() >= PIECES_AT_ONCE {
            pieces.join_next().await;
        }
        tracing::info!(%session, name, "a recording was cut off; what is left of it is kept");
        let (sink, evidence) = (Arc::clone(&sink), Arc::clone(&evidence));
        pieces.spawn(async move {
            for fact in salvaged(&evidence, session.0, name, WHY.to_owned()).await {
                sink.push(session.0, Word::Fact(fact));
            }
        });
    }
    pieces.join_all().await;
}

async fn look(runtime: &Handle, session: SessionId) -> Result<Snapshot, SubmitError> {
    for _ in 0..LOOKS {
        match runtime.look(session).await {
            Err(SubmitError::Busy { .. } | SubmitError::Store) => tokio::time::sleep(LOOK_AGAIN).await,
            answer => return answer,
        }
    }
    runtime.look(session).await
}

async fn of(snapshot: Snapshot, evidence: &Arc<EvidenceFolder>) -> Vec<Left> {
    let (folder, session) = (Arc::clone(evidence), snapshot.id);
    let names = tokio::task::spawn_blocking(move || folder.names(session)).await;
    let names = names.map_err(std::io::Error::other).flatten().unwrap_or_else(|error| {
        tracing::error!(%session, %error, "the folder of evidence cannot be listed");
        Vec::new()
    });
    let state = snapshot.session.state();
    let pressing = matches!(state.stage, Stage::Closed { .. });
    let elsewhere = on_the_device(state, &names);
    let here = unfinished(state, names).into_iter().filter(|name| !elsewhere.contains(name));
    here.map(|name| Left { pressing, session, name }).collect()
}

/// What a candidate's device still has to bring: our stop did not cut it off.
fn on_the_device(state: &State, on_disk: &[String]) -> BTreeSet<String> {
    state.local_open().filter(|name| !on_disk.contains(name)).cloned().collect()
}

/// Announced and not stored, and recordings on the disk that the log never heard of.
fn unfinished(state: &State, on_disk: Vec<String>) -> BTreeSet<String> {
    let recorded = |name: &String| {
        name.starts_with("webcam-") || name.starts_with("stills-") || local::number(name).is_some()
    };
    let known = |name: &String| state.evidence.iter().any(|stored| stored.name == *name);
    // A clip that was announced and not begun is cut when its candidate publishes again; after the end nobody will.
    let ended = matches!(state.stage, Stage::Closed { .. });
    let to_come = |name: &String| !ended && name.starts_with("clip-") && !on_disk.contains(name);
    let open: BTreeSet<_> = state.evidence_open.iter().filter(|name| !to_come(name)).cloned().collect();
    let unheard = on_disk.into_iter().filter(|name| recorded(name) && !known(name));
    open.into_iter().chain(unheard).collect()
}

#[cfg(test)]
#[path = "salvage_tests.rs"]
mod tests;
