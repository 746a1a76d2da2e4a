//! What every request passes: host, origin, trace, security headers.

use crate::auth::cookie;
use crate::doors::Options;
use crate::fresh::Fresh;
use crate::meters;
use crate::problem::Refused;
use crate::refusals::Refusals;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use metrics::histogram;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use synaq_wire::problem::{Code, Problem};
use tokio::time::Instant;
use tracing::Instrument as _;

/// Whose page may do what. Cameras and microphones are for our own pages, everything else is off.
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
     geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), autoplay=(self)";

/// The headers of every answer, made once.
#[derive(Clone)]
pub(crate) struct Guard {
    options: Arc<Options>,
    policy: HeaderValue,
    fresh: Fresh,
    refusals: Arc<Refusals>,
}

impl Guard {
    pub(crate) fn new(options: Arc<Options>, fresh: Fresh) -> Self {
        let mut connect = String::from("'self'");
        for origin in &options.public_origins {
            // Older Safari does not take 'self' for WebSockets.
            let socket = origin.replacen("http", "ws", 1);
            write!(connect, " {socket}").expect("writing to a String cannot fail");
        }
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
             media-src 'self' blob:; connect-src {connect}; font-src 'self'; worker-src 'self'; \
             manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| {
            // An origin that is no header text was never reachable; the page works without sockets of its own.
            HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
        });
        Self { options, policy, fresh, refusals: Arc::default() }
    }

    fn check(&self, request: &Request) -> Result<(), Code> {
        let headers = request.headers();
        if !self.host_is_ours(request) {
            return Err(Code::HostForbidden);
        }
        let socket = headers.contains_key(header::UPGRADE);
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if safe && !socket {
            return Ok(());
        }
        if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            return Err(Code::OriginForbidden);
        }
        match headers.get(header::ORIGIN) {
            Some(origin) if self.origin_is_ours(origin) => Ok(()),
            Some(_) => Err(Code::OriginForbidden),
            // Programs without a cookie cannot be made to act for somebody else.
            None if socket || cookie::read(headers, &self.options).is_some() => Err(Code::OriginForbidden),
            None => Ok(()),
        }
    }

    fn origin_is_ours(&self, origin: &HeaderValue) -> bool {
        self.options.public_origins.iter().any(|ours| ours.as_bytes() == origin.as_bytes())
    }

    fn host_is_ours(&self, request: &Request) -> bool {
        let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = request.uri().authority().map(axum::http::uri::Authority::as_str).or(header) else {
            return false;
        };
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let bare = bare.map_or(host, |(name, _)| name);
        self.options
            .hosts
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(host) || ours.eq_ignore_ascii_case(bare))
    }

    fn dress(&self, headers: &mut HeaderMap) {
        let fixed = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Personal links are secrets: no other page may learn one from a Referer.
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.options.public_origin().starts_with("https://") {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

/// The outermost layer.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // Without entropy requests can still be told apart by time.
    let trace = guard.fresh.id().unwrap_or_default().simple().to_string();
    // The pattern, never the path: a path can hold a personal link.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("web.request", method = %request.method(), route = %route, trace);
    let allowed = guard.check(&request);
    let began = Instant::now();
    let mut response = match allowed {
        // A bug in one handler must not look like a lost connection.
        Ok(()) => AssertUnwindSafe(next.run(request).instrument(span.clone()))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Refused::from(Code::Internal).into_response()),
        Err(code) => Refused::from(code).into_response(),
    };
    let mut again = None;
    if let Some(Refused(problem)) = response.extensions_mut().remove::<Refused>() {
        meters::refused(problem.code);
        again = problem.retry_after_ms.map(|_| problem.code);
        response = Refused::from(Problem { trace: Some(trace), ..*problem }).into_response();
    }
    histogram!("synaq_http_seconds", "route" => route).record(began.elapsed());
    match again.filter(|code| code.status() >= 500) {
        Some(code) => span.in_scope(|| guard.refusals.count(code)),
        None => span.in_scope(|| log(response.status())),
    }
    guard.dress(response.headers_mut());
    response
}

fn log(status: StatusCode) {
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), "a request could not be served");
    } else {
        tracing::debug!(status = status.as_u16(), "a request was answered");
    }
}
