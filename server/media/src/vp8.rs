//! VP8 over RTP (RFC 7741): payload descriptor, frame assembly, key-frame header (RFC 6386), WebP wrapping.
use bytes::Bytes;

/// Longest side and most pixels of a picture: a 4K screen. A header may claim 16,383 by 16,383, and whoever decodes such
/// a still would need a gigabyte for it.
pub(crate) const MAX_SIDE: u16 = 4_096;
pub(crate) const MAX_PIXELS: u32 = 3_840 * 2_160;
/// Longest frame assembled. A 640x480 key frame at the best quality stays below 150 kB.
const MAX_FRAME_BYTES: usize = 512 << 10;

/// A complete encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) data: Bytes,
    /// RTP timestamp, 90 kHz.
    pub(crate) timestamp: u32,
    pub(crate) key: bool,
}

/// What a payload descriptor (RFC 7741, section 4.2) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Its length
    len: usize,
    /// Layer of the picture, where the sender has layers; nothing of layer 0 refers to a picture above it
    pub(crate) layer: u8,
    /// Of a picture above layer 0: it refers to layer 0 alone
    pub(crate) enters: bool,
    /// Count of the pictures of layer 0, where the sender has layers
    base: Option<u8>,
}

/// The descriptor, if a VP8 payload follows it.
pub(crate) fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let mut found = Descriptor { len: 1, layer: 0, enters: false, base: None };
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        found.len = 2;
        if extension & 0x80 != 0 {
            found.len += if payload.get(found.len)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            found.base = payload.get(found.len).copied();
            found.len += 1;
        }
        if extension & 0x30 != 0 {
            let layer = *payload.get(found.len)?;
            if extension & 0x20 != 0 {
                (found.layer, found.enters) = (layer >> 6, layer & 0x20 != 0);
            }
            found.len += 1;
        }
    }
    (found.len < payload.len()).then_some(found)
}

/// Length of the payload descriptor, if a VP8 payload follows it.
fn descriptor_len(payload: &[u8]) -> Option<usize> {
    descriptor(payload).map(|found| found.len)
}

/// First packet of the first partition: S bit set, PID 0.
pub(crate) fn starts_frame(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0x10 != 0 && first & 0x07 == 0)
}

/// Whether this RTP payload begins a key frame: the P bit of RFC 6386 9.1 is 0.
pub(crate) fn starts_key_frame(payload: &[u8]) -> bool {
    starts_frame(payload) && descriptor_len(payload).is_some_and(|at| payload[at] & 1 == 0)
}

/// Width and height of a key frame; `None` for any other bytes, and for a size beyond [`MAX_SIDE`] and [`MAX_PIXELS`].
pub(crate) fn key_frame_size(frame: &[u8]) -> Option<(u16, u16)> {
    if frame.len() < 10 || frame[0] & 1 != 0 || frame[3..6] != [0x9d, 0x01, 0x2a] {
        return None;
    }
    // The two upper bits are a scaling hint that nobody uses.
    let side = |at: usize| u16::from_le_bytes([frame[at], frame[at + 1]]) & 0x3fff;
    let fits = |side: u16| (1..=MAX_SIDE).contains(&side);
    Some((side(6), side(8))).filter(|(width, height)| {
        fits(*width) && fits(*height) && u32::from(*width) * u32::from(*height) <= MAX_PIXELS
    })
}

/// Wraps a key frame as a lossy WebP file (RFC 9649, section 2.5): a VP8 key frame is what that format holds.
pub(crate) fn webp(frame: &[u8]) -> Option<Vec<u8>> {
    key_frame_size(frame)?;
    let padding = frame.len() & 1;
    let length = u32::try_from(frame.len()).ok()?;
    let riff_length = u32::try_from(4 + 8 + frame.len() + padding).ok()?;
    let mut file = Vec::with_capacity(20 + frame.len() + padding);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&riff_length.to_le_bytes());
    file.extend_from_slice(b"WEBPVP8 ");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(frame);
    file.resize(file.len() + padding, 0);
    Some(file)
}

/// Puts frames together from packets that come in sequence. After a gap it waits for the next key frame, because
/// every frame until then refers to a picture that never arrived; unless what is missing was above layer 0, which the next
/// picture of layer 0 shows by its count.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    data: Vec<u8>,
    timestamp: u32,
    open: bool,
    needs_key: bool,
    /// Count of the newest whole picture of layer 0, and of the open one
    base: Option<u8>,
    open_base: Option<u8>,
    /// Key frames that were none, or of a size beyond the bounds.
    refused: u64,
}

impl Assembler {
    /// Key frames refused since the last call.
    pub(crate) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// A packet is missing for good.
    pub(crate) fn gap(&mut self) {
        self.open = false;
        self.needs_key = true;
    }

    pub(crate) fn needs_key(&self) -> bool {
        self.needs_key
    }

    /// The open picture is of layer 0 and the one right after the newest whole one of it.
    fn follows(&self) -> bool {
        self.open_base.zip(self.base).is_some_and(|(open, newest)| open == newest.wrapping_add(1))
    }

