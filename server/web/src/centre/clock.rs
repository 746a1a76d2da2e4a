//! How the server's clock stood while a sitting went on: marks beside other clocks, and the platform's signed receipts.

use super::results::Register;
use crate::auth::who::Who;
use crate::problem::Refused;
use axum::extract::{Path, State};
use std::sync::Arc;
use synaq_core::ids::SittingId;
use synaq_core::time::Span;
use synaq_runtime::Clock;
use synaq_seal::bundle::Statement;
use synaq_seal::jws::Jws;
use synaq_store::{ClockMark, Clocks, Delivery};
use synaq_wire::audit::{ClockEvidence, ClockMarkView, ReceiptTime};
use synaq_wire::problem::Code;

/// Candidates prepare before a sitting opens, and the last may end after it closes.
const AROUND: Span = Span::mins(6 * 60);
/// A day with four time servers has 720.
const MARKS_MAX: u32 = 5_000;

/// Everything that is known.
pub(crate) async fn show(
    State(register): State<Register>,
    State(clocks): State<Arc<dyn Clocks>>,
    State(clock): State<Arc<dyn Clock>>,
    Path(sitting): Path<String>,
    who: Who,
) -> Result<axum::Json<ClockEvidence>, Refused> {
    let centre = who.staff.centre;
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let row = register.directory.sitting(centre, sitting).await?;
    let (from, to) = (row.opens_at - AROUND, (row.closes_at + AROUND).min(clock.now()));
    let mut marks = clocks.clock_marks(from, to, MARKS_MAX + 1).await?;
    let most = usize::try_from(MARKS_MAX).unwrap_or(usize::MAX);
    let is_cut = marks.len() > most;
    marks.truncate(most);
    let candidates = register.directory.candidates(centre, sitting).await?;
    let sessions: Vec<_> = candidates.iter().map(|row| row.candidate.session).collect();
    let deliveries = register.outbox.deliveries(&sessions).await?;
    let mut receipts: Vec<_> = deliveries.iter().filter_map(receipt).collect();
    receipts.sort_by_key(|receipt| receipt.settled_at);
    let marks = marks.into_iter().map(mark).collect();
    let (from, to) = (from.0, to.0);
    Ok(axum::Json(ClockEvidence { sitting: sitting.0, title: row.title, from, to, marks, is_cut, receipts }))
}

fn mark(mark: ClockMark) -> ClockMarkView {
    let ClockMark { at, source, ahead_ms, within_ms, why } = mark;
    ClockMarkView { at: at.0, source, ahead_ms, within_ms, why }
}

/// A receipt that closed its row was verified then.
fn receipt(delivery: &Delivery) -> Option<ReceiptTime> {
    let jws: Jws = serde_json::from_str(delivery.receipt.as_deref()?).ok()?;
    let statement: Statement = serde_json::from_slice(&jws.decode_payload().ok()?).ok()?;
    let (ready_at, settled_at) = (delivery.message.created_at.0, delivery.settled_at?.0);
    Some(ReceiptTime {
        session: delivery.message.session.0,
        kind: delivery.message.kind.as_str().to_owned(),
        ready_at,
        received_at: statement.at,
        settled_at,
        ahead_ms: ahead(ready_at, statement.at, settled_at),
    })
}

/// What the order of three instants of two clocks proves: nothing is received before it is sent, or answered before that.
const fn ahead(ready: i64, received: i64, settled: i64) -> i64 {
    if received < ready {
        ready - received
    } else if received > settled {
        settled - received
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::ahead;

    #[test]
    fn a_receipt_between_sending_and_closing_proves_no_difference() {
        assert_eq!([ahead(100, 100, 100), ahead(100, 150, 200), ahead(100, 200, 200)], [0; 3]);
        assert_eq!(ahead(100, 40, 200), 60, "received before it was ready: our clock is ahead");
        assert_eq!(ahead(100, 230, 200), -30, "received after its receipt was here: our clock is behind");
    }
}
