//! Long lists, page by page.

use super::Engine;
use super::fixtures::{House, NOW, candidate, lease, message, session, sitting, summary, two_houses};
use crate::{
    Batch, DeliveryState, Directory, Ended, EventLog, Lists, MessageKind, NewCandidate, Outbox, Page,
    ResultLine, ResultsAsked, ResultsBy, Settlement, SittingRow, SittingsAsked, SittingsBy, Span, Summary,
    Why, fold,
};
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::time::At;

const WHOLE: Span = Span { offset: 0, limit: 100 };
const MINUTE_MS: i64 = 60_000;

fn sittings(by: SittingsBy, down: bool) -> SittingsAsked {
    SittingsAsked { words: Vec::new(), open_at: None, by, down, span: WHOLE }
}

fn results(by: ResultsBy, down: bool) -> ResultsAsked {
    ResultsAsked { words: Vec::new(), states: Vec::new(), sitting: None, by, down, span: WHOLE }
}

fn sessions(page: &Page<ResultLine>) -> Vec<SessionId> {
    page.rows.iter().map(|row| row.session).collect()
}

fn named(number: u32, name: &str) -> NewCandidate {
    NewCandidate { name: name.into(), ..candidate(number, &format!("KAZ:N{number}")) }
}

fn why(house: &House) -> Why {
    Why { at: NOW, by: house.staff, reason: "x".into() }
}

/// Four candidates in two sittings of one centre, one in the other's: 3 and 1 have ended, 2 is in the exam, 4 never came.
async fn filled(store: &(impl Directory + EventLog + Outbox)) -> (House, House, SittingRow) {
    let (house, other) = two_houses(store).await;
    let newer =
        SittingRow { title: "Кешкі топ".into(), ..sitting(1_500, house.centre, house.programme) };
    store.add_sitting(newer.clone()).await.unwrap();
    let first = vec![named(1, "Яна Сергеева"), named(2, "Әсел Қанатова")];
    store.add_candidates(house.centre, house.sitting, first).await.unwrap();
    let second = vec![named(3, "Асан Болатов"), named(4, "Артём Ким")];
    store.add_candidates(house.centre, newer.id, second).await.unwrap();
    store.add_candidates(other.centre, other.sitting, vec![named(9, "Асан Өзге")]).await.unwrap();
    let ended = |number, state: &str, correct, minutes: i64| Summary {
        state: state.into(),
        outcome: Some(if correct > 28 { "passed" } else { "not_passed" }.into()),
        correct: Some(correct),
        finished_at: Some(At(NOW.0 + minutes * MINUTE_MS)),
        ..summary(session(number), false)
    };
    let running = Summary { warnings: 0, incidents: [].into(), ..summary(session(2), true) };
    let foreign = ended(9, "sealed", 40, 3);
    let record = |number| message(number, session(number), MessageKind::Record);
    let lease = lease(store).await;
    let batch = Batch {
        summaries: vec![ended(1, "sealed", 10, 31), ended(3, "approved", 30, 59), running, foreign],
        messages: vec![record(1), record(3), message(5, session(3), MessageKind::Approval), record(9)],
        ..Batch::default()
    };
    store.append(lease, Arc::new(batch)).await.unwrap();
    let receipt = Settlement::Accepted { receipt: "r".into(), platform_ref: "p".into() };
    store.settle(message(3, session(3), MessageKind::Record).id, At(NOW.0 + 5), receipt).await.unwrap();
    (house, other, newer)
}

