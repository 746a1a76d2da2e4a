//! Whose live connections are whose: who offered one may end it, and nobody else; signing out ends all of one's own.

use crate::problem::Refused;
use std::collections::VecDeque;
use std::sync::Mutex;
use synaq_core::ids::SessionId;
use synaq_media::{Handle, ResourceId};
use synaq_wire::problem::Code;

/// Remembered at once; the oldest is forgotten first. A forgotten one still ends by itself when its browser goes.
const KEPT: usize = 8_192;

/// Who offered a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A candidate's device
    Candidate(SessionId),
    /// A signed-in browser, by the hash of its cookie
    Staff([u8; 32]),
}

/// Connections of this process.
pub(crate) struct Peers {
    media: Handle,
    kept: Mutex<VecDeque<(ResourceId, Owner)>>,
}

impl Peers {
    pub(crate) fn new(media: Handle) -> Self {
        Self { media, kept: Mutex::default() }
    }

    /// Remembers who offered it.
    pub(crate) fn keep(&self, resource: ResourceId, owner: Owner) {
        let mut kept = self.kept.lock().expect("no holder panics");
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((resource, owner));
    }

    /// Ends a connection of `owner`, which may have ended by itself; another's is not found.
    pub(crate) async fn close(&self, resource: &str, owner: Owner) -> Result<(), Refused> {
        let resource: ResourceId = resource.parse().map_err(|_| Code::NotFound)?;
        if !self.take(|entry| *entry == (resource, owner)).contains(&resource) {
            return Err(Code::NotFound.into());
        }
        let _ = self.media.close(resource).await;
        Ok(())
    }

    /// How closely `owner` looks at a connection of theirs; another's is not found.
    pub(crate) async fn resize(&self, resource: &str, owner: Owner, small: bool) -> Result<(), Refused> {
        let resource: ResourceId = resource.parse().map_err(|_| Code::NotFound)?;
        if !self.kept.lock().expect("no holder panics").contains(&(resource, owner)) {
            return Err(Code::NotFound.into());
        }
        Ok(self.media.resize(resource, small).await.map_err(|_| Code::NotFound)?)
    }

    /// Ends all connections of `owner`.
    pub(crate) async fn close_all(&self, owner: Owner) {
        for resource in self.take(|(_, of)| *of == owner) {
            // One that has ended by itself needs nothing.
            let _ = self.media.close(resource).await;
        }
    }

    fn take(&self, wanted: impl Fn(&(ResourceId, Owner)) -> bool) -> Vec<ResourceId> {
        let mut kept = self.kept.lock().expect("no holder panics");
        let mut taken = Vec::new();
        kept.retain(|entry| {
            let take = wanted(entry);
            if take {
                taken.push(entry.0);
            }
            !take
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use synaq_media::{EvidenceStore, EvidenceWriter, Fact, Options, Service, Sink};
    use uuid::Uuid;

    struct Nowhere;

    impl Sink for Nowhere {
        fn report(&self, _: Uuid, _: Fact) {}
    }

    impl EvidenceStore for Nowhere {
        fn create(&self, _: Uuid, _: &str) -> std::io::Result<Box<dyn EvidenceWriter>> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }

    #[tokio::test]
    async fn only_who_offered_a_connection_ends_it_and_signing_out_ends_all() {
        let bind = "127.0.0.1:0".parse().unwrap();
        let options = Options { tcp: false, ..Options::new(bind) };
        let (media, _guard) = Service::start(options, Arc::new(Nowhere), Arc::new(Nowhere)).unwrap();
        let peers = Peers::new(media);
        let names = ["1".repeat(32), "2".repeat(32), "3".repeat(32)];
        let mine = Owner::Staff([1; 32]);
        let theirs = Owner::Candidate(SessionId(Uuid::from_u128(1)));
        for (name, owner) in names.iter().zip([mine, mine, theirs]) {
            peers.keep(name.parse().unwrap(), owner);
        }
        let found = async |name: &str, owner| peers.close(name, owner).await.is_ok();
        assert!(!found(&names[0], theirs).await && !found("x", mine).await);
        assert!(found(&names[0], mine).await && !found(&names[0], mine).await);
        peers.close_all(mine).await;
        assert!(!found(&names[1], mine).await && found(&names[2], theirs).await);
    }
}
