//! The port to whoever looks at pictures for a machine's sake.

use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::proctoring::Code;
use synaq_wire::candidate::Seen;
use tokio::sync::oneshot;

/// Advice that comes later is about another picture.
pub(crate) const GLANCE_PATIENCE: Duration = Duration::from_secs(3);

/// Detectors, beside the way of answers: neither call waits for anything.
pub trait Sight: Send + Sync {
    /// A still of the running exam that came over HTTP: it is looked at as those of the video are.
    fn take(&self, session: SessionId, picture: Bytes);

    /// What one picture shows to the one who is in it, before the exam; what an accommodation switches off is not looked
    /// for (LAW-30). `None` when too many ask at once. Nothing is claimed or kept of it.
    fn glance(&self, picture: Bytes, switched_off: &BTreeSet<Code>) -> Option<oneshot::Receiver<Seen>>;
}
