use super::*;
use crate::ebml::{Elements, element_head};
use crate::survey::{CLUSTER, EBML, SEGMENT, TIMESTAMP, TRACKS, before_clusters};
use crate::webm::{AUDIO, Cluster, Tracks, VIDEO, header};
use std::io::Cursor;

/// In November 2026.
pub(crate) const BEGAN_MS: i64 = 1_795_000_000_123;

/// Seconds of a recording with a key frame every five seconds, 10 pictures and 50 sounds a second.
pub(crate) fn recording(seconds: i64, video: bool) -> Vec<u8> {
    let mut out = header(Tracks { video: video.then_some((640, 480)), audio: true }, BEGAN_MS);
    let mut cluster = Cluster::default();
    let mut put = |track, ms, key: bool, data: &[u8]| {
        if cluster.is_full_for(ms, key && track == VIDEO) {
            out.extend(cluster.take().unwrap_or_default());
        }
        cluster.push(track, ms, key, data);
    };
    for ms in (0..seconds * 1_000).step_by(20) {
        if video && ms % 100 == 0 {
            put(VIDEO, ms, ms % 5_000 == 0, &[7; 300]);
        }
        put(AUDIO, ms, true, &[9; 60]);
    }
    out.extend(cluster.take().unwrap_or_default());
    out
}

pub(crate) fn index(recording: &[u8]) -> Arc<Index> {
    Arc::new(Index::of(&mut Cursor::new(recording), recording.len() as u64).unwrap())
}

fn open(recording: &[u8]) -> Playback<Cursor<Vec<u8>>> {
    Playback::new(Cursor::new(recording.to_vec()), index(recording))
}

fn whole(playback: &mut Playback<Cursor<Vec<u8>>>) -> Vec<u8> {
    let mut file = Vec::new();
    playback.seek(SeekFrom::Start(0)).unwrap();
    playback.read_to_end(&mut file).unwrap();
    file
}

/// Content of the first element `id` among `elements`.
pub(crate) fn child(elements: &[u8], id: u32) -> Option<&[u8]> {
    Elements(elements).map(Result::unwrap).find_map(|(found, data)| (found == id).then_some(data))
}

pub(crate) fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Content of the segment.
pub(crate) fn segment(file: &[u8]) -> &[u8] {
    let (id, size, len) = element_head(file).unwrap();
    assert_eq!(id, EBML);
    let rest = &file[len + usize::try_from(size.unwrap()).unwrap()..];
    let (id, size, len) = element_head(rest).unwrap();
    assert_eq!(id, SEGMENT);
    assert_eq!(rest.len() - len, usize::try_from(size.unwrap()).unwrap(), "the segment ends with the file");
    &rest[len..]
}

/// Time, track and position of each cue.
pub(crate) fn cues(segment: &[u8]) -> Vec<(u64, u64, usize)> {
    let points = Elements(child(segment, 0x1C53_BB6B).unwrap()).map(Result::unwrap);
    let cue = |(_, point): (u32, &[u8])| {
        let place = child(point, 0xB7).unwrap();
        let at = usize::try_from(uint(child(place, 0xF1).unwrap())).unwrap();
        (uint(child(point, 0xB3).unwrap()), uint(child(place, 0xF7).unwrap()), at)
    };
    points.map(cue).collect()
}

pub(crate) fn duration(segment: &[u8]) -> f64 {
    let bytes = child(child(segment, 0x1549_A966).unwrap(), 0x4489).unwrap();
    f64::from_be_bytes(bytes.try_into().unwrap())
}

