//! Limits of everything that comes from outside; each is documented in API.md and tested.

/// A WebSocket message: commands are about 200 bytes, a chat message at most 8 KiB.
pub const FRAME_BYTES: usize = 64 * 1024;
/// A JSON body.
pub const BODY_BYTES: usize = 256 * 1024;
/// An SDP offer (threat row 10).
pub const SDP_BYTES: usize = 16 * 1024;
/// A photo as it arrives; a 640x480 JPEG has about 60 KiB, a phone photo up to 4 MiB.
pub const PHOTO_BYTES: usize = 5 * 1024 * 1024;
/// Side of a photo in pixels (threat row 21).
pub const PHOTO_SIDE_PX: u32 = 8_192;
/// A still over the exam's own connection: 320x240 has about 10 KiB.
pub const STILL_BYTES: usize = 48 * 1024;
/// One load of a trial run's measuring, each way: half a second at 2 Mbit/s, four at the 256 kbit/s an exam needs.
pub const TRIAL_LINE_BYTES: usize = 128 * 1024;
/// Side of such a still in pixels.
pub const STILL_SIDE_PX: u32 = 640;
/// Pace of these stills: 10 KiB in 5 s are 16 kbit/s.
pub const STILL_EVERY_MS: u32 = 5_000;
/// A piece of the device's own recording: ten seconds at the page's 200 kbit/s have 250 KiB.
pub const LOCAL_BYTES: usize = 1024 * 1024;
/// A bank file.
pub const BANK_BYTES: usize = 5 * 1024 * 1024;
/// A list of candidates.
pub const CSV_BYTES: usize = 2 * 1024 * 1024;
/// Candidates in one list.
pub const CSV_ROWS: usize = 10_000;
/// A chat message in characters.
pub const MESSAGE_CHARS: usize = 2_000;
/// Sittings on one wall.
pub const POOL_SITTINGS: usize = 16;
/// A note or reason in characters.
pub const NOTE_CHARS: usize = 1_000;
/// A one-time ticket for a WebSocket lives this long: a slow link needs a few seconds for the upgrade.
pub const TICKET_MS: i64 = 30_000;
/// Frames a socket may send per second on average; a replaying outbox sends its whole queue in bursts.
pub const FRAMES_PER_S: u32 = 50;
/// Frames a socket may send at once.
pub const FRAMES_BURST: u32 = 400;
/// The client says something at least this often; three missed are a lost connection (9.3: 5 s and 15 s).
pub const HEARTBEAT_MS: i64 = 5_000;
/// Silence after which a socket is given up.
pub const SILENCE_MS: i64 = 15_000;
/// Rows of a list's page, unless asked otherwise: what a screen shows without much scrolling.
pub const PAGE_ROWS: u32 = 25;
/// Rows of a list's page at most.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Words of a search: each is one more look at every row.
pub const SEARCH_WORDS: usize = 8;
/// A search in characters: longer than any name.
pub const SEARCH_CHARS: usize = 120;
/// Rows of an exported list: ten times the candidates that one installation is measured with; made in memory, about
/// 100 MB.
pub const EXPORT_ROWS: u32 = 100_000;
