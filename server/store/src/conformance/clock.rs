//! What is known of the server's clock.

use super::Engine;
use super::fixtures::NOW;
use crate::{ClockMark, Clocks};
use synaq_core::time::Span;

/// Whoever asks for a sitting also sees how the clocks stood when it began.
pub async fn marks_come_in_order_with_the_last_of_each_source_before(engine: &impl Engine) {
    let store = engine.fresh().await;
    let mark = |seconds: i64, source: &str, ahead_ms: Option<i64>| ClockMark {
        at: NOW + Span::secs(seconds),
        source: source.into(),
        ahead_ms,
        within_ms: ahead_ms.map(|_| 7),
        why: ahead_ms.is_none().then(|| "no answer".into()),
    };
    let all = [
        mark(0, "start", Some(0)),
        mark(1, "wall", Some(-3)),
        mark(2, "time.example.kz", None),
        mark(5, "wall", Some(4)),
        mark(10, "wall", Some(i64::MIN)),
        mark(10, "time.example.kz", Some(1_234)),
        mark(20, "wall", Some(9)),
    ];
    for mark in &all {
        store.note_clock(mark.clone()).await.unwrap();
    }
    let store = engine.reopen(store).await;
    let marks = async |from: i64, to: i64, limit: u32| {
        store.clock_marks(NOW + Span::secs(from), NOW + Span::secs(to), limit).await.unwrap()
    };
    let [start, _, server, before, wall, answer, after] = all.clone();
    assert_eq!(marks(6, 10, 100).await, [start.clone(), server, before, wall, answer]);
    assert_eq!(marks(0, 20, 100).await, all);
    assert_eq!(marks(0, 20, 2).await, all[..2]);
    assert_eq!(marks(-5, -1, 100).await, []);
    assert_eq!(marks(20, 20, 100).await.last(), Some(&after));
}
