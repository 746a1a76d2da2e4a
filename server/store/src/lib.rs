//! Ports to durable truth. `Ok` means fsynced. Each port is one noun; an engine implements all of them over one
//! connection, so that a batch of events, sealed records and outbox rows is one transaction.

mod change;
mod clock;
pub mod conformance;
mod directory;
mod error;
mod event_log;
mod fold;
mod lists;
mod mail;
mod outbox;
mod personnel;
mod retention;
mod sim;
mod versions;

pub use change::{Difference, Present, seated};
pub use clock::{ClockMark, Clocks};
pub use directory::{
    AuditEntry, BankRow, CandidateMore, CandidateRow, CandidateStanding, CentreRow, ChangeRow, Directory,
    Ended, NewCandidate, ProgrammeRow, Role, SessionRow, ShiftNote, SittingRow, SittingStanding, StaffRow,
    StaffSession, TrialRow, Why,
};
pub use error::Error;
pub use event_log::{
    Append, Batch, Committed, EventLog, Lease, NewApproval, NewRecord, Recorded, StoredRecord, Summary,
};
pub use fold::fold;
pub use lists::{
    CentreStanding, Lists, OUTCOMES, Page, ResultCounts, ResultLine, ResultsAsked, ResultsBy, STATES,
    SittingsAsked, SittingsBy, Span,
};
pub use mail::{ClaimedLetter, LetterEnd, LetterRow, LetterState, Mail, MailBacklog, NewLetter};
pub use outbox::{Backlog, Claimed, Delivery, DeliveryState, MessageKind, NewMessage, Outbox, Settlement};
pub use personnel::{AuditFilter, FactorRow, Member, NewProfile, Personnel, ProfileRow, StaffEdit};
pub use retention::{ERASED, ErasureRow, Ground, HoldRow, KeptRow, Lifted, Retention};
pub use sim::{Fault, Outage, SimStore};
pub use versions::{Kept, Versions};
