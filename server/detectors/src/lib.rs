//! What a machine can say of a candidate's picture and sound.
//!
//! Nothing here decides anything: a detector makes a *claim*, with what it saw, how sure it is and what it compared
//! with; a person confirms or dismisses it. No gaze, no emotion, nobody is recognised (F-29): only plain conditions of
//! the picture (dark, covered, frozen, changed), the number of faces, and that a sound was heard.
//!
//! Three outcomes, not two. A picture that is too dark or too blurred for a detector gives [`Verdict::CouldNotTell`]:
//! neither a claim against the candidate nor a proof that nothing was there.
//!
//! sans-IO: pictures and levels come in as values with their times, claims go out. [`Watch`] is all of it for one
//! candidate; [`Faces`] is the one part that is dear, and is shared by the candidates of a worker thread.

mod claim;
mod course;
pub mod evaluate;
mod face;
mod frame;
mod label;
mod pace;
mod picture;
mod sound;
#[cfg(test)]
mod tests;
mod watch;

/// Of this crate, as claims name it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub use claim::{Claim, Condition, Phase, Reading, Verdict, Why};
pub use course::{Course, Hold};
pub use face::{FaceBox, Faces, NoFaces, Rustface};
pub use frame::{Frame, FrameError, Look, PICTURE_BYTES_MAX, PICTURE_SIDE_MAX};
pub use label::looks_virtual;
pub use pace::{Pace, PaceRule};
pub use picture::Baseline;
pub use sound::{Heard, Levels, SoundRule};
pub use watch::{Thresholds, Watch};
