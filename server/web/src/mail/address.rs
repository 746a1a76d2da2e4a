/// RFC 5321, 4.5.3.1.
const ADDRESS_BYTES: usize = 254;
const LOCAL_BYTES: usize = 64;

/// A mail address as people here have one: `name@example.kz`, ASCII, without quotes, comments or spaces. A name with other
/// letters before the @ (RFC 6531) is refused, because many mail servers on the way do so.
pub(crate) fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let dotted = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let label = |label: &str| {
        let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inside && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= ADDRESS_BYTES
        && local.len() <= LOCAL_BYTES
        && dotted(local)
        && local.bytes().all(atom)
        && dotted(domain)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// An address as somebody may see it who only has to tell whether it is the right one: `a…@example.kz`.
pub(crate) fn veiled(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().take(1).collect::<String>()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_and_what_could_be_a_header_is_not() {
        for right in ["aigul@example.kz", "a.b+c@mail.example.kz", "o'neil@x-y.kz"] {
            assert!(is_mail_address(right), "{right}");
        }
        for wrong in [
            "",
            "a",
            "@example.kz",
            "a@",
            "a@kz",
            "a b@example.kz",
            "a@example.kz\r\nBcc: b@example.kz",
            "a@example.kz,b@example.kz",
            "<a@example.kz>",
            "\"a\"@example.kz",
            "а@example.kz",
            "a@пример.kz",
            "a..b@example.kz",
            "a@-x.kz",
            "a@@example.kz",
            "a\u{a0}@example.kz",
            "a\u{202e}@example.kz",
            "😀@example.kz",
        ] {
            assert!(!is_mail_address(wrong), "{wrong}");
        }
        assert!(!is_mail_address(&format!("{}@example.kz", "a".repeat(65))));
    }

    #[test]
    fn of_an_address_only_the_first_letter_and_the_domain_are_shown() {
        assert_eq!(veiled("aigul@example.kz"), "a…@example.kz");
        assert_eq!(veiled("nonsense"), "");
    }
}
