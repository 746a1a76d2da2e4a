//! Signing in and out, whoever one is.

mod links;
mod sign_in;

pub(crate) use links::forgot;
pub(crate) use sign_in::{me, set_up, sign_in, sign_out, ticket};
