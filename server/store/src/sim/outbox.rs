use super::{Disk, Outage, Queued, SimStore};
use crate::{Backlog, Claimed, Delivery, DeliveryState, Error, MessageKind, Outbox, Settlement};
use async_trait::async_trait;
use std::collections::HashSet;
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use uuid::Uuid;

#[async_trait]
impl Outbox for SimStore {
    async fn claim(&self, now: At, claimed_until: At, limit: u32) -> Result<Vec<Claimed>, Error> {
        self.works(Outage::Claims)?;
        let mut disk = self.disk();
        let mut due: Vec<usize> = disk.waiting().filter(|index| disk.outbox[*index].due_at <= now).collect();
        due.sort_by_key(|index| disk.outbox[*index].due_at);
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        due.sort_unstable();
        let claimed = due.into_iter().map(|index| {
            let Queued { delivery, due_at, .. } = &mut disk.outbox[index];
            *due_at = claimed_until;
            delivery.attempts += 1;
            Claimed { message: delivery.message.clone(), attempts: delivery.attempts - 1 }
        });
        Ok(claimed.collect())
    }

    async fn settle(&self, id: Uuid, at: At, settlement: Settlement) -> Result<(), Error> {
        self.works(Outage::Settles)?;
        let mut disk = self.disk();
        let queued = disk.outbox.iter_mut().find(|queued| queued.delivery.message.id == id);
        let Queued { delivery, due_at, settled_at } = queued.ok_or(Error::NotFound)?;
        match (delivery.state, settlement) {
            (
                DeliveryState::Queued | DeliveryState::Refused,
                Settlement::Accepted { receipt, platform_ref },
            ) => {
                delivery.state = DeliveryState::Accepted;
                *settled_at = Some(at);
                delivery.why = None;
                delivery.receipt = Some(receipt);
                delivery.platform_ref = Some(platform_ref);
                delivery.settled_at = Some(at);
            }
            (DeliveryState::Queued, Settlement::Retry { next_at, why }) => {
                *due_at = next_at;
                delivery.why = Some(why);
            }
            (DeliveryState::Queued, Settlement::Refused { why }) => {
                delivery.state = DeliveryState::Refused;
                delivery.settled_at = Some(at);
                delivery.why = Some(why);
            }
            (DeliveryState::Accepted | DeliveryState::Refused, _) => {}
        }
        Ok(())
    }

    async fn deliveries(&self, sessions: &[SessionId]) -> Result<Vec<Delivery>, Error> {
        let disk = self.disk();
        let asked: HashSet<_> = sessions.iter().collect();
        let all = disk.outbox.iter().map(|queued| &queued.delivery);
        Ok(all.filter(|delivery| asked.contains(&delivery.message.session)).cloned().collect())
    }

    async fn next_due(&self) -> Result<Option<At>, Error> {
        self.works(Outage::Claims)?;
        let disk = self.disk();
        Ok(disk.waiting().map(|index| disk.outbox[index].due_at).min())
    }

    async fn backlog(&self) -> Result<Backlog, Error> {
        let disk = self.disk();
        let mut backlog = Backlog::default();
        for Queued { delivery, .. } in &disk.outbox {
            match delivery.state {
                DeliveryState::Queued => {
                    let made = delivery.message.created_at;
                    backlog.queued += 1;
                    backlog.oldest = Some(backlog.oldest.map_or(made, |oldest| oldest.min(made)));
                }
                DeliveryState::Refused => backlog.refused += 1,
                DeliveryState::Accepted => {}
            }
        }
        Ok(backlog)
    }
}

impl Disk {
    /// Queued messages that may be sent as soon as they are due.
    fn waiting(&self) -> impl Iterator<Item = usize> {
        let all = self.outbox.iter().map(|queued| &queued.delivery);
        let accepted: HashSet<SessionId> = all
            .filter(|d| d.message.kind == MessageKind::Record && d.state == DeliveryState::Accepted)
            .map(|d| d.message.session)
            .collect();
        self.outbox.iter().enumerate().filter_map(move |(index, Queued { delivery, .. })| {
            let sendable = match delivery.message.kind {
                MessageKind::Record => true,
                MessageKind::Approval | MessageKind::Void => accepted.contains(&delivery.message.session),
            };
            (sendable && delivery.state == DeliveryState::Queued).then_some(index)
        })
    }
}
