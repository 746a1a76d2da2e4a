//! One question to a time server (SNTP, RFC 5905 section 14) and what its answer says of our clock.

use std::net::SocketAddr;
use std::time::Duration;
use synaq_core::time::At;
use tokio::net::UdpSocket;

/// A packet without extensions.
const PACKET: usize = 48;
/// No leap warning, version 4, client.
const ASK: u8 = 0b00_100_011;
const MODE_SERVER: u8 = 4;
/// A server whose own clock is not set says so in the leap bits.
const LEAP_UNSET: u8 = 3;
/// Farther from a reference clock nobody is believed; 0 is a refusal ("kiss of death").
const STRATA: std::ops::RangeInclusive<u8> = 1..=15;
/// Seconds from 1900, where NTP counts from, to 1970.
const EPOCH_S: i64 = 2_208_988_800;
/// The 32 bits of seconds begin again in 2036; the earlier half is of the next round.
const ROUND_S: i64 = 1 << 32;
/// A server that is farther away says too little to be worth the wait.
const PATIENCE: Duration = Duration::from_secs(3);

/// How our clock stands beside a server's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// Ours less theirs, ms
    pub(super) ahead_ms: i64,
    /// True to so many ms: half the way there and back, and what the server says of itself
    pub(super) within_ms: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    #[error("its name has no address")]
    Unknown,
    #[error("it cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    #[error("it does not know the time itself")]
    Unset,
}

/// Asks the server `host:port`; `nonce` is what only it can repeat, `now` is our clock.
pub(super) async fn ask(server: &str, nonce: [u8; 8], now: impl Fn() -> At) -> Result<Answer, Silence> {
    let mut addresses = tokio::net::lookup_host(server).await?;
    let address = addresses.next().ok_or(Silence::Unknown)?;
    let here: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(here).await?;
    socket.connect(address).await?;
    let mut asked = [0; PACKET];
    asked[0] = ASK;
    // Our time is nobody's business: the server only has to give these bytes back.
    asked[40..].copy_from_slice(&nonce);
    let sent = now();
    socket.send(&asked).await?;
    let mut heard = [0; PACKET];
    let answered = async {
        loop {
            let length = socket.recv(&mut heard).await?;
            let came = now();
            if length == PACKET && heard[24..32] == nonce && heard[0] & 0b111 == MODE_SERVER {
                return Ok::<_, std::io::Error>(came);
            }
        }
    };
    let came = tokio::time::timeout(PATIENCE, answered).await.map_err(|_| Silence::Late)??;
    read(&heard, sent, came).ok_or(Silence::Unset)
}

fn read(packet: &[u8; PACKET], sent: At, came: At) -> Option<Answer> {
    if packet[0] >> 6 == LEAP_UNSET || !STRATA.contains(&packet[1]) {
        return None;
    }
    let word = |from: usize| {
        packet.get(from..from + 4)?.try_into().ok().map(|bytes| i64::from(u32::from_be_bytes(bytes)))
    };
    let instant = |from: usize| {
        let (seconds, fraction) = (word(from)?, word(from + 4)?);
        let seconds = if seconds < ROUND_S / 2 { seconds + ROUND_S } else { seconds };
        Some((seconds - EPOCH_S) * 1_000 + ((fraction * 1_000) >> 32))
    };
    // 16 bits of seconds, 16 of their fraction, rounded up to milliseconds.
    let short = |from: usize| Some(((word(from)? * 1_000) >> 16) + 1);
    let (theirs_heard, theirs_sent) = (instant(32)?, instant(40)?);
    let ahead_ms = ((sent.0 - theirs_heard) + (came.0 - theirs_sent)) / 2;
    let way_ms = ((came.0 - sent.0) - (theirs_sent - theirs_heard)).max(0);
    let (root_delay_ms, dispersion_ms) = (short(4)?, short(8)?);
    Some(Answer { ahead_ms, within_ms: way_ms / 2 + 1 + root_delay_ms / 2 + dispersion_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: At = At(1_800_000_000_000);

    fn stamp(at: i64) -> [u8; 8] {
        let seconds = (at / 1_000 + EPOCH_S) % ROUND_S;
        let fraction = (at % 1_000) * ROUND_S / 1_000 + 1;
        let word = |value: i64| u32::try_from(value).unwrap().to_be_bytes();
        [word(seconds), word(fraction)].concat().try_into().unwrap()
    }

    fn packet(first: u8, stratum: u8, heard: i64, sent: i64) -> [u8; PACKET] {
        let mut packet = [0; PACKET];
        (packet[0], packet[1]) = (first, stratum);
        packet[32..40].copy_from_slice(&stamp(heard));
        packet[40..].copy_from_slice(&stamp(sent));
        packet
    }

    #[test]
    fn the_difference_is_of_the_middle_of_the_way_there_and_back() {
        // 30 ms there, 10 ms at the server, 50 ms back; our clock is 400 ms behind.
        let packet = packet(0b00_100_100, 2, NOW.0 + 430, NOW.0 + 440);
        let answer = read(&packet, NOW, At(NOW.0 + 90)).unwrap();
        assert!((-391..=-389).contains(&answer.ahead_ms), "{answer:?}");
        assert!((40..=45).contains(&answer.within_ms), "the true -400 lies within: {answer:?}");
    }

    #[test]
    fn the_round_of_seconds_that_begins_in_2036_is_understood() {
        let later = At(2_200_000_000_000);
        let answer = read(&packet(0b00_100_100, 1, later.0, later.0), later, later).unwrap();
        assert!(answer.ahead_ms.abs() <= 1, "{answer:?}");
    }

    #[test]
    fn a_server_that_does_not_know_the_time_is_not_believed() {
        assert_eq!(read(&packet(0b11_100_100, 2, NOW.0, NOW.0), NOW, NOW), None);
        assert_eq!(read(&packet(0b00_100_100, 0, NOW.0, NOW.0), NOW, NOW), None);
        assert_eq!(read(&packet(0b00_100_100, 16, NOW.0, NOW.0), NOW, NOW), None);
    }

    #[tokio::test]
    async fn a_server_is_asked_over_the_network_and_a_forged_answer_is_not_taken() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut asked = [0; PACKET];
            let (_, from) = server.recv_from(&mut asked).await.unwrap();
            assert_eq!(asked[0], ASK);
            let mut answer = packet(0b00_100_100, 1, NOW.0 - 5_000, NOW.0 - 5_000);
            answer[24..32].copy_from_slice(b"forged!!");
            server.send_to(&answer, from).await.unwrap();
            answer = packet(0b00_100_100, 1, NOW.0 - 1_500, NOW.0 - 1_500);
            answer[24..32].copy_from_slice(&asked[40..]);
            server.send_to(&answer, from).await.unwrap();
        });
        let answer = ask(&address, *b"12345678", || NOW).await.unwrap();
        assert!((1_499..=1_501).contains(&answer.ahead_ms), "{answer:?}");
    }
}
