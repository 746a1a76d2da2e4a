//! The candidate's side: a personal link, a device, a socket.

mod answers;
mod battery;
mod coach;
mod command;
mod link;
mod local;
mod own_clip;
mod own_log;
mod photo;
mod question;
mod socket;
mod still;
mod trial;
mod view;
mod whip;

pub(crate) use battery::Batteries;
pub(crate) use coach::show as coach;
pub(crate) use link::{bind, issue, open, ticket};
pub(crate) use local::{held as local_held, put as put_local};
pub(crate) use own_clip::{piece as own_piece, show as own_clip};
pub(crate) use own_log::{receipts, show as own_log};
pub(crate) use photo::put as put_photo;
pub(crate) use socket::{WithTicket, upgrade as socket};
pub(crate) use still::put as put_still;
pub(crate) use trial::{leave as leave_trial, line as trial_line, picture as trial_picture, trial_view};
pub(crate) use view::chat_line;
pub(crate) use whip::{close as close_whip, publish as whip};
