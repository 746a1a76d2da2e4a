use std::{io, net::SocketAddr};

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the media port {address}; choose a free port or stop the program that holds it")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the media port {0} listens on every interface; say which address browsers reach (`advertise`)")]
    AdvertiseMissing(SocketAddr),
    #[error("media threads must be between 1 and {max}, got {got}")]
    Threads { got: usize, max: usize },
    #[error("cannot set up the media event loop")]
    Loop(#[source] io::Error),
    #[error("cannot generate the DTLS certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why an SDP offer was refused. The state of the room is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not SDP, or SDP without the ICE and DTLS attributes that WebRTC needs, or refused by the WebRTC core.
    #[error("the offer is not a usable WebRTC session description: {0}")]
    Malformed(&'static str),
    /// Longer than [`crate::sdp::MAX_BYTES`].
    #[error("the offer is longer than {} bytes", crate::sdp::MAX_BYTES)]
    TooLarge,
    /// More than one audio or two video lines, a data channel, or lines that point the wrong way.
    #[error("the offer asks for media lines that this room does not take: {0}")]
    MediaLines(&'static str),
    /// No video line offers VP8, the only video codec recorded here.
    #[error("the offer contains no VP8 video")]
    NoVp8,
    /// Publisher or viewer limit reached, or the media thread has too many offers waiting.
    #[error("no room for another media connection; try again in a moment")]
    Full,
    /// The service is shutting down.
    #[error("the media service has stopped")]
    Stopped,
}

impl OfferError {
    /// Stable code for problem+json.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "sdp_malformed",
            Self::TooLarge => "sdp_too_large",
            Self::MediaLines(_) => "sdp_media_lines",
            Self::NoVp8 => "sdp_no_vp8",
            Self::Full => "media_full",
            Self::Stopped => "media_stopped",
        }
    }
}

/// No peer has this resource id (any more).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such media resource")]
pub struct NotFound;
