//! Browsers whose address changes while everything else stays.
use crate::{
    Fact,
    loopback_client::Client,
    loopback_tests::{Hall, finished, videos},
};
use std::time::{Duration, Instant};

/// Longer than the core stays with a pair that is silent (`peer::ICE_FAILED` and what comes before it).
const GIVEN_UP: Duration = Duration::from_secs(12);

#[test]
fn a_new_address_of_either_continues_the_same_recording_and_the_same_picture() {
    let hall = Hall::new();
    let (mut camera, mut proctor) = (Client::publisher(1, true), Client::viewer());
    hall.publish(&mut camera);
    hall.view(&mut proctor);
    let pictures = |camera: &mut Client, proctor: &mut Client, what: &str| {
        let before = videos(proctor).len();
        hall.drive(what, [camera, proctor], |[_, proctor]| videos(proctor).len() > before + 30);
    };
    pictures(&mut camera, &mut proctor, "a picture");
    camera.rebind();
    pictures(&mut camera, &mut proctor, "the picture of a candidate with another address");
    proctor.rebind();
    pictures(&mut camera, &mut proctor, "the picture for a proctor with another address");
    let moved = Instant::now();
    hall.drive("the old addresses are long given up", [&mut camera, &mut proctor], |_| {
        moved.elapsed() > GIVEN_UP
    });
    // What is asked of the candidate arrives at the new address too.
    let (asked, before) = (camera.asked, finished(&hall.facts()).len());
    hall.drive("a key frame is asked for", [&mut camera, &mut proctor], |[camera, _]| camera.asked > asked);
    pictures(&mut camera, &mut proctor, "the picture goes on");
    assert!(camera.connected && proctor.connected);
    assert_eq!(before, 0, "one recording: {:?}", hall.facts());
    let gone = |fact: &Fact| matches!(fact, Fact::PublisherGone { .. });
    assert!(!hall.facts().iter().any(gone), "{:?}", hall.facts());
    assert_eq!(finished(&hall.stop().facts.lock().unwrap()).len(), 1);
}
