//! Recordings for who watches over an exam and who rules on it: one line of time, links for a few minutes, clips of
//! incidents. Whoever opens it is noted once in the audit log, not once for each range a browser asks for.

mod clip;
mod indexes;
mod link;
mod parts;
mod piece;
mod player;
mod view;
mod views;

pub use clip::{CLIP_AFTER_MS, CLIP_BEFORE_MS, ClipOf, cut_between};
pub(crate) use clip::{Clips, clip_of, show as clip};
pub(crate) use indexes::Indexes;
pub(crate) use link::Link;
pub(crate) use piece::{open, show as piece};
pub(crate) use player::Player;
pub(crate) use view::show as view;
pub(crate) use views::Views;
