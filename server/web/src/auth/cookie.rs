//! The staff cookie: opaque, 256 bits, known to the store by its hash alone.

use crate::doors::Options;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use synaq_core::time::Span;

/// A working day.
pub(crate) const LIFETIME: Span = Span::mins(12 * 60);

const fn name(options: &Options) -> &'static str {
    if options.secure_cookies { "__Host-synaq" } else { "synaq" }
}

/// The cookie's value, if the request has one.
pub(crate) fn read<'a>(headers: &'a HeaderMap, options: &Options) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(found, _)| *found == name(options)).map(|(_, value)| value)
}

/// `Set-Cookie` of a sign-in.
pub(crate) fn set(value: &str, options: &Options) -> HeaderValue {
    line(value, LIFETIME.0 / 1_000, options)
}

/// `Set-Cookie` of a sign-out.
pub(crate) fn clear(options: &Options) -> HeaderValue {
    line("", 0, options)
}

fn line(value: &str, max_age_s: i64, options: &Options) -> HeaderValue {
    let secure = if options.secure_cookies { "; Secure" } else { "" };
    let name = name(options);
    let line = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&line).expect("base64url and names are header text")
}
