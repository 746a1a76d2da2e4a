//! What a light candidate reads of the server's frames: the kind by its first bytes, the rest only where it is needed.

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use synaq_wire::candidate::{Clock, Identity, QuestionMark};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A frame.
#[derive(Debug)]
pub(super) enum Heard {
    Ack {
        client_seq: u64,
    },
    Refused {
        client_seq: Option<u64>,
        problem: ProblemBits,
    },
    Question {
        index: u16,
    },
    Welcome(Box<Welcome>),
    /// Not read unless somebody waits for something in it
    State(Utf8Bytes),
    Other,
}

/// What the first frame says that is checked.
#[derive(Debug, Deserialize)]
pub(super) struct Welcome {
    pub(super) epoch: Option<u32>,
    pub(super) last_client_seq: u64,
    pub(super) view: View,
}

/// The view's part that is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct View {
    pub(super) steps: Steps,
    pub(super) clock: Option<Clock>,
    pub(super) questions: Vec<QuestionMark>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Steps {
    pub(super) identity: Identity,
    pub(super) ready: bool,
}

/// Why, as far as it is counted and followed.
#[derive(Debug, Deserialize)]
pub(super) struct ProblemBits {
    pub(super) code: String,
    pub(super) retry_after_ms: Option<u64>,
}

#[derive(Deserialize)]
struct AckFrame {
    client_seq: u64,
}

#[derive(Deserialize)]
struct RefusedFrame {
    client_seq: Option<u64>,
    problem: ProblemBits,
}

#[derive(Deserialize)]
struct QuestionFrame {
    question: Index,
}

#[derive(Deserialize)]
struct Index {
    index: u16,
}

#[derive(Deserialize)]
struct StateFrame {
    view: View,
}

#[derive(Deserialize)]
struct ByeFrame {
    problem: ProblemBits,
}

/// Reads a frame; the server's good-bye is an error with its code.
pub(super) fn read(text: Utf8Bytes) -> anyhow::Result<Heard> {
    let kind = text.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split('"').next());
    Ok(match kind.with_context(|| format!("frame: unknown {text}"))? {
        "ack" => Heard::Ack { client_seq: serde_json::from_str::<AckFrame>(&text)?.client_seq },
        "state" => Heard::State(text),
        "refused" => {
            let RefusedFrame { client_seq, problem } = serde_json::from_str(&text)?;
            Heard::Refused { client_seq, problem }
        }
        "question" => Heard::Question { index: serde_json::from_str::<QuestionFrame>(&text)?.question.index },
        "welcome" => Heard::Welcome(Box::new(serde_json::from_str(&text)?)),
        "bye" => return Err(anyhow!("bye: {}", serde_json::from_str::<ByeFrame>(&text)?.problem.code)),
        _ => Heard::Other,
    })
}

pub(super) fn view(state: &str) -> anyhow::Result<View> {
    Ok(serde_json::from_str::<StateFrame>(state)?.view)
}
