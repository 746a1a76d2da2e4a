use super::{Disk, Fault, Outage, Queued, SimStore};
use crate::{
    Batch, Committed, Delivery, DeliveryState, Error, EventLog, Lease, Recorded, StoredRecord, Summary,
};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use uuid::Uuid;

#[async_trait]
impl EventLog for SimStore {
    async fn take_lease(&self, node: Uuid, _at: At) -> Result<Lease, Error> {
        self.works(Outage::Starts)?;
        let lease = self.disk().take_lease(node);
        self.epoch.store(lease.epoch, Ordering::SeqCst);
        Ok(lease)
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        self.released().await;
        self.works(Outage::FullDisk)?;
        let fault = self.script().faults.pop_front();
        match fault {
            Some(Fault::BeforeCommit) => return Err(Error::Unavailable("scripted, before commit".into())),
            Some(Fault::DiskFull) => return Err(Error::DiskFull),
            Some(Fault::TakeOver) => drop(self.disk().take_lease(Uuid::max())),
            Some(Fault::AfterCommit | Fault::HeldAfterCommit) | None => {}
        }
        self.write(lease, &batch)?;
        match fault {
            Some(Fault::AfterCommit) => Err(Error::Unavailable("scripted, after commit".into())),
            Some(Fault::HeldAfterCommit) => {
                self.hold();
                self.released().await;
                Ok(Committed::by_engine(batch))
            }
            _ => Ok(Committed::by_engine(batch)),
        }
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        self.works(Outage::Loads)?;
        let from = after.0.saturating_add(1);
        let disk = self.disk();
        let events = disk.events.range((stream, Seq(from))..=(stream, Seq(u64::MAX)));
        events
            .zip(from..)
            .map(|((_, event), expected)| match event.seq.0 == expected {
                true => Ok(event.clone()),
                false => Err(Error::Damaged(format!("stream {stream} has no position {expected}"))),
            })
            .collect()
    }

    async fn live(&self) -> Result<Vec<SessionId>, Error> {
        self.works(Outage::Starts)?;
        Ok(self.disk().summaries.values().filter(|summary| summary.live).map(|s| s.session).collect())
    }

    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error> {
        self.works(Outage::Marks)?;
        self.works(Outage::FullDisk)?;
        let mut disk = self.disk();
        if disk.lease != Some(lease) {
            return Err(Error::Fenced);
        }
        disk.marks.insert(lease.epoch, at);
        Ok(())
    }

    async fn last_mark(&self) -> Result<Option<At>, Error> {
        let own = match self.epoch.load(Ordering::SeqCst) {
            0 => u64::MAX,
            epoch => epoch,
        };
        Ok(self.disk().marks.range(..own).next_back().map(|(_, at)| *at))
    }

    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error> {
        self.works(Outage::Loads)?;
        Ok(self.disk().records.get(&session).cloned())
    }

    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error> {
        let disk = self.disk();
        let asked: HashSet<_> = sessions.iter().collect();
        Ok(disk.summaries.values().filter(|summary| asked.contains(&summary.session)).cloned().collect())
    }
}

impl SimStore {
    fn write(&self, lease: Lease, batch: &Batch) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.refuse(lease, batch)?;
        disk.store(batch);
        self.script().stored.push(batch.events.len());
        Ok(())
    }
}

impl Disk {
    fn take_lease(&mut self, node: Uuid) -> Lease {
        let epoch = self.lease.map_or(1, |lease| lease.epoch + 1);
        *self.lease.insert(Lease { node, epoch })
    }

    /// Every reason not to store the batch, before anything of it is stored.
    fn refuse(&self, lease: Lease, batch: &Batch) -> Result<(), Error> {
        if self.lease != Some(lease) {
            return Err(Error::Fenced);
        }
        let mut positions = HashSet::new();
        for event in &batch.events {
            let position = (event.stream, event.seq);
            if self.events.contains_key(&position) || !positions.insert(position) {
                return Err(Error::Duplicate { stream: event.stream.0, seq: event.seq.0 });
            }
        }
        let mut sealed = HashSet::new();
        for record in &batch.records {
            if self.records.contains_key(&record.session) || !sealed.insert(record.session) {
                return Err(refused(record.session, Error::SEALED_ALREADY));
            }
        }
        let known = |session| self.records.contains_key(session) || sealed.contains(session);
        if let Some(early) = batch.approvals.iter().find(|approval| !known(&approval.session)) {
            return Err(refused(early.session, Error::NOT_SEALED));
        }
        let mut ids: HashSet<_> = self.outbox.iter().map(|queued| queued.delivery.message.id).collect();
        if let Some(again) = batch.messages.iter().find(|message| !ids.insert(message.id)) {
            return Err(refused(again.session, Error::MESSAGE_TAKEN));
        }
        Ok(())
    }

    fn store(&mut self, batch: &Batch) {
        for event in batch.events.iter().cloned() {
            let recorded = Recorded {
                seq: event.seq,
                at: event.at,
                kind: event.kind,
                body: event.body,
                hash: event.hash,
            };
            self.events.insert((event.stream, event.seq), recorded);
        }
        self.summaries.extend(batch.summaries.iter().map(|summary| (summary.session, summary.clone())));
        for record in batch.records.iter().cloned() {
            self.records.insert(record.session, StoredRecord { record, approvals: Vec::new() });
        }
        for approval in &batch.approvals {
            let record = self.records.get_mut(&approval.session);
            record.expect("refused above without one").approvals.push(approval.jws.clone());
        }
        self.outbox.extend(batch.messages.iter().cloned().map(|message| Queued {
            due_at: message.created_at,
            settled_at: None,
            delivery: Delivery {
                message,
                state: DeliveryState::Queued,
                attempts: 0,
                why: None,
                receipt: None,
                platform_ref: None,
                settled_at: None,
            },
        }));
    }
}

fn refused(session: SessionId, why: &'static str) -> Error {
    Error::Refused { session: session.0, why }
}
