//! From raw signal to violation: a *detector event* is a claim, merged events are an *incident*, a confirmed
//! incident is a *violation*. Three different things, three types.

mod code;
mod explanation;
mod incident;

pub use code::{Class, Code, ForbiddenItem, Rule, RuleTable, UnknownCode};
pub use explanation::{Explanation, Said, explanation};
pub use incident::{DetectorEvent, Finding, Incident, IncidentStatus, Measured, SignalPhase, Source};
