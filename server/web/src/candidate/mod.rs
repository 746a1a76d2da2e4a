//! The candidate's side: a personal link, a device, a socket.

mod answers;
mod command;
mod link;
mod photo;
mod question;
mod socket;
mod view;
mod whip;

pub(crate) use link::{bind, issue, open, ticket};
pub(crate) use photo::put as put_photo;
pub(crate) use socket::{WithTicket, upgrade as socket};
pub(crate) use view::chat_line;
pub(crate) use whip::{close as close_whip, publish as whip};
