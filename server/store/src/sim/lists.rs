use super::SimStore;
use crate::{
    CandidateRow, CentreStanding, DeliveryState, Directory, Error, Lists, MessageKind, OUTCOMES, Page,
    ResultCounts, ResultLine, ResultsAsked, ResultsBy, STATES, SittingRow, SittingsAsked, SittingsBy, Span,
    Summary, fold,
};
use async_trait::async_trait;
use std::cmp::Ordering;
use synaq_core::ids::{CentreId, SessionId, SittingId};

#[async_trait]
impl Lists for SimStore {
    async fn sittings_page(
        &self,
        centre: CentreId,
        asked: &SittingsAsked,
    ) -> Result<Page<(SittingRow, u32)>, Error> {
        let mut rows = self.sittings(centre).await?;
        let all = rows.len();
        rows.retain(|(row, _)| {
            let title = fold(&row.title);
            let open = |at| row.closes_at > at && row.standing.cancelled.is_none();
            asked.words.iter().all(|word| title.contains(word)) && asked.open_at.is_none_or(open)
        });
        rows.sort_by(|(a, many), (b, more)| {
            let order = match asked.by {
                SittingsBy::Title => fold(&a.title).cmp(&fold(&b.title)),
                SittingsBy::Opens => a.opens_at.cmp(&b.opens_at),
                SittingsBy::Closes => a.closes_at.cmp(&b.closes_at),
                SittingsBy::Candidates => many.cmp(more),
            };
            directed(order, asked.down).then(b.opens_at.cmp(&a.opens_at)).then(a.id.cmp(&b.id))
        });
        Ok(page(rows, asked.span, all))
    }

    async fn results_page(&self, centre: CentreId, asked: &ResultsAsked) -> Result<Page<ResultLine>, Error> {
        let disk = self.disk();
        let own = disk.candidates.iter().filter(|row| row.centre == centre);
        let mut rows: Vec<Known> = own
            .filter_map(|candidate| {
                let session = candidate.candidate.session;
                Some(Known {
                    candidate,
                    sitting: disk.sittings.iter().find(|row| row.id == candidate.sitting)?,
                    summary: disk.summaries.get(&session),
                    fate: disk.fate(session),
                })
            })
            .collect();
        let all = rows.len();
        rows.retain(|row| row.is_asked_for(asked));
        rows.sort_by(|a, b| {
            by_key(&a.key(asked.by), &b.key(asked.by), asked.down)
                .then(b.sitting.opens_at.cmp(&a.sitting.opens_at))
                .then(a.sitting.id.cmp(&b.sitting.id))
                .then(a.candidate.place.cmp(&b.candidate.place))
        });
        Ok(page(rows.iter().map(Known::line).collect(), asked.span, all))
    }

    async fn fates(&self, sessions: &[SessionId]) -> Result<Vec<(SessionId, DeliveryState)>, Error> {
        let disk = self.disk();
        let fate = |session: &SessionId| disk.fate(*session).map(|state| (*session, state));
        Ok(sessions.iter().filter_map(fate).collect())
    }

    async fn result_counts(
        &self,
        centre: CentreId,
        sitting: Option<SittingId>,
    ) -> Result<ResultCounts, Error> {
        let disk = self.disk();
        let own = disk.candidates.iter().filter(|row| {
            row.centre == centre
                && row.standing.voided.is_none()
                && sitting.is_none_or(|id| row.sitting == id)
        });
        let mut counts = ResultCounts::default();
        let mut scores = std::collections::BTreeMap::new();
        let mut minutes = std::collections::BTreeMap::new();
        for summary in own.filter_map(|row| disk.summaries.get(&row.candidate.session)) {
            if let (Some(correct), Some(total @ 1..)) = (summary.correct, summary.total) {
                *scores.entry((correct, total)).or_insert(0) += 1;
            }
            if let (Some(start), Some(end)) = (summary.started_at, summary.finished_at) {
                let lasted = u32::try_from((end.0 - start.0) / 60_000).unwrap_or(0);
                *minutes.entry(lasted).or_insert(0) += 1;
            }
            counts.add_incidents(&summary.incidents);
        }
        counts.scores = scores.into_iter().map(|((correct, total), exams)| (correct, total, exams)).collect();
        counts.minutes = minutes.into_iter().collect();
        Ok(counts)
    }

