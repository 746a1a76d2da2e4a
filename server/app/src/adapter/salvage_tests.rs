use super::*;
use crate::adapter::evidence::fixtures::{SESSION, folder};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use synaq_core::session::{EvidenceRef, Finish};
use synaq_media::EvidenceStore as _;
use synaq_web::Evidence as _;

fn stored(name: &str) -> EvidenceRef {
    EvidenceRef { name: name.to_owned(), sha256: "ab".repeat(32), bytes: 1 }
}

#[test]
fn what_was_announced_or_lies_there_unheard_of_is_left_open_and_nothing_else() {
    let state = State {
        evidence: vec![stored("webcam-0001.webm"), stored("face-1")],
        evidence_open: ["webcam-0002.webm", "stills-0001"].map(str::to_owned).into(),
        ..State::default()
    };
    let on_disk = ["webcam-0001.webm", "webcam-0002.webm", "webcam-0003.webm", "face-1", "face-2"];
    let left: Vec<_> = unfinished(&state, untouched(&on_disk), At(0)).into_iter().collect();
    assert_eq!(left, ["stills-0001", "webcam-0002.webm", "webcam-0003.webm"]);
}

#[test]
fn what_a_device_has_not_brought_yet_was_not_cut_off_by_us_and_what_it_brought_is_measured() {
    let [brought, waits] = ["local-0001.webm", "local-0002.webm"].map(str::to_owned);
    let state = State { evidence_open: [brought.clone(), waits.clone()].into(), ..State::default() };
    assert_eq!(on_the_device(&state, std::slice::from_ref(&brought)), [waits].into());
    let left = unfinished(&State::default(), untouched(&["local-0001.webm"]), At(0));
    assert!(left.contains(&brought), "sealed right before the stop");
}

#[test]
fn what_this_process_has_begun_meanwhile_is_nobodys_loss() {
    let clip = "clip-0001.webm".to_owned();
    let state = State {
        evidence_open: ["webcam-0001.webm", "webcam-0002.webm", &clip].map(str::to_owned).into(),
        ..State::default()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let folder = || Folder {
        before: names(&["webcam-0001.webm"]),
        now: names(&["webcam-0001.webm", "webcam-0002.webm", "webcam-0003.webm"]),
    };
    let began = At(1_000);
    assert_eq!(unfinished(&state, folder(), began), ["webcam-0001.webm".to_owned()].into());
    // Handed in since we came: the clip that was announced meanwhile is still being cut.
    let closed =
        |at| State { stage: Stage::Closed { finish: Finish::Submitted, at: At(at) }, ..state.clone() };
    assert!(!unfinished(&closed(1_001), folder(), began).contains(&clip));
    assert!(unfinished(&closed(999), folder(), began).contains(&clip), "of an earlier end nobody cuts it");
}

/// A folder in which nothing has changed since the session was opened.
fn untouched(names: &[&str]) -> Folder {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Folder { before: names.clone(), now: names }
}

#[tokio::test]
async fn a_folder_is_noted_once_and_only_of_a_session_that_was_left() {
    let (_guard, evidence) = folder();
    evidence.note_what_was_left(SESSION);
    assert!(evidence.take_what_was_left(SESSION).is_empty(), "nobody expects it");
    evidence.expect(&[SessionId(SESSION)]);
    evidence.keep(SESSION, "webcam-0001.webm", b"before").unwrap();
    assert!(evidence.is_expected(SESSION));
    evidence.note_what_was_left(SESSION);
    assert!(!evidence.is_expected(SESSION));
    evidence.keep(SESSION, "webcam-0002.webm", b"since").unwrap();
    evidence.note_what_was_left(SESSION);
    assert_eq!(evidence.take_what_was_left(SESSION), ["webcam-0001.webm"]);
}

/// What SIGKILL leaves: whole chunks, then half of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_piece_is_measured_to_its_last_whole_chunk_as_a_reader_gets_it() {
    let (guard, evidence) = folder();
    let folder = Arc::clone(&evidence);
    let path = guard.path().join("evidence").join(SESSION.to_string()).join("webcam-0001.webm.blob");
    let read = tokio::task::spawn_blocking(move || {
        let mut writer = folder.create(SESSION, "webcam-0001.webm").unwrap();
        writer.append(b"header").unwrap();
        writer.append(b"cluster").unwrap();
        drop(writer);
        OpenOptions::new().append(true).open(path).unwrap().write_all(&[0, 0, 0, 9, 1, 2, 3]).unwrap();
        let mut opened = folder.open(SessionId(SESSION), "webcam-0001.webm").unwrap();
        let mut read = Vec::new();
        opened.plain.read_to_end(&mut read).unwrap();
        assert!(opened.unfinished);
        (read, folder.measure(SESSION, "webcam-0001.webm").unwrap())
    });
    let (read, measured) = read.await.unwrap();
    assert_eq!(read, b"headercluster");
    assert_eq!(measured.evidence.sha256, synaq_seal::sha256(&read).to_string());
    assert!(measured.cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_finished_before_its_digest_was_told_is_stored_without_a_gap_and_a_lost_one_is_a_gap() {
    let (_guard, evidence) = folder();
    let writing = Arc::clone(&evidence);
    let finished = tokio::task::spawn_blocking(move || {
        let mut writer = writing.create(SESSION, "stills-0001").unwrap();
        writer.append(b"pictures").unwrap();
        writer.finish().unwrap()
    });
    let finished = finished.await.unwrap();
    let sink = Arc::new(MediaSink::default());
    let left = ["stills-0001", "webcam-0009.webm"].map(|name| Left {
        pressing: true,
        session: SessionId(SESSION),
        name: name.to_owned(),
    });
    let (tell, found) = mpsc::unbounded_channel();
    left.into_iter().for_each(|left| tell.send(left).unwrap());
    drop(tell);
    measure(found, Arc::clone(&sink), evidence).await;
    let words = sink.drained();
    let stored =
        EvidenceRef { name: "stills-0001".to_owned(), sha256: finished.sha256, bytes: finished.bytes };
    assert!(words.contains(&Word::Fact(synaq_core::session::MediaFact::Stored(stored))), "{words:?}");
    let lost = |word: &Word| match word {
        Word::Fact(synaq_core::session::MediaFact::Gap { name, .. }) => {
            name.as_deref() == Some("webcam-0009.webm")
        }
        _ => false,
    };
    assert!(words.len() == 2 && words.iter().any(lost), "{words:?}");
}
