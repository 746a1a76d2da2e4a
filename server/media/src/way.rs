//! The way to a browser: one address for the WebRTC core, however often the browser's own changes.
//!
//! The core stays with the pair that was selected first (rtc-ice 0.21.1, `ControlledSelector::handle_binding_request`). A
//! browser whose NAT gives it another port in mid-exam would be answered at the old one and be given up as lost, and so
//! would one that itself prefers another path. Here the new address is proven as RFC 8445 (section 7.3.1.4) has it: the
//! core asks there, and the answer that only the browser can sign comes from there. Sound, picture and reports leave a
//! browser on the path that it has chosen, so what is proven and sends them is where it is; the core goes on with the
//! address that it knows.
use crate::demux::{is_signed, transaction};
use std::{collections::VecDeque, net::SocketAddr};

/// Checks that wait for their answer, and addresses whose answer came: a browser has a few of each.
const ENDS: usize = 8;

/// One end of a path: the browser's address, and how it is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) address: SocketAddr,
    pub(crate) tcp: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Way {
    /// Where the core sends what is no check
    selected: Option<End>,
    /// Where that is in truth
    current: Option<End>,
    asked: VecDeque<(End, [u8; 12])>,
    proven: VecDeque<End>,
}

impl Way {
    /// Where a datagram of the core goes.
    pub(crate) fn outward(&mut self, to: End, datagram: &[u8]) -> End {
        match transaction(datagram) {
            Some((true, transaction)) if self.selected != Some(to) => {
                push(&mut self.asked, (to, transaction));
            }
            None if self.selected.is_none() && carries(datagram) => {
                (self.selected, self.current) = (Some(to), Some(to));
                push(&mut self.proven, to);
            }
            _ => {}
        }
        if self.selected == Some(to) { self.current.unwrap_or(to) } else { to }
    }

    /// Where the core is to believe that a datagram came from. `password`: what the browser signs its answers with.
    pub(crate) fn inward(&mut self, from: End, datagram: &[u8], password: &[u8]) -> End {
        match transaction(datagram) {
            Some((false, transaction)) => {
                let place = self.asked.iter().position(|asked| *asked == (from, transaction));
                if let Some(place) = place.filter(|_| is_signed(datagram, password)) {
                    self.asked.remove(place);
                    push(&mut self.proven, from);
                    return from;
                }
            }
            None if carries(datagram) && self.current.is_some() && self.proven.contains(&from) => {
                self.current = Some(from);
            }
            _ => {}
        }
        self.selected.filter(|_| self.current == Some(from)).unwrap_or(from)
    }
}

/// DTLS or what it keys, and no check (RFC 7983).
fn carries(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first >= 20)
}

/// The oldest makes room.
fn push<T: PartialEq>(ends: &mut VecDeque<T>, end: T) {
    ends.retain(|known| *known != end);
    if ends.len() == ENDS {
        ends.pop_front();
    }
    ends.push_back(end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::message;

    const PASSWORD: &[u8] = b"the browser's own password";
    const MEDIA: &[u8] = &[0x80, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1];

    fn end(port: u16) -> End {
        End { address: SocketAddr::from(([192, 0, 2, 1], port)), tcp: false }
    }

    fn request(number: u8) -> Vec<u8> {
        message([0, 1], [number; 12], &[], b"somebody's")
    }

    fn answer(number: u8, password: &[u8]) -> Vec<u8> {
        message([1, 1], [number; 12], &[], password)
    }

    /// Selected at port 1.
    fn way() -> Way {
        let mut way = Way::default();
        assert_eq!(way.outward(end(1), &request(1)), end(1));
        assert_eq!(way.inward(end(1), &answer(1, PASSWORD), PASSWORD), end(1));
        assert_eq!(way.outward(end(1), MEDIA), end(1));
        way
    }

    #[test]
    fn an_address_that_answered_and_sends_media_takes_the_place_of_the_selected_one() {
        let mut way = way();
        assert_eq!(way.inward(end(2), &request(7), PASSWORD), end(2), "the core has to ask there");
        assert_eq!(way.outward(end(2), &request(8)), end(2));
        assert_eq!(way.inward(end(2), &answer(8, PASSWORD), PASSWORD), end(2), "the core asked there");
        assert_eq!(way.outward(end(1), MEDIA), end(1), "another path may only be kept in reserve");
        assert_eq!(way.inward(end(2), MEDIA, PASSWORD), end(1));
        assert_eq!(way.outward(end(1), MEDIA), end(2));
        assert_eq!(
            way.inward(end(2), &request(9), PASSWORD),
            end(1),
            "its checks keep the selected pair alive"
        );
        assert_eq!(way.outward(end(1), &answer(9, PASSWORD)), end(2));
        // And back, as when a phone is in the house again.
        assert_eq!(way.inward(end(1), MEDIA, PASSWORD), end(1));
        assert_eq!(way.outward(end(1), MEDIA), end(1));
    }

    #[test]
    fn what_is_said_again_from_elsewhere_or_signed_by_nobody_turns_nothing_away() {
        let mut way = way();
        assert_eq!(way.outward(end(3), &request(5)), end(3), "somebody repeated the browser's request there");
        for (from, said) in
            [(end(3), answer(1, PASSWORD)), (end(3), answer(5, b"a guess")), (end(4), answer(5, PASSWORD))]
        {
            assert_eq!(way.inward(from, &said, PASSWORD), from);
            way.inward(from, MEDIA, PASSWORD);
            assert_eq!(way.outward(end(1), MEDIA), end(1), "{from:?}");
        }
    }

    #[test]
    fn before_anything_is_selected_every_address_is_its_own_and_what_is_remembered_is_bounded() {
        let mut way = Way::default();
        for port in 0..100 {
            let number = u8::try_from(port).unwrap();
            assert_eq!(way.outward(end(port), &request(number)), end(port));
            assert_eq!(way.inward(end(port), &answer(number, PASSWORD), PASSWORD), end(port));
            assert_eq!(way.outward(end(port), &request(number)), end(port));
            assert_eq!(way.inward(end(port), MEDIA, PASSWORD), end(port));
        }
        assert_eq!((way.asked.len(), way.proven.len()), (ENDS, ENDS));
        assert_eq!(way.outward(end(99), MEDIA), end(99));
        assert_eq!(way.outward(end(98), MEDIA), end(98), "selected is what was first");
    }
}