    /// Takes the next packet; a frame comes out with its last one.
    pub(crate) fn push(&mut self, timestamp: u32, marker: bool, payload: &[u8]) -> Option<Frame> {
        let found = descriptor(payload)?;
        let at = found.len;
        if starts_frame(payload) {
            self.data.clear();
            self.timestamp = timestamp;
            self.open = true;
            self.open_base = found.base.filter(|_| found.layer == 0);
            if self.needs_key && self.follows() {
                self.needs_key = false;
            }
        }
        if !self.open {
            return None;
        }
        if timestamp != self.timestamp || self.data.len() + payload.len() > MAX_FRAME_BYTES {
            self.gap();
            return None;
        }
        self.data.extend_from_slice(&payload[at..]);
        if !marker {
            return None;
        }
        self.open = false;
        let key = key_frame_size(&self.data).is_some();
        if !key && self.data[0] & 1 == 0 {
            // It says that it stands alone, and is no picture that we take: nothing after it can be shown.
            self.refused += 1;
            self.gap();
            return None;
        }
        if self.needs_key && !key {
            return None;
        }
        self.needs_key = false;
        self.base = self.open_base.or(self.base);
        Some(Frame { data: Bytes::copy_from_slice(&self.data), timestamp, key })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A key frame's bytes as far as this module looks at them, `length` long.
    pub(crate) fn key_frame(width: u16, height: u16, length: usize) -> Vec<u8> {
        let mut frame = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a];
        frame.extend_from_slice(&width.to_le_bytes());
        frame.extend_from_slice(&height.to_le_bytes());
        frame.resize(length.max(10), 0x55);
        frame
    }

    #[test]
    fn frame_comes_out_with_its_last_packet() {
        let mut assembler = Assembler::default();
        let frame = key_frame(640, 480, 30);
        assert_eq!(assembler.push(90, false, &[&[0x10], &frame[..20]].concat()), None);
        let out = assembler.push(90, true, &[&[0x00], &frame[20..]].concat()).unwrap();
        assert_eq!((out.data.as_ref(), out.key, out.timestamp), (frame.as_slice(), true, 90));
    }

    #[test]
    fn extended_descriptor_with_long_picture_id_is_skipped() {
        let mut assembler = Assembler::default();
        let frame = key_frame(320, 240, 12);
        let payload = [&[0x90, 0xf0, 0x81, 0x02, 0x03, 0x04][..], &frame].concat();
        assert!(starts_key_frame(&payload));
        assert_eq!(assembler.push(1, true, &payload).unwrap().data, frame);
    }

    #[test]
    fn after_a_gap_only_a_key_frame_continues() {
        let mut assembler = Assembler::default();
        assembler.gap();
        assert_eq!(assembler.push(1, true, &[0x10, 0x01, 0x02]), None);
        assert!(assembler.needs_key());
        assert!(assembler.push(2, true, &[&[0x10], &key_frame(2, 2, 11)[..]].concat()).unwrap().key);
        assert!(!assembler.push(3, true, &[0x10, 0x01, 0x02]).unwrap().key);
    }

    /// A packet of a whole frame: `base` counts layer 0, `layer` with its bit for "refers to layer 0 alone".
    fn layered(base: u8, layer: u8, frame: &[u8]) -> Vec<u8> {
        [&[0x90, 0xe0, 0x11, base, layer << 6][..], frame].concat()
    }

    #[test]
    fn layers_are_told_and_a_lost_picture_above_the_lowest_needs_no_key_frame() {
        let delta = [0x01, 0x02];
        let upper = descriptor(&[&[0x90, 0xe0, 0x11, 7, 0x60][..], &delta].concat()).unwrap();
        assert_eq!((upper.layer, upper.enters), (1, true));
        assert_eq!(descriptor(&[&[0x10][..], &delta].concat()).unwrap().layer, 0);

        let mut assembler = Assembler::default();
        assert!(assembler.push(1, true, &layered(7, 0, &key_frame(640, 480, 20))).is_some());
        assembler.gap();
        assert_eq!(assembler.push(3, true, &layered(7, 1, &delta)), None, "it may refer to what is lost");
        assert!(
            assembler.push(4, true, &layered(8, 0, &delta)).is_some(),
            "nothing of the lowest layer is missing"
        );
        assert!(!assembler.needs_key() && assembler.push(5, true, &layered(8, 1, &delta)).is_some());
        assembler.gap();
        assert_eq!(assembler.push(7, true, &layered(10, 0, &delta)), None, "the ninth is missing");
        assert!(assembler.needs_key());
    }

    #[test]
    fn key_frame_of_an_absurd_size_or_of_another_codec_is_refused() {
        let mut assembler = Assembler::default();
        let mut push = |frame: &[u8]| assembler.push(1, true, &[&[0x10], frame].concat());
        assert!(push(&key_frame(3_840, 2_160, 20)).is_some());
        assert_eq!(push(&key_frame(16_383, 16_383, 20)), None);
        assert_eq!(push(&key_frame(4_097, 16, 20)), None);
        assert_eq!(push(&key_frame(0, 480, 20)), None);
        assert_eq!(push(&[0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), None, "an H.264 slice, say");
        assert_eq!(push(&[0x11, 1, 2]), None, "refers to a picture that was refused");
        assert!(push(&key_frame(320, 240, 20)).is_some());
        assert_eq!((assembler.take_refused(), assembler.take_refused()), (4, 0));
    }

    #[test]
    fn webp_has_even_chunks_and_a_true_length() {
        for length in [20, 21] {
            let file = webp(&key_frame(640, 480, length)).unwrap();
            assert_eq!(file.len() % 2, 0);
            let riff = u32::from_le_bytes(file[4..8].try_into().unwrap());
            assert_eq!(riff as usize + 8, file.len());
        }
        assert_eq!(webp(&[1, 2, 3]), None);
    }

    proptest! {
        #[test]
        fn any_payload_is_survived(packets in proptest::collection::vec((any::<u32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..20)) {
            let mut assembler = Assembler::default();
            for (timestamp, marker, payload) in packets {
                starts_key_frame(&payload);
                if let Some(frame) = assembler.push(timestamp, marker, &payload) {
                    webp(&frame.data);
                }
            }
        }
    }
}
