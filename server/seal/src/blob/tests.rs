use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use super::*;

const TEXTS: [&[u8]; 4] = [b"first chunk", b"2", b"third, a longer one", b"end"];
const ID: BlobId = BlobId([7; 16]);

fn key(seed: u8) -> SessionKey {
    SessionKey::from_bytes(&[seed; 32]).unwrap()
}

fn sample() -> Vec<u8> {
    let mut writer = Writer::create(Vec::new(), &key(1), ID).unwrap();
    for text in TEXTS {
        writer.append(text).unwrap();
    }
    writer.finish().unwrap().0
}

/// File offsets at which each of the chunks starts, the final one included.
fn starts() -> Vec<usize> {
    let mut at = vec![HEADER_LEN];
    at.extend(TEXTS.iter().scan(HEADER_LEN, |at, text| {
        *at += HEAD_LEN + text.len() + TAG_LEN;
        Some(*at)
    }));
    at
}

fn open(bytes: &[u8]) -> Result<Reader<Cursor<&[u8]>>, Error> {
    Reader::open(Cursor::new(bytes), &key(1), ID)
}

fn read(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Ending), Error> {
    let mut reader = open(bytes)?;
    let mut texts = Vec::new();
    while let Some(text) = reader.next_chunk()? {
        texts.push(text.to_vec());
    }
    Ok((texts, reader.ending()))
}

#[test]
fn finished_blob_reads_back_whole() {
    let (texts, ending) = read(&sample()).unwrap();
    assert_eq!((texts, ending), (TEXTS.map(<[u8]>::to_vec).to_vec(), Ending::Finished));
}

#[test]
fn summary_tells_length_digest_and_chain_head() {
    let (bytes, summary) = seal_bytes(&key(1), ID, &vec![9; MAX_CHUNK + 1]).unwrap();
    assert_eq!(summary.chunks, 2);
    assert_eq!(summary.plain_bytes, MAX_CHUNK as u64 + 1);
    assert_eq!(summary.sealed_bytes, bytes.len() as u64);
    assert_eq!(summary.sha256, digest::sha256(&bytes));
    assert_eq!(summary.plain_sha256, digest::sha256(&vec![9; MAX_CHUNK + 1]));
    assert_eq!(open(&bytes).unwrap().verify().unwrap(), summary.head);
    assert_eq!(open_bytes(&bytes, &key(1), ID).unwrap(), vec![9; MAX_CHUNK + 1]);
}

#[test]
fn empty_blob_is_a_finished_blob() {
    let (bytes, summary) = seal_bytes(&key(1), ID, b"").unwrap();
    assert_eq!(summary.chunks, 0);
    assert_eq!(open_bytes(&bytes, &key(1), ID).unwrap(), b"");
}

#[test]
fn every_flipped_bit_of_a_finished_blob_is_detected() {
    let whole = sample();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let undetected = matches!(read(&bytes), Ok((_, Ending::Finished)));
            assert!(!undetected, "bit {bit} of byte {at}");
            assert!(open_bytes(&bytes, &key(1), ID).is_err());
        }
    }
}

#[test]
fn blob_cut_anywhere_reads_to_its_last_whole_chunk_and_says_unfinished() {
    let (whole, starts) = (sample(), starts());
    for cut in 0..whole.len() {
        let result = read(&whole[..cut]);
        if cut < HEADER_LEN {
            assert!(matches!(result, Err(Error::NotABlob)), "cut at {cut}");
            continue;
        }
        let chunks = starts.iter().filter(|start| **start <= cut).count() - 1;
        let torn_bytes = (cut - starts[chunks]) as u64;
        let (texts, ending) = result.unwrap();
        assert_eq!(texts, TEXTS[..chunks], "cut at {cut}");
        assert_eq!(ending, Ending::Unfinished { torn_bytes }, "cut at {cut}");
    }
}

