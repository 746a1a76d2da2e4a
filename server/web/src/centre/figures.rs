//! What plots are drawn from, in steps.

use super::asked::Asked;
use super::results::count;
use crate::auth::who::Who;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::State;
use std::cmp::Reverse;
use std::sync::Arc;
use synaq_store::{Directory, Lists, ResultCounts};
use synaq_wire::lists::{Figures, IncidentCount};

/// Steps of ten per cent.
const SCORE_STEPS: usize = 10;
/// Bars that are told apart at 320 px.
const MINUTE_STEPS: u32 = 12;
/// Minutes that people think in.
const STEPS: [u32; 6] = [5, 10, 15, 20, 30, 60];
/// Codes shown; there are about thirty.
const CODES: usize = 12;

/// How exams went, of one sitting or of all.
pub(crate) async fn show(
    State(directory): State<Arc<dyn Directory>>,
    State(lists): State<Arc<dyn Lists>>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<axum::Json<Figures>, Refused> {
    let (centre, sitting) = (who.staff.centre, asked.sitting()?);
    if let Some(id) = sitting {
        directory.sitting(centre, id).await?;
    }
    Ok(axum::Json(figures(&lists.result_counts(centre, sitting).await?)))
}

fn figures(counts: &ResultCounts) -> Figures {
    let mut scores = [0; SCORE_STEPS];
    for (correct, total, exams) in &counts.scores {
        // A share of exactly a step belongs below it, so that the bar beyond 70 % holds who passed.
        let step = (usize::from(*correct) * SCORE_STEPS).div_ceil(usize::from(*total).max(1));
        scores[step.clamp(1, SCORE_STEPS) - 1] += count(*exams);
    }
    let longest = counts.minutes.iter().map(|(minutes, _)| *minutes).max().unwrap_or(0);
    let fits = |step: &u32| longest / step < MINUTE_STEPS;
    let minutes_step = STEPS.into_iter().find(fits).unwrap_or(STEPS[STEPS.len() - 1]);
    let bars = (longest / minutes_step).min(MINUTE_STEPS - 1);
    let mut minutes = vec![0; usize::try_from(bars).unwrap_or(0) + 1];
    for (lasted, exams) in &counts.minutes {
        let step = usize::try_from((lasted / minutes_step).min(bars)).unwrap_or(0);
        minutes[step] += count(*exams);
    }
    let mut incidents: Vec<_> = counts
        .incidents
        .iter()
        .map(|(code, (incidents, exams))| IncidentCount {
            code: code.clone(),
            incidents: count(*incidents),
            exams: count(*exams),
        })
        .collect();
    incidents.sort_by_key(|one| Reverse((one.exams, one.incidents)));
    incidents.truncate(CODES);
    Figures {
        scored: scores.iter().sum(),
        scores: scores.to_vec(),
        timed: minutes.iter().sum(),
        minutes_step,
        minutes,
        incidents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_seventy_per_cent_stands_below_the_threshold() {
        let counts = ResultCounts {
            scores: vec![(0, 40, 1), (28, 40, 2), (29, 40, 3), (40, 40, 4)],
            ..Default::default()
        };
        let figures = figures(&counts);
        assert_eq!(figures.scores, [1, 0, 0, 0, 0, 0, 2, 3, 0, 4]);
        assert_eq!((figures.scored, figures.timed, figures.minutes.as_slice()), (10, 0, [0].as_slice()));
    }

    #[test]
    fn minutes_are_told_in_as_many_bars_as_a_narrow_screen_shows() {
        let of = |minutes: Vec<(u32, u64)>| figures(&ResultCounts { minutes, ..Default::default() });
        let short = of(vec![(0, 1), (4, 1), (5, 2), (59, 1)]);
        assert_eq!((short.minutes_step, short.minutes.len()), (5, 12));
        assert_eq!((short.minutes[0], short.minutes[1], short.minutes[11]), (2, 2, 1));
        let long = of(vec![(90, 1), (5_000, 2)]);
        assert_eq!((long.minutes_step, long.minutes.len(), long.minutes[11]), (60, 12, 2));
        assert_eq!(long.timed, 3);
    }

    #[test]
    fn incidents_come_by_how_many_exams_had_them() {
        let incidents = [("A".to_owned(), (9, 1)), ("B".to_owned(), (2, 2))].into();
        let figures = figures(&ResultCounts { incidents, ..Default::default() });
        let codes: Vec<_> = figures.incidents.iter().map(|one| (one.code.as_str(), one.exams)).collect();
        assert_eq!(codes, [("B", 2), ("A", 1)]);
    }
}
