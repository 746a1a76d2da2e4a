//! What somebody who means harm can send: each is bounded, and the others stay.
use crate::{
    Fact, Gone, OfferError,
    demux::tests::request,
    loopback_client::Client,
    loopback_tests::{Hall, SESSION, finished, videos},
};
use std::{net::UdpSocket, time::Duration};
use uuid::Uuid;

/// An RTP packet by its look; nobody holds its key.
fn forged_rtp(ssrc: u32, length: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 9];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.resize(length, 0x5a);
    packet
}

pub(crate) fn line<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim()
}

#[test]
fn foreign_dtls_fingerprint_never_becomes_a_publisher() {
    let hall = Hall::with(|options| options.limits.connect_within = Duration::from_secs(3));
    let mut camera = Client::publisher(1, true);
    let offer = camera.offer();
    let digest = line(&offer, "a=fingerprint:sha-256 ").to_owned();
    let foreign = offer.replace(&digest, &digest.chars().rev().collect::<String>());
    assert_ne!(offer, foreign);
    let answer = hall.runtime.block_on(hall.handle.publish(SESSION, foreign)).unwrap();
    camera.accept(answer.sdp);
    hall.drive("the end of the stranger", [&mut camera], |_| {
        hall.facts().contains(&Fact::PublisherGone { how: Gone::NeverConnected })
    });
    assert!(!hall.facts().contains(&Fact::PublisherConnected), "{:?}", hall.facts());
    assert_eq!(hall.handle.stats().publishers, 0);
    hall.stop();
}

#[test]
fn offer_that_is_sent_twice_has_one_publisher_and_the_first_answer_opens_nothing() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    let offer = camera.offer();
    let publish = || hall.runtime.block_on(hall.handle.publish(SESSION, offer.clone())).unwrap();
    let (first, second) = (publish(), publish());
    assert_ne!(line(&first.sdp, "a=ice-ufrag:"), line(&second.sdp, "a=ice-ufrag:"));
    assert_ne!(line(&first.sdp, "a=ice-pwd:"), line(&second.sdp, "a=ice-pwd:"));
    let dropped = hall.handle.stats().dropped_unknown;
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let old = request(format!("{}:x", line(&first.sdp, "a=ice-ufrag:")).as_bytes());
    stranger.send_to(&old, hall.handle.address()).unwrap();
    hall.drive("the old name to be unknown", [], |_| hall.handle.stats().dropped_unknown > dropped);
    camera.accept(second.sdp);
    hall.drive("a picture", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    assert_eq!(hall.handle.stats().publishers, 1);
    hall.stop();
}

