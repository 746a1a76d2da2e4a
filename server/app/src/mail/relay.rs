//! Letters on their way, with bounded patience: a letter is tried for about a day, then somebody must look.

use super::carrier::{Carrier, Undelivered};
use metrics::counter;
use ring::rand::SecureRandom as _;
use ring::rand::SystemRandom;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::time::Span;
use synaq_runtime::Clock;
use synaq_seal::secret::InstallationKey;
use synaq_store::{ClaimedLetter, LetterEnd, Mail};
use synaq_web::Content;
use tokio::sync::Notify;

/// A claim whose process died is due again after this: longer than all letters of one claim take.
const CLAIM: Span = Span::mins(10);
/// Letters of one claim, one after the other.
const CLAIM_LIMIT: u32 = 10;
/// Looks at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// First wait after a failure; each is twice as long as the one before, up to the cap.
const BACKOFF_BASE: Span = Span::secs(30);
/// Greylisting and a mail server's restart are over by then.
const BACKOFF_CAP: Span = Span::mins(2 * 60);
/// 30 s, 1 min ... 2 h: 18 attempts last about 20 hours. A link in a letter lives three days.
const ATTEMPTS: u32 = 18;

/// Sends what was posted.
pub(crate) struct Relay {
    pub(crate) rows: Arc<dyn Mail>,
    pub(crate) filled: Arc<Notify>,
    pub(crate) carrier: Carrier,
    pub(crate) key: Arc<InstallationKey>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Relay {
    /// Until aborted.
    pub(crate) async fn run(self) {
        loop {
            let wait = self.send_due().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "letters cannot be read; tried again");
                LOOK_EVERY
            });
            tokio::select! {
                () = self.filled.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn send_due(&self) -> Result<Duration, synaq_store::Error> {
        loop {
            let now = self.clock.now();
            let claimed = self.rows.claim_letters(now, now + CLAIM, CLAIM_LIMIT).await?;
            if claimed.is_empty() {
                break;
            }
            for claimed in claimed {
                let end = self.attempt(&claimed).await;
                let outcome = outcome_word(&end);
                counter!("synaq_mail_letters_total", "outcome" => outcome).increment(1);
                let (letter, kind) = (&claimed.letter.id, claimed.letter.kind.as_str());
                tracing::info!(%letter, kind, attempt = claimed.attempts + 1, outcome, "a letter was tried");
                self.rows.settle_letter(claimed.letter.id, self.clock.now(), end).await?;
            }
        }
        let next = self.rows.next_letter_due().await?;
        let wait = next
            .map_or(LOOK_EVERY, |at| Duration::from_millis((at - self.clock.now()).0.max(0).unsigned_abs()));
        Ok(wait.min(LOOK_EVERY))
    }

    async fn attempt(&self, claimed: &ClaimedLetter) -> LetterEnd {
        let Ok(content) = Content::open(&claimed.letter, &self.key) else {
            return LetterEnd::Failed { why: "it was written under another installation key".to_owned() };
        };
        match self.carrier.send(&claimed.letter, content).await {
            Ok(()) => LetterEnd::Sent,
            Err(Undelivered::Never(why)) => LetterEnd::Failed { why },
            Err(Undelivered::Later(why)) if claimed.attempts + 1 >= ATTEMPTS => LetterEnd::Failed { why },
            Err(Undelivered::Later(why)) => {
                LetterEnd::Retry { next_at: self.clock.now() + wait_after(claimed.attempts, chance()), why }
            }
        }
    }
}

/// From half to the whole of what is doubled with each attempt: many letters must not knock together.
fn wait_after(attempts: u32, chance: u8) -> Span {
    let whole = BACKOFF_BASE.0.saturating_mul(1 << attempts.min(20)).min(BACKOFF_CAP.0);
    Span(whole / 2 + whole / 2 * i64::from(chance) / i64::from(u8::MAX))
}

fn chance() -> u8 {
    let mut byte = [u8::MAX];
    // Without entropy the wait is the whole.
    let _ = SystemRandom::new().fill(&mut byte);
    byte[0]
}

const fn outcome_word(end: &LetterEnd) -> &'static str {
    match end {
        LetterEnd::Sent => "sent",
        LetterEnd::Retry { .. } => "retry",
        LetterEnd::Failed { .. } => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_has_a_bound_and_ends() {
        assert_eq!(wait_after(0, 255), BACKOFF_BASE);
        assert_eq!(wait_after(0, 0), Span(BACKOFF_BASE.0 / 2));
        assert_eq!(wait_after(1, 255), Span(2 * BACKOFF_BASE.0));
        assert_eq!(wait_after(40, 255), BACKOFF_CAP);
        let whole: i64 = (0..ATTEMPTS - 1).map(|attempts| wait_after(attempts, 255).0).sum();
        let hours = whole / 3_600_000;
        assert!((18..30).contains(&hours), "{hours}");
    }
}