#[test]
fn swapped_repeated_or_dropped_chunks_are_refused() {
    let text: &[u8] = b"same length";
    let mut writer = Writer::create(Vec::new(), &key(1), ID).unwrap();
    for index in 0..3 {
        assert_eq!(writer.append(text).unwrap(), index);
    }
    let whole = writer.finish().unwrap().0;
    let size = HEAD_LEN + text.len() + TAG_LEN;
    let chunk = |n: usize| whole[HEADER_LEN + n * size..][..size].to_vec();
    let (header, end) = (&whole[..HEADER_LEN], &whole[HEADER_LEN + 3 * size..]);
    for order in [&[1, 0, 2][..], &[0, 0, 2], &[0, 1], &[0, 1, 2, 2], &[1, 2]] {
        let chunks: Vec<u8> = order.iter().flat_map(|n| chunk(*n)).collect();
        assert!(read(&[header, &chunks, end].concat()).is_err(), "{order:?}");
    }
    assert!(read(&[header, &chunk(0), &chunk(1), &chunk(2), end].concat()).is_ok());
}

#[test]
fn chunk_of_another_blob_under_the_same_key_is_refused() {
    let other = seal_bytes(&key(1), BlobId([8; 16]), TEXTS[0]).unwrap().0;
    let own = seal_bytes(&key(1), ID, TEXTS[0]).unwrap().0;
    let mixed = [&own[..HEADER_LEN], &other[HEADER_LEN..]].concat();
    assert!(matches!(read(&mixed), Err(Error::ChunkChanged { .. })));
    assert!(matches!(read(&other), Err(Error::OtherBlob { .. })));
}

#[test]
fn wrong_key_is_named_as_such() {
    assert!(matches!(Reader::open(Cursor::new(sample()), &key(2), ID), Err(Error::OtherKey)));
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut bytes = sample();
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(Error::Trailing { bytes: 1 })));
}

#[test]
fn zeros_behind_a_crash_are_torn_bytes() {
    let starts = starts();
    let bytes = [&sample()[..starts[2]], &[0; 100]].concat();
    let (texts, ending) = read(&bytes).unwrap();
    assert_eq!((texts.len(), ending), (2, Ending::Unfinished { torn_bytes: 100 }));
}

#[test]
fn every_plaintext_range_reads_alone() {
    let (bytes, plain) = (sample(), TEXTS.concat());
    let mut reader = open(&bytes).unwrap();
    assert_eq!(reader.plain_len(), plain.len() as u64);
    for from in 0..=plain.len() {
        for to in from..=plain.len() {
            reader.seek(SeekFrom::Start(from as u64)).unwrap();
            let mut part = vec![0; to - from];
            reader.read_exact(&mut part).unwrap();
            assert_eq!(part, plain[from..to], "{from}..{to}");
        }
    }
    reader.seek(SeekFrom::End(-3)).unwrap();
    assert_eq!(reader.next_chunk().unwrap().unwrap(), b"end");
    assert!(reader.seek(SeekFrom::Current(-1_000)).is_err());
    reader.seek(SeekFrom::Start(1_000)).unwrap();
    assert!(reader.next_chunk().unwrap().is_none());
}

#[test]
fn same_text_twice_seals_to_different_bytes() {
    let starts = starts();
    let mut writer = Writer::create(Vec::new(), &key(1), ID).unwrap();
    writer.append(TEXTS[0]).unwrap();
    writer.append(TEXTS[0]).unwrap();
    let bytes = writer.finish().unwrap().0;
    let size = TEXTS[0].len();
    assert_ne!(bytes[starts[0] + HEAD_LEN..][..size], bytes[starts[1] + HEAD_LEN..][..size]);
    assert!(!bytes.windows(size).any(|window| window == TEXTS[0]));
}

#[test]
fn chunk_of_no_bytes_or_too_many_is_refused_and_leaves_the_blob_usable() {
    let mut writer = Writer::create(Vec::new(), &key(1), ID).unwrap();
    assert!(matches!(writer.append(b""), Err(Error::ChunkSize { actual: 0 })));
    assert!(matches!(writer.append(&vec![0; MAX_CHUNK + 1]), Err(Error::ChunkSize { .. })));
    assert_eq!(writer.append(&vec![0; MAX_CHUNK]).unwrap(), 0);
    assert_eq!(writer.finish().unwrap().1.chunks, 1);
}

/// Takes `room` bytes and then fails, as a full disk does.
struct FullDisk {
    room: usize,
    kept: Vec<u8>,
}