/// By name as the Kazakh alphabet has it, by number, with what is not known last either way.
pub async fn results_are_sorted_by_any_column(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other, _) = filled(&store).await;
    for (by, down, expected) in [
        (ResultsBy::Name, false, [4, 3, 2, 1]),
        (ResultsBy::Name, true, [1, 2, 3, 4]),
        (ResultsBy::Sitting, false, [1, 2, 3, 4]),
        (ResultsBy::State, false, [4, 2, 1, 3]),
        (ResultsBy::Outcome, false, [3, 1, 4, 2]),
        (ResultsBy::Correct, true, [3, 1, 4, 2]),
        (ResultsBy::Correct, false, [1, 3, 4, 2]),
        (ResultsBy::Warnings, true, [3, 1, 4, 2]),
        (ResultsBy::Finished, true, [3, 1, 4, 2]),
        (ResultsBy::Delivery, false, [3, 1, 4, 2]),
    ] {
        let page = store.results_page(house.centre, &results(by, down)).await.unwrap();
        assert_eq!(sessions(&page), expected.map(session), "{by:?} {down}");
        assert_eq!((page.found, page.all), (4, 4));
    }
    let foreign = store.results_page(other.centre, &results(ResultsBy::Name, false)).await.unwrap();
    assert_eq!(sessions(&foreign), [session(9)]);
}

/// Words in name, number or sitting; states; one sitting; a part of what was found, with the count of all of it.
pub async fn results_are_searched_and_come_in_parts(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other, newer) = filled(&store).await;
    for (words, expected) in [
        (vec!["АРТЕМ"], vec![4]),
        (vec!["асан", "кешкі"], vec![3]),
        (vec!["kaz:n2"], vec![2]),
        (vec!["кешкі"], vec![4, 3]),
        (vec!["%"], vec![]),
        (vec!["асан", "яна"], vec![]),
    ] {
        let mut asked = results(ResultsBy::Name, false);
        asked.words = words.iter().map(|word| fold(word)).collect();
        let page = store.results_page(house.centre, &asked).await.unwrap();
        assert_eq!(sessions(&page), expected.into_iter().map(session).collect::<Vec<_>>(), "{words:?}");
        assert_eq!((page.found, page.all), (u64::try_from(page.rows.len()).unwrap(), 4));
    }
    let mut asked = results(ResultsBy::Name, false);
    asked.states = vec!["created".into(), "sealed".into()];
    assert_eq!(sessions(&store.results_page(house.centre, &asked).await.unwrap()), [session(4), session(1)]);
    asked.sitting = Some(newer.id);
    let page = store.results_page(house.centre, &asked).await.unwrap();
    let row = &page.rows[0];
    assert_eq!((row.name.as_str(), row.identity.as_str(), row.voided), ("Артём Ким", "KAZ:N4", false));
    assert_eq!((&row.sitting, row.programme), (&newer.title, newer.programme));
    assert_eq!(store.results_page(other.centre, &asked).await.unwrap().found, 0);

    let mut asked = results(ResultsBy::Name, false);
    asked.span = Span { offset: 1, limit: 2 };
    let page = store.results_page(house.centre, &asked).await.unwrap();
    assert_eq!((sessions(&page), page.found), (vec![session(3), session(2)], 4));
    asked.span.offset = 100;
    assert_eq!(store.results_page(house.centre, &asked).await.unwrap().rows, []);

    let mut fates = store.fates(&[session(1), session(2), session(3)]).await.unwrap();
    fates.sort_by_key(|(session, _)| *session);
    assert_eq!(fates, [(session(1), DeliveryState::Queued), (session(3), DeliveryState::Accepted)]);

    let mut renamed = store.candidate(house.centre, session(4)).await.unwrap();
    renamed.candidate.name = "Ұлан".into();
    store.change_candidate(renamed, why(&house)).await.unwrap();
    let mut asked = results(ResultsBy::Name, false);
    asked.words = vec![fold("ұла")];
    assert_eq!(sessions(&store.results_page(house.centre, &asked).await.unwrap()), [session(4)]);
}

