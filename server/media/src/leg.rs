//! One viewer's copy of one stream: sequence numbers and timestamps that go on when the publisher is replaced.
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Least step between the last packet of the old publisher and the first of the new one.
const MIN_STEP: Duration = Duration::from_millis(10);

/// Packets left out that are remembered, for those that come late: some seconds of them.
const LEFT_OUT: usize = 64;

/// Numbering of an outgoing stream.
#[derive(Debug)]
pub(crate) struct Leg {
    video: bool,
    /// Publisher whose packets pass now, and the offsets added to them.
    source: Option<u64>,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Sequence number (extended beyond 16 bits) at which the present source began, and the newest sent.
    start: i64,
    newest: i64,
    newest_timestamp: u32,
    newest_at: Option<Instant>,
    /// Sequence numbers of the source that were left out, oldest first
    left_out: VecDeque<u16>,
}

impl Leg {
    /// `sequence` and `timestamp` are where the stream begins, at random (RFC 3550 5.1).
    pub(crate) fn new(video: bool, sequence: u16, timestamp: u32) -> Self {
        Self {
            video,
            source: None,
            sequence_offset: 0,
            timestamp_offset: 0,
            start: 0,
            newest: i64::from(sequence),
            newest_timestamp: timestamp,
            newest_at: None,
            left_out: VecDeque::new(),
        }
    }

    /// Leaves this packet out, so that whoever watches does not miss it. `false` if it comes too late for that: what follows
    /// it has been sent, and its own place is free.
    pub(crate) fn leave_out(&mut self, source: u64, sequence: u16) -> bool {
        if self.source != Some(source) {
            return true;
        }
        if self.place(self.numbered(sequence)) <= self.newest {
            return false;
        }
        if self.left_out.len() >= LEFT_OUT {
            self.left_out.pop_front();
        }
        self.left_out.push_back(sequence);
        self.sequence_offset = self.sequence_offset.wrapping_sub(1);
        true
    }

    /// Nothing is sent for a while: what comes then goes on where this stands.
    pub(crate) fn pause(&mut self) {
        self.source = None;
    }

    /// As it is sent. What was left out behind it does not count for it.
    fn numbered(&self, sequence: u16) -> u16 {
        let is_behind = |left_out: &&u16| (1..0x8000).contains(&left_out.wrapping_sub(sequence));
        let behind = self.left_out.iter().filter(is_behind).count();
        sequence.wrapping_add(self.sequence_offset).wrapping_add(u16::try_from(behind).unwrap_or(0))
    }

    fn place(&self, out: u16) -> i64 {
        self.newest + i64::from(out.wrapping_sub(low_bits(self.newest)).cast_signed())
    }

    /// The picture of this publisher has not begun here: a key frame is needed.
    pub(crate) fn waits_for(&self, source: u64) -> bool {
        self.video && self.source != Some(source)
    }

    /// New sequence number and timestamp of a packet, or `None` to leave it out. `key` begins a video key frame.
    pub(crate) fn route(
        &mut self,
        source: u64,
        (sequence, timestamp): (u16, u32),
        key: bool,
        now: Instant,
    ) -> Option<(u16, u32)> {
        if self.source != Some(source) {
            if self.video && !key {
                return None;
            }
            self.switch(source, sequence, timestamp, now);
        }
        let out = (self.numbered(sequence), timestamp.wrapping_add(self.timestamp_offset));
        let place = self.place(out.0);
        if place < self.start {
            // A late packet from before the key frame this source began with.
            return None;
        }
        if place > self.newest {
            (self.newest, self.newest_timestamp, self.newest_at) = (place, out.1, Some(now));
        }
        Some(out)
    }

    fn switch(&mut self, source: u64, sequence: u16, timestamp: u32, now: Instant) {
        let passed = self.newest_at.map_or(MIN_STEP, |last| now.duration_since(last).max(MIN_STEP));
        let passed_ms = u32::try_from(passed.as_millis()).unwrap_or(u32::MAX);
        let ticks_per_ms = if self.video { 90 } else { 48 };
        let next_timestamp = self.newest_timestamp.wrapping_add(passed_ms.wrapping_mul(ticks_per_ms));
        self.source = Some(source);
        self.left_out.clear();
        self.start = self.newest + 1;
        self.sequence_offset = low_bits(self.start).wrapping_sub(sequence);
        self.timestamp_offset = next_timestamp.wrapping_sub(timestamp);
    }
}

fn low_bits(extended: i64) -> u16 {
    u16::try_from(extended & 0xffff).expect("masked to 16 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_publisher_continues_the_numbering_from_its_key_frame() {
        let (mut leg, now) = (Leg::new(true, 100, 9_000), Instant::now());
        assert!(leg.waits_for(1));
        assert_eq!(leg.route(1, (7, 50), false, now), None);
        assert_eq!(leg.route(1, (8, 50), true, now), Some((101, 9_900)));
        assert_eq!(leg.route(1, (9, 140), false, now), Some((102, 9_990)));
        let later = now + Duration::from_secs(2);
        assert!(leg.waits_for(2));
        assert_eq!(leg.route(2, (60_000, 7), false, later), None);
        assert_eq!(leg.route(2, (60_001, 7), true, later), Some((103, 9_990 + 180_000)));
        assert_eq!(leg.route(2, (60_000, 7), false, later), None, "late, from before the key frame");
    }

    #[test]
    fn lost_and_late_packets_keep_their_places() {
        let (mut leg, now) = (Leg::new(false, 65_534, 0), Instant::now());
        let mut send = |sequence| leg.route(1, (sequence, 0), false, now).map(|out| out.0);
        assert_eq!([send(1), send(4), send(2), send(5)], [Some(65_535), Some(2), Some(0), Some(3)]);
    }

    #[test]
    fn what_is_left_out_is_not_missed_and_what_comes_late_has_its_place() {
        let (mut leg, now) = (Leg::new(true, 65_533, 0), Instant::now());
        let send = |leg: &mut Leg, sequence| leg.route(1, (sequence, 0), sequence == 1, now).map(|out| out.0);
        assert!(leg.leave_out(1, 0), "nothing has begun");
        assert_eq!(send(&mut leg, 1), Some(65_534));
        assert!(leg.leave_out(1, 2));
        assert_eq!(send(&mut leg, 3), Some(65_535));
        // 4 is late, 5 and 6 are left out meanwhile.
        assert!(leg.leave_out(1, 5) && leg.leave_out(1, 6));
        assert_eq!(send(&mut leg, 7), Some(1));
        assert_eq!(send(&mut leg, 4), Some(0), "the place that was kept for it");
        assert!(!leg.leave_out(1, 4), "it has been sent");
        assert_eq!(send(&mut leg, 8), Some(2));
        leg.pause();
        assert_eq!(send(&mut leg, 1), Some(3), "as after a change of the publisher");
    }

    #[test]
    fn hours_of_packets_pass() {
        let (mut leg, now) = (Leg::new(true, 0, 0), Instant::now());
        for packet in 0..200_000_u32 {
            let sequence = u16::try_from(packet & 0xffff).unwrap();
            assert!(leg.route(1, (sequence, packet), packet == 0, now).is_some());
        }
    }
}
