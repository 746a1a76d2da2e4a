//! The proctor's side: the wall of a sitting.

mod command;
mod detail;
mod duty;
mod lookers;
mod picture;
mod presence;
mod sittings;
mod socket;
mod tile;
mod wall;

pub(crate) use duty::{add_note, centre as centre_duty, link, mail_link, notes};
pub(crate) use lookers::{Followed, Lookers};
pub(crate) use picture::{close_whep, photo, resize_whep, still, whep};
pub(crate) use presence::Presence;
pub(crate) use sittings::{list as sittings, row as sitting_row, rows as sitting_rows};
pub(crate) use socket::upgrade as socket;
