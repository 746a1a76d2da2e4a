//! One clock for sound and picture: RTP timestamps of both streams become milliseconds since the publisher began.
//!
//! A stream is first anchored where its first packet arrived. As soon as the sender has said for both streams which
//! RTP timestamp belongs to which NTP time (sender reports, RFC 3550 6.4.1), the sound is shifted towards the picture,
//! a little with every packet, so that no jump is heard.

/// A clock that leaves the arrival time by more than this has been restarted, or its source paused: anchored anew.
const MAX_DRIFT_MS: i64 = 1_000;
/// A clock that runs wrong (100 ppm are 0.4 s an hour) leaves the arrival time slowly: from here on its anchor is moved, a
/// little with every packet. Above what a home line's queues do to a packet for a moment.
const SLEW_FROM_MS: i64 = 200;
const SLEW_STEP_MS: i64 = 1;
/// A wanted shift beyond this is a broken sender report.
const MAX_SHIFT_MS: i64 = 2_000;
/// Shift per audio packet (20 ms of sound).
const SHIFT_STEP_MS: i64 = 2;

#[derive(Debug)]
struct Track {
    ticks_per_ms: i64,
    /// RTP timestamp, extended beyond 32 bits, and the millisecond it was put at.
    anchor: Option<(i64, i64)>,
    newest: i64,
    last_ms: i64,
    /// NTP milliseconds and extended RTP timestamp of the last sender report.
    report: Option<(i64, i64)>,
}

impl Track {
    fn new(ticks_per_ms: i64) -> Self {
        Self { ticks_per_ms, anchor: None, newest: 0, last_ms: 0, report: None }
    }

    fn extend(&self, timestamp: u32) -> i64 {
        if self.anchor.is_none() {
            return i64::from(timestamp);
        }
        let low = u32::try_from(self.newest & 0xffff_ffff).expect("masked to 32 bits");
        self.newest + i64::from(timestamp.wrapping_sub(low).cast_signed())
    }

    fn place(&mut self, timestamp: u32, arrival_ms: i64, shift_ms: i64) -> i64 {
        let extended = self.extend(timestamp);
        let (from, at) = *self.anchor.get_or_insert((extended, arrival_ms));
        let mut ms = at + (extended - from) / self.ticks_per_ms;
        if (ms - arrival_ms).abs() > MAX_DRIFT_MS {
            self.anchor = Some((extended, arrival_ms));
            self.report = None;
            ms = arrival_ms;
        } else if (ms - arrival_ms).abs() > SLEW_FROM_MS {
            // The sound follows the picture by its shift, which knows the anchors.
            self.anchor = Some((from, at - (ms - arrival_ms).signum() * SLEW_STEP_MS));
        }
        self.newest = extended;
        self.last_ms = (ms + shift_ms).max(self.last_ms);
        self.last_ms
    }

    /// NTP time of this timeline's zero, by the sender's own account.
    fn origin_ntp_ms(&self) -> Option<i64> {
        let ((from, at), (ntp_ms, timestamp)) = (self.anchor?, self.report?);
        Some(ntp_ms + (from - timestamp) / self.ticks_per_ms - at)
    }
}

#[derive(Debug)]
pub(crate) struct Timeline {
    video: Track,
    audio: Track,
    shift_ms: i64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { video: Track::new(90), audio: Track::new(48), shift_ms: 0 }
    }
}

impl Timeline {
    pub(crate) fn video(&mut self, timestamp: u32, arrival_ms: i64) -> i64 {
        self.video.place(timestamp, arrival_ms, 0)
    }

    pub(crate) fn audio(&mut self, timestamp: u32, arrival_ms: i64) -> i64 {
        if let (Some(video), Some(audio)) = (self.video.origin_ntp_ms(), self.audio.origin_ntp_ms()) {
            let wanted = audio - video;
            if wanted.abs() <= MAX_SHIFT_MS {
                self.shift_ms += (wanted - self.shift_ms).clamp(-SHIFT_STEP_MS, SHIFT_STEP_MS);
            }
        }
        self.audio.place(timestamp, arrival_ms, self.shift_ms)
    }