/// By any column, by words of the title, only those still to come; what was renamed is found by its new title.
pub async fn sittings_are_sorted_searched_and_come_in_parts(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other, newer) = filled(&store).await;
    let older = store.sitting(house.centre, house.sitting).await.unwrap();
    for (by, down, first) in [
        (SittingsBy::Title, false, &older),
        (SittingsBy::Title, true, &newer),
        (SittingsBy::Opens, true, &newer),
        (SittingsBy::Closes, false, &older),
        (SittingsBy::Candidates, false, &newer),
    ] {
        let page = store.sittings_page(house.centre, &sittings(by, down)).await.unwrap();
        assert_eq!((&page.rows[0].0, page.rows[0].1), (first, 2), "{by:?} {down}");
        assert_eq!((page.rows.len(), page.found, page.all), (2, 2, 2));
    }
    let mut asked = sittings(SittingsBy::Opens, true);
    asked.span = Span { offset: 1, limit: 1 };
    let page = store.sittings_page(house.centre, &asked).await.unwrap();
    assert_eq!((&page.rows[0].0, page.found), (&older, 2));
    let mut asked = sittings(SittingsBy::Opens, true);
    asked.open_at = Some(older.closes_at);
    assert_eq!(store.sittings_page(house.centre, &asked).await.unwrap().rows[0].0, newer);
    assert_eq!(store.sittings_page(house.centre, &asked).await.unwrap().found, 1);

    let mut changed = SittingRow { title: "Түнгі".into(), ..newer.clone() };
    changed.standing.cancelled = Some(Ended { at: NOW, reason: "x".into() });
    store.change_sitting(changed, why(&house)).await.unwrap();
    assert_eq!(store.sittings_page(house.centre, &asked).await.unwrap().found, 0);
    let mut asked = sittings(SittingsBy::Opens, true);
    asked.words = vec![fold("ТҮНГІ")];
    let page = store.sittings_page(house.centre, &asked).await.unwrap();
    assert_eq!((page.rows[0].0.id, page.found, page.all), (newer.id, 1, 2));
    assert_eq!(store.sittings_page(other.centre, &asked).await.unwrap().found, 0);
}

/// Only of attempts that count, of all sittings or of one.
pub async fn plots_are_counted_from_attempts_that_count(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _, newer) = filled(&store).await;
    let counts = store.result_counts(house.centre, None).await.unwrap();
    assert_eq!(counts.scores, [(10, 40, 1), (30, 40, 1)]);
    assert_eq!(counts.minutes, [(31, 1), (59, 1)]);
    let incidents: Vec<_> = counts.incidents.iter().map(|(code, counts)| (code.as_str(), *counts)).collect();
    assert_eq!(incidents, [("NO_FACE", (4, 2)), ("PAGE_HIDDEN", (2, 2))]);
    assert_eq!(store.result_counts(house.centre, Some(newer.id)).await.unwrap().scores, [(30, 40, 1)]);

    let mut voided = store.candidate(house.centre, session(3)).await.unwrap();
    voided.standing.voided = Some(("technical".into(), Ended { at: NOW, reason: "x".into() }));
    store.change_candidate(voided, why(&house)).await.unwrap();
    assert_eq!(store.result_counts(house.centre, None).await.unwrap().scores, [(10, 40, 1)]);
    assert_eq!(store.result_counts(house.centre, Some(newer.id)).await.unwrap(), Default::default());
    let page = store.results_page(house.centre, &results(ResultsBy::Correct, true)).await.unwrap();
    assert!(page.rows[0].voided, "it stays in the list");
}

/// Its own rows only, and what of its messages the platform has.
pub async fn a_centres_standing_counts_its_rows_and_messages(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other, _) = filled(&store).await;
    let standing = store.centre_standing(house.centre).await.unwrap();
    assert_eq!(
        (standing.banks, standing.programmes, standing.sittings, standing.candidates),
        (1, 1, 2, 4),
        "{standing:?}"
    );
    assert_eq!((standing.accepted, standing.queued, standing.refused), (1, 2, 0));
    assert_eq!((standing.oldest_queued, standing.last_receipt), (Some(NOW), Some(At(NOW.0 + 5))));
    let foreign = store.centre_standing(other.centre).await.unwrap();
    assert_eq!((foreign.candidates, foreign.queued, foreign.last_receipt), (1, 1, None));
}
