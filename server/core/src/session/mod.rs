//! One candidate's sitting of the theory exam: decide is pure, apply is total.

mod apply;
mod deadline;
mod decide;
mod event;
mod fingerprint;
mod input;
pub mod limits;
pub mod local;
mod query;
mod receipts;
mod state;

pub use event::{
    BreakWhy, CalledOff, Care, ClientRef, Consequence, DowntimeSpan, EffectiveHow, Event, EvidenceRef, Fact,
    Finish, Gesture, MediaStep, MessageFrom, PauseCause, PhotoKind, Ruling, StaffEndReason, StepWhy, Voided,
};
pub use fingerprint::Fingerprint;
pub use input::{
    AcknowledgedText, Arrangement, Command, Creation, Decision, DeviceReport, Effect, Input, MediaFact,
    PhotosSeen, Refusal, StaffCommand,
};
pub use query::SealWaits;
pub use receipts::Receipts;
pub use state::{
    Answer, Binding, Break, BreakTaken, Challenge, ChallengeDone, Context, Done, EndProposal, ExamSession,
    Granted, Held, MediaStepped, Message, Recheck, RecheckDone, Stage, Standing, State, TimeChange,
    TimeChangeKind, Violation, Warning,
};
