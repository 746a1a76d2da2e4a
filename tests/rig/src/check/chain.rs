//! The hash chain, recomputed: `SHA-256(0x02 || prev || JCS{at, body, kind, seq, sid})` from 32 zero bytes on.

use super::{Case, Findings};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const WHAT: &str = "chain_verifies";

pub(super) fn check(case: &Case, findings: &mut Findings) {
    findings.looked(WHAT);
    let mut head = [0; 32];
    for (place, event) in case.bundle.events.iter().enumerate() {
        let fault = |what: &str| format!("{}, event {}: {what}", case.session, event.seq);
        if event.seq != place as u64 + 1 {
            findings.broken(WHAT, fault(&format!("it stands at place {}", place + 1)));
        }
        if event.sid != case.session {
            findings.broken(WHAT, fault("it belongs to another session"));
        }
        let leaf = json!({ "at": event.at, "body": event.body, "kind": event.kind, "seq": event.seq, "sid": event.sid });
        head = sha256(&[&[2], &head, canonical(&leaf).as_bytes()]);
        if hex(&head) != event.hash {
            findings.broken(WHAT, fault("its hash does not follow"));
            return;
        }
    }
    let sealed = &case.bundle.record["event_log"];
    if sealed["head"] != hex(&head).as_str() || sealed["count"] != case.bundle.events.len() {
        findings.broken(WHAT, format!("{}: the record seals another chain: {sealed}", case.session));
    }
    let ends = case.bundle.events.iter().filter(|event| event.kind == "closed").count();
    if ends != 1 {
        findings.broken(WHAT, format!("{}: {ends} ends", case.session));
    }
}

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 8785 for what the log holds: no fractions, and keys in ASCII, so that byte order is UTF-16 order.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let fields: Vec<String> =
                names.iter().map(|name| format!("{}:{}", text(name), canonical(&fields[*name]))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::String(plain) => text(plain),
        other => other.to_string(),
    }
}

fn text(plain: &str) -> String {
    Value::String(plain.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_sorts_names_and_spaces_nothing() {
        let value = json!({ "b": [1, { "d": null, "c": "ә\n" }], "a": true });
        assert_eq!(canonical(&value), r#"{"a":true,"b":[1,{"c":"ә\n","d":null}]}"#);
    }

    #[test]
    fn sha256_is_the_standards() {
        let abc = hex(&sha256(&[b"a", b"bc"]));
        assert_eq!(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
