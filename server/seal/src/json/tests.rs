use proptest::prelude::*;
use serde_json::json;

use super::*;

fn fault(text: &str) -> Option<Fault> {
    match parse(text.as_bytes()) {
        Err(Error::Profile { fault, .. }) => Some(fault),
        _ => None,
    }
}

#[test]
fn duplicate_keys_are_refused_at_any_depth() {
    for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
        assert_eq!(fault(text), Some(Fault::DuplicateKey), "{text}");
    }
    assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn anything_but_a_plain_integer_is_refused() {
    for text in ["1.0", "0.5", "1e3", "1E0", "-0", "-0.0", "[1.5]", "18446744073709551616"] {
        assert_eq!(fault(text), Some(Fault::Float), "{text}");
    }
    for text in ["NaN", "Infinity", "01", "+1", "0x1", ".5"] {
        assert!(matches!(parse(text.as_bytes()), Err(Error::Syntax(_))), "{text}");
    }
}

#[test]
fn integers_end_at_two_to_the_53_less_one() {
    for text in ["9007199254740991", "-9007199254740991", "0"] {
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }
    for text in ["9007199254740992", "9007199254740993", "-9007199254740992", "-9223372036854775808"] {
        assert_eq!(fault(text), Some(Fault::IntegerRange), "{text}");
    }
    assert!(canonical(&u64::MAX).is_err());
}

#[test]
fn strings_and_keys_must_be_nfc() {
    // "й" as one character, and as и + breve
    assert!(parse("\"\u{439}\"".as_bytes()).is_ok());
    assert_eq!(fault("\"\u{438}\u{306}\""), Some(Fault::NotNfc));
    assert_eq!(fault(r#""\u0438\u0306""#), Some(Fault::NotNfc));
    assert_eq!(fault("{\"\u{438}\u{306}\":1}"), Some(Fault::NotNfc));
    assert!(canonical("\u{438}\u{306}").is_err());
}

#[test]
fn lone_surrogates_and_bad_utf8_are_refused() {
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#"{"\ud800":1}"#] {
        assert!(matches!(parse(text.as_bytes()), Err(Error::Syntax(_))), "{text}");
    }
    assert_eq!(parse(br#""\ud83d\ude00""#).unwrap(), json!("\u{1f600}"));
    assert!(matches!(parse(b"\"\xff\""), Err(Error::Syntax(_))));
}

#[test]
fn depth_ends_at_the_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(fault(&nested(MAX_DEPTH + 1)), Some(Fault::TooDeep));
    assert_eq!(fault(&"[".repeat(100_000)), Some(Fault::TooDeep));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(MAX_DEPTH + 1), "}".repeat(MAX_DEPTH + 1));
    assert_eq!(fault(&objects), Some(Fault::TooDeep));
}

#[test]
fn length_ends_at_the_limit() {
    assert!(parse_within(b"[1]", 3).is_ok());
    assert!(matches!(parse_within(b"[10]", 3), Err(Error::TooLong { actual: 4, limit: 3 })));
    assert!(matches!(parse(&vec![b' '; MAX_BYTES + 1]), Err(Error::TooLong { .. })));
}

#[test]
fn text_after_the_value_is_refused() {
    for text in ["1 2", "{}{}", "", "{\"a\":1,}", "[1,]", "// a\n1"] {
        assert!(matches!(parse(text.as_bytes()), Err(Error::Syntax(_))), "{text}");
    }
}

#[test]
fn refusal_says_where() {
    let refusal = parse(b"{\"a\":1,\n \"a\":2}").unwrap_err();
    assert!(refusal.to_string().contains("line 2"), "{refusal}");
}

#[test]
fn canonical_bytes_sort_by_utf16_and_escape_as_rfc_8785_says() {
    // RFC 8785 section 3.2.3, without the value that is not NFC
    let value = json!({"\u{20ac}": 1, "\r": 2, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
    let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5}";
    assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
    let text = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/");
    let expected = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"";
    assert_eq!(String::from_utf8(canonical(&text).unwrap()).unwrap(), expected);
}

#[test]
fn duplicate_key_from_a_flattened_field_is_caught() {
    #[derive(serde::Serialize)]
    struct Outer {
        a: u8,
        #[serde(flatten)]
        rest: std::collections::BTreeMap<&'static str, u8>,
    }
    let value = Outer { a: 1, rest: [("a", 2)].into() };
    assert!(matches!(canonical(&value), Err(Error::Profile { fault: Fault::DuplicateKey, .. })));
}

#[test]
fn only_one_spelling_is_canonical() {
    assert!(is_canonical(br#"{"a":1,"b":[]}"#).unwrap());
    for other in [r#"{"b":[],"a":1}"#, r#"{"a":1, "b":[]}"#, "{\"a\":1,\"b\":[]}\n", r#"{"\u0061":1,"b":[]}"#]
    {
        assert!(!is_canonical(other.as_bytes()).unwrap(), "{other}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let limit = i64::try_from(MAX_INTEGER).unwrap();
    let nfc = || {
        any::<String>().prop_map(|text| unicode_normalization::UnicodeNormalization::nfc(&*text).collect())
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-limit..=limit).prop_map(Value::from),
        nfc().prop_map(|text: String| Value::String(text)),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((nfc(), inner), 0..8)
                .prop_map(|entries: Vec<(String, Value)>| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_plain_is_serialised_canonically(value in any_value()) {
        if is_plain(&value, 0) {
            prop_assert_eq!(serde_json::to_vec(&value).unwrap(), canonical(&value).unwrap());
        }
    }

    #[test]
    fn canonical_bytes_read_back_to_the_same_value(value in any_value()) {
        let bytes = canonical(&value).unwrap();
        prop_assert_eq!(&parse(&bytes).unwrap(), &value);
        prop_assert!(is_canonical(&bytes).unwrap());
        prop_assert_eq!(canonical(&parse(&serde_json::to_vec_pretty(&value).unwrap()).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        drop(parse(&bytes));
    }
}

#[test]
fn normalizing_makes_text_fit_the_profile() {
    // The short i as two code points, as some keyboards and file systems write it.
    let mut value = serde_json::json!({ "и\u{306}": ["и\u{306}", { "b": 1 }], "a": "й" });
    assert!(canonical(&value).is_err());
    assert!(normalize(&mut value));
    assert_eq!(value, serde_json::json!({ "й": ["й", { "b": 1 }], "a": "й" }));
    assert!(canonical(&value).is_ok());
    assert!(!normalize(&mut value));
}
