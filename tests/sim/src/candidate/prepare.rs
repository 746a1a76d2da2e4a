//! From the link to the first question.

use super::{Candidate, Todo};
use synaq_core::bank::Lang;
use synaq_core::form::Seed;
use synaq_core::session::{
    AcknowledgedText, Command, DeviceReport, EvidenceRef, Input, MediaFact, PhotoKind, Stage, State,
};

/// A page looks again this often whether the next step can be taken.
const LOOK_MS: u64 = 700;

impl Candidate {
    pub(super) async fn prepare(&mut self) {
        let Some(seen) = self.seen.clone() else { return };
        let state = seen.session.state();
        if !matches!(state.stage, Stage::Preparing) {
            self.preparing = false;
            return;
        }
        self.after(LOOK_MS, Todo::Prepare);
        if !self.in_charge || !self.page.is_empty() {
            return;
        }
        if let Some(command) = next_command(state) {
            self.put(command);
        } else if state.admitted.is_none() {
            self.photograph(state).await;
        } else if state.form.is_none() {
            let nonce = Seed(self.dice.bytes());
            self.put(Command::Ready { nonce });
        } else if !(state.video && state.audio) {
            self.publish().await;
        } else {
            self.put(Command::Begin);
        }
    }

    /// Both photos, then the proctor is asked.
    async fn photograph(&mut self, state: &State) {
        if state.identity_submitted {
            return;
        }
        let missing: Vec<_> = [PhotoKind::Face, PhotoKind::Document]
            .into_iter()
            .filter(|kind| !state.photos.contains_key(kind))
            .collect();
        if missing.is_empty() {
            self.put(Command::SubmitIdentity);
        }
        let node = self.ground.node.borrow().clone();
        let Some(node) = node else { return };
        for kind in missing {
            let digest = self.dice.bytes().map(|byte| format!("{byte:02x}")).concat();
            let evidence =
                EvidenceRef { name: format!("{kind:?}-{}", self.connections), sha256: digest, bytes: 9 };
            // Whatever became of it, the next view says.
            let _ = node.handle.submit(self.session, Input::Photo { kind, evidence }).await;
        }
    }

    /// Both photos once more, looked at again until they are sent: the check stays open until then.
    pub(super) async fn photograph_again(&mut self) {
        let Some(recheck) = self.seen.as_ref().and_then(|seen| seen.session.state().recheck.clone()) else {
            return;
        };
        if recheck.submitted || !self.in_charge {
            return;
        }
        let node = self.ground.node.borrow().clone();
        let Some(node) = node else { return self.after(LOOK_MS, Todo::Photograph) };
        for kind in [PhotoKind::Face, PhotoKind::Document] {
            let digest = self.dice.bytes().map(|byte| format!("{byte:02x}")).concat();
            let name = format!("again-{kind:?}-{}", &digest[..8]);
            let photo = Input::Photo { kind, evidence: EvidenceRef { name, sha256: digest, bytes: 9 } };
            if node.handle.submit(self.session, photo).await.is_err() {
                return self.after(LOOK_MS, Todo::Photograph);
            }
        }
        self.put(Command::SubmitIdentity);
    }

    /// Camera and microphone reach the server.
    pub(super) async fn publish(&mut self) {
        self.publishing = false;
        let node = self.ground.node.borrow().clone();
        let flow = MediaFact::Flow { video: !self.picture_lost, audio: true };
        if let Some(node) = node {
            // Lost or not, the next view says what arrives.
            let _ = node.handle.submit(self.session, Input::Media(flow)).await;
        }
    }
}

fn next_command(state: &State) -> Option<Command> {
    if state.lang.is_none() {
        return Some(Command::ChooseLanguage(Lang::Kk));
    }
    if state.consent.is_none() {
        return Some(Command::Consent { text_version: "consent-1".to_owned(), lang: Lang::Kk });
    }
    if state.device_report.is_none() {
        let report =
            DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
        return Some(Command::CheckDevice(report));
    }
    state.admitted?;
    let text = AcknowledgedText::ALL.into_iter().find(|text| !state.acknowledged.contains_key(text))?;
    Some(Command::Acknowledge { text, text_version: "1".to_owned(), lang: Lang::Kk })
}
