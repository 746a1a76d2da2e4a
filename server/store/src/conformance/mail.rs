//! Letters.

use super::Engine;
use super::fixtures::{NOW, refused, two_houses, uuid};
use crate::{ClaimedLetter, Error, LetterEnd, LetterState, Mail, MailBacklog, NewLetter};
use synaq_core::ids::CentreId;
use synaq_core::time::{At, Span};

const CLAIM: Span = Span::secs(120);

fn letter(number: u32, centre: CentreId, about: &str) -> NewLetter {
    NewLetter {
        id: uuid(number),
        centre,
        kind: "invitation".into(),
        about: about.into(),
        recipient: format!("a{number}@example.kz"),
        sealed: vec![1, 2, 3],
        created_at: NOW,
    }
}

async fn claimed(store: &impl Mail, now: At) -> Vec<ClaimedLetter> {
    store.claim_letters(now, now + CLAIM, 100).await.unwrap()
}

fn retry(next_at: At) -> LetterEnd {
    LetterEnd::Retry { next_at, why: "450 greylisted".into() }
}

/// A sender that dies loses no letter: it is due again when the claim runs out, in another process too.
pub async fn a_letter_is_one_senders_until_its_claim_runs_out(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    assert_eq!(store.next_letter_due().await.unwrap(), None);
    store.post_letters(vec![letter(1, house.centre, "x")]).await.unwrap();
    refused!(store.post_letters(vec![letter(1, house.centre, "x")]).await, Error::Taken("letter"));
    assert_eq!(store.next_letter_due().await.unwrap(), Some(NOW));
    assert_eq!(claimed(&store, NOW - Span(1)).await, []);
    let expected = letter(1, house.centre, "x");
    assert_eq!(claimed(&store, NOW).await, [ClaimedLetter { letter: expected.clone(), attempts: 0 }]);
    assert_eq!(claimed(&store, NOW + CLAIM - Span(1)).await, []);
    let store = engine.reopen(store).await;
    assert_eq!(claimed(&store, NOW + CLAIM).await, [ClaimedLetter { letter: expected, attempts: 1 }]);
}

/// Settled once; what it said is gone with that.
pub async fn a_settled_letter_stays_settled(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, _) = two_houses(&store).await;
    let own = |number| letter(number, house.centre, "x");
    store.post_letters(vec![own(1), own(2), own(3)]).await.unwrap();
    assert_eq!(claimed(&store, NOW).await.len(), 3);
    store.settle_letter(uuid(1), NOW, LetterEnd::Sent).await.unwrap();
    store.settle_letter(uuid(2), NOW, LetterEnd::Failed { why: "550 nobody\0".into() }).await.unwrap();
    store.settle_letter(uuid(3), NOW, retry(NOW + Span(5))).await.unwrap();
    store.settle_letter(uuid(1), NOW, retry(NOW)).await.unwrap();
    store.settle_letter(uuid(2), NOW, LetterEnd::Sent).await.unwrap();
    refused!(store.settle_letter(uuid(9), NOW, LetterEnd::Sent).await, Error::NotFound);
    let rows = store.letters(house.centre, &["x".to_owned()]).await.unwrap();
    let states: Vec<_> = rows.iter().map(|row| (row.id, row.state, row.settled_at)).collect();
    assert_eq!(
        states,
        [
            (uuid(3), LetterState::Queued, None),
            (uuid(2), LetterState::Failed, Some(NOW)),
            (uuid(1), LetterState::Sent, Some(NOW)),
        ]
    );
    assert!(rows[1].why.as_deref().is_some_and(|why| why.starts_with("550 nobody")), "{:?}", rows[1]);
    let backlog = MailBacklog { queued: 1, oldest: Some(NOW), failed: 1 };
    assert_eq!(store.mail_backlog().await.unwrap(), backlog);
    let due = claimed(&store, NOW + Span(5)).await;
    assert_eq!((due.len(), due[0].letter.id, due[0].attempts), (1, uuid(3), 1));
}

/// A centre sees the fate of its own letters, newest first.
pub async fn letters_are_listed_for_their_centre_and_by_whom_they_are_about(engine: &impl Engine) {
    let store = engine.fresh().await;
    let (house, other) = two_houses(&store).await;
    let all = [letter(1, house.centre, "a"), letter(2, other.centre, "a"), letter(3, house.centre, "b")];
    store.post_letters(all.to_vec()).await.unwrap();
    store.post_letters(Vec::new()).await.unwrap();
    let listed = async |centre, of: &[&str]| {
        let about: Vec<String> = of.iter().map(|one| (*one).to_owned()).collect();
        let rows = store.letters(centre, &about).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(house.centre, &["a", "b", "\"c"]).await, [uuid(3), uuid(1)]);
    assert_eq!(listed(house.centre, &["a"]).await, [uuid(1)]);
    assert!(listed(house.centre, &[]).await.is_empty());
    assert_eq!(listed(other.centre, &["a", "b"]).await, [uuid(2)]);
}
