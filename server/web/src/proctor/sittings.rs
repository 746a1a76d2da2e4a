//! The sittings a proctor may watch: those of the centre.

use crate::auth::who::Who;
use crate::centre::Library;
use crate::convert;
use crate::problem::Refused;
use axum::extract::State;
use std::sync::Arc;
use synaq_core::ids::CentreId;
use synaq_store::Directory;
use synaq_wire::proctor::SittingRow;

/// All sittings of the centre, newest first.
pub(crate) async fn list(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    who: Who,
) -> Result<axum::Json<Vec<SittingRow>>, Refused> {
    let mut rows = Vec::new();
    for (sitting, candidates) in directory.sittings(who.staff.centre).await? {
        rows.push(row(&directory, &library, who.staff.centre, &sitting, candidates).await?);
    }
    Ok(axum::Json(rows))
}

/// A sitting as a row.
pub(crate) async fn row(
    directory: &Arc<dyn Directory>,
    library: &Library,
    centre: CentreId,
    sitting: &synaq_store::SittingRow,
    candidates: u32,
) -> Result<SittingRow, Refused> {
    let programme = directory.programme(centre, sitting.programme).await?;
    let (programme, _) = library.programme(centre, &programme).await?;
    Ok(SittingRow {
        sitting: sitting.id.0,
        title: sitting.title.clone(),
        programme: convert::text(&programme.title),
        opens_at: sitting.opens_at.0,
        closes_at: sitting.closes_at.0,
        candidates,
        capacity: sitting.standing.capacity,
        cancelled: sitting.standing.cancelled.is_some(),
    })
}
