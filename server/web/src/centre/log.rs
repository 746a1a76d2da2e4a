//! The audit log as its readers see it: who did what, page by page.

use crate::auth::who::Who;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::State;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use synaq_core::ids::{SessionId, SittingId, StaffId};
use synaq_core::time::At;
use synaq_store::{AuditFilter, Directory, Error, Personnel};
use synaq_wire::people::{LogLine, LogPage, LogPerson};
use synaq_wire::problem::{Code, Problem};
use uuid::Uuid;

/// Lines of a page.
const PAGE: u32 = 50;
/// In bytes; an object is an id with a name behind it.
const OBJECT_BYTES: usize = 200;
/// Actions that may be asked for at once.
const ACTIONS: usize = 40;

/// What is asked for. Numbers travel as text, as all of a query does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    staff: Option<Uuid>,
    /// Words with commas between them
    action: Option<String>,
    object: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    before: Option<i64>,
}

/// A page, newest first.
pub(crate) async fn show(
    State(directory): State<Arc<dyn Directory>>,
    State(personnel): State<Arc<dyn Personnel>>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<axum::Json<LogPage>, Refused> {
    let centre = who.staff.centre;
    let filter = filter(&asked)?;
    let rows = personnel.audit_page(centre, &filter, asked.before, PAGE + 1).await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let before = (rows.len() > page).then(|| rows[page - 1].0);
    let people = directory.staff_of(centre).await?;
    let mut names: HashMap<String, Option<String>> =
        people.iter().map(|staff| (staff.id.to_string(), Some(staff.name.clone()))).collect();
    let mut lines = Vec::new();
    for (number, entry) in rows.into_iter().take(page) {
        let id = entry.object.split(['/', ':', ' ']).next().unwrap_or_default().to_owned();
        if !names.contains_key(&id) {
            names.insert(id.clone(), name(&*directory, centre, &id).await?);
        }
        lines.push(LogLine {
            number,
            at: entry.at.0,
            staff: entry.staff.map(|staff| staff.0),
            action: entry.action,
            object: entry.object,
            name: names.get(&id).cloned().flatten(),
        });
    }
    let people = people.into_iter().map(|s| LogPerson { staff: s.id.0, name: s.name, login: s.login });
    Ok(axum::Json(LogPage { lines, before, people: people.collect() }))
}

fn filter(asked: &Asked) -> Result<AuditFilter, Refused> {
    let words = asked.action.iter().flat_map(|list| list.split(',')).filter(|word| !word.is_empty());
    let actions: Vec<String> = words.map(str::to_owned).collect();
    let object = asked.object.clone().filter(|object| !object.is_empty());
    let word = |action: &String| action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if actions.len() > ACTIONS
        || !actions.iter().all(word)
        || object.as_ref().is_some_and(|object| object.len() > OBJECT_BYTES)
    {
        return Err(Problem::new(Code::OutOfLimits)
            .detail("the filter is not of the documented shape")
            .into());
    }
    Ok(AuditFilter {
        staff: asked.staff.map(StaffId),
        actions,
        object,
        from: asked.from.map(At),
        to: asked.to.map(At),
    })
}

/// What an id is called at this centre.
async fn name(
    directory: &dyn Directory,
    centre: synaq_core::ids::CentreId,
    id: &str,
) -> Result<Option<String>, Refused> {
    let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
    match directory.session(SessionId(id)).await {
        Ok(row) if row.centre.id == centre => return Ok(Some(row.candidate.candidate.name)),
        Ok(_) | Err(Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    match directory.sitting(centre, SittingId(id)).await {
        Ok(row) => Ok(Some(row.title)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
