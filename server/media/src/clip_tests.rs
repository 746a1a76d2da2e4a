use super::*;
use crate::playback::tests::{BEGAN_MS, cues, duration, index, recording, segment};
use crate::survey::CLUSTER;
use crate::webm::DATE_UTC;
use std::io::Cursor;

fn part(recorded: &[u8], after_ms: i64) -> Part<Cursor<Vec<u8>>> {
    Part { plain: Cursor::new(recorded.to_vec()), index: index(recorded), began_at_ms: BEGAN_MS + after_ms }
}

fn cut_of(parts: &[(&[u8], i64)], from: i64, to: i64) -> Option<Clip> {
    let mut parts: Vec<_> = parts.iter().map(|(recorded, after)| part(recorded, *after)).collect();
    cut(&mut parts, BEGAN_MS + from, BEGAN_MS + to).unwrap()
}

/// Beginnings of the clusters, which must be those that the cues and the list name.
fn beginnings(clip: &Clip) -> Vec<u64> {
    let index = Index::of(&mut Cursor::new(&clip.webm), clip.webm.len() as u64).unwrap();
    assert_eq!(index.file_bytes(), clip.webm.len() as u64, "its own index is the same again");
    assert_eq!(index.began_at_ms(), Some(clip.from_ms));
    index.list.iter().map(|cluster| cluster.start_ms).collect()
}

#[test]
fn a_clip_begins_at_the_key_frame_before_what_was_asked_and_ends_with_a_whole_cluster() {
    let recorded = recording(60, true);
    let clip = cut_of(&[(&recorded, 0)], 32_500, 41_000).unwrap();
    assert_eq!(clip.from_ms, BEGAN_MS + 30_000);
    assert!((41_000..43_000).contains(&(clip.to_ms - BEGAN_MS)), "{}", clip.to_ms - BEGAN_MS);
    let beginnings = beginnings(&clip);
    assert_eq!(beginnings[0], 0);
    assert!(beginnings.is_sorted());
    let segment = segment(&clip.webm);
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let length = (clip.to_ms - clip.from_ms) as f64;
    assert!((duration(segment) - length).abs() < 1.0);
    assert_eq!(cues(segment).iter().map(|(ms, ..)| *ms).collect::<Vec<_>>(), [0, 5_000, 10_000]);
    assert!(segment.windows(2).any(|id| id == DATE_UTC.to_be_bytes()[2..].to_vec()));
}

#[test]
fn what_was_recorded_in_two_pieces_is_one_clip_with_the_pause_between_them() {
    let (first, second) = (recording(10, true), recording(20, true));
    let clip = cut_of(&[(&first, 0), (&second, 25_000)], 8_000, 28_000).unwrap();
    let beginnings = beginnings(&clip);
    assert_eq!(clip.from_ms, BEGAN_MS + 5_000);
    assert!(beginnings.contains(&20_000), "the second recording begins 20 s into the clip: {beginnings:?}");
    assert!(!beginnings.iter().any(|start| (5_100..20_000).contains(start)), "{beginnings:?}");
}

#[test]
fn where_nothing_was_recorded_there_is_no_clip() {
    let recorded = recording(10, true);
    assert_eq!(cut_of(&[(&recorded, 0)], 11_000, 20_000), None);
    assert_eq!(cut_of(&[(&recorded, 0)], -20_000, -1), None);
    assert_eq!(cut_of(&[], 0, 1_000), None);
}

#[test]
fn sound_alone_is_cut_anywhere() {
    let clip = cut_of(&[(&recording(10, false), 0)], 4_500, 6_500).unwrap();
    assert!((2_000..=4_500).contains(&(clip.from_ms - BEGAN_MS)), "{}", clip.from_ms - BEGAN_MS);
    assert!(clip.webm.windows(4).any(|id| id == CLUSTER.to_be_bytes()));
}

#[test]
fn a_clock_set_back_between_two_recordings_does_not_set_the_clip_back() {
    let recorded = recording(10, true);
    let clip = cut_of(&[(&recorded, 0), (&recorded, 5_000)], 0, 20_000).unwrap();
    assert!(beginnings(&clip).is_sorted());
}
