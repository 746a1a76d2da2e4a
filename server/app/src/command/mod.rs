//! One module a command.

pub(crate) mod demo;
pub(crate) mod directory;
pub(crate) mod doctor;
pub(crate) mod platform;
pub(crate) mod rebuild_form;
pub(crate) mod serve;
pub(crate) mod verify;
