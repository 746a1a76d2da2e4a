//! Delivery to the platform: only a verified receipt closes a message; network failure is never final.

use crate::ports::DeliveryError;
use crate::sealing::RECEIPT_TYP;
use crate::service::Ports;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::time::Span;
use synaq_seal::bundle::Statement;
use synaq_seal::jws::{self, Expected, Jws};
use synaq_seal::key::Purpose;
use synaq_store::{Claimed, NewMessage, Settlement};
use tokio::sync::{Notify, watch};

/// First wait after a failure (full jitter over it).
pub const BACKOFF_BASE: Span = Span::secs(5);
/// Longest wait: a government outage ends suddenly and the decision is urgent.
pub const BACKOFF_CAP: Span = Span::mins(15);
/// A claim whose process died is due again after this; longer than the platform client's time-out.
const CLAIM: Span = Span::secs(120);
/// Messages of one claim: their attempts, one after the other, end before the claim does.
const CLAIM_LIMIT: u32 = 3;
/// Looks at the outbox at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

pub(crate) struct Relay {
    pub(crate) ports: Arc<Ports>,
    pub(crate) filled: Arc<Notify>,
}

impl Relay {
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        loop {
            let delivered = tokio::select! {
                biased;
                delivered = self.deliver_due() => delivered,
                // An attempt that is cut off is due again when its claim ends; the platform knows it by its id.
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            let wait = delivered.unwrap_or_else(|error| {
                tracing::warn!(%error, "the outbox cannot be read");
                LOOK_EVERY
            });
            tokio::select! {
                biased;
                () = self.filled.notified() => {}
                () = tokio::time::sleep(wait) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    async fn deliver_due(&self) -> Result<Duration, synaq_store::Error> {
        loop {
            let now = self.ports.clock.now();
            let claimed = self.ports.outbox.claim(now, now + CLAIM, CLAIM_LIMIT).await?;
            if claimed.is_empty() {
                break;
            }
            for message in claimed {
                let settlement = self.attempt(&message).await;
                tracing::info!(
                    session = %message.message.session,
                    kind = message.message.kind.as_str(),
                    attempt = message.attempts + 1,
                    outcome = outcome_word(&settlement),
                    "a message was offered to the platform"
                );
                self.ports.outbox.settle(message.message.id, self.ports.clock.now(), settlement).await?;
            }
        }
        let next = self.ports.outbox.next_due().await?;
        let wait = next.map_or(LOOK_EVERY, |at| {
            Duration::from_millis(
                u64::try_from((at - self.ports.clock.now()).0.max(0)).expect("not negative"),
            )
        });
        Ok(wait.min(LOOK_EVERY))
    }

    async fn attempt(&self, claimed: &Claimed) -> Settlement {
        match self.ports.platform.deliver(&claimed.message).await {
            Ok(answer) => match self.check(&claimed.message, &answer.receipt) {
                Ok(platform_ref) => Settlement::Accepted { receipt: answer.receipt, platform_ref },
                // A success without a valid receipt is none (threat: the platform lies).
                Err(why) => {
                    let session = claimed.message.session;
                    tracing::warn!(%session, why, "the platform took a message and gave no valid receipt; its operator should know");
                    self.later(claimed.attempts, None, why)
                }
            },
            Err(DeliveryError::Retry { why, after }) => self.later(claimed.attempts, after, why),
            Err(DeliveryError::Refused { why }) => Settlement::Refused { why },
        }
    }

    fn check(&self, message: &NewMessage, receipt: &str) -> Result<String, String> {
        let jws: Jws = serde_json::from_str(receipt).map_err(|_| "the receipt is not a JWS".to_owned())?;
        let expected =
            Expected { typ: RECEIPT_TYP, purpose: Purpose::Platform, at: Some(self.ports.clock.now().0) };
        let verified =
            jws::verify(&jws, &expected, &self.ports.keys.trust).map_err(|error| error.to_string())?;
        let value = synaq_seal::json::parse(&verified.payload).map_err(|error| error.to_string())?;
        let statement: Statement =
            serde_json::from_value(value).map_err(|_| "the receipt has another shape".to_owned())?;
        if statement.record_sha256 != message.sha256 {
            return Err("the receipt names another digest".to_owned());
        }
        if statement.about.get("id").is_none_or(|id| *id != message.id.to_string()) {
            return Err("the receipt is for another message".to_owned());
        }
        let platform_ref = statement.about.get("platform_ref").and_then(|value| value.as_str());
        platform_ref.map(str::to_owned).ok_or_else(|| "the receipt has no reference".to_owned())
    }

    fn later(&self, attempts: u32, after: Option<Span>, why: String) -> Settlement {
        let ceiling = BACKOFF_BASE.0.saturating_mul(1 << attempts.min(20)).min(BACKOFF_CAP.0);
        let wait = after.unwrap_or_else(|| Span(self.jitter(ceiling)));
        Settlement::Retry { next_at: self.ports.clock.now() + wait, why }
    }

    /// Uniform in `ceiling / 10 ..= ceiling`: many nodes must not knock together, and never at once.
    fn jitter(&self, ceiling: i64) -> i64 {
        let mut bytes = [0; 4];
        let share = match self.ports.keys.random.fill(&mut bytes) {
            Ok(()) => i64::from(u32::from_be_bytes(bytes)),
            Err(_) => i64::from(u32::MAX),
        };
        let floor = ceiling / 10;
        floor + (ceiling - floor) * share / i64::from(u32::MAX)
    }
}

fn outcome_word(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Accepted { .. } => "accepted",
        Settlement::Retry { .. } => "retry",
        Settlement::Refused { .. } => "refused",
    }
}
