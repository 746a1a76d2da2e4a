//! What the centre changes reaches the sessions that were opened already.

use crate::auth::who::Who;
use crate::form::plain_lines;
use crate::problem::Refused;
use axum::extract::FromRef;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::limits::REASON_CHARS;
use synaq_core::session::{Arrangement, Input, Stage};
use synaq_core::time::Span;
use synaq_runtime::{Clock, Handle, SubmitError};
use synaq_store::{CandidateRow, Directory, EventLog, SittingRow, Why};
use synaq_wire::centre::{ChangeView, EndedView, Told};
use synaq_wire::problem::{Code, Problem};

use crate::timeline::Names;

/// A session is told again after such a pause, if the store was away.
const PAUSE: Duration = Duration::from_millis(200);
/// Tries for each; then it learns of the change when it is loaded the next time.
const TRIES: u32 = 10;

/// Everything that changes are made with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) runtime: Handle,
    pub(super) clock: Arc<dyn Clock>,
}

impl FromRef<crate::doors::App> for Desk {
    fn from_ref(app: &crate::doors::App) -> Self {
        Self {
            directory: FromRef::from_ref(app),
            log: FromRef::from_ref(app),
            runtime: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
        }
    }
}

impl Desk {
    pub(super) fn why(&self, who: &Who, reason: &str) -> Result<Why, Refused> {
        Ok(Why { at: self.clock.now(), by: who.staff.id, reason: self::reason(reason)? })
    }

    /// Where the session stands in the lists: `created` before its link was opened.
    pub(super) async fn state(&self, session: SessionId) -> Result<String, Refused> {
        let stored = self.log.summaries(&[session]).await?.pop();
        Ok(stored.map_or_else(|| "created".to_owned(), |summary| summary.state))
    }

    /// Tells those of the candidates who are in preparation how it is arranged now. A browser that closes its connection
    /// takes nothing back: whoever was not told would go by the old times.
    pub(super) async fn tell(
        &self,
        sitting: &SittingRow,
        candidates: Vec<CandidateRow>,
        why: &Why,
    ) -> Result<Told, Refused> {
        let (desk, sitting, why) = (self.clone(), sitting.clone(), why.clone());
        let told = tokio::spawn(async move { desk.tell_all(&sitting, candidates, &why).await });
        told.await.map_err(|_| Code::Internal)?
    }

    async fn tell_all(
        &self,
        sitting: &SittingRow,
        candidates: Vec<CandidateRow>,
        why: &Why,
    ) -> Result<Told, Refused> {
        let sessions: Vec<_> = candidates.iter().map(|row| row.candidate.session).collect();
        let mut told = Told { told: 0, running: 0, untold: 0 };
        let stored = self.log.summaries(&sessions).await?;
        let open = |state: &str| !matches!(state, "closed" | "sealed" | "approved");
        let begun = stored.into_iter().filter(|summary| open(&summary.state));
        let begun: BTreeSet<SessionId> = begun.map(|summary| summary.session).collect();
        for row in candidates.iter().filter(|row| begun.contains(&row.candidate.session)) {
            match self.tell_one(sitting, row, why).await {
                Ok(Stage::Running { .. }) => told.running += 1,
                Ok(_) => told.told += 1,
                Err(error) => {
                    tracing::warn!(session = %row.candidate.session, %error, "a session was not told of a change yet");
                    told.untold += 1;
                }
            }
        }
        Ok(told)
    }

    async fn tell_one(
        &self,
        sitting: &SittingRow,
        row: &CandidateRow,
        why: &Why,
    ) -> Result<Stage, SubmitError> {
        let session = row.candidate.session;
        let arrangement = Box::new(arrangement(sitting, row, why));
        for attempt in 1.. {
            match self.runtime.submit(session, Input::Arrange(arrangement.clone())).await {
                Ok(_) => break,
                Err(SubmitError::Busy { .. } | SubmitError::Store) if attempt < TRIES => {
                    tokio::time::sleep(PAUSE * attempt).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.runtime.look(session).await?.session.state().stage.clone())
    }
}

fn arrangement(sitting: &SittingRow, row: &CandidateRow, why: &Why) -> Arrangement {
    let candidate = &row.candidate;
    Arrangement {
        opens_at: sitting.opens_at,
        closes_at: sitting.closes_at,
        extra: Span::mins(i64::from(candidate.extra_minutes)),
        switched_off: candidate.switched_off.iter().filter_map(|code| code.parse().ok()).collect(),
        care: candidate.more.care.clone(),
        called_off: row.called_off(sitting),
        by: Some(why.by),
        reason: why.reason.clone(),
    }
}

/// A reason as it is stored and shown.
pub(super) fn reason(text: &str) -> Result<String, Refused> {
    let text = plain_lines(text);
    let control = |c: char| c.is_control() && c != '\n';
    if text.is_empty() || text.chars().count() > REASON_CHARS || text.chars().any(control) {
        let detail = format!("reason has 1 to {REASON_CHARS} characters");
        return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
    }
    Ok(text)
}

/// Changes as a page shows them.
pub(super) fn changes(rows: Vec<synaq_store::ChangeRow>, names: &Names) -> Vec<ChangeView> {
    let view = |row: synaq_store::ChangeRow| ChangeView {
        at: row.at.0,
        by: names.get(row.staff),
        field: row.field,
        old: row.old,
        new: row.new,
        reason: row.reason,
    };
    rows.into_iter().map(view).collect()
}

pub(super) fn ended(ended: &synaq_store::Ended, ground: Option<&str>) -> EndedView {
    EndedView { at: ended.at.0, reason: ended.reason.clone(), ground: ground.map(ToOwned::to_owned) }
}