#[test]
fn ice_credentials_that_another_session_uses_again_take_nothing_from_the_first() {
    const OTHER: Uuid = Uuid::from_u128(0x0e1f);
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    let offer = camera.offer();
    let answer = hall.runtime.block_on(hall.handle.publish(SESSION, offer.clone())).unwrap();
    camera.accept(answer.sdp);
    hall.drive("a picture", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    let again = hall.runtime.block_on(hall.handle.publish(OTHER, offer)).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let dropped = hall.handle.stats().dropped_unknown;
    let unsigned = request(format!("{}:x", line(&again.sdp, "a=ice-ufrag:")).as_bytes());
    stranger.send_to(&unsigned, hall.handle.address()).unwrap();
    hall.drive("the stranger not to be believed", [&mut camera], |_| {
        hall.handle.stats().dropped_unknown > dropped
    });
    let keys = camera.keys;
    hall.drive("the picture goes on", [&mut camera], |[camera]| {
        camera.keys > keys
            && hall.handle.status(SESSION).is_some_and(|status| status.video_live && status.fps > 5)
    });
    assert!(!hall.handle.status(OTHER).is_some_and(|status| status.video_live));
    assert_eq!(hall.handle.stats().publishers, 2);
    hall.stop();
}

/// Whoever can forge a source address and knows a fragment could otherwise send a proctor's packets into the void.
#[test]
fn unsigned_request_for_another_peer_does_not_take_an_address_away() {
    let hall = Hall::new();
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    let answer = hall.runtime.block_on(hall.handle.publish(SESSION, camera.offer())).unwrap();
    let fragment = line(&answer.sdp, "a=ice-ufrag:").to_owned();
    camera.accept(answer.sdp);
    hall.view(&mut proctor);
    hall.drive("a picture", [&mut camera, &mut proctor], |[_, proctor]| videos(proctor).len() > 10);
    let target = hall.handle.address();
    let dropped = hall.handle.stats().dropped_unknown;
    for _ in 0..50 {
        proctor.throw(&request(format!("{fragment}:x").as_bytes()), target);
    }
    hall.drive("the forgeries to be dropped", [&mut camera, &mut proctor], |_| {
        hall.handle.stats().dropped_unknown >= dropped + 50
    });
    let seen = videos(&proctor).len();
    hall.drive("the picture goes on", [&mut camera, &mut proctor], |[_, proctor]| {
        videos(proctor).len() > seen + 30
    });
    hall.stop();
}

#[test]
fn streams_that_nobody_announced_are_dropped_before_decryption() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("a picture", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    let target = hall.handle.address();
    let dropped = hall.handle.stats().dropped_unknown;
    for ssrc in 0..200 {
        camera.throw(&forged_rtp(0xdead_0000 + ssrc, 200), target);
    }
    hall.drive("the strange streams to be dropped", [&mut camera], |_| {
        hall.handle.stats().dropped_unknown >= dropped + 200 - crate::demux::MAX_STREAMS as u64
    });
    hall.drive("the picture goes on", [&mut camera], |_| {
        hall.handle.status(SESSION).is_some_and(|status| status.video_live && status.fps > 5)
    });
    hall.stop();
}

#[test]
fn fifty_megabits_of_one_publisher_are_cut_back_and_it_may_go_on_afterwards() {
    let hall = Hall::new();
    let mut camera = Client::publisher(1, true);
    hall.publish(&mut camera);
    hall.drive("a picture", [&mut camera], |_| hall.handle.still(SESSION).is_some());
    let target = hall.handle.address();
    let before = hall.handle.stats();
    // 6,250 packets of 1,000 bytes are what 50 Mbit/s bring in a second.
    let mut sent = 0;
    hall.drive("the flood", [&mut camera], |[camera]| {
        for _ in 0..250 {
            camera.throw(&forged_rtp(1_000, 1_000), target);
        }
        sent += 250;
        sent >= 6_250 && hall.handle.stats().dropped_rate > before.dropped_rate + 3_000
    });
    let keys = camera.keys;
    hall.drive("pictures after it", [&mut camera], |[camera]| {
        camera.keys > keys
            && hall.handle.status(SESSION).is_some_and(|status| status.video_live && status.fps > 5)
    });
    assert_eq!(hall.handle.stats().publishers, 1);
    hall.stop();
}

#[test]
fn ten_thousand_half_open_sessions_are_bounded_and_reaped() {
    const SESSIONS: u128 = 10_000;
    const AT_ONCE: u128 = 100;
    let hall = Hall::with(|options| {
        options.limits.peers = 300 / options.threads;
        options.limits.connect_within = Duration::from_secs(1);
    });
    let offer = Client::viewer().offer();
    let (mut taken, mut full) = (0, 0);
    for first in (0..SESSIONS).step_by(usize::try_from(AT_ONCE).unwrap()) {
        hall.runtime.block_on(async {
            let mut asked = tokio::task::JoinSet::new();
            for session in first..first + AT_ONCE {
                let (handle, offer) = (hall.handle.clone(), offer.clone());
                asked.spawn(async move { handle.view(Uuid::from_u128(1_000 + session), offer).await });
            }
            while let Some(answer) = asked.join_next().await {
                match answer.unwrap() {
                    Ok(_) => taken += 1,
                    Err(OfferError::Full) => full += 1,
                    Err(other) => unreachable!("{other}"),
                }
            }
        });
        assert!(hall.handle.stats().viewers <= 300);
    }
    assert!(taken >= 300 && full > 0, "{taken} taken, {full} turned away");
    hall.drive("the last one's end", [], |_| {
        let stats = hall.handle.stats();
        (stats.viewers, stats.rooms) == (0, 0)
    });
    hall.stop();
}

#[test]
fn rotating_sizes_are_followed_in_one_recording() {
    let hall = Hall::with(|options| options.still_every = Duration::from_millis(100));
    let mut camera = Client::publisher(1, true);
    camera.rotating = true;
    hall.publish(&mut camera);
    hall.drive("a whole round of sizes", [&mut camera], |[camera]| camera.keys > 9);
    let still = hall.handle.still(SESSION).unwrap();
    assert!((320..=432).contains(&still.width) && still.height == 480, "{}x{}", still.width, still.height);
    let ledger = hall.stop();
    assert_eq!(finished(&ledger.facts.lock().unwrap()).len(), 1, "a size is no reason for another segment");
}

#[test]
fn answer_asks_for_congestion_feedback_repairs_key_frames_and_levels() {
    let hall = Hall::new();
    let offer = include_str!("../corpus/sdp/chromium-publish.sdp").to_owned();
    let answer = hall.runtime.block_on(hall.handle.publish(SESSION, offer)).unwrap().sdp;
    for wanted in [
        "a=rtcp-fb:96 transport-cc",
        "a=rtcp-fb:96 nack\r",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 ccm fir",
        "transport-wide-cc-extensions",
        "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    ] {
        assert!(answer.contains(wanted), "{wanted} in {answer}");
    }
    hall.stop();
}
