//! For operators and their programs.

mod drain;

pub use drain::Drain;
pub(crate) use drain::Guest;

use crate::doors::Jwks;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

/// The process answers. Whether the store does is `synaq doctor`'s business.
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// Public keys of this installation.
pub(crate) async fn jwks(State(Jwks(keys)): State<Jwks>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")], keys)
}
