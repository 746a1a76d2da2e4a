//! The sittings a proctor may watch: those of the centre.

use crate::auth::who::Who;
use crate::centre::Library;
use crate::convert;
use crate::problem::Refused;
use axum::extract::State;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use synaq_core::ids::{CentreId, ProgrammeId};
use synaq_store::Directory;
use synaq_wire::candidate::Text;
use synaq_wire::proctor::SittingRow;

/// All sittings of the centre, newest first.
pub(crate) async fn list(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    who: Who,
) -> Result<axum::Json<Vec<SittingRow>>, Refused> {
    let centre = who.staff.centre;
    let sittings = directory.sittings(centre).await?;
    Ok(axum::Json(rows(&directory, &library, centre, sittings).await?))
}

/// Sittings as rows, in their order.
pub(crate) async fn rows(
    directory: &Arc<dyn Directory>,
    library: &Library,
    centre: CentreId,
    sittings: Vec<(synaq_store::SittingRow, u32)>,
) -> Result<Vec<SittingRow>, Refused> {
    // A thousand sittings are of a few programmes.
    let mut titles: HashMap<ProgrammeId, Text> = HashMap::new();
    let mut rows = Vec::with_capacity(sittings.len());
    for (sitting, candidates) in sittings {
        let title = match titles.entry(sitting.programme) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unread) => {
                unread.insert(title(directory, library, centre, sitting.programme).await?).clone()
            }
        };
        rows.push(as_row(&sitting, title, candidates));
    }
    Ok(rows)
}

/// A sitting as a row.
pub(crate) async fn row(
    directory: &Arc<dyn Directory>,
    library: &Library,
    centre: CentreId,
    sitting: &synaq_store::SittingRow,
    candidates: u32,
) -> Result<SittingRow, Refused> {
    let title = title(directory, library, centre, sitting.programme).await?;
    Ok(as_row(sitting, title, candidates))
}

async fn title(
    directory: &Arc<dyn Directory>,
    library: &Library,
    centre: CentreId,
    programme: ProgrammeId,
) -> Result<Text, Refused> {
    let programme = directory.programme(centre, programme).await?;
    let (programme, _) = library.programme(centre, &programme).await?;
    Ok(convert::text(&programme.title))
}

fn as_row(sitting: &synaq_store::SittingRow, programme: Text, candidates: u32) -> SittingRow {
    SittingRow {
        sitting: sitting.id.0,
        title: sitting.title.clone(),
        programme,
        opens_at: sitting.opens_at.0,
        closes_at: sitting.closes_at.0,
        candidates,
        capacity: sitting.standing.capacity,
        cancelled: sitting.standing.cancelled.is_some(),
    }
}
