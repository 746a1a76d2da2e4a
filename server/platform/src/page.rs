//! The page that shows what the platform holds. Plain HTML, no script.

use crate::archive::Kept;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use std::fmt::Write;

/// Whatever a message holds, nothing in it runs or loads.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f5f6f8;color:#181c22}\
main{max-width:64rem;margin:0 auto;padding:1.5rem}h1{font-size:1.4rem}\
table{border-collapse:collapse;width:100%;background:#fff}th,td{text-align:left;padding:.5rem .75rem;\
border-bottom:1px solid #dfe3e8;vertical-align:top}code{font-size:.85em;overflow-wrap:anywhere}\
pre{background:#fff;padding:1rem;overflow:auto;border:1px solid #dfe3e8}a{color:#0b5cad}\
@media (prefers-color-scheme:dark){body{background:#0f1216;color:#e9edf2}table,pre{background:#191e25;\
border-color:#2b323c}th,td{border-color:#2b323c}a{color:#7cb7f4}}";

/// All messages.
pub(crate) fn index(kept: &[Kept]) -> Response {
    let mut rows = String::new();
    for message in kept {
        write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td><a href=\"/messages/{}\">{}</a></td><td><code>{}</code></td></tr>",
            escape(&message.received_at),
            escape(&message.kind),
            message.id,
            escape(&message.platform_ref),
            escape(&message.sha256),
        )
        .expect("writing to a String cannot fail");
    }
    let table = if kept.is_empty() {
        "<p>Nothing was received yet. A record arrives a few seconds after an exam ends.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th>Received (UTC)</th><th>Kind</th><th>Reference</th><th>SHA-256 of the signed bytes\
             </th></tr></thead><tbody>{rows}</tbody></table>"
        )
    };
    shell(&format!(
        "<h1>Central platform (sandbox)</h1><p>{} messages held. Each was checked against the centre's keys before it \
         was kept, and answered with a signed receipt.</p>{table}",
        kept.len()
    ))
}

/// One message with its receipt.
pub(crate) fn message(kept: &Kept) -> Response {
    let readable = |jws: &synaq_seal::jws::Jws| {
        let value = jws
            .decode_payload()
            .ok()
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default()
    };
    shell(&format!(
        "<p><a href=\"/\">All messages</a></p><h1>{} {}</h1><p>Received {}. SHA-256 <code>{}</code></p>\
         <h2>What was signed</h2><pre>{}</pre><h2>Receipt</h2><pre>{}</pre>",
        escape(&kept.kind),
        escape(&kept.platform_ref),
        escape(&kept.received_at),
        escape(&kept.sha256),
        escape(&readable(&kept.message)),
        escape(&readable(&kept.receipt)),
    ))
}

fn shell(body: &str) -> Response {
    let page = Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>Central platform (sandbox)</title><style>{STYLE}</style>\
         <main>{body}</main></html>"
    ));
    ([(CONTENT_SECURITY_POLICY, POLICY)], page).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
