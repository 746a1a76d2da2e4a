//! Tests of the whole front door over a store, a real runtime, real media and real sockets.

mod arrange;
mod candidate;
mod centre;
mod clock;
mod front;
mod house;
mod keeping;
mod ladder;
mod library;
mod lists;
mod log;
mod mail;
mod own_log;
mod people;
mod photo;
mod playback;
mod rush;
pub(crate) mod script;
mod seat;
mod source;
mod staff;
mod trial;
mod walk;
mod wall;

pub(crate) use clock::{HandClock, START};
pub(crate) use playback::recording;
pub(crate) use source::Shelf;
