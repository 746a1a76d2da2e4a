//! The central platform, played: it keeps one copy of everything, and answers as the plan says.

use crate::history::History;
use crate::ports::{START, key, platform_key, random};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synaq_core::time::Span;
use synaq_runtime::{DeliveryError, PlatformAnswer, PlatformPort};
use synaq_seal::bundle::{RECEIPT_TYP, Statement};
use synaq_seal::key::SigningKey;
use synaq_seal::{jws, sha256};
use synaq_store::{MessageKind, NewMessage};
use uuid::Uuid;

/// How the platform behaves while a fault lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mood {
    Down,
    Slow(u64),
    Lies,
    Forgets,
    Refuses,
}

/// The platform's own store and mood.
pub(crate) struct SimPlatform {
    pub(crate) history: Arc<History>,
    state: Mutex<State>,
    key: SigningKey,
    stranger: SigningKey,
}

#[derive(Default)]
struct State {
    moods: Vec<Mood>,
    kept: BTreeMap<Uuid, NewMessage>,
    asked: u64,
}

impl SimPlatform {
    pub(crate) fn new(history: Arc<History>) -> Self {
        Self { history, state: Mutex::default(), key: platform_key(), stranger: key(9) }
    }

    pub(crate) fn begin(&self, mood: Mood) {
        self.state.lock().expect("no panic while locked").moods.push(mood);
    }

    pub(crate) fn end(&self, mood: Mood) {
        let mut state = self.state.lock().expect("no panic while locked");
        if let Some(place) = state.moods.iter().position(|held| *held == mood) {
            state.moods.remove(place);
        }
    }

    /// What it keeps, by idempotency key.
    pub(crate) fn kept(&self) -> BTreeMap<Uuid, NewMessage> {
        self.state.lock().expect("no panic while locked").kept.clone()
    }

    fn take_in(&self, message: &NewMessage) {
        let mut state = self.state.lock().expect("no panic while locked");
        let record = state.kept.get(&message.session.0).is_some_and(|kept| kept.kind == MessageKind::Record);
        if message.kind != MessageKind::Record && !record {
            let detail = "an approval came before its record was kept";
            self.history.find("approval_before_record", Some(message.session), detail);
        }
        match state.kept.get(&message.id) {
            Some(kept) if (&kept.body, kept.sha256) != (&message.body, message.sha256) => {
                let detail = "another document came under an id that was used before";
                self.history.find("two_documents_under_one_id", Some(message.session), detail);
            }
            Some(_) => self.history.count("platform_saw_again"),
            None => drop(state.kept.insert(message.id, message.clone())),
        }
    }

    fn receipt(&self, message: &NewMessage, lie: Option<u64>) -> String {
        let id = if lie == Some(0) { Uuid::nil() } else { message.id };
        let about =
            serde_json::json!({ "kind": "receipt", "id": id, "platform_ref": format!("T-{}", message.id) });
        let record_sha256 = if lie == Some(1) { sha256(b"another") } else { message.sha256 };
        let about = about.as_object().expect("an object").clone();
        let payload = Statement { record_sha256, at: START.0, about }.to_bytes().expect("plain JSON");
        let signer = if lie == Some(2) { &self.stranger } else { &self.key };
        let signed =
            jws::sign(&payload, RECEIPT_TYP, signer, random(7).as_ref()).expect("Ed25519 cannot fail");
        serde_json::to_string(&signed).expect("plain JSON")
    }
}

fn retry(why: &str) -> DeliveryError {
    DeliveryError::Retry { why: why.to_owned(), after: Some(Span::secs(7)) }
}

#[async_trait]
impl PlatformPort for SimPlatform {
    async fn deliver(&self, message: &NewMessage) -> Result<PlatformAnswer, DeliveryError> {
        let (mood, asked) = {
            let mut state = self.state.lock().expect("no panic while locked");
            state.asked += 1;
            (state.moods.last().copied(), state.asked)
        };
        tokio::time::sleep(Duration::from_millis(35)).await;
        match mood {
            Some(Mood::Down) => return Err(DeliveryError::Retry { why: "down".to_owned(), after: None }),
            Some(Mood::Refuses) => {
                self.history.count("platform_refused");
                return Err(DeliveryError::Refused { why: "no".to_owned() });
            }
            Some(Mood::Lies) if asked % 4 == 3 => return Ok(PlatformAnswer { receipt: "OK".to_owned() }),
            Some(Mood::Lies) => {
                let receipt = self.receipt(message, Some(asked % 4));
                return Ok(PlatformAnswer { receipt });
            }
            Some(Mood::Slow(each_ms)) => tokio::time::sleep(Duration::from_millis(each_ms)).await,
            Some(Mood::Forgets) | None => {}
        }
        self.take_in(message);
        match mood {
            Some(Mood::Forgets) => Err(retry("its answer was lost")),
            _ => Ok(PlatformAnswer { receipt: self.receipt(message, None) }),
        }
    }
}
