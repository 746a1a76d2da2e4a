//! How long a page waits before it tries again: the candidate's (`exam-client/candidate/src/session.ts`, `RETRY_BASE_MS`
//! and `RETRY_CAP_MS`) and the proctor's (`exam-client/proctor/src/rules.ts`, `reconnectWait`).

use crate::line::http::Refusal;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use std::time::Duration;

const CANDIDATE_BASE: Duration = Duration::from_millis(300);
const CANDIDATE_CAP: Duration = Duration::from_secs(5);
const PROCTOR_BASE: Duration = Duration::from_millis(500);
const PROCTOR_CAP: Duration = Duration::from_secs(10);

/// Attempts since the line was lost.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// Anything below a growing limit; what the server asked for is the least.
    pub(super) fn of_a_candidate(&mut self, told: Option<Duration>, rng: &mut SmallRng) -> Duration {
        let most = self.longest(CANDIDATE_BASE, CANDIDATE_CAP);
        most.mul_f64(rng.random()).max(told.unwrap_or_default())
    }

    /// At least half of a growing limit.
    pub(super) fn of_a_proctor(&mut self) -> Duration {
        self.longest(PROCTOR_BASE, PROCTOR_CAP).mul_f64(rand::random_range(0.5..1.0))
    }

    fn longest(&mut self, base: Duration, cap: Duration) -> Duration {
        let most = base.saturating_mul(1 << self.0.min(16)).min(cap);
        self.0 += 1;
        most
    }
}

/// What the server asked for, if it answered at all and asked for a pause.
pub(super) fn told(error: &anyhow::Error) -> Option<Duration> {
    error.downcast_ref::<Refusal>().and_then(|refusal| refusal.retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn a_page_waits_longer_each_time_and_no_shorter_than_it_was_told() {
        let (mut attempts, mut rng) = (Attempts::default(), SmallRng::seed_from_u64(1));
        for most_ms in [300, 600, 1_200, 2_400, 4_800, 5_000, 5_000] {
            assert!(attempts.of_a_candidate(None, &mut rng) < Duration::from_millis(most_ms));
        }
        let told = Duration::from_secs(30);
        assert_eq!(attempts.of_a_candidate(Some(told), &mut rng), told);
    }
}
