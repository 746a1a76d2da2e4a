//! Power loss: a disk that forgets what was not synced.

mod content;
mod mount;

pub use content::Cut;
pub use mount::PowerDisk;
