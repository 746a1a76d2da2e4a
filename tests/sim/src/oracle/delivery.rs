//! P6: one record per exam, one copy of it at the platform, one receipt for it.

use super::Exam;
use crate::history::History;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use synaq_store::{DeliveryState, MessageKind, NewMessage};
use uuid::Uuid;

pub(super) fn judge(exam: &Exam, kept: &BTreeMap<Uuid, NewMessage>, history: &History) {
    let find = |oracle, detail: String| history.find(oracle, Some(exam.session), detail);
    let sealed: Vec<_> = exam.all("record_sealed").collect();
    match (&exam.record, &sealed[..]) {
        (None, []) => {}
        (Some(record), [sealed]) => {
            let digest: String =
                Sha256::digest(&record.payload).iter().map(|byte| format!("{byte:02x}")).collect();
            if digest != record.sha256 || digest != sealed.text("sha256") {
                find("record_wrong", format!("{digest} of the bytes, {} in the log", sealed.text("sha256")));
            }
            if record.approvals != exam.all("record_approved").count() {
                find("record_wrong", format!("{} approvals are stored", record.approvals));
            }
            if exam.first("closed").is_none() {
                find("record_wrong", "sealed before the end".to_owned());
            }
        }
        (record, sealed) => {
            let detail = format!("{} records, {} events", u8::from(record.is_some()), sealed.len());
            find("record_wrong", detail);
        }
    }
    for kind in [MessageKind::Record, MessageKind::Approval, MessageKind::Void] {
        let messages: Vec<_> = exam.deliveries.iter().filter(|d| d.message.kind == kind).collect();
        let facts = match kind {
            MessageKind::Record => sealed.len(),
            MessageKind::Approval => exam.all("record_approved").count(),
            // A record that is sealed later says itself that the attempt does not count.
            MessageKind::Void => {
                let after = exam.facts.iter().skip_while(|fact| fact.kind != "record_sealed");
                after.filter(|fact| fact.kind == "attempt_voided").count()
            }
        };
        if messages.len() != facts {
            find("outbox_wrong", format!("{} messages for {facts} {kind:?}", messages.len()));
        }
        for delivery in messages {
            let copy = kept.get(&delivery.message.id);
            let same = copy.is_some_and(|copy| copy.sha256 == delivery.message.sha256);
            match delivery.state {
                DeliveryState::Accepted => {
                    history.count(match kind {
                        MessageKind::Record => "records delivered",
                        MessageKind::Approval => "approvals delivered",
                        MessageKind::Void => "notices delivered",
                    });
                    if !same || delivery.receipt.is_none() {
                        find("receipt_without_copy", format!("{kind:?} is closed, the platform has none"));
                    }
                    if delivery.attempts > 1 {
                        history.count("delivered after a failure");
                    }
                }
                DeliveryState::Refused => history.count("messages refused"),
                DeliveryState::Queued => {}
            }
        }
    }
    let copies =
        kept.values().filter(|copy| copy.session == exam.session && copy.kind == MessageKind::Record);
    if copies.count() > 1 {
        find("two_copies", "the platform keeps two records of one exam".to_owned());
    }
}
