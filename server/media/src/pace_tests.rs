//! The sender's clock over real sockets.

use crate::loopback_client::Client;
use crate::loopback_tests::Hall;
use crate::{ClockSeen, Fact};

fn told(hall: &Hall) -> Vec<ClockSeen> {
    let clock = |fact| if let Fact::Clock(seen) = fact { Some(seen) } else { None };
    hall.facts().into_iter().filter_map(clock).collect()
}

#[test]
fn pictures_whose_clock_stands_are_told_as_such_and_those_of_a_camera_are_not() {
    for standing in [true, false] {
        let hall = Hall::new();
        let mut camera = Client::publisher(1, true);
        camera.standing = standing;
        hall.publish(&mut camera);
        hall.drive("some seconds of the clock", [&mut camera], |_| !told(&hall).is_empty());
        let seen = told(&hall)[0];
        assert!(seen.passed_ms >= 5_000 && seen.pictures > 10 && seen.repeated == 0, "{seen:?}");
        assert_eq!(seen.advanced_ms == 0, standing, "{seen:?}");
    }
}
