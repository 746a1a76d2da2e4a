//! Freezing a record: canonical bytes, seal, and the outbox row, all in the transaction that says it is sealed.

use crate::ports::{LogDigest, SessionSource, SourceError};
use ring::rand::SecureRandom;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use synaq_core::decision;
use synaq_core::ids::{SessionId, StaffId};
use synaq_core::session::{ExamSession, Ruling, SealWaits, Voided};
use synaq_core::time::At;
use synaq_seal::bundle::{self, Statement};
use synaq_seal::key::{SigningKey, TrustSet};
use synaq_seal::{Digest, chain, jws, merkle, sha256};
use synaq_store::{MessageKind, NewApproval, NewMessage, NewRecord, Recorded};
use uuid::Uuid;

/// JWS type of a sealed record.
pub const RECORD_TYP: &str = bundle::RECORD_TYP;
/// JWS type of an approval.
pub const APPROVAL_TYP: &str = bundle::APPROVAL_TYP;
/// JWS type of a notice that an attempt does not count.
pub const VOID_TYP: &str = bundle::VOID_TYP;
/// JWS type of the platform's receipt.
pub const RECEIPT_TYP: &str = bundle::RECEIPT_TYP;

/// Keys by purpose (security-reliability 1.3).
#[derive(Clone)]
pub struct SealingKeys {
    /// Seals records
    pub seal: Arc<SigningKey>,
    /// Signs the commission's approvals
    pub approval: Arc<SigningKey>,
    /// Keys of the platform, to verify receipts
    pub trust: Arc<TrustSet>,
    /// For signatures
    pub random: Arc<dyn SecureRandom + Send + Sync>,
}

impl std::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKeys(..)")
    }
}

