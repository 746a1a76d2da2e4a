//! `[retention]`: for how long evidence is kept.

use crate::retention::Keeping;
use serde::Deserialize;
use synaq_core::retention::{MAX_DAYS, MIN_DAYS, Terms, USUAL_DAYS};

/// Days from the end of the exam; an appeal and a hold go before them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Webcam, microphone, screen, clips
    pub(crate) recordings_days: u16,
    /// Single pictures of the exam
    pub(crate) stills_days: u16,
    /// Face and document
    pub(crate) photos_days: u16,
    /// The server erases by itself, each night
    pub(crate) automatic: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            recordings_days: USUAL_DAYS,
            stills_days: USUAL_DAYS,
            photos_days: USUAL_DAYS,
            automatic: true,
        }
    }
}

impl Retention {
    /// As the server takes it.
    pub(crate) const fn keeping(&self) -> Keeping {
        let Self { recordings_days, stills_days, photos_days, automatic } = *self;
        Keeping { terms: Terms { recordings_days, stills_days, photos_days }, automatic }
    }

    /// What speaks against it.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let days = [
            ("recordings_days", self.recordings_days),
            ("stills_days", self.stills_days),
            ("photos_days", self.photos_days),
        ];
        let wrong = days.into_iter().filter(|(_, days)| !(MIN_DAYS..=MAX_DAYS).contains(days));
        wrong
            .map(|(name, days)| format!("[retention] {name} = {days}: give {MIN_DAYS} to {MAX_DAYS} days"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_bounds_and_an_unknown_class_is_named() {
        let read = |text| toml::from_str::<Retention>(text);
        assert_eq!(read("stills_days = 30").unwrap().complaints(), Vec::<String>::new());
        let wrong = read("stills_days = 29\nphotos_days = 4000").unwrap().complaints();
        assert!(wrong[0].contains("stills_days = 29") && wrong[1].contains("photos_days"), "{wrong:?}");
        assert!(read("video_days = 90").unwrap_err().to_string().contains("video_days"));
    }
}
