//! What both kinds of sockets share: buffers, bounds, sending in time, and leaving.

use crate::problem::Refused;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::SinkExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::pin::Pin;
use std::time::Duration;
use synaq_wire::candidate::{CandidateCommand, ClientFrame};
use synaq_wire::limits::{FRAME_BYTES, SILENCE_MS};
use synaq_wire::problem::{Code, Problem};
use tokio::time::{Instant, Sleep};

/// Measured: an eighth of the memory and of the cost to accept of the library's own 128 KiB.
const BUFFER_BYTES: usize = 4_096;
/// What is a little too large is refused by name; beyond this the socket ends.
const TRANSPORT_BYTES: usize = 2 * FRAME_BYTES;
/// A reader that does not take one frame within this time is gone.
const SEND_TIME: Duration = Duration::from_secs(10);
/// Silence after which a socket is given up.
pub(crate) const SILENCE: Duration = Duration::from_millis(SILENCE_MS.unsigned_abs());

/// Why a conversation ends.
#[derive(Debug)]
pub(crate) enum Leave {
    /// The other side is gone
    Gone(&'static str),
    /// We end it, with a word
    Bye(Box<Problem>),
}

impl From<Problem> for Leave {
    fn from(problem: Problem) -> Self {
        Self::Bye(Box::new(problem))
    }
}

impl From<Code> for Leave {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

impl Leave {
    /// For the log and the event; no personal data.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Gone(how) => how,
            Self::Bye(problem) => problem.code.as_str(),
        }
    }
}

/// What was heard.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A frame's text, to be read at once: it is a slice of the read buffer, and would keep that from being used again
    Frame(Utf8Bytes),
    /// A frame that is none
    Malformed(Box<Problem>),
    /// A sign of life
    Alive,
}

/// The upgrade with our bounds, or the problem that there is none. Beyond `unsent` bytes that a reader does not take the
/// socket ends.
pub(crate) fn bounded(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    unsent: usize,
) -> Result<WebSocketUpgrade, Refused> {
    let upgrade =
        upgrade.map_err(|rejection| Problem::new(Code::BodyMalformed).detail(rejection.body_text()))?;
    Ok(upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(unsent)
        .max_message_size(TRANSPORT_BYTES)
        .max_frame_size(TRANSPORT_BYTES))
}

/// A socket with the time it was last heard.
pub(crate) struct Line {
    socket: WebSocket,
    heard_at: Instant,
    /// Moved on when it rings and not with each frame: one timer event in fifteen seconds, whatever is said
    silence: Pin<Box<Sleep>>,
}

impl Line {
    pub(crate) fn new(socket: WebSocket) -> Self {
        let heard_at = Instant::now();
        Self { socket, heard_at, silence: Box::pin(tokio::time::sleep_until(heard_at + SILENCE)) }
    }

    /// The next word. Cancel-safe.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Leave> {
        let message = loop {
            tokio::select! {
                biased;
                message = self.socket.recv() => break message.ok_or(Leave::Gone("closed"))?,
                () = &mut self.silence => {
                    let silent_at = self.heard_at + SILENCE;
                    if Instant::now() >= silent_at {
                        return Err(Leave::Gone("silent"));
                    }
                    self.silence.as_mut().reset(silent_at);
                }
            }
        };
        self.heard_at = Instant::now();
        match message {
            Ok(Message::Text(text)) if text.len() <= FRAME_BYTES => Ok(Heard::Frame(text)),
            Ok(Message::Text(_)) => Ok(Heard::Malformed(Box::new(Problem::new(Code::FrameTooLarge)))),
            Ok(Message::Binary(_)) => {
                let problem = Problem::new(Code::FrameMalformed).detail("frames are text");
                Ok(Heard::Malformed(Box::new(problem)))
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => Ok(Heard::Alive),
            Ok(Message::Close(_)) => Err(Leave::Gone("closed")),
            Err(error) if error.to_string().contains("Space limit exceeded") => {
                Err(Code::FrameTooLarge.into())
            }
            Err(_) => Err(Leave::Gone("broken")),
        }
    }

    pub(crate) async fn say(&mut self, frame: &impl Serialize) -> Result<(), Leave> {
        self.put(text(frame)).await?;
        self.flush().await
    }

    /// Puts a frame behind those that wait to be sent; [`Self::flush`] sends them together.
    pub(crate) async fn put(&mut self, text: String) -> Result<(), Leave> {
        in_time(self.socket.feed(Message::Text(text.into()))).await
    }

    /// Hands to the system what waits.
    pub(crate) async fn flush(&mut self) -> Result<(), Leave> {
        in_time(self.socket.flush()).await
    }

