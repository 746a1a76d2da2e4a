//! Whose session it is. Another centre's looks exactly like none.

use crate::problem::Refused;
use synaq_core::ids::{CentreId, SessionId};
use synaq_runtime::{Handle, Snapshot};
use synaq_wire::problem::Code;

/// The session, if it is the centre's own.
pub(crate) async fn own(runtime: &Handle, centre: CentreId, session: &str) -> Result<Snapshot, Refused> {
    let session: SessionId = session.parse().map_err(|_| Code::NotFound)?;
    let snapshot = runtime.look(session).await?;
    if snapshot.session.state().centre == Some(centre) {
        return Ok(snapshot);
    }
    Err(Code::NotFound.into())
}
