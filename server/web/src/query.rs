//! A query string of a documented shape.

use crate::problem::Refused;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use synaq_wire::problem::{Code, Problem};

/// As axum's, with our problem.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(_) => {
                let detail = "the query is not of the documented shape";
                Err(Problem::new(Code::BodyMalformed).detail(detail).into())
            }
        }
    }
}
