//! What a page keeps over a reload: its keys, its numbers, and what it has not heard of.

use std::collections::VecDeque;
use synaq_core::ids::{DeviceHash, Epoch, TabId};
use synaq_core::session::{ClientRef, Command};
use synaq_core::time::At;

/// Answered commands kept to be sent once more by a page that misbehaves.
const REMEMBERED: usize = 4;

/// A command on its way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) client: ClientRef,
    pub(crate) command: Command,
    /// Virtual milliseconds since the beginning of the run
    pub(crate) made_at: i64,
    pub(crate) failed: bool,
}

/// One tab.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) device: DeviceHash,
    pub(crate) tab: TabId,
    pub(crate) epoch: Option<Epoch>,
    next_seq: u64,
    pub(crate) outbox: VecDeque<Pending>,
    /// Sent and answered lately
    pub(crate) answered: VecDeque<Pending>,
}

impl Page {
    pub(crate) fn new(device: DeviceHash, tab: TabId) -> Self {
        Self { device, tab, epoch: None, next_seq: 1, outbox: VecDeque::new(), answered: VecDeque::new() }
    }

    /// For its own dice.
    pub(crate) fn name(&self) -> u64 {
        self.tab.0.as_u64_pair().1
    }

    pub(crate) fn bound_under(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    pub(crate) fn put(&mut self, command: Command, client_at: At, made_at: i64) -> Option<Pending> {
        let client = ClientRef { epoch: self.epoch?, client_seq: self.next_seq, client_at };
        self.next_seq += 1;
        let pending = Pending { client, command, made_at, failed: false };
        self.outbox.push_back(pending.clone());
        Some(pending)
    }

    fn find(&self, epoch: Epoch, client_seq: u64) -> Option<usize> {
        self.outbox
            .iter()
            .position(|pending| (pending.client.epoch, pending.client.client_seq) == (epoch, client_seq))
    }

    /// It was answered for good.
    pub(crate) fn settle(&mut self, epoch: Epoch, client_seq: u64) -> Option<Pending> {
        let pending = self.outbox.remove(self.find(epoch, client_seq)?)?;
        self.answered.push_back(pending.clone());
        if self.answered.len() > REMEMBERED {
            self.answered.pop_front();
        }
        Some(pending)
    }

    pub(crate) fn failed(&mut self, epoch: Epoch, client_seq: u64) {
        if let Some(place) = self.find(epoch, client_seq) {
            self.outbox[place].failed = true;
        }
    }
}