    async fn centre_standing(&self, centre: CentreId) -> Result<CentreStanding, Error> {
        let disk = self.disk();
        let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
        let mut standing = CentreStanding {
            banks: count(disk.banks.iter().filter(|row| row.centre == centre).count()),
            programmes: count(disk.programmes.iter().filter(|row| row.centre == centre).count()),
            sittings: count(disk.sittings.iter().filter(|row| row.centre == centre).count()),
            ..CentreStanding::default()
        };
        for candidate in disk.candidates.iter().filter(|row| row.centre == centre) {
            standing.candidates += 1;
            let session = candidate.candidate.session;
            for queued in disk.outbox.iter().filter(|queued| queued.delivery.message.session == session) {
                let made = Some(queued.delivery.message.created_at);
                standing.add_messages(queued.delivery.state, 1, made, queued.settled_at);
            }
        }
        Ok(standing)
    }
}

impl super::Disk {
    fn fate(&self, session: SessionId) -> Option<DeliveryState> {
        let mut own = self.outbox.iter().map(|queued| &queued.delivery);
        let record = own.find(|delivery| {
            delivery.message.session == session && delivery.message.kind == MessageKind::Record
        });
        record.map(|delivery| delivery.state)
    }
}

/// A candidate with all that lists know.
struct Known<'d> {
    candidate: &'d CandidateRow,
    sitting: &'d SittingRow,
    summary: Option<&'d Summary>,
    fate: Option<DeliveryState>,
}

/// What a row is sorted by; none for what is not known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Number(i64),
}

impl Known<'_> {
    fn state(&self) -> &str {
        self.summary.map_or(STATES[0], |summary| summary.state.as_str())
    }

    fn is_asked_for(&self, asked: &ResultsAsked) -> bool {
        let (name, title) = (fold(&self.candidate.candidate.name), fold(&self.sitting.title));
        let identity = self.candidate.candidate.identity.to_ascii_lowercase();
        let has = |word: &String| name.contains(word) || title.contains(word) || identity.contains(word);
        asked.words.iter().all(has)
            && (asked.states.is_empty() || asked.states.iter().any(|state| state == self.state()))
            && asked.sitting.is_none_or(|id| id == self.sitting.id)
    }

    fn key(&self, by: ResultsBy) -> Option<Key> {
        let rank = |list: &[&str], word: &str| list.iter().position(|one| *one == word);
        let number = |number: usize| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
        match by {
            ResultsBy::Name => Some(Key::Text(fold(&self.candidate.candidate.name))),
            ResultsBy::Sitting => Some(Key::Text(fold(&self.sitting.title))),
            ResultsBy::State => rank(&STATES, self.state()).map(number),
            ResultsBy::Outcome => {
                self.summary?.outcome.as_deref().and_then(|outcome| rank(&OUTCOMES, outcome)).map(number)
            }
            ResultsBy::Correct => self.summary?.correct.map(|correct| Key::Number(correct.into())),
            ResultsBy::Warnings => {
                Some(Key::Number(self.summary.map_or(0, |summary| summary.warnings).into()))
            }
            ResultsBy::Finished => self.summary?.finished_at.map(|at| Key::Number(at.0)),
            ResultsBy::Delivery => self.fate.map(|state| Key::Text(state.as_str().to_owned())),
        }
    }

    fn line(&self) -> ResultLine {
        let candidate = &self.candidate.candidate;
        ResultLine {
            session: candidate.session,
            name: candidate.name.clone(),
            identity: candidate.identity.clone(),
            voided: self.candidate.standing.voided.is_some(),
            sitting: self.sitting.title.clone(),
            programme: self.sitting.programme,
        }
    }
}

fn directed(order: Ordering, down: bool) -> Ordering {
    if down { order.reverse() } else { order }
}

/// Nothing known comes last either way.
fn by_key(a: &Option<Key>, b: &Option<Key>, down: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => directed(a.cmp(b), down),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
    }
}

fn page<Row>(rows: Vec<Row>, span: Span, all: usize) -> Page<Row> {
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let found = count(rows.len());
    let skipped = usize::try_from(span.offset).unwrap_or(usize::MAX);
    let most = usize::try_from(span.limit).unwrap_or(usize::MAX);
    Page { rows: rows.into_iter().skip(skipped).take(most).collect(), found, all: count(all) }
}