    /// When the last frame was read.
    pub(crate) const fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// Closes as RFC 6455 has it; whether the other side still listens does not matter.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: axum::extract::ws::close_code::NORMAL, reason: "".into() };
        let close = self.socket.send(Message::Close(Some(frame)));
        drop(tokio::time::timeout(SEND_TIME, close).await);
    }
}

async fn in_time(sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Leave> {
    let sent = tokio::time::timeout(SEND_TIME, sending).await;
    sent.map_err(|_| Leave::Gone("slow"))?.map_err(|_| Leave::Gone("broken"))
}

/// A frame as it is sent.
pub(crate) fn text(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).expect("frames are plain JSON")
}

/// A candidate's frame, read once: all but the commands without fields refuse unknown ones by themselves.
pub(crate) fn candidate_frame(text: &str) -> Result<ClientFrame, Problem> {
    use CandidateCommand as C;
    match serde_json::from_str(text) {
        Ok(ClientFrame::Command {
            command: C::SubmitIdentity | C::Begin | C::CallProctor | C::HandIn | C::Drained,
            ..
        })
        | Err(_) => parse(text),
        Ok(frame) => Ok(frame),
    }
}

/// A frame of a known shape, with no field beyond it.
pub(crate) fn parse<T: DeserializeOwned + Serialize>(text: &str) -> Result<T, Problem> {
    let malformed = |detail: String| Problem::new(Code::FrameMalformed).detail(detail);
    // The parser's words can quote the frame; its place cannot.
    let place = |error: &serde_json::Error| malformed(format!("at column {}", error.column()));
    let sent: Value = serde_json::from_str(text).map_err(|error| place(&error))?;
    let frame: T = serde_json::from_str(text).map_err(|error| place(&error))?;
    let known = serde_json::to_value(&frame).expect("frames are plain JSON");
    if holds(&known, &sent) {
        Ok(frame)
    } else {
        Err(malformed("it has a field that is not known".to_owned()))
    }
}

/// Whether each field of `sent` is one of `known`. Serde lets a command without fields pass with any
/// (`deny_unknown_fields` does not reach unit variants under a tag), and a hand-in must be meant.
fn holds(known: &Value, sent: &Value) -> bool {
    match (known, sent) {
        (Value::Object(known), Value::Object(sent)) => {
            sent.iter().all(|(name, value)| match known.get(name) {
                Some(known) => holds(known, value),
                None => value.is_null(),
            })
        }
        (Value::Array(known), Value::Array(sent)) => {
            known.iter().zip(sent).all(|(known, sent)| holds(known, sent))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(command: &str) -> Result<ClientFrame, Problem> {
        candidate_frame(&format!(
            r#"{{"type":"command","client_seq":1,"epoch":1,"client_at":0,"command":{command}}}"#
        ))
    }

    #[test]
    fn no_command_passes_with_a_field_that_it_does_not_have() {
        assert!(command(r#"{"do":"hand_in"}"#).is_ok());
        assert!(command(r#"{"do":"signal","code":"X","phase":"end","ago_ms":0,"note":null}"#).is_ok());
        for bad in [
            r#"{"do":"hand_in","question":1}"#,
            r#"{"do":"drained","do2":{}}"#,
            r#"{"do":"begin","nonce":"ab"}"#,
            r#"{"do":"submit_identity","x":1}"#,
            r#"{"do":"call_proctor","x":1}"#,
            r#"{"do":"check_device","report":{"camera":true,"microphone":true,"connection":true,"round_trip_ms":1,"camera_label":"","browser":"","second_screen":null,"x":1}}"#,
            r#"{"do":"flag","question":1,"on":true,"x":1}"#,
            r#"{"do":"answer","question":1,"shown":[1],"item":"hyg-001"}"#,
        ] {
            assert_eq!(command(bad).unwrap_err().code, Code::FrameMalformed, "{bad}");
        }
    }

    #[test]
    fn no_frame_passes_with_a_field_that_it_does_not_have() {
        for bad in [r#"{"type":"ping","n":1,"x":1}"#, r#"{"type":"question","index":1,"x":null,"y":2}"#] {
            assert_eq!(candidate_frame(bad).unwrap_err().code, Code::FrameMalformed, "{bad}");
        }
        let beside =
            r#"{"type":"command","client_seq":1,"epoch":1,"client_at":0,"x":1,"command":{"do":"hand_in"}}"#;
        assert_eq!(candidate_frame(beside).unwrap_err().code, Code::FrameMalformed);
    }

    #[test]
    fn a_problem_never_quotes_the_frame() {
        let problem = command(r#"{"do":"my secret"}"#).unwrap_err();
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }
}