    /// Takes a sender report. `ntp` is the 32.32 fixed-point time of RFC 3550.
    pub(crate) fn report(&mut self, video: bool, ntp: u64, timestamp: u32) {
        let track = if video { &mut self.video } else { &mut self.audio };
        if track.anchor.is_none() {
            return;
        }
        let ms = (ntp >> 32) * 1_000 + (((ntp & 0xffff_ffff) * 1_000) >> 32);
        let extended = track.extend(timestamp);
        track.report = i64::try_from(ms).ok().map(|ms| (ms, extended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NTP_SECOND: u64 = 1 << 32;

    #[test]
    fn timestamps_wrap_without_a_jump() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.video(u32::MAX - 89, 10), 10);
        assert_eq!(timeline.video(0, 12), 11);
        assert_eq!(timeline.video(90 * 100, 111), 111);
    }

    #[test]
    fn paused_source_is_anchored_where_it_comes_back() {
        let mut timeline = Timeline::default();
        timeline.video(0, 0);
        assert_eq!(timeline.video(90 * 10, 5_000), 5_000);
        assert_eq!(timeline.video(90 * 20, 5_010), 5_010);
    }

    /// What a sender does whose two clocks run wrong, each in its own way: an hour of pictures and sound, and reports
    /// (RFC 3550 6.4.1) every second, over a line with jitter. How far sound and picture that were captured together are
    /// apart in the recording, at worst after the first seconds.
    fn apart_after_an_hour(video_ppm: i64, audio_ppm: i64) -> i64 {
        const HOUR_MS: i64 = 3_600_000;
        let mut timeline = Timeline::default();
        let ticks = |ms: i64, per_ms: i64, ppm: i64| {
            u32::try_from((ms * per_ms + ms * per_ms * ppm / 1_000_000) & 0xffff_ffff).unwrap()
        };
        // The same for every run: 0 to 19 ms.
        let jitter = |ms: i64| (ms * 7_919 / 20) % 20;
        let (mut worst, mut picture) = (0, None);
        for ms in (0..HOUR_MS).step_by(20) {
            if ms % 80 == 0 {
                let timestamp = ticks(ms, 90, video_ppm).wrapping_add(0xfff0_0000);
                picture = Some(timeline.video(timestamp, ms + 60 + jitter(ms)));
            }
            let sound = timeline.audio(ticks(ms, 48, audio_ppm), ms + 5 + jitter(ms + 3));
            if ms % 1_000 == 0 {
                let ntp = u64::try_from(ms / 1_000 + 1_000).unwrap() * NTP_SECOND;
                timeline.report(true, ntp, ticks(ms, 90, video_ppm).wrapping_add(0xfff0_0000));
                timeline.report(false, ntp, ticks(ms, 48, audio_ppm));
            }
            if ms > 10_000 && ms % 80 == 0 {
                worst = worst.max((sound - picture.unwrap()).abs());
            }
        }
        worst
    }

    #[test]
    fn sound_and_picture_stay_together_for_an_hour_whatever_the_clocks_do() {
        for (video_ppm, audio_ppm) in [(0, 0), (100, 0), (0, 100), (100, -100), (-100, 100), (-400, 300)] {
            let apart = apart_after_an_hour(video_ppm, audio_ppm);
            assert!(apart < 80, "{video_ppm} and {audio_ppm} ppm: {apart} ms apart");
        }
    }

    #[test]
    fn sender_reports_pull_the_sound_to_the_picture_in_small_steps() {
        let mut timeline = Timeline::default();
        // Both were captured at NTP second 100, but the picture took 80 ms longer to arrive.
        timeline.audio(48_000, 0);
        timeline.video(90_000, 80);
        timeline.report(true, 100 * NTP_SECOND, 90_000);
        timeline.report(false, 100 * NTP_SECOND, 48_000);
        let mut last = 0;
        for packet in 1..=50_u32 {
            let ms = timeline.audio(48_000 + packet * 960, i64::from(packet) * 20);
            assert!((20..=22).contains(&(ms - last)), "step of {} ms", ms - last);
            last = ms;
        }
        assert_eq!(last, 1_000 + 80);
    }
}
