//! What a camera sends.

/// Sizes and rhythm of pictures; sound is 50 packets a second in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// 320x240, 12 pictures a second: 232 kbit/s and 77 packets a second with sound, as the servers of other projects were measured
    Small,
    /// 640x480, 12 pictures a second, as the candidate's page asks of its camera: about 290 kbit/s with sound
    Usual,
}

/// One key frame in so many pictures, about what the server asks for.
const PICTURES_PER_KEY: u32 = 60;

impl Profile {
    /// Pixels.
    pub(crate) const fn size(self) -> (u16, u16) {
        match self {
            Self::Small => (320, 240),
            Self::Usual => (640, 480),
        }
    }

    /// Bytes of one Opus packet: 32 and 24 kbit/s.
    pub(crate) const fn sound_bytes(self) -> usize {
        match self {
            Self::Small => 80,
            Self::Usual => 60,
        }
    }

    /// Most payload of one packet.
    pub(crate) const fn payload_bytes(self) -> usize {
        match self {
            Self::Small => 1_000,
            Self::Usual => 1_100,
        }
    }

    /// A picture shaped like VP8 (RFC 6386 9.1), with nothing to see on it; `key` asks for one that stands alone.
    pub(crate) fn picture(self, number: u32, key: bool) -> Vec<u8> {
        let (key_bytes, bytes) = match self {
            // One in four is long enough for a third packet: 27 video packets a second.
            Self::Small => (8_000, if number.is_multiple_of(4) { 2_200 } else { 1_920 }),
            Self::Usual => (16_000, 2_550),
        };
        if !key && !number.is_multiple_of(PICTURES_PER_KEY) {
            return vec![0x11; bytes];
        }
        let (width, height) = self.size();
        let mut frame = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a];
        frame.extend_from_slice(&width.to_le_bytes());
        frame.extend_from_slice(&height.to_le_bytes());
        frame.resize(key_bytes, 0x55);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_profile_is_what_the_other_servers_were_measured_with() {
        let profile = Profile::Small;
        let (mut packets, mut bytes) = (50, 50 * profile.sound_bytes());
        for number in 0..PICTURES_PER_KEY {
            let picture = profile.picture(number, false);
            // Five seconds of pictures, per second.
            packets += picture.len().div_ceil(profile.payload_bytes());
            bytes += picture.len() / 5;
        }
        packets = 50 + (packets - 50) / 5;
        assert!((76..=79).contains(&packets), "{packets} packets a second");
        assert!((225_000..=240_000).contains(&(bytes * 8)), "{} bit/s", bytes * 8);
    }
}
