use super::*;
use crate::adapter::evidence::fixtures::{SESSION, folder};
use std::sync::atomic::{AtomicUsize, Ordering};
use synaq_media::{EvidenceStore as _, Gone};
use tokio::sync::mpsc;

const WEBCAM: &str = "webcam-0001.webm";

fn opened(name: &str) -> MediaFact {
    MediaFact::Opened { name: name.to_owned() }
}

fn finished(name: &str) -> Fact {
    Fact::SegmentFinished {
        name: name.to_owned(),
        sha256: "ab".repeat(32),
        bytes: 3,
        duration_ms: 9,
        gaps: 0,
    }
}

fn accepted() -> Done {
    Done { effects: vec![Effect::Accepted], receipt: None }
}

/// Delivers to a session that answers as `answer` says for the n-th attempt, and yields what it took.
async fn delivered<A>(reports: Vec<Fact>, expected: usize, answer: A) -> Vec<MediaFact>
where
    A: Fn(usize) -> Result<Done, SubmitError> + Send + Sync + 'static,
{
    let (_guard, evidence) = folder();
    let sink = Arc::new(MediaSink::default());
    for fact in reports {
        sink.report(SESSION, fact);
    }
    let (took, mut taken) = mpsc::unbounded_channel();
    let (attempts, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let submit = move |_, fact: MediaFact| {
        let answered = answer(attempts.fetch_add(1, Ordering::Relaxed));
        if answered.is_ok() {
            took.send(fact).unwrap();
        }
        async move { answered }
    };
    let delivery = tokio::spawn(Arc::clone(&sink).deliver_to(evidence, submit));
    let mut facts = Vec::new();
    while facts.len() < expected {
        facts.push(taken.recv().await.unwrap());
    }
    sink.told().await;
    delivery.abort();
    assert!(taken.try_recv().is_err(), "no more than expected");
    facts
}

#[tokio::test]
async fn a_store_that_is_busy_or_fails_is_asked_until_it_took_each_fact_in_order() {
    let reports = vec![
        Fact::RecordingBegan,
        Fact::SegmentStarted { name: WEBCAM.to_owned() },
        finished(WEBCAM),
        Fact::RecordingEnded,
    ];
    let facts = delivered(reports, 4, |attempt| match attempt {
        0 | 4 => Err(SubmitError::Busy { retry_after_ms: 1 }),
        1 | 2 => Err(SubmitError::Store),
        _ => Ok(accepted()),
    })
    .await;
    let stored = EvidenceRef { name: WEBCAM.to_owned(), sha256: "ab".repeat(32), bytes: 3 };
    let expected =
        [MediaFact::Recording(true), opened(WEBCAM), MediaFact::Stored(stored), MediaFact::Recording(false)];
    assert_eq!(facts, expected);
}

#[tokio::test]
async fn a_session_that_is_not_there_does_not_hold_up_what_comes_after() {
    let reports = vec![Fact::RecordingBegan, Fact::SegmentStarted { name: WEBCAM.to_owned() }];
    let facts = delivered(reports, 1, |attempt| match attempt {
        0 => Err(SubmitError::NotFound),
        _ => Ok(accepted()),
    })
    .await;
    assert_eq!(facts, [opened(WEBCAM)]);
}

#[tokio::test]
async fn flow_is_passed_on_as_media_tells_it_and_jitter_is_no_event() {
    let reports = vec![
        Fact::PublisherConnected,
        Fact::Flow { video: true, audio: false },
        Fact::Gap { ms: GAP_WORTH_AN_EVENT_MS - 1 },
        Fact::Gap { ms: GAP_WORTH_AN_EVENT_MS },
        Fact::PublisherGone { how: Gone::Lost },
    ];
    let facts = delivered(reports, 2, |_| Ok(accepted())).await;
    let gap = MediaFact::Gap { span: Span(1_000), why: "media lost".to_owned(), name: None };
    assert_eq!(facts, [MediaFact::Flow { video: true, audio: false }, gap]);
}

#[tokio::test]
async fn a_piece_the_disk_refused_is_named_as_missing() {
    let failed = Fact::StorageFailed { name: WEBCAM.to_owned(), kind: std::io::ErrorKind::StorageFull };
    let facts = delivered(vec![failed], 1, |_| Ok(accepted())).await;
    assert!(matches!(&facts[..], [MediaFact::Gap { name: Some(name), .. }] if name == WEBCAM), "{facts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_of_a_piece_cut_off_is_stored_and_the_cut_is_said() {
    let (_guard, evidence) = folder();
    let writing = Arc::clone(&evidence);
    let written = tokio::task::spawn_blocking(move || {
        let mut writer = writing.create(SESSION, WEBCAM).unwrap();
        writer.append(b"header").unwrap();
        writer.append(b"cluster").unwrap();
    });
    written.await.unwrap();
    let facts = salvaged(&evidence, SESSION, WEBCAM.to_owned(), "disk full".to_owned()).await;
    let sha256 = synaq_seal::sha256(b"headercluster").to_string();
    let stored = MediaFact::Stored(EvidenceRef { name: WEBCAM.to_owned(), sha256, bytes: 13 });
    assert_eq!(facts[0], stored);
    assert!(
        matches!(&facts[1], MediaFact::Gap { name: None, why, .. } if why.contains("disk full")),
        "{facts:?}"
    );
}

#[test]
fn a_session_that_came_back_hears_again_what_is_present_and_only_then() {
    let sink = MediaSink::default();
    sink.report(SESSION, Fact::RecordingBegan);
    sink.report(SESSION, Fact::Flow { video: true, audio: true });
    let present = Present { video: true, audio: true, screen: false, recording: true };
    sink.remind(SESSION, Present::default());
    assert_eq!(sink.drained().len(), 2, "what is under way is not said twice");
    sink.remind(SESSION, present);
    assert!(sink.drained().is_empty());
    sink.remind(SESSION, Present::default());
    let flow = MediaFact::Flow { video: true, audio: true };
    assert_eq!(sink.drained(), [Word::Fact(MediaFact::Recording(true)), Word::Fact(flow)]);
    for live in [true, false, true] {
        sink.report(SESSION, Fact::Screen { live });
    }
    let screen = || Word::Fact(MediaFact::Screen(true));
    assert_eq!(sink.drained(), [screen()], "only the newest waits");
    sink.remind(SESSION, present);
    assert_eq!(sink.drained().first(), Some(&screen()));
}
