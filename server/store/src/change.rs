//! For engines: what a change changes, and who of a list comes into a sitting. The same in all of them.

use crate::{CandidateMore, CandidateRow, CandidateStanding, Ended, Error, NewCandidate, SittingRow};
use std::collections::HashMap;

/// A field before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Which
    pub field: &'static str,
    /// Before
    pub old: String,
    /// After
    pub new: String,
}

fn compare(fields: impl IntoIterator<Item = (&'static str, String, String)>) -> Vec<Difference> {
    let differs = fields.into_iter().filter(|(_, old, new)| old != new);
    differs.map(|(field, old, new)| Difference { field, old, new }).collect()
}

fn ended(ended: Option<&Ended>) -> String {
    ended.map_or_else(String::new, |ended| ended.at.0.to_string())
}

fn number<N: ToString>(number: Option<N>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

impl SittingRow {
    /// What `new` says otherwise. Times are milliseconds UTC, what is not there is an empty text.
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let row = |row: &Self| {
            [
                ("title", row.title.clone()),
                ("opens_at", row.opens_at.0.to_string()),
                ("closes_at", row.closes_at.0.to_string()),
                ("capacity", number(row.standing.capacity)),
                ("cancelled", ended(row.standing.cancelled.as_ref())),
            ]
        };
        compare(row(self).into_iter().zip(row(new)).map(|((field, old), (_, new))| (field, old, new)))
    }
}

impl CandidateRow {
    /// As [`SittingRow::differences`].
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let row = |row: &Self| {
            let NewCandidate { name, extra_minutes, switched_off, more, .. } = &row.candidate;
            let CandidateStanding { withdrawn, voided, .. } = &row.standing;
            [
                ("name", name.clone()),
                ("email", more.email.clone().unwrap_or_default()),
                ("extra_minutes", extra_minutes.to_string()),
                ("extra_pct", number(more.extra_pct)),
                ("switched_off", switched_off.join(" ")),
                ("breaks", more.care.breaks.to_string()),
                ("hearing_aid", more.care.hearing_aid.to_string()),
                ("note", more.care.note.clone().unwrap_or_default()),
                ("withdrawn", ended(withdrawn.as_ref())),
                ("voided", voided.as_ref().map_or_else(String::new, |(ground, _)| ground.clone())),
            ]
        };
        compare(row(self).into_iter().zip(row(new)).map(|((field, old), (_, new))| (field, old, new)))
    }
}

impl CandidateRow {
    /// The row with what a centre may change taken from `new`, one version on.
    #[must_use]
    pub fn changed_to(&self, new: Self) -> Self {
        let mut row = self.clone();
        (row.candidate.name, row.candidate.extra_minutes, row.candidate.switched_off) =
            (new.candidate.name, new.candidate.extra_minutes, new.candidate.switched_off);
        row.candidate.more = CandidateMore { replaces: self.candidate.more.replaces, ..new.candidate.more };
        row.standing = CandidateStanding {
            version: self.standing.version + 1,
            attempt: self.standing.attempt,
            ..new.standing
        };
        row
    }
}

/// Somebody who is in the sitting already.
#[derive(Clone, Debug)]
pub struct Present {
    /// IIN or document
    pub identity: String,
    /// Of this person, from 1
    pub attempt: u32,
    /// Takes up a seat
    pub counts: bool,
}

/// The rows of those who come in, with their places and attempts.
///
/// # Errors
/// [`Error::Full`].
pub fn seated(
    sitting: &SittingRow,
    present: &[Present],
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, Error> {
    let mut attempts: HashMap<String, u32> = HashMap::new();
    for one in present {
        let newest = attempts.entry(one.identity.clone()).or_default();
        *newest = one.attempt.max(*newest);
    }
    // Candidates are never deleted, so places are dense and the count is the next one.
    let places = u32::try_from(present.len()).unwrap_or(u32::MAX)..;
    let mut seats = places;
    let mut rows = Vec::new();
    for candidate in candidates {
        let attempt = attempts.get(&candidate.identity).copied().unwrap_or_default() + 1;
        if attempt > 1 && candidate.more.replaces.is_none() {
            continue;
        }
        attempts.insert(candidate.identity.clone(), attempt);
        let Some(place) = seats.next() else { break };
        let standing = CandidateStanding { attempt, ..CandidateStanding::default() };
        rows.push(CandidateRow { candidate, centre: sitting.centre, sitting: sitting.id, place, standing });
    }
    let taken = present.iter().filter(|one| one.counts).count() + rows.len();
    match sitting.standing.capacity {
        Some(capacity) if !rows.is_empty() && usize::try_from(capacity).is_ok_and(|most| taken > most) => {
            Err(Error::Full { capacity })
        }
        _ => Ok(rows),
    }
}
