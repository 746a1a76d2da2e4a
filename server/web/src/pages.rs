//! Pages: the three apps with their files, the landing page, and a page per problem code.

use crate::errors;
use crate::problem::Refused;
use axum::extract::{Path, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use synaq_exam_client::{App, Asset};
use synaq_wire::problem::Code;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// The worker lies at the root and may serve the candidate's pages, and no others.
const WORKER_SCOPE: HeaderValue = HeaderValue::from_static("/c/");

/// The candidate's app, whatever lies below the link.
pub(crate) async fn candidate(headers: HeaderMap) -> Response {
    served(synaq_exam_client::page(App::Candidate), &headers)
}

/// The proctor's app.
pub(crate) async fn proctor(headers: HeaderMap) -> Response {
    served(synaq_exam_client::page(App::Proctor), &headers)
}

/// The centre's and the commission's app.
pub(crate) async fn centre(headers: HeaderMap) -> Response {
    served(synaq_exam_client::page(App::Centre), &headers)
}

/// A file of the apps.
pub(crate) async fn asset(request: Request) -> Response {
    match synaq_exam_client::asset(request.uri().path()) {
        Some(asset) => served(asset, request.headers()),
        None => Refused::from(Code::NotFound).into_response(),
    }
}

/// The service worker.
pub(crate) async fn worker(headers: HeaderMap) -> Response {
    let Some(worker) = synaq_exam_client::asset("sw.js") else {
        return Refused::from(Code::NotFound).into_response();
    };
    let mut response = served(worker, &headers);
    response.headers_mut().insert(HeaderName::from_static("service-worker-allowed"), WORKER_SCOPE);
    response
}

fn served(asset: Asset, headers: &HeaderMap) -> Response {
    let etag = HeaderValue::from_str(&asset.etag).expect("a tag is quoted hex");
    let cache = if asset.immutable { IMMUTABLE } else { ASK_AGAIN };
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known == etag);
    if known {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag), (CACHE_CONTROL, cache)]).into_response();
    }
    let media_type = HeaderValue::from_str(&asset.media_type).expect("a media type is header text");
    ([(CONTENT_TYPE, media_type), (ETAG, etag), (CACHE_CONTROL, cache)], asset.bytes).into_response()
}

/// Where everybody finds their door.
pub(crate) async fn landing() -> Html<String> {
    Html(page(
        "kk",
        "Synaq",
        "<h1>Synaq</h1>\n\
         <p lang=\"kk\">Кандидаттар емтиханға жеке сілтеме арқылы кіреді: оны тану орталығы жібереді.</p>\n\
         <p lang=\"ru\">Кандидаты входят на экзамен по личной ссылке: её присылает центр признания.</p>\n\
         <p lang=\"en\">Candidates enter by the personal link that their centre sent.</p>\n\
         <ul>\n<li><a href=\"/proctor/\">Прокторға · Проктору · For proctors</a></li>\n\
         <li><a href=\"/centre/\">Орталық пен комиссияға · Центру и комиссии · For centres and commissions</a></li>\n\
         </ul>\n",
    ))
}

/// What a problem's `type` leads to.
pub(crate) async fn error(Path(code): Path<String>) -> Result<Html<String>, Refused> {
    let known = Code::ALL.iter().find(|known| known.as_str() == code).ok_or(Code::NotFound)?;
    let body = errors::html(errors::text(*known));
    Ok(Html(page("en", known.as_str(), &body)))
}

fn page(lang: &str, title: &str, body: &str) -> String {
    let title = errors::escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}