impl Write for &mut FullDisk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let len = bytes.len().min(self.room - self.kept.len());
        if len == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.kept.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn full_disk_breaks_the_writer_and_keeps_the_whole_chunks() {
    let mut disk = FullDisk { room: starts()[1] + 9, kept: Vec::new() };
    let mut writer = Writer::create(&mut disk, &key(1), ID).unwrap();
    writer.append(TEXTS[0]).unwrap();
    assert!(matches!(writer.append(TEXTS[1]), Err(Error::Io(_))));
    assert!(matches!(writer.append(TEXTS[1]), Err(Error::Broken)));
    assert!(matches!(writer.finish(), Err(Error::Broken)));
    let (texts, ending) = read(&disk.kept).unwrap();
    assert_eq!((texts.len(), ending), (1, Ending::Unfinished { torn_bytes: 9 }));
}

#[test]
fn blob_id_is_written_as_hex_and_read_back() {
    let id = BlobId::generate(&ring::rand::SystemRandom::new()).unwrap();
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(serde_json::to_string(&ID).unwrap(), format!("\"{}\"", "07".repeat(16)));
    assert_eq!(serde_json::from_str::<BlobId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    for bad in [&id.to_string()[1..], &"AB".repeat(16), ""] {
        assert_eq!(bad.parse::<BlobId>(), Err(NotABlobId));
    }
}

#[test]
fn chunk_that_reads_like_an_ending_cannot_be_made_one() {
    let mut writer = Writer::create(Vec::new(), &key(1), ID).unwrap();
    // What the final chunk of a blob without chunks would say.
    writer.append(&[0; FINAL_LEN]).unwrap();
    writer.append(b"the rest, to be cut off").unwrap();
    let mut bytes = writer.finish().unwrap().0;
    bytes.truncate(HEADER_LEN + HEAD_LEN + FINAL_LEN + TAG_LEN);
    assert!(matches!(read(&bytes), Ok((_, Ending::Unfinished { torn_bytes: 0 }))));
    bytes[HEADER_LEN] |= 0x80;
    assert!(matches!(read(&bytes), Err(Error::ChunkChanged { index: 0 })));
}

#[test]
fn two_blobs_under_one_key_share_no_keystream() {
    let sealed = |id| seal_bytes(&key(1), BlobId([id; 16]), TEXTS[2]).unwrap().0;
    let text = HEADER_LEN + HEAD_LEN..HEADER_LEN + HEAD_LEN + TEXTS[2].len();
    assert_ne!(sealed(1)[text.clone()], sealed(2)[text]);
}

#[test]
fn ending_that_miscounts_is_refused_even_under_the_right_key() {
    let cipher = Cipher::create(&key(1), ID);
    let head = Head { last: true, len: u32::try_from(FINAL_LEN).unwrap() };
    let ending = |total: u64| {
        let mut text = [&total.to_be_bytes()[..], &[0; DIGEST_LEN]].concat();
        let tag = cipher.seal(0, head, &mut text);
        [&cipher.header[..], &head.to_bytes(), &text, &tag].concat()
    };
    assert!(matches!(read(&ending(0)), Ok((_, Ending::Finished))));
    assert!(matches!(read(&ending(5)), Err(Error::ChunkChanged { index: 0 })));
}

#[test]
fn a_blob_that_lost_power_reads_before_what_is_torn_whichever_bytes_of_its_end_are_missing() {
    let whole = sample();
    let starts = starts();
    let ending = *starts.last().unwrap();
    // The bytes of one chunk, its head aside, were never written, and no ending was; or those of the ending.
    for (chunk, start) in starts.iter().enumerate() {
        let end = starts.get(chunk + 1).copied().unwrap_or(whole.len());
        let mut left = whole.clone();
        left[start + HEAD_LEN..end].fill(0);
        left.truncate(if *start == ending { whole.len() } else { ending });
        let mut reader = Reader::open_left(Cursor::new(&left[..]), &key(1), ID).unwrap();
        let torn_bytes = (left.len() - start) as u64;
        assert_eq!((reader.chunks(), reader.ending()), (chunk as u64, Ending::Unfinished { torn_bytes }));
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        assert_eq!(text, TEXTS[..chunk].concat());
        // Whoever asks whether it was changed is told so.
        assert!(open(&left).and_then(|mut reader| reader.verify()).is_err());
    }
    let reader = Reader::open_left(Cursor::new(&whole[..]), &key(1), ID).unwrap();
    assert_eq!((reader.chunks(), reader.ending()), (TEXTS.len() as u64, Ending::Finished));
}
