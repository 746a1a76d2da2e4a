//! A candidate's conversation.

use crate::exam::{Exam, prepared, warned};
use crate::{Verdict, frames};
use synaq_core::ids::Epoch;
use synaq_core::session::{ClientRef, Input};
use synaq_core::time::At;
use synaq_wire::candidate::ClientFrame;

// The very conversion of the front door, without its HTTP stack: a copy would be fuzzed instead of the real one.
#[expect(clippy::result_large_err, reason = "the front door's own signatures")]
#[path = "../../../../server/web/src/candidate/command.rs"]
mod command;

/// As the front door has it: JSON's integers are exact up to 2^53, and half of them are the page's.
const CLIENT_SEQ_MAX: u64 = (1 << 52) - 1;

pub(crate) fn converse(data: &[u8]) -> Verdict {
    let taken = [prepared(), warned()].map(|mut exam| {
        // Every line is said, also after a refused one.
        let refused = frames(data).filter(|text| !say(&mut exam, text)).count();
        exam.check();
        refused == 0
    });
    if taken.contains(&true) { Verdict::Taken } else { Verdict::Refused }
}

/// Whether it was accepted.
fn say(exam: &mut Exam, text: &str) -> bool {
    let Ok(frame) = serde_json::from_str::<ClientFrame>(text) else { return false };
    let spelled = serde_json::to_string(&frame).expect("frames are plain JSON");
    let again = serde_json::from_str::<ClientFrame>(&spelled);
    assert_eq!(again.ok().as_ref(), Some(&frame), "a frame does not survive its own spelling");
    match frame {
        ClientFrame::Ping { n, .. } => exam.wait(n),
        ClientFrame::Question { index } => return exam.has_question(index),
        ClientFrame::Command { client_seq, epoch, client_at, command } => {
            if !(1..=CLIENT_SEQ_MAX).contains(&client_seq) || client_at.unsigned_abs() > CLIENT_SEQ_MAX {
                return false;
            }
            let Ok(command) = command::command(command) else { return false };
            let client = ClientRef { epoch: Epoch(epoch), client_seq, client_at: At(client_at) };
            return exam.ask(Input::Candidate { client, command });
        }
    }
    true
}
