//! Puts RTP packets of one stream into sequence before the recorder sees them.
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a missing packet is waited for: one NACK round trip on a poor line, and more than any jitter that a
/// recording needs to follow.
pub(crate) const HOLD: Duration = Duration::from_millis(200);
/// Packets held at most; at 80 packets/s a gap of `HOLD` holds 16.
const MAX_HELD: usize = 512;
/// A jump further than this is a new stream, not loss (RFC 3550 A.1 calls it MAX_DROPOUT).
const MAX_JUMP: i32 = 3_000;

/// What leaves the buffer, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Out<T> {
    Packet(T),
    /// This many packets did not come in time.
    Lost(u32),
}

/// Reorder buffer of one stream.
#[derive(Debug)]
pub(crate) struct Reorder<T> {
    /// Sequence number that leaves next, extended beyond 16 bits.
    next: Option<i64>,
    held: BTreeMap<i64, (Instant, T)>,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: None, held: BTreeMap::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes a packet in. Duplicates and packets that came after their turn are dropped.
    pub(crate) fn push(&mut self, sequence: u16, item: T, now: Instant) {
        let next = *self.next.get_or_insert_with(|| i64::from(sequence));
        let distance = distance(next, sequence);
        if distance.abs() > MAX_JUMP {
            // What was held belongs to the old numbering and can still leave; `take` reports the jump as one loss.
            for (since, _) in self.held.values_mut() {
                *since = since.checked_sub(HOLD).unwrap_or(*since);
            }
            let restart = self.held.last_key_value().map_or(next, |(last, _)| last + 1);
            let aligned = restart - (restart & 0xffff) + i64::from(sequence);
            let at = if aligned < restart { aligned + 0x1_0000 } else { aligned };
            self.held.insert(at, (now.checked_sub(HOLD).unwrap_or(now), item));
            return;
        }
        if distance >= 0 {
            self.held.entry(next + i64::from(distance)).or_insert((now, item));
        }
    }

    /// What may leave now: everything in sequence, and what lies behind a gap that has been waited for.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Out<T>> {
        let next = self.next?;
        let (&first, (since, _)) = self.held.first_key_value()?;
        if first == next {
            self.next = Some(next + 1);
            return self.held.pop_first().map(|(_, (_, item))| Out::Packet(item));
        }
        if now.duration_since(*since) >= HOLD || self.held.len() > MAX_HELD {
            self.next = Some(first);
            let lost = u32::try_from(first - next).unwrap_or(u32::MAX);
            // A new numbering says nothing about how much went missing; something may have.
            return Some(Out::Lost(if lost > MAX_JUMP.unsigned_abs() { 1 } else { lost }));
        }
        None
    }

    /// When `take` will give up on the gap it waits for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (&first, (since, _)) = self.held.first_key_value()?;
        Some(if Some(first) == self.next { *since } else { *since + HOLD })
    }
}

/// Signed distance from `next` to a 16-bit sequence number.
fn distance(next: i64, sequence: u16) -> i32 {
    let low = u16::try_from(next & 0xffff).expect("masked to 16 bits");
    i32::from(sequence.wrapping_sub(low).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(buffer: &mut Reorder<u16>, now: Instant) -> Vec<Out<u16>> {
        std::iter::from_fn(|| buffer.take(now)).collect()
    }

    #[test]
    fn late_packet_within_the_hold_time_closes_the_gap() {
        let (mut buffer, now) = (Reorder::default(), Instant::now());
        for sequence in [65_534, 0, 1, 65_535] {
            buffer.push(sequence, sequence, now);
        }
        assert_eq!(drain(&mut buffer, now), [65_534, 65_535, 0, 1].map(Out::Packet));
    }

    #[test]
    fn gap_is_reported_once_after_the_hold_time() {
        let (mut buffer, now) = (Reorder::default(), Instant::now());
        buffer.push(5, 5, now);
        buffer.push(8, 8, now);
        assert_eq!(drain(&mut buffer, now), [Out::Packet(5)]);
        assert_eq!(buffer.deadline(), Some(now + HOLD));
        assert_eq!(drain(&mut buffer, now + HOLD), [Out::Lost(2), Out::Packet(8)]);
        buffer.push(6, 6, now + HOLD);
        assert_eq!(drain(&mut buffer, now + HOLD * 2), []);
        assert_eq!(buffer.deadline(), None);
    }

    #[test]
    fn far_jump_starts_a_new_numbering() {
        let (mut buffer, now) = (Reorder::default(), Instant::now());
        buffer.push(10, 10, now);
        buffer.push(40_000, 1, now);
        buffer.push(40_001, 2, now);
        assert_eq!(drain(&mut buffer, now), [Out::Packet(10), Out::Lost(1), Out::Packet(1), Out::Packet(2)]);
    }

    proptest! {
        #[test]
        fn packets_leave_in_order_and_memory_stays_bounded(sequences in proptest::collection::vec(any::<u16>(), 0..3_000)) {
            let (mut buffer, start) = (Reorder::default(), Instant::now());
            for (tick, sequence) in (0_u64..).zip(sequences) {
                let now = start + Duration::from_millis(tick);
                buffer.push(sequence, sequence, now);
                while buffer.take(now).is_some() {}
                prop_assert!(buffer.held.len() <= MAX_HELD + 1);
            }
            while buffer.take(start + Duration::from_secs(60)).is_some() {}
            prop_assert!(buffer.held.is_empty());
        }
    }
}
