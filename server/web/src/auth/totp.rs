//! One-time codes of a phone (RFC 6238 over RFC 4226): SHA-1, six digits, thirty seconds, which is what every app knows.

use ring::hmac;
use synaq_core::time::At;

/// RFC 4226, 4: at least 128 bits, 160 recommended.
pub(crate) const SECRET_BYTES: usize = 20;
/// RFC 6238, 4.1.
const STEP_MS: i64 = 30_000;
/// RFC 6238, 5.2: one step back for a slow hand, one forward for a fast clock.
const NEIGHBOURS: [i64; 3] = [0, -1, 1];
const DIGITS: usize = 6;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step whose code this is, at that moment; the caller sees that each step is used once.
pub(crate) fn step_of(secret: &[u8], code: &str, now: At) -> Option<u64> {
    let current = now.0.div_euclid(STEP_MS);
    let steps = NEIGHBOURS.iter().filter_map(|by| u64::try_from(current + by).ok());
    // All are compared: which of them it was must not show in the time.
    steps.fold(None, |found, step| found.or(same(&self::code(secret, step), code).then_some(step)))
}

/// The six digits of a step (RFC 4226, 5.3).
pub(crate) fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let mac = mac.as_ref();
    let at = usize::from(mac[mac.len() - 1] & 0x0f);
    let word = u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]]);
    format!("{:0DIGITS$}", word % 1_000_000)
}

fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// RFC 4648, 6, without padding: how apps take a secret by hand.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = (bits >> (35 - 5 * place)) & 31;
            text.push(char::from(BASE32[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

/// What an app reads from the picture (the Key URI format): `label` is shown in it.
pub(crate) fn uri(secret: &[u8], label: &str) -> String {
    let escaped: String = label
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("otpauth://totp/Synaq:{escaped}?secret={}&issuer=Synaq", base32(secret))
}

/// A QR code as SVG: dark modules as one path, with the quiet zone of four that the standard asks for.
pub(crate) fn picture(text: &str) -> Option<String> {
    const QUIET: i32 = 4;
    let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium).ok()?;
    let (size, whole) = (code.size(), code.size() + 2 * QUIET);
    let dark =
        (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{whole}\" height=\"{whole}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, of the SHA-1 column its last six digits.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, seconds / 30), expected);
            let now = At(i64::try_from(seconds).unwrap() * 1_000);
            assert_eq!(step_of(SECRET, expected, now), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_more() {
        let (own, now) = (code(SECRET, 100), |step: i64| At(step * STEP_MS + 7));
        for step in [99, 100, 101] {
            assert_eq!(step_of(SECRET, &own, now(step)), Some(100));
        }
        for step in [98, 102] {
            assert_eq!(step_of(SECRET, &own, now(step)), None);
        }
        for wrong in ["", "1", "0000000", "абвгде", "12345６"] {
            assert_eq!(step_of(SECRET, wrong, now(100)), None, "{wrong}");
        }
        assert_eq!(step_of(SECRET, "000000", At(0)), None);
    }

    #[test]
    fn secrets_are_written_as_apps_take_them() {
        for (plain, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
        let uri = uri(SECRET, "айгүл x");
        assert!(
            uri.starts_with("otpauth://totp/Synaq:%D0%B0") && uri.contains("%20x?secret=GEZDGNBV"),
            "{uri}"
        );
        assert!(picture(&uri).is_some_and(|svg| svg.starts_with("<svg") && svg.contains("h1v1h-1z")));
    }
}
