//! Every limit and every span the rules name, in one place.

use crate::time::Span;

/// a displayed warning is effective after this grace.
pub const WARNING_GRACE: Span = Span::secs(10);
/// a warning whose display was never reported is effective after this much live socket.
pub const WARNING_LIVE_SOCKET: Span = Span::secs(30);
/// 9.3: the questions are covered for at most this long.
pub const WARNING_COVER: Span = Span::secs(60);
/// an incident still running this long after the warning took effect becomes a new one.
pub const PERSIST_LIMIT: Span = Span::secs(30);
/// Blurs right after our own prompt or warning are the browser's doing (keyboard-layout popup, permissions).
pub const SHIELD_AFTERGLOW: Span = Span::secs(10);
/// A client's claim that our prompt is open shields no longer than this.
pub const PROMPT_SHIELD: Span = Span::secs(60);
/// All prompts of an exam together shield no longer than this, and the last one's afterglow.
pub const PROMPT_SHIELD_TOTAL: Span = Span::mins(5);
/// A clock that was set back by more than this is written down; less is what time synchronisation does.
pub const CLOCK_STEP: Span = Span::secs(2);
/// Answers made before the deadline are taken as late for this long.
pub const LATE_WINDOW: Span = Span::mins(10);
/// After the end, pieces of evidence that are still open get this long to be finished. The recorder needs well under a
/// second; this is for a disk that hangs, and for reading what a crash has cut off.
pub const EVIDENCE_WAIT: Span = Span::secs(60);
/// A piece that the candidate's device recorded by itself is no longer than this.
pub const LOCAL_SPAN_MAX: Span = Span::mins(2);
/// Pieces recorded by the device in one session: 40 min of ten seconds each.
pub const LOCAL_PIECES_MAX: usize = 240;
/// A signal can be reported this long after it happened.
pub const SIGNAL_AGO_MAX: Span = Span::mins(10);
/// A signal that took longer than this to arrive was queued, and what ended it may be queued behind it.
pub const CLAIM_IN_TIME: Span = Span::secs(2);
/// After a reconnect the browser has this long to say whether a behaviour still goes on.
pub const RESUME_GRACE: Span = Span::secs(10);
/// The tab in charge may come back this long before another tab of its device takes over: long enough for a reload on
/// a slow machine and line, short enough for a person who closed the tab and opened the link again.
pub const TAB_RETURN_GRACE: Span = Span::secs(5);
/// After a downtime of ours a page that was here is waited for this long, and the time is ours: a page tries again within
/// ten seconds, and a connection over a poor line takes some more.
pub const RETURN_WAIT: Span = Span::secs(15);
/// Above this much time without supervision the commission must rule on validity.
pub const UNSUPERVISED_COMMISSION: Span = Span::mins(10);

/// A dismissal can be taken back for 5 s on the screen, and for what a poor line takes to say so.
pub const DISMISSAL_UNDO: Span = Span::secs(8);
/// One break; nobody is left unseen for longer without a new word.
pub const BREAK_MAX: Span = Span::mins(60);
/// A gesture is asked for no later than this after it was planned: whoever planned it is still there to judge.
pub const GESTURE_AFTER_MAX: Span = Span::mins(15);

/// One credit or extension.
pub const TIME_STEP_MIN: Span = Span::secs(1);
/// One credit or extension: nobody needs more at once than the longest usual exam.
pub const TIME_STEP_MAX: Span = Span::mins(120);
/// All credits and extensions of a session together: a working day.
pub const TIME_TOTAL_MAX: Span = Span::mins(480);
/// Accommodation granted beforehand (F-12 has 30 min; some centres double the time).
pub const EXTRA_MAX: Span = Span::mins(600);

/// A message, in characters.
pub const MESSAGE_CHARS: usize = 2_000;
/// A proctor's note, in characters.
pub const NOTE_CHARS: usize = 1_000;
/// A reason, in characters.
pub const REASON_CHARS: usize = 500;
/// What the browser says about a signal, in characters.
pub const SIGNAL_NOTE_CHARS: usize = 200;
/// Name, version and condition of a detector.
pub const DETECTOR_NAME_BYTES: usize = 40;
/// A label or version, in characters.
pub const LABEL_CHARS: usize = 120;

/// Stored answers of one session: 60 min of one every second fit five times. Counted apart, so that neither a
/// chattering client nor a line that breaks all the time uses up their room.
pub const ANSWERS_MAX: u64 = 20_000;
/// Signals, messages, prompts and detectors' claims of one session.
pub const CHATTER_EVENTS_MAX: u64 = 15_000;

/// Reason of a disconnect that a restart of ours caused: not an interruption of the candidate's.
pub const SERVER_RESTARTED: &str = "server restarted";
/// Reason of a disconnect when we are stopped in order, which is the problem code the page is told: not the candidate's
/// interruption either.
pub const SERVER_STOPPED: &str = "shutting_down";
