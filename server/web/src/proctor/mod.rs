//! The proctor's side: the wall of a sitting.

mod presence;

pub(crate) use presence::Presence;