#[test]
fn a_recording_gets_its_duration_and_a_cue_for_each_key_frame() {
    let recorded = recording(12, true);
    let mut playback = open(&recorded);
    assert_eq!(playback.index.duration_ms(), 11_980);
    assert_eq!((playback.index.began_at_ms(), playback.index.is_pictured()), (Some(BEGAN_MS), true));
    let file = whole(&mut playback);
    assert_eq!(file.len() as u64, playback.index.file_bytes());
    let segment = segment(&file);
    assert!((duration(segment) - 11_980.0).abs() < f64::EPSILON);
    let cues = cues(segment);
    assert_eq!(cues.iter().map(|(ms, ..)| *ms).collect::<Vec<_>>(), [0, 5_000, 10_000]);
    for (ms, track, at) in cues {
        assert_eq!(track, u64::from(VIDEO));
        let (id, _, len) = element_head(&segment[at..]).unwrap();
        assert_eq!(id, CLUSTER, "at {ms} ms");
        let (id, timestamp) = Elements(&segment[at + len..]).next().unwrap().unwrap();
        assert_eq!((id, uint(timestamp)), (TIMESTAMP, ms));
    }
}

#[test]
fn the_seek_head_points_at_info_tracks_and_cues() {
    let file = whole(&mut open(&recording(6, true)));
    let segment = segment(&file);
    let seeks = Elements(child(segment, 0x114D_9B74).unwrap()).map(Result::unwrap);
    let found = seeks.map(|(_, seek)| {
        let id = u32::try_from(uint(child(seek, 0x53AB).unwrap())).unwrap();
        let at = usize::try_from(uint(child(seek, 0x53AC).unwrap())).unwrap();
        assert_eq!(element_head(&segment[at..]).unwrap().0, id);
        id
    });
    assert_eq!(found.collect::<Vec<_>>(), [0x1549_A966, TRACKS, 0x1C53_BB6B]);
}

#[test]
fn tracks_and_clusters_are_those_that_were_recorded() {
    let recorded = recording(6, true);
    let file = whole(&mut open(&recorded));
    let (before, at) = before_clusters(&mut Cursor::new(&recorded), recorded.len() as u64).unwrap();
    let clusters = &recorded[usize::try_from(at).unwrap()..];
    assert!(file.ends_with(clusters));
    assert!(file.windows(before.tracks.len()).any(|window| window == before.tracks));
}

#[test]
fn sound_alone_can_be_entered_at_every_cluster() {
    let file = whole(&mut open(&recording(5, false)));
    let cues = cues(segment(&file));
    assert_eq!(
        cues.iter().map(|(ms, track, _)| (*ms, *track)).collect::<Vec<_>>(),
        [(0, 2), (2_000, 2), (4_000, 2)]
    );
}

#[test]
fn any_range_is_the_same_part_of_the_whole() {
    let mut playback = open(&recording(3, true));
    let file = whole(&mut playback);
    for from in (0..file.len()).step_by(97) {
        let mut part = vec![0; (file.len() - from).min(250)];
        playback.seek(SeekFrom::Start(from as u64)).unwrap();
        playback.read_exact(&mut part).unwrap();
        assert_eq!(part, file[from..from + part.len()], "from {from}");
    }
    playback.seek(SeekFrom::Start(playback.index.file_bytes() + 5)).unwrap();
    assert_eq!(playback.read(&mut [0; 8]).unwrap(), 0);
}

/// What a killed server leaves ends anywhere.
#[test]
fn a_recording_cut_anywhere_plays_to_its_last_whole_cluster() {
    let recorded = recording(7, true);
    let (_, first) = before_clusters(&mut Cursor::new(&recorded), recorded.len() as u64).unwrap();
    let mut longest = 0;
    for cut in (usize::try_from(first).unwrap()..recorded.len()).step_by(61) {
        let mut playback = open(&recorded[..cut]);
        assert!(playback.index.duration_ms() >= longest && playback.index.duration_ms() < 7_000);
        longest = playback.index.duration_ms();
        let file = whole(&mut playback);
        let segment = segment(&file);
        assert!(Elements(segment).all(|element| element.is_ok()), "cut at {cut}");
    }
    assert!(longest > 4_000, "{longest}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let recorded = recording(1, true);
    let mut odd = recorded.clone();
    odd.extend_from_slice(&[0xEC, 0x81, 0]);
    for bytes in [&b""[..], b"0123456789", &recorded[..20], &[0; 4_000], &odd] {
        let refused = Index::of(&mut Cursor::new(bytes), bytes.len() as u64).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{} bytes", bytes.len());
    }
}
