//! One port for all network threads: the first of them reads it and passes on what belongs to the rooms of the others.
//!
//! Whose a datagram is stands in the name of a STUN request, which begins with its thread's number, and from then on in
//! its address, once the thread has believed it. The keeper never waits for a lodger; a lodger waits for the keeper only
//! with what must not get lost. So no two wait for each other.
use crate::{
    demux::{Class, classify},
    handle::Command,
    shared::{Counters, Wake},
};
use std::{collections::HashMap, net::SocketAddr, sync::Arc, sync::atomic::Ordering::Relaxed};

/// The thread that keeps the door.
pub(crate) const KEEPER: usize = 0;

/// Datagrams, or packets of TCP connections, that go to another thread in one piece.
#[derive(Default)]
pub(crate) struct Parcel {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// One of them, as it lies behind the ones before it.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) address: SocketAddr,
    pub(crate) tcp: bool,
    /// The keeper knows the address as its receiver's.
    pub(crate) routed: bool,
    length: usize,
}

impl Parcel {
    fn put(&mut self, bytes: &[u8], address: SocketAddr, tcp: bool, routed: bool) {
        self.bytes.extend_from_slice(bytes);
        self.pieces.push(Piece { address, tcp, routed, length: bytes.len() });
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = (Piece, &[u8])> {
        self.pieces.iter().scan(self.bytes.as_slice(), |rest, piece| {
            let (bytes, behind) = rest.split_at_checked(piece.length)?;
            *rest = behind;
            Some((*piece, bytes))
        })
    }
}

/// What a thread has to do with the port.
pub(crate) enum Door {
    /// Reads it, and knows which addresses are another's
    Keeper { threads: Arc<[Wake]>, routes: HashMap<SocketAddr, usize>, parcels: Vec<Parcel> },
    /// Is brought what is its own, and sends over TCP by the keeper
    Lodger { threads: Arc<[Wake]>, number: usize, outbox: Parcel },
}

impl Door {
    pub(crate) fn of(number: usize, threads: Arc<[Wake]>) -> Self {
        if number == KEEPER {
            let parcels = threads.iter().map(|_| Parcel::default()).collect();
            Self::Keeper { threads, routes: HashMap::new(), parcels }
        } else {
            Self::Lodger { threads, number, outbox: Parcel::default() }
        }
    }

    pub(crate) fn is_keeper(&self) -> bool {
        matches!(self, Self::Keeper { .. })
    }

    /// Takes what is for another thread; `false` leaves it to this one.
    pub(crate) fn pass_on(&mut self, bytes: &[u8], from: SocketAddr, tcp: bool) -> bool {
        let Self::Keeper { routes, parcels, .. } = self else { return false };
        let route = routes.get(&from).copied();
        let owner = match classify(bytes) {
            Class::Request(fragment) => thread_of(fragment),
            Class::Flow { .. } => route,
            Class::Junk => None,
        };
        let Some(owner) = owner.filter(|owner| *owner != KEEPER) else { return false };
        let Some(parcel) = parcels.get_mut(owner) else { return false };
        parcel.put(bytes, from, tcp, route == Some(owner));
        true
    }

    /// A lodger's packet for a TCP connection.
    pub(crate) fn send_tcp(&mut self, to: SocketAddr, bytes: &[u8]) -> bool {
        let Self::Lodger { outbox, .. } = self else { return false };
        outbox.put(bytes, to, true, true);
        true
    }

    /// Sends what was packed. A thread that does not come along loses it, as it would at its own socket.
    pub(crate) fn post(&mut self, counters: &Counters) {
        match self {
            Self::Keeper { threads, parcels, .. } => {
                for (thread, parcel) in threads.iter().zip(parcels) {
                    post(thread, parcel, Command::Inward, counters);
                }
            }
            Self::Lodger { threads, outbox, .. } => {
                post(&threads[KEEPER], outbox, Command::Outward, counters)
            }
        }
    }

    /// A peer of this thread proved to be at this address.
    pub(crate) fn learned(&mut self, address: SocketAddr) {
        match self {
            Self::Keeper { routes, .. } => drop(routes.remove(&address)),
            Self::Lodger { threads, number, .. } => {
                threads[KEEPER].tell(Command::Route { address, thread: *number, here: true });
            }
        }
    }

    /// It is no longer there.
    pub(crate) fn left(&self, address: SocketAddr) {
        if let Self::Lodger { threads, number, .. } = self {
            threads[KEEPER].tell(Command::Route { address, thread: *number, here: false });
        }
    }

    /// What a lodger said of an address; `true` if it holds.
    pub(crate) fn route(&mut self, address: SocketAddr, thread: usize, here: bool) -> bool {
        let Self::Keeper { routes, .. } = self else { return false };
        if here {
            routes.insert(address, thread);
            return true;
        }
        // Meanwhile it may have become another's.
        let was = routes.get(&address) == Some(&thread);
        if was {
            routes.remove(&address);
        }
        was
    }

    /// A TCP connection ended: its peer's thread has to know, if it is another.
    pub(crate) fn ended(&mut self, address: SocketAddr) {
        if let Self::Keeper { threads, routes, .. } = self
            && let Some(thread) = routes.remove(&address)
        {
            // One that is too busy finds out by its own timers.
            let _ = threads[thread].send(Command::Ended { address });
        }
    }
}

fn post(to: &Wake, parcel: &mut Parcel, command: fn(Parcel) -> Command, counters: &Counters) {
    if parcel.pieces.is_empty() {
        return;
    }
    let parcel = std::mem::take(parcel);
    let pieces = parcel.pieces.len() as u64;
    if to.send(command(parcel)).is_err() {
        counters.dropped_busy.fetch_add(pieces, Relaxed);
    }
}

/// What the names of a thread's peers begin with.
pub(crate) fn mark_of(thread: u8) -> String {
    format!("{thread:02x}")
}

fn thread_of(fragment: &str) -> Option<usize> {
    usize::from_str_radix(fragment.get(..2)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_found_by_the_names_it_gives() {
        for thread in [0, 1, 9, 63] {
            assert_eq!(thread_of(&(mark_of(thread) + "00ff")), Some(usize::from(thread)));
        }
        for strange in ["", "0", "zz00", "é1"] {
            assert_eq!(thread_of(strange), None, "{strange}");
        }
    }

    #[test]
    fn pieces_of_a_parcel_come_out_as_they_went_in() {
        let mut parcel = Parcel::default();
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let put: [&[u8]; 3] = [b"one", b"", b"three"];
        for bytes in put {
            parcel.put(bytes, address, false, true);
        }
        let got: Vec<_> = parcel.pieces().map(|(_, bytes)| bytes).collect();
        assert_eq!(got, put);
    }
}
