//! What both kinds of sockets share: buffers, bounds, sending in time, and leaving.

use crate::problem::Refused;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use synaq_wire::limits::{FRAME_BYTES, SILENCE_MS};
use synaq_wire::problem::{Code, Problem};
use tokio::time::Instant;

/// Measured: an eighth of the memory and of the cost to accept of the library's own 128 KiB.
const BUFFER_BYTES: usize = 4_096;
/// What is a little too large is refused by name; beyond this the socket ends.
const TRANSPORT_BYTES: usize = 2 * FRAME_BYTES;
/// A wall of 2 000 tiles has about 1 MiB.
const UNSENT_BYTES: usize = 8 * 1024 * 1024;
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
    /// A frame's text
    Frame(String),
    /// A frame that is none
    Malformed(Box<Problem>),
    /// A sign of life
    Alive,
}

/// The upgrade with our bounds, or the problem that there is none.
pub(crate) fn bounded(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<WebSocketUpgrade, Refused> {
    let upgrade =
        upgrade.map_err(|rejection| Problem::new(Code::BodyMalformed).detail(rejection.body_text()))?;
    Ok(upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(UNSENT_BYTES)
        .max_message_size(TRANSPORT_BYTES)
        .max_frame_size(TRANSPORT_BYTES))
}

/// A socket with the time it was last heard.
pub(crate) struct Line {
    socket: WebSocket,
    silent_at: Instant,
}

impl Line {
    pub(crate) fn new(socket: WebSocket) -> Self {
        Self { socket, silent_at: Instant::now() + SILENCE }
    }

    /// The next word. Cancel-safe.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Leave> {
        let message = tokio::time::timeout_at(self.silent_at, self.socket.recv()).await;
        let message = message.map_err(|_| Leave::Gone("silent"))?.ok_or(Leave::Gone("closed"))?;
        self.silent_at = Instant::now() + SILENCE;
        match message {
            // A copy: a slice would pin the read buffer for as long as the command waits.
            Ok(Message::Text(text)) if text.len() <= FRAME_BYTES => {
                Ok(Heard::Frame(text.as_str().to_owned()))
            }
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
        let text = serde_json::to_string(frame).expect("frames are plain JSON");
        let sent = tokio::time::timeout(SEND_TIME, self.socket.send(Message::Text(text.into()))).await;
        sent.map_err(|_| Leave::Gone("slow"))?.map_err(|_| Leave::Gone("broken"))
    }

    /// Closes as RFC 6455 has it; whether the other side still listens does not matter.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: axum::extract::ws::close_code::NORMAL, reason: "".into() };
        let close = self.socket.send(Message::Close(Some(frame)));
        drop(tokio::time::timeout(SEND_TIME, close).await);
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
    use synaq_wire::candidate::ClientFrame;

    fn command(command: &str) -> Result<ClientFrame, Problem> {
        parse(&format!(r#"{{"type":"command","client_seq":1,"epoch":1,"client_at":0,"command":{command}}}"#))
    }

    #[test]
    fn no_command_passes_with_a_field_that_it_does_not_have() {
        assert!(command(r#"{"do":"hand_in"}"#).is_ok());
        assert!(command(r#"{"do":"signal","code":"X","phase":"end","ago_ms":0,"note":null}"#).is_ok());
        for bad in [
            r#"{"do":"hand_in","question":1}"#,
            r#"{"do":"drained","do2":{}}"#,
            r#"{"do":"flag","question":1,"on":true,"x":1}"#,
            r#"{"do":"answer","question":1,"shown":[1],"item":"hyg-001"}"#,
        ] {
            assert_eq!(command(bad).unwrap_err().code, Code::FrameMalformed, "{bad}");
        }
    }

    #[test]
    fn a_problem_never_quotes_the_frame() {
        let problem = command(r#"{"do":"my secret"}"#).unwrap_err();
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }
}
