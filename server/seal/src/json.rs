//! The strict JSON profile and its canonical bytes (RFC 8785).
//!
//! Common parsers keep the last of two equal keys and round 9007199254740993 without a word, so two readers of one
//! signed text may see two records. Everything that is signed, or comes from outside to be checked, passes here first.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Largest text that [`parse`] takes, in bytes. A whole bundle with the event log of a three-hour exam is under 8 MiB.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Deepest nesting of arrays and objects. Our own records stay under ten.
pub const MAX_DEPTH: usize = 32;

/// Largest magnitude of a number: 2^53 - 1, what every JSON reader keeps exactly (RFC 7493 section 2.2).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a text or a value is outside the profile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Longer than the limit.
    #[error("the JSON text has {actual} bytes, the limit is {limit}")]
    TooLong {
        /// Bytes given.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// One of the profile's rules is broken.
    #[error("the JSON text breaks the profile near line {line}, column {column}: {fault}")]
    Profile {
        /// Which rule.
        fault: Fault,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not JSON at all, lone surrogates and bad UTF-8 included.
    #[error("the text is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// The Rust value has no JSON form.
    #[error("the value has no JSON form")]
    Unserializable(#[source] serde_json::Error),
}

/// A rule of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The same key twice in one object.
    #[error("the same key stands twice in one object")]
    DuplicateKey,
    /// A number with a fraction or an exponent, `-0`, or one too long for 64 bits.
    #[error("a number is not a plain integer")]
    Float,
    /// An integer beyond ±(2^53 - 1).
    #[error("an integer is beyond 2^53 - 1")]
    IntegerRange,
    /// A string or key that is not in Unicode normalisation form C.
    #[error("a string is not in Unicode form NFC")]
    NotNfc,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Reads untrusted text under the profile, at most [`MAX_BYTES`] of it.
///
/// # Errors
/// Names the first broken rule and where it stands.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    parse_within(bytes, MAX_BYTES)
}

/// [`parse`] with a caller's own limit on the length, in bytes.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(bytes: &[u8], limit: usize) -> Result<Value, Error> {
    if bytes.len() > limit {
        return Err(Error::TooLong { actual: bytes.len(), limit });
    }
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { fault: &fault, depth: 0 }.deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|source| match fault.get() {
        Some(fault) => Error::Profile { fault, line: source.line(), column: source.column() },
        None => Error::Syntax(source),
    })
}

/// The canonical bytes (JCS, RFC 8785) of a value that obeys the profile.
///
/// # Errors
/// As [`parse`]; the value is written out and read back under the profile first, so a duplicate key from a flattened
/// field is caught as well.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(value).map_err(Error::Unserializable)?;
    serde_json_canonicalizer::to_vec(&parse(&plain)?).map_err(Error::Unserializable)
}

/// Whether plain serialisation of `value`, so many levels deep, is canonical as it stands: under the profile, every
/// object in the order of its keys. Says no where it would have to look closer, as at keys beyond ASCII.
pub(crate) fn is_plain(value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(integer), _) => integer <= MAX_INTEGER,
            (None, Some(integer)) => integer.unsigned_abs() <= MAX_INTEGER,
            (None, None) => false,
        },
        Value::String(text) => is_nfc(text),
        Value::Array(items) => depth < MAX_DEPTH && items.iter().all(|item| is_plain(item, depth + 1)),
        Value::Object(members) => {
            depth < MAX_DEPTH
                && members.keys().all(|key| key.is_ascii())
                && members.keys().is_sorted()
                && members.values().all(|member| is_plain(member, depth + 1))
        }
    }
}

/// Puts every string and key of `value` into NFC, as the profile wants it; whether anything changed. Two keys that
/// become one keep the later value.
pub fn normalize(value: &mut Value) -> bool {
    match value {
        Value::String(text) => nfc(text),
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| normalize(item) | changed),
        Value::Object(members) => {
            let mut changed = members.values_mut().fold(false, |changed, member| normalize(member) | changed);
            if members.keys().any(|key| !is_nfc(key)) {
                let old = std::mem::take(members);
                members.extend(old.into_iter().map(|(key, member)| (key.nfc().collect(), member)));
                changed = true;
            }
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn nfc(text: &mut String) -> bool {
    if is_nfc(text) {
        return false;
    }
    *text = text.nfc().collect();
    true
}

/// Whether `JCS(parse(bytes)) == bytes`: no other spelling of the same record exists.
///
/// # Errors
/// As [`parse`], when the bytes are outside the profile.
pub fn is_canonical(bytes: &[u8]) -> Result<bool, Error> {
    Ok(serde_json_canonicalizer::to_vec(&parse(bytes)?).map_err(Error::Unserializable)? == bytes)
}

/// Builds a [`Value`] and leaves the broken rule in `fault`, since serde's errors carry text only.
#[derive(Clone, Copy)]
struct Strict<'a> {
    fault: &'a Cell<Option<Fault>>,
    depth: usize,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom(fault)
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(Fault::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn text<E: serde::de::Error>(self, text: String) -> Result<String, E> {
        if is_nfc(&text) { Ok(text) } else { Err(self.refuse(Fault::NotNfc)) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON under the strict profile")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER { Err(self.refuse(Fault::IntegerRange)) } else { Ok(value.into()) }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            Err(self.refuse(Fault::IntegerRange))
        } else {
            Ok(value.into())
        }
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.refuse(Fault::Float))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let key = self.text(key)?;
            if object.contains_key(&key) {
                return Err(self.refuse(Fault::DuplicateKey));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
