//! Signing in and out, whoever one is.

pub(crate) mod factor;
mod links;
mod sign_in;

pub(crate) use links::{SetupLinks, forgot};
pub(crate) use sign_in::{me, set_up, sign_in, sign_out, ticket};
