//! Which part of a long list is asked for: words, order and page, as they stand in an address.

use crate::problem::Refused;
use serde::Deserialize;
use synaq_core::ids::SittingId;
use synaq_core::time::At;
use synaq_store::{ResultsAsked, ResultsBy, STATES, SittingsAsked, SittingsBy, Span, fold};
use synaq_wire::limits::{PAGE_ROWS, PAGE_ROWS_MAX, SEARCH_CHARS, SEARCH_WORDS};
use synaq_wire::problem::{Code, Problem};

/// `?search=&sort=&down=&offset=&limit=`; each may be left out.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    search: Option<String>,
    sort: Option<String>,
    down: Option<bool>,
    offset: Option<u32>,
    limit: Option<u32>,
    /// Results: words with commas between them
    state: Option<String>,
    /// Results and figures: only of this one
    sitting: Option<String>,
    /// Sittings: only those that are not over or cancelled
    open: Option<bool>,
    /// Export: csv | xlsx
    pub(super) format: Option<String>,
    /// Export: kk | ru | en
    pub(super) lang: Option<synaq_wire::candidate::Lang>,
}

impl Asked {
    /// For sittings; the newest first unless asked otherwise.
    pub(super) fn sittings(&self, now: At) -> Result<SittingsAsked, Refused> {
        let by = match self.sort.as_deref() {
            Some("title") => SittingsBy::Title,
            Some("opens") | None => SittingsBy::Opens,
            Some("closes") => SittingsBy::Closes,
            Some("candidates") => SittingsBy::Candidates,
            Some(_) => return Err(unknown("sort is title, opens, closes or candidates")),
        };
        let open_at = self.open.unwrap_or(false).then_some(now);
        let down = self.down.unwrap_or(self.sort.is_none());
        Ok(SittingsAsked { words: self.words()?, open_at, by, down, span: self.span()? })
    }

    /// For results, of these states at most; the last ended first unless asked otherwise.
    pub(super) fn results(&self, of: &[&str]) -> Result<ResultsAsked, Refused> {
        let by = match self.sort.as_deref() {
            Some("name") => ResultsBy::Name,
            Some("sitting") => ResultsBy::Sitting,
            Some("state") => ResultsBy::State,
            Some("outcome") => ResultsBy::Outcome,
            Some("correct") => ResultsBy::Correct,
            Some("warnings") => ResultsBy::Warnings,
            Some("finished") | None => ResultsBy::Finished,
            Some("delivery") => ResultsBy::Delivery,
            Some(_) => return Err(unknown("sort is a column of the list")),
        };
        let words = self.state.iter().flat_map(|list| list.split(',')).filter(|word| !word.is_empty());
        let mut states: Vec<String> = words.map(str::to_owned).collect();
        if !states.iter().all(|state| of.contains(&state.as_str())) {
            return Err(unknown("state is one of the list's states"));
        }
        if states.is_empty() && of.len() < STATES.len() {
            states = of.iter().map(|state| (*state).to_owned()).collect();
        }
        let down = self.down.unwrap_or(self.sort.is_none());
        Ok(ResultsAsked {
            words: self.words()?,
            states,
            sitting: self.sitting()?,
            by,
            down,
            span: self.span()?,
        })
    }

    /// One sitting, if only one is asked for.
    pub(super) fn sitting(&self) -> Result<Option<SittingId>, Refused> {
        self.sitting.as_deref().map(|id| id.parse().map_err(|_| Code::NotFound.into())).transpose()
    }

    fn words(&self) -> Result<Vec<String>, Refused> {
        let search = self.search.as_deref().unwrap_or_default();
        let words: Vec<String> = search.split_whitespace().map(fold).collect();
        if search.chars().count() > SEARCH_CHARS || words.len() > SEARCH_WORDS {
            let detail = format!("a search has at most {SEARCH_CHARS} characters in {SEARCH_WORDS} words");
            return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
        }
        Ok(words)
    }

    fn span(&self) -> Result<Span, Refused> {
        let limit = self.limit.unwrap_or(PAGE_ROWS);
        if !(1..=PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("a page has 1 to {PAGE_ROWS_MAX} rows");
            return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
        }
        Ok(Span { offset: self.offset.unwrap_or(0), limit })
    }
}

fn unknown(detail: &str) -> Refused {
    Problem::new(Code::BodyMalformed).detail(detail).into()
}
