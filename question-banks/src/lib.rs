//! Question banks and programmes as TOML files: reading with a report per question, and writing.
//! The format is described in `schema/FORMAT.md`.

mod codes;
mod desk;
mod gift;
mod guessable;
pub mod limits;
mod nco;
mod plain;
mod problem;
mod programme;
mod read;
mod table;
mod write;

pub use desk::is_id;
pub use gift::{GiftCode, GiftFiles, GiftFinding, GiftHead, GiftQuestion, GiftReading, read_gift};
pub use nco::is_nco_code;
pub use problem::{ImportError, ImportReport, Problem, ProblemCode, Severity, SyntaxError};
pub use programme::{FitError, LEVEL_MAX, MINUTES_MAX, check_against, read_programme};
pub use read::{read, read_bytes};
pub use write::{write, write_programme};

/// The demo bank of the profession confectioner, as its file stands in `demo/confectioner`.
pub const DEMO_BANK: &str = include_str!("../demo/confectioner/bank.toml");
/// The demo programme over [`DEMO_BANK`].
pub const DEMO_PROGRAMME: &str = include_str!("../demo/confectioner/programme.toml");
