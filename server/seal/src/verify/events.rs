use super::record::Record;
use super::{Failure, Name, Report, chain};
use crate::bundle::Event;
use crate::merkle::Frontier;

/// The checks that need the events.
pub(super) const NAMES: [Name; 3] = [Name::EventChain, Name::EventRoot, Name::EventSequence];

pub(super) fn check(report: &mut Report, list: &[Event], record: &Record) {
    report.push(Name::EventChain, chain_holds(list, record));
    report.push(Name::EventRoot, root_holds(list, record));
    report.push(Name::EventSequence, sequence_holds(list, record));
}

fn chain_holds(list: &[Event], record: &Record) -> Result<(), Failure> {
    let mut head = chain::GENESIS;
    for event in list {
        head = chain::next(&head, &leaf(event)?);
        if head != event.hash {
            return Err(Failure::ChainBroken { seq: event.seq });
        }
    }
    if head == record.event_log.head { Ok(()) } else { Err(Failure::HeadDiffers) }
}

fn root_holds(list: &[Event], record: &Record) -> Result<(), Failure> {
    let (found, sealed) = (list.len() as u64, record.event_log.count);
    if found != sealed {
        return Err(Failure::EventCount { found, sealed });
    }
    let mut tree = Frontier::default();
    for event in list {
        tree.push(&leaf(event)?);
    }
    if tree.root() == record.event_log.root { Ok(()) } else { Err(Failure::RootDiffers) }
}

fn sequence_holds(list: &[Event], record: &Record) -> Result<(), Failure> {
    if let Some(event) = list.iter().find(|event| event.sid != record.session) {
        return Err(Failure::OtherSession { seq: event.seq });
    }
    match list.windows(2).find(|pair| pair[0].seq.checked_add(1) != Some(pair[1].seq)) {
        Some(pair) => Err(Failure::SeqGap { seq: pair[1].seq }),
        None => Ok(()),
    }
}

fn leaf(event: &Event) -> Result<Vec<u8>, Failure> {
    event.leaf().map_err(|source| Failure::EventProfile { seq: event.seq, source })
}
