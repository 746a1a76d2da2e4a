//! Until when evidence of a session is kept, who holds it, and what was erased.

use super::Audit;
use super::arrange::reason;
use crate::auth::who::Who;
use crate::body::Json;
use crate::owner::own;
use crate::problem::Refused;
use crate::timeline::Names;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::calendar::Calendar;
use synaq_core::ids::SessionId;
use synaq_core::retention::{DataClass, Standing, Terms, Verdict, verdict};
use synaq_core::session::State as Known;
use synaq_core::time::At;
use synaq_runtime::{Clock, Handle};
use synaq_store::{ErasureRow, Ground, HoldRow, Lifted, Retention};
use synaq_wire::centre::{HoldView, Keeping, KeptClass, LiftHold, PlaceHold};
use synaq_wire::problem::{Code, Problem};

/// What decides about evidence.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(super) retention: Arc<dyn Retention>,
    pub(super) terms: Terms,
    pub(super) clock: Arc<dyn Clock>,
}

impl axum::extract::FromRef<crate::doors::App> for Keeper {
    fn from_ref(app: &crate::doors::App) -> Self {
        let (retention, terms) = app.retention();
        Self { retention, terms, clock: axum::extract::FromRef::from_ref(app) }
    }
}

/// Holds the evidence of a session on a ground.
pub(crate) async fn place(
    State(runtime): State<Handle>,
    State(keeper): State<Keeper>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<PlaceHold>,
) -> Result<StatusCode, Refused> {
    let id = own(&runtime, who.staff.centre, &session).await?.id;
    let ground = Ground::ALL.into_iter().find(|ground| ground.as_str() == body.ground);
    let Some(ground) = ground else {
        return Err(Problem::new(Code::OutOfLimits).detail("ground is appeal or centre").into());
    };
    let hold = HoldRow {
        session: id,
        ground,
        reason: reason(&body.reason)?,
        placed_at: keeper.clock.now(),
        placed_by: who.staff.id,
        lifted: None,
    };
    match keeper.retention.place_hold(who.staff.centre, hold).await {
        Err(synaq_store::Error::Taken(_)) => return Err(Code::HoldOpen.into()),
        placed => placed?,
    }
    audit.note(&who, "hold_placed", id.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lifts the open hold.
pub(crate) async fn lift(
    State(runtime): State<Handle>,
    State(keeper): State<Keeper>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<LiftHold>,
) -> Result<StatusCode, Refused> {
    let id = own(&runtime, who.staff.centre, &session).await?.id;
    let lifted = Lifted { at: keeper.clock.now(), by: who.staff.id, note: reason(&body.reason)? };
    match keeper.retention.lift_hold(who.staff.centre, id, lifted).await {
        Err(synaq_store::Error::NotFound) => return Err(Code::NothingWaits.into()),
        done => done?,
    }
    audit.note(&who, "hold_lifted", id.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is shown of it, and what of the session is erased.
pub(super) async fn view(
    keeper: &Keeper,
    id: SessionId,
    state: &Known,
    closes_at: At,
    names: &Names,
) -> Result<(Keeping, Vec<DataClass>), Refused> {
    let holds = keeper.retention.holds(id).await?;
    let erasures = keeper.retention.erasures(id).await?;
    let standing = Standing {
        held: holds.iter().any(|hold| hold.lifted.is_none()),
        started: state.started_at.is_some(),
        closes_at,
        finished_at: match &state.stage {
            synaq_core::session::Stage::Closed { at, .. } => Some(*at),
            _ => None,
        },
        decided_at: state.approved.map(|(_, at)| at),
    };
    let class = |class: DataClass| {
        let erasure = erasures.iter().find(|row| row.class == class && row.destroyed_at.is_some());
        match erasure {
            Some(row) => erased(row),
            None => kept(
                class,
                verdict(class, &keeper.terms, &standing, &Calendar::kazakhstan(), keeper.clock.now()),
            ),
        }
    };
    let gone = erasures.iter().filter(|row| row.destroyed_at.is_some()).map(|row| row.class).collect();
    let keeping = Keeping {
        holds: holds.iter().map(|hold| hold_view(hold, names)).collect(),
        classes: DataClass::ALL.into_iter().map(class).collect(),
    };
    Ok((keeping, gone))
}

fn erased(row: &ErasureRow) -> KeptClass {
    KeptClass {
        class: row.class.to_string(),
        state: "erased".to_owned(),
        at: row.destroyed_at.map(|at| at.0),
        rule: Some(row.rule.clone()),
    }
}

fn kept(class: DataClass, verdict: Verdict) -> KeptClass {
    let (state, at) = match verdict {
        Verdict::Held => ("held", None),
        Verdict::Undecided => ("undecided", None),
        Verdict::Until(at) => ("until", Some(at.0)),
        Verdict::Due(at) => ("due", Some(at.0)),
    };
    KeptClass { class: class.to_string(), state: state.to_owned(), at, rule: None }
}

fn hold_view(hold: &HoldRow, names: &Names) -> HoldView {
    let lifted = hold.lifted.as_ref();
    HoldView {
        ground: hold.ground.as_str().to_owned(),
        reason: hold.reason.clone(),
        placed_at: hold.placed_at.0,
        placed_by: names.get(hold.placed_by),
        lifted_at: lifted.map(|lifted| lifted.at.0),
        lifted_by: lifted.map(|lifted| names.get(lifted.by)),
        lift_reason: lifted.map(|lifted| lifted.note.clone()),
    }
}
