//! What the page shows: the whole view, when it differs from what was sent last.

use super::{CLIENT_SEQ_MAX, Seat};
use crate::candidate::view::{Around, digest, view};
use crate::socket::{Leave, Line, text};
use std::time::Duration;
use synaq_core::ids::Epoch;
use synaq_core::session::{Stage, State};
use synaq_core::time::At;
use synaq_runtime::Snapshot;
use synaq_wire::candidate::{Attach, CandidateView, ServerFrame};

impl Seat {
    /// The first frame, and again when a proctor has let this socket take over.
    pub(super) async fn welcome(&mut self, line: &mut Line) -> Result<(), Leave> {
        let frame = self.welcome_frame();
        line.put(frame).await?;
        line.flush().await
    }

    fn welcome_frame(&mut self) -> String {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let mut view = self.view(&snapshot);
        self.shown = Some(digest(&mut view));
        self.arm(snapshot.session.state());
        text(&ServerFrame::Welcome {
            server_time: self.clock.now().0,
            epoch: self.epoch.map(|epoch| epoch.0),
            last_client_seq: self.epoch.map_or(0, |epoch| last_client_seq(snapshot.session.state(), epoch)),
            last_question: self.epoch.and_then(|_| last_question(snapshot.session.state())),
            view: Box::new(view),
        })
    }

    pub(super) async fn show(&mut self, line: &mut Line) -> Result<(), Leave> {
        let Some(frame) = self.state_frame() else { return Ok(()) };
        line.put(frame).await?;
        line.flush().await
    }

    /// The view, if the page does not show it yet.
    fn state_frame(&mut self) -> Option<String> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let mut view = self.view(&snapshot);
        self.arm(snapshot.session.state());
        let shown = Some(digest(&mut view));
        if self.shown == shown {
            return None;
        }
        self.shown = shown;
        Some(text(&ServerFrame::State { server_time: self.clock.now().0, view: Box::new(view) }))
    }

    fn view(&mut self, snapshot: &Snapshot) -> CandidateView {
        let now = self.clock.now();
        // By time, so that a view of a later socket is never the older one.
        self.version = u64::try_from(now.0).unwrap_or(0).max(self.version + 1);
        let attach = if self.epoch.is_some() { Attach::InCharge } else { Attach::Waiting };
        let proctor_present = self.proctors.as_ref().is_some_and(|any| *any.borrow());
        let looked_at = self.lookers.any();
        let around = Around { now, version: self.version, proctor_present, looked_at, attach };
        view(&snapshot.session, around)
    }

    /// Time alone makes `begin` possible when the sitting opens, and impossible when it ends. One alarm for either: ten
    /// thousand sockets that looked every second would be ten thousand wake-ups for nothing.
    fn arm(&mut self, state: &State) {
        let now = self.clock.now();
        let ends = state.closes_at.map(|closes_at| At(closes_at.0 + 1));
        let next = [state.opens_at, ends].into_iter().flatten().filter(|at| *at > now).min();
        let next = next.filter(|_| matches!(state.stage, Stage::Preparing));
        self.bell = next.map(|at| {
            let left_ms = u64::try_from((at - now).0).unwrap_or(0);
            Box::pin(tokio::time::sleep(Duration::from_millis(left_ms)))
        });
    }
}

fn last_question(state: &State) -> Option<u16> {
    state.answers.iter().max_by_key(|(_, answer)| answer.seq).map(|(question, _)| *question)
}

fn last_client_seq(state: &State, epoch: Epoch) -> u64 {
    let superseded = state.kept_superseded.iter().filter(|(of, _)| *of == epoch).map(|(_, seq)| *seq);
    let known = state.receipts.under(epoch).chain(superseded);
    known.filter(|seq| *seq <= CLIENT_SEQ_MAX).max().unwrap_or(0)
}