/// Why a record could not be sealed now. The session stays closed and unsealed; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the record waits: {0:?}")]
    Waits(SealWaits),
    #[error("the facts for the record cannot be read")]
    Facts(#[source] SourceError),
    #[error("the record breaks the JSON profile")]
    Profile(#[source] synaq_seal::json::Error),
    #[error("the seal was not made")]
    Seal(#[source] jws::Error),
}

pub(crate) struct Sealed {
    pub(crate) record: NewRecord,
    pub(crate) message: NewMessage,
}

/// Digest of a whole stream.
pub(crate) fn digest(id: SessionId, log: &[Recorded]) -> Result<LogDigest, synaq_seal::json::Error> {
    let sid = id.to_string();
    let mut frontier = merkle::Frontier::default();
    let mut head = chain::GENESIS;
    for event in log {
        let body = synaq_seal::json::parse(event.body.as_bytes())?;
        let leaf = chain::leaf(&sid, event.seq.0, event.at.0, &event.kind, &body)?;
        head = chain::next(&head, &leaf);
        frontier.push(&leaf);
    }
    Ok(LogDigest { count: frontier.count(), head, root: frontier.root() })
}

pub(crate) async fn seal(
    id: SessionId,
    session: &ExamSession,
    log: &[Recorded],
    source: &dyn SessionSource,
    keys: &SealingKeys,
    at: At,
) -> Result<Sealed, SealError> {
    let digest = digest(id, log).map_err(SealError::Profile)?;
    let facts = source.facts(session, id, digest, at).await.map_err(SealError::Facts)?;
    let record = decision::fold(session, &facts).map_err(SealError::Waits)?;
    let payload = canonical(&record)?;
    let (body, kid) = sign(&payload, RECORD_TYP, &keys.seal, keys)?;
    let sha256 = sha256(&payload);
    // The session's own id is the idempotency key: a session has at most one record.
    let message = NewMessage {
        id: id.0,
        session: id,
        kind: MessageKind::Record,
        body: body.clone(),
        sha256,
        created_at: at,
    };
    let record = NewRecord { session: id, payload, sha256, jws: body, kid, sealed_at: at };
    Ok(Sealed { record, message })
}

/// The commission's approval as a signed statement over the record's digest.
pub(crate) struct Approver<'a> {
    pub(crate) staff: StaffId,
    pub(crate) name: &'a str,
    pub(crate) note: Option<&'a str>,
    /// Needed when the exam went without supervision for too long
    pub(crate) ruling: Option<&'a Ruling>,
    pub(crate) at: At,
}

pub(crate) fn approve(
    session: SessionId,
    record_sha256: Digest,
    by: &Approver<'_>,
    keys: &SealingKeys,
) -> Result<(NewApproval, NewMessage), SealError> {
    let mut about = serde_json::Map::new();
    about.insert("kind".to_owned(), "record-approval".into());
    about.insert("session".to_owned(), session.to_string().into());
    about.insert("approved_by".to_owned(), json!({ "id": by.staff.to_string(), "name": by.name }));
    if let Some(note) = by.note {
        about.insert("note".to_owned(), note.into());
    }
    if let Some(Ruling { valid, note }) = by.ruling {
        about.insert("ruling".to_owned(), json!({ "valid": valid, "note": note }));
    }
    let payload = canonical(&Statement { record_sha256, at: by.at.0, about })?;
    let (body, _) = sign(&payload, APPROVAL_TYP, &keys.approval, keys)?;
    let message = NewMessage {
        id: approval_id(session),
        session,
        kind: MessageKind::Approval,
        body: body.clone(),
        sha256: sha256(&payload),
        created_at: by.at,
    };
    Ok((NewApproval { session, jws: body }, message))
}

/// A notice that the attempt of a sealed record does not count: who said so, on which ground, and which attempt takes its
/// place. Without the words of the reason, which may be about somebody's health; they stand in the log.
pub(crate) fn void(
    session: SessionId,
    record_sha256: Digest,
    (voided, name): (&Voided, &str),
    at: At,
    keys: &SealingKeys,
) -> Result<NewMessage, SealError> {
    let mut about = serde_json::Map::new();
    about.insert("kind".to_owned(), "attempt-void".into());
    about.insert("session".to_owned(), session.to_string().into());
    about.insert("voided_by".to_owned(), json!({ "id": voided.by.to_string(), "name": name }));
    about.insert("ground".to_owned(), voided.ground.as_str().into());
    if let Some(replaced_by) = voided.replaced_by {
        about.insert("replaced_by".to_owned(), replaced_by.to_string().into());
    }
    let payload = canonical(&Statement { record_sha256, at: at.0, about })?;
    let (body, _) = sign(&payload, VOID_TYP, &keys.approval, keys)?;
    let sha256 = sha256(&payload);
    // A notice that says something new (a new attempt was issued later) is another message.
    let id = key_of(&format!("void:{sha256}"));
    Ok(NewMessage { id, session, kind: MessageKind::Void, body, sha256, created_at: at })
}

/// The approval's idempotency key, made from the session's: a session has at most one approval.
fn approval_id(session: SessionId) -> Uuid {
    key_of(&format!("approval:{session}"))
}

/// An idempotency key: the same of the same words.
fn key_of(words: &str) -> Uuid {
    let Digest(bytes) = sha256(words.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

/// Canonical bytes of what we sign ourselves; names may have been typed in decomposed letters.
fn canonical(document: &impl Serialize) -> Result<Vec<u8>, SealError> {
    let mut value = serde_json::to_value(document).expect("what we sign is plain JSON");
    synaq_seal::json::normalize(&mut value);
    synaq_seal::json::canonical(&value).map_err(SealError::Profile)
}

fn sign(
    payload: &[u8],
    typ: &str,
    key: &SigningKey,
    keys: &SealingKeys,
) -> Result<(String, String), SealError> {
    let jws = jws::sign(payload, typ, key, keys.random.as_ref()).map_err(SealError::Seal)?;
    let text = serde_json::to_string(&jws).expect("a JWS is plain JSON");
    Ok((text, key.public().kid().0.clone()))
}
