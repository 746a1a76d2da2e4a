//! `synaq rehearse`: an exam day with made-up candidates on the operator's own machine.

mod cameras;
mod content;
pub(crate) mod room;
