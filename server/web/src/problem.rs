//! Every refusal leaves as one shape: `application/problem+json` with a stable code (RFC 9457).

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use synaq_core::session::Refusal;
use synaq_media::OfferError;
use synaq_runtime::SubmitError;
use synaq_wire::problem::{Code, Problem};

/// What a handler answers instead of its result.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub(crate) Box<Problem>);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Problem::from(refusal).into()
    }
}

impl From<SubmitError> for Refused {
    fn from(error: SubmitError) -> Self {
        from_submit(&error).into()
    }
}

impl From<synaq_store::Error> for Refused {
    fn from(error: synaq_store::Error) -> Self {
        match error {
            synaq_store::Error::NotFound => Code::NotFound.into(),
            synaq_store::Error::Changed => Code::ChangedMeanwhile.into(),
            synaq_store::Error::Full { capacity } => Problem::new(Code::SittingFull)
                .detail(format!("the sitting takes {capacity} candidates"))
                .into(),
            synaq_store::Error::Taken("login") => Code::LoginTaken.into(),
            synaq_store::Error::Taken("last head") => Code::LastHead.into(),
            synaq_store::Error::Taken("profile") => Code::ChangedMeanwhile.into(),
            synaq_store::Error::Taken("second factor") => Code::SecondFactorHeld.into(),
            synaq_store::Error::Taken(what) => Problem::new(Code::BankVersionTaken)
                .detail(format!("{what} is taken; raise the version"))
                .into(),
            error => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store did not answer a request"
                );
                Problem { retry_after_ms: Some(STORE_RETRY_MS), ..Problem::new(Code::StoreUnavailable) }
                    .into()
            }
        }
    }
}

impl From<OfferError> for Refused {
    fn from(error: OfferError) -> Self {
        let code = Code::ALL.iter().copied().find(|code| code.as_str() == error.code());
        let code = code.expect("wire lists each code of an offer; a test walks them");
        let mut problem = Problem::new(code).detail(error.to_string());
        if code == Code::MediaFull {
            problem.retry_after_ms = Some(MEDIA_RETRY_MS);
        }
        problem.into()
    }
}

/// A full disk or a locked file takes a person or a few seconds.
const STORE_RETRY_MS: u64 = 2_000;
/// Offers wait for a DTLS handshake of others, well below this.
const MEDIA_RETRY_MS: u64 = 1_000;

/// The problem behind a failed submission.
pub(crate) fn from_submit(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Busy { retry_after_ms } => {
            Problem { retry_after_ms: Some(*retry_after_ms), ..Problem::new(Code::Busy) }
        }
        SubmitError::NotFound => Problem::new(Code::NotFound),
        SubmitError::OutsideProfile => Problem::new(Code::OutOfLimits),
        SubmitError::Damaged => Problem::new(Code::Internal),
        SubmitError::Store => {
            Problem { retry_after_ms: Some(STORE_RETRY_MS), ..Problem::new(Code::StoreUnavailable) }
        }
        SubmitError::ShuttingDown => {
            Problem { retry_after_ms: Some(STORE_RETRY_MS), ..Problem::new(Code::ShuttingDown) }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = *self.0;
        let status = StatusCode::from_u16(problem.status).expect("codes name valid statuses");
        let body = serde_json::to_vec(&problem).expect("a problem is plain JSON");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait_ms) = problem.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1_000)));
        }
        // The front door renders it again with the trace id of the request.
        response.extensions_mut().insert(Refused(Box::new(problem)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_an_offer_has_a_code_on_the_wire() {
        for error in [
            OfferError::Malformed("x"),
            OfferError::TooLarge,
            OfferError::MediaLines("x"),
            OfferError::NoVp8,
            OfferError::Full,
            OfferError::Stopped,
        ] {
            let code = error.code();
            assert_eq!(Refused::from(error).0.code.as_str(), code);
        }
    }

    #[test]
    fn waiting_times_are_told_in_whole_seconds_and_in_milliseconds() {
        let response = Refused::from(SubmitError::Busy { retry_after_ms: 1_200 }).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}
