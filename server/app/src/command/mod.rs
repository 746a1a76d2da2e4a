//! One module a command.

pub mod demo;
pub mod directory;
pub mod doctor;
pub mod platform;
pub mod rebuild_form;
pub mod serve;
pub mod verify;
