//! Server time: integer milliseconds UTC. Legal dates are computed at +05:00 (F-36), in `calendar`.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// An instant, milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At(pub i64);

/// A length of time in milliseconds; may be negative in arithmetic, never in an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: i64) -> Self {
        Self(n * 1_000)
    }

    /// `n` minutes.
    #[must_use]
    pub const fn mins(n: i64) -> Self {
        Self(n * 60_000)
    }
}

impl Add<Span> for At {
    type Output = Self;

    fn add(self, by: Span) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}

impl Sub<Span> for At {
    type Output = Self;

    fn sub(self, by: Span) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}

impl Sub for At {
    type Output = Span;

    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// RFC 3339 in UTC with exactly three decimals, as the record's canonical bytes want it.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map_err(|_| fmt::Error)?;
        write!(
            f,
            "{}T{:02}:{:02}:{:02}.{:03}Z",
            instant.date(),
            instant.hour(),
            instant.minute(),
            instant.second(),
            instant.millisecond()
        )
    }
}

impl std::str::FromStr for At {
    type Err = ::time::error::Parse;

    /// Any RFC 3339 instant, whatever its offset.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant = OffsetDateTime::parse(text, &Rfc3339)?;
        let millis = instant.unix_timestamp_nanos() / 1_000_000;
        Ok(Self(i64::try_from(millis).expect("RFC 3339 has four-digit years")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_with_three_decimals_and_parse_back() {
        let at = At(1_795_219_200_007);
        assert_eq!(at.to_string().parse::<At>().unwrap(), at);
        assert_eq!(At(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            "2026-11-21T05:00:00+05:00".parse::<At>().unwrap().to_string(),
            "2026-11-21T00:00:00.000Z"
        );
    }
}
