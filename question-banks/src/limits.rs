//! The bounds of every file this crate reads. Named, so that a report can quote them.

/// Largest file read, bytes. A bank of 10 000 long questions stays below it.
pub const FILE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Questions in one bank. The largest banks of the professions' centres hold some 2 000.
pub const QUESTIONS_MAX: usize = 10_000;
/// Topics in one bank.
pub const TOPICS_MAX: usize = 200;
/// Fewest options of one question.
pub const OPTIONS_MIN: usize = 2;
/// Most options of one question: more do not fit a 320 px screen without losing the overview.
pub const OPTIONS_MAX: usize = 8;
/// Longest question or option text, characters (Unicode scalar values), per language.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Longest title of a bank, topic or programme, characters, per language.
pub const TITLE_CHARS_MAX: usize = 300;
/// Longest id, bytes; ids are ASCII.
pub const ID_BYTES_MAX: usize = 64;
/// Problems kept in one report; what exceeds it is counted, not kept.
pub const PROBLEMS_MAX: usize = 1_000;
/// Syntax errors named at once when a file is no TOML; later ones mostly follow from the first.
pub const SYNTAX_ERRORS_MAX: usize = 20;
