//! Why the store did not do what it was asked, in words an operator can act upon.

use std::io;

/// What the store said, or that it said nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// No connection, no answer in time, or an error of the store's own
    #[error("the store does not answer as it should: {0}")]
    Away(String),
    /// It knows neither key nor signature, or grants no right
    #[error(
        "the store refuses key_id and secret, or grants them no right to read, write, list and delete: {0}"
    )]
    Denied(String),
    /// There is no such bucket or object
    #[error("the store has no such bucket or object: {0}")]
    Missing(String),
    /// Its parts leave something out, or are not what was put there
    #[error("the store holds bytes up to {have} of {want}")]
    Short {
        /// Up to here without a hole
        have: u64,
        /// The length that was put there
        want: u64,
    },
    /// This machine's own file
    #[error("the local file cannot be read or written: {0}")]
    Local(#[source] io::Error),
}

impl Fault {
    /// For a metric's label.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Denied(_) => "denied",
            Self::Missing(_) => "missing",
            Self::Short { .. } => "short",
            Self::Local(_) => "local",
        }
    }

    /// It is about the store and not about one piece: nothing else will fare better now.
    pub(crate) const fn is_the_stores(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Denied(_) | Self::Missing(_))
    }
}

impl From<object_store::Error> for Fault {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let text = told(&error);
        // A refused listing comes without its status but in the words: a test holds both ways to this.
        let answered = |status: &str| text.contains(&format!("status code: {status} "));
        match error {
            E::NotFound { .. } => Self::Missing(text),
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => Self::Denied(text),
            _ if answered("401") || answered("403") => Self::Denied(text),
            _ if answered("404") => Self::Missing(text),
            _ => Self::Away(text),
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Local(error) => error,
            Fault::Missing(_) => Self::new(io::ErrorKind::NotFound, fault),
            Fault::Away(_) => Self::new(io::ErrorKind::NotConnected, fault),
            Fault::Denied(_) => Self::new(io::ErrorKind::PermissionDenied, fault),
            Fault::Short { .. } => Self::new(io::ErrorKind::InvalidData, fault),
        }
    }
}

/// The innermost reason, on one line; the outer ones repeat it.
fn told(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD_MAX).collect();
    line.trim().to_owned()
}

/// A store answers with pages of XML.
const TOLD_MAX: usize = 300;
